"""Whatever is wrong with the input: everything else arrives, and a line names what did not, and the fix."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import bad_images
import pytest

pytestmark = pytest.mark.integration

SHOWN = 20
"""So many failures are shown on standard error; the file has all."""

TRACEBACK = "Traceback"

UNUSABLE = [*sorted(bad_images.ERRORS), "pipe.png", "loop.png", "dangling.png"]


def read_failures(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def pushed_pictures(make_commands: Any, remote: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every difficult picture, pushed from folders of at most so many bad ones as standard error shows."""
    base = tmp_path_factory.mktemp("pictures")
    lines: dict[str, str] = {}
    failures: dict[str, dict[str, str]] = {}
    held: dict[str, Any] = {}
    commands = make_commands(base)
    starts = range(0, len(UNUSABLE), SHOWN)
    for number, start in enumerate(starts):
        folder = base / f"pictures{number}"
        folder.mkdir()
        for name in UNUSABLE[start : start + SHOWN]:
            if name in bad_images.SPECIAL:
                bad_images.SPECIAL[name](folder / name)
            else:
                (folder / name).write_bytes(bad_images.bad_image(name))
        for name in sorted(bad_images.USABLE)[number :: len(starts)]:
            (folder / name).write_bytes(bad_images.usable_image(name))
        ended = commands.vlmops("push", folder.name, "--failures", f"failures{number}.jsonl")
        assert ended.code == 3, ended.err
        assert TRACEBACK not in ended.err
        lines |= {Path(line.split(": ")[1]).name: line for line in ended.lines}
        found = read_failures(base / f"failures{number}.jsonl")
        failures |= {Path(failure["source"]).name: failure for failure in found}
        held |= remote.content(folder.name)
    return lines, failures, held


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_picture_that_cannot_be_used_is_named_with_its_fix(pushed_pictures: Any, name: str) -> None:
    lines, failures, held = pushed_pictures
    assert re.fullmatch(rf"failed: pictures\d/{re.escape(name)}: .+ \(.+\)", lines[name])
    failure = failures[name]
    assert set(failure) == {"id", "source", "field", "message"}
    assert failure["id"] in (name, "")
    assert failure["source"].endswith(name)
    assert failure["message"].removeprefix(f"{failure['source']}: ") in lines[name]
    assert name not in held


@pytest.mark.parametrize("name", sorted(bad_images.USABLE))
def test_an_odd_picture_that_can_be_used_arrives(pushed_pictures: Any, name: str) -> None:
    lines, failures, held = pushed_pictures
    assert name not in lines
    assert name not in failures
    assert held[name]["metadata"]["vision"]["inputs"]["image"]["$image"]["media_type"].startswith("image/")


def test_no_metadata_reaches_the_store(pushed_pictures: Any, phoenix_server: Any) -> None:
    _, _, held = pushed_pictures
    stored = {path.stem: path for path in Path(phoenix_server.media_store).rglob("*") if path.is_file()}
    for name, content in held.items():
        reference = content["metadata"]["vision"]["inputs"]["image"]["$image"]
        assert bad_images.SECRET not in stored[reference["sha256"]].read_bytes(), name


GOOD = {"id": "good", "file_name": "plain.png", "label": "a"}
LAST = {"id": "last", "file_name": "plain.png"}

ROWS: dict[str, tuple[str | dict[str, Any], str, str]] = {
    # what is wrong: (the row, the field named, the problem named)
    "broken JSON": ('{"id": "x", "file_name": "plain.png"', "", "not JSON"),
    "no object": ("[1, 2]", "", "a JSON list"),
    "null": ("null", "", "a JSON"),
    "NaN": ('{"id": "x", "file_name": "plain.png", "score": NaN}', "metadata.score", "not a JSON number"),
    "infinite": ('{"id": "x", "file_name": "plain.png", "n": 1e999}', "metadata.n", "not a JSON number"),
    "beyond 64 bits": ({"id": "x", "file_name": "plain.png", "n": 10**30}, "metadata.n", "64 bits"),
    "beyond parsing": ('{"id": "x", "n": ' + "9" * 5000 + "}", "", "not JSON"),
    "nested deeply": (
        '{"id": "x", "file_name": "plain.png", "n": ' + "[" * 300 + "]" * 300 + "}",
        "metadata",
        "levels deep",
    ),
    "nested absurdly": ('{"id": "x", "n": ' + "[" * 100_000 + "]" * 100_000 + "}", "", "not JSON"),
    "half a character": (
        '{"id": "x", "file_name": "plain.png", "note": "\\ud800"}',
        "metadata.note",
        "half a character",
    ),
    "half a character in the id": ('{"id": "\\ud800", "file_name": "plain.png"}', "id", "half a character"),
    "not UTF-8": ('{"id": "x", "file_name": "plain.png", "note": "caf\udce9"}', "", "not utf-8"),
    "empty id": ({"id": "   ", "file_name": "plain.png"}, "id", "the id is empty"),
    "id too long": ({"id": "x" * 300, "file_name": "plain.png"}, "id", "300 characters"),
    "id no text": ({"id": {"a": 1}, "file_name": "plain.png"}, "id", "is not text"),
    "id used twice": (GOOD, "id", "used by an earlier sample"),
    "no picture": ({"id": "x", "label": "a"}, "image", "no picture in this row"),
    "no pictures": ({"id": "x", "images": []}, "images", "no picture in this row"),
    "a number as picture": ({"id": "x", "file_name": 7}, "file_name", "no picture"),
    "missing file": ({"id": "x", "file_name": "nowhere.png"}, "", "nowhere.png: does not exist"),
    "one of several missing": ({"id": "x", "images": ["plain.png", "gone.png"]}, "", "gone.png: does not"),
    "a folder": ({"id": "x", "file_name": "folder.png"}, "", "is a folder"),
    "a pipe": ({"id": "x", "file_name": "pipe.png"}, "", "named pipe"),
    "a link to itself": ({"id": "x", "file_name": "loop.png"}, "", "loop.png"),
    "a dangling link": ({"id": "x", "file_name": "dangling.png"}, "", "does not exist"),
    "bad data URI": ({"id": "x", "file_name": "data:image/png;base64,@@"}, "file_name", "base64"),
    "nobody answers": ({"id": "x", "file_name": "http://127.0.0.1:9/a.png"}, "", "cannot be fetched"),
    "unknown scheme": ({"id": "x", "file_name": "nosuch://a/b.png"}, "", "cannot be read"),
    "bad reference": ({"id": "x", "image": {"$image": {"sha256": "z"}}}, "image", "$image"),
    "bad manifest row": ({"id": "x", "inputs": {"i": {"$image": {}}}}, "", "$image"),
    "manifest metadata": ({"id": "x", "inputs": {"q": 1}, "metadata": [1]}, "metadata", "not an object"),
    "manifest split": ({"id": "x", "inputs": {"q": 1}, "split": [1]}, "split", "not a name"),
    "manifest tags": ({"id": "x", "inputs": {"q": 1}, "tags": 5}, "tags", "5 is no list"),
    "tags": ({"id": "x", "file_name": "plain.png", "tags": 5}, "tags", "5 is no list"),
}


def _own_id(number: int, row: str | dict[str, Any]) -> str | dict[str, Any]:
    return {**row, "id": f"x{number}"} if isinstance(row, dict) and row["id"] == "x" else row


@pytest.fixture(scope="module")
def pushed_rows(make_commands: Any, remote: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A table with a row of every kind, pushed with ``--json``."""
    base = tmp_path_factory.mktemp("rows")
    (base / "plain.png").write_bytes(bad_images.usable_image("plain.png"))
    for name, make in bad_images.SPECIAL.items():
        make(base / name)
    rows = [GOOD, *(_own_id(n, row) for n, (row, _, _) in enumerate(ROWS.values(), start=2)), LAST]
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (base / "rows.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    commands = make_commands(base)
    ended = commands.vlmops("push", "rows.jsonl", "--failures", "failures.jsonl", "--json")
    assert TRACEBACK not in ended.err
    assert ended.code == 3
    report = json.loads(ended.out, parse_constant=pytest.fail)
    found = {failure["source"]: failure for failure in read_failures(base / "failures.jsonl")}
    return report, found, remote.content("rows")


@pytest.mark.parametrize(("number", "kind"), [*enumerate(ROWS, start=2)])
def test_a_bad_row_is_named_with_line_field_and_problem(pushed_rows: Any, number: int, kind: str) -> None:
    _, found, _ = pushed_rows
    row, field, problem = ROWS[kind]
    failure = found[f"rows.jsonl:{number}"]
    assert failure["field"] == field
    assert problem in failure["message"]
    if isinstance(row, dict) and row["id"] == "x":
        assert failure["id"] == f"x{number}"


def test_only_the_bad_rows_are_missing(pushed_rows: Any) -> None:
    report, found, held = pushed_rows
    assert set(held) == {"good", "last"}
    assert len(found) == len(ROWS)
    assert report["samples"] == 2
    assert report["targets"][0]["created"] == 2
    assert len(report["failures"]) == len(ROWS)


def test_a_csv_loses_only_its_bad_rows(commands: Any, remote: Any) -> None:
    (commands.folder / "a.png").write_bytes(bad_images.usable_image("plain.png"))
    rows = [
        b"id,file_name,label",
        b"c1,a.png,a",
        b"c2,a.png,caf\xe9",
        b"c3,a.png",
        b'c4,"a.png"x,a',
        b"c5,a.png,b",
    ]
    (commands.folder / "table.csv").write_bytes(b"\xef\xbb\xbf" + b"\n".join(rows))
    ended = commands.vlmops("push", "table.csv")
    assert ended.code == 3
    assert set(remote.content("table")) == {"c1", "c5"}
    encoding, cells, quotes = ended.lines
    assert encoding.startswith("failed: table.csv:3: label: ")
    assert "--encoding cp1252" in encoding
    assert cells == "failed: table.csv:4: 2 cells under 3 columns (quote cells that hold the separator)"
    assert quotes.startswith("failed: table.csv:5: not CSV: ")


def test_a_named_encoding_reads_the_row(commands: Any, remote: Any) -> None:
    (commands.folder / "a.png").write_bytes(bad_images.usable_image("plain.png"))
    (commands.folder / "western.csv").write_bytes(b"id,file_name,label\nc1,a.png,caf\xe9\n")
    assert commands.vlmops("push", "western.csv", "--encoding", "cp1252").code == 0
    (content,) = remote.content("western").values()
    assert content["output"]["expected"] == {"label": "café"}


def test_a_column_that_is_not_there_is_named_with_those_that_are(commands: Any) -> None:
    (commands.folder / "t.csv").write_text("id,photograph\n1,a.png\n")
    ended = commands.vlmops("push", "t.csv", "--image", "foto")
    assert ended.code == 3
    assert ended.lines == [
        "failed: t.csv:2: foto: there is no column 'foto' (the columns are: id, photograph)"
    ]


def test_a_folder_that_leads_into_itself_is_read_once(commands: Any, remote: Any) -> None:
    pictures = commands.folder / "looped"
    (pictures / "below").mkdir(parents=True)
    (pictures / "a.png").write_bytes(bad_images.usable_image("plain.png"))
    (pictures / "below" / "up").symlink_to(pictures)
    ended = commands.vlmops("push", "looped")
    assert ended.code == 3
    (line,) = ended.lines
    assert line == "failed: looped/below/up: the link leads back to a folder above it (remove the link)"
    assert set(remote.content("looped")) == {"a.png"}


def test_odd_file_names_are_shown_on_one_line_and_kept_as_ids(commands: Any, remote: Any) -> None:
    pictures = commands.folder / "names"
    pictures.mkdir()
    good = bad_images.usable_image("plain.png")
    for name in ("grüß & 写真 [a](b) <i>.png", "new\nline.png"):
        (pictures / name).write_bytes(good)
    (pictures / "bad\n\x1b[31m.png").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(pictures) + b"/byte\xff.png")).write_bytes(good)
    ended = commands.vlmops("push", "names", "--failures", "f.jsonl")
    assert ended.code == 3
    assert len(ended.lines) == 2
    assert "bad\\n\\x1b[31m.png: not a picture" in ended.err
    assert "half a character" in ended.err
    assert set(remote.content("names")) == {"grüß & 写真 [a](b) <i>.png", "new\nline.png"}
    assert len(read_failures(commands.folder / "f.jsonl")) == 2


def test_more_failures_than_can_be_read_are_cut_short(commands: Any) -> None:
    (commands.folder / "t.csv").write_text("id,file_name\n" + "".join(f"{n},no{n}.png\n" for n in range(30)))
    ended = commands.vlmops("push", "t.csv", "--failures", "f.jsonl")
    assert len(ended.lines) == SHOWN + 1
    assert ended.lines[-1] == "... and 10 more; all are in f.jsonl"
    assert len(read_failures(commands.folder / "f.jsonl")) == 30


def _prepare_whole_inputs(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("hello")
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("id,file_name\n")
    (folder / "twice.csv").write_text("id,a,a\n1,2,3\n")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(bad_images.usable_image("plain.png"))


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        (["nowhere"], {}, 2, "nowhere: there is nothing there"),
        ([""], {}, 2, "the location is empty"),
        (["empty"], {}, 2, "empty: no pictures in it"),
        (["notes.txt"], {}, 2, "notes.txt: neither a folder nor a table"),
        (["empty.csv"], {}, 2, "empty.csv: there are no rows in it"),
        (["header.csv"], {}, 2, "header.csv: there are no rows in it"),
        (["twice.csv"], {}, 2, "twice.csv:1: the columns a appear twice"),
        (["pictures", "--to", "nosuch"], {}, 2, "no platform is named 'nosuch'; there are: "),
        (["pictures", "--url", "ftp://host"], {}, 2, "'ftp://host' is no Phoenix address"),
        (["pictures", "--url", "http://127.0.0.1:9"], {}, 1, "does not answer (ConnectError): is it running"),
        (["pictures", "--max-side", "0"], {}, 2, "max_side is 0: must be above 0"),
        (["twice.csv", "--encoding", "nosuch"], {}, 2, "'nosuch' is no known text encoding"),
        (["pictures", "--failures", "no/such/folder.jsonl"], {}, 2, "no/such/folder.jsonl cannot be written"),
        (["pictures"], {"VLMOPS_CACHE_DIR": "/proc/none"}, 1, "set VLMOPS_CACHE_DIR to a folder of yours"),
    ],
)
def test_what_concerns_the_whole_push_is_one_line(
    commands: Any, arguments: list[str], environment: dict[str, str], code: int, says: str
) -> None:
    _prepare_whole_inputs(commands.folder)
    ended = commands.vlmops("push", *arguments, **environment)
    assert ended.code == code
    (line,) = ended.lines
    assert line.startswith("error: ")
    assert says in line
    assert ended.out == ""


def test_a_damaged_cache_is_made_anew(commands: Any, remote: Any) -> None:
    _prepare_whole_inputs(commands.folder)
    cache = commands.folder / ".cache"
    cache.mkdir()
    for name in ("images.sqlite", "journal.sqlite"):
        (cache / name).write_bytes(b"this is no database, and never was one" * 100)
    assert commands.vlmops("push", "pictures", "--name", "damaged cache").code == 0
    assert set(remote.content("damaged cache")) == {"a.png"}
