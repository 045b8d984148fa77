"""Reports: what the page and the Markdown hold, and what they can never do."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmops import ImageDataset, Sample, push
from vlmops.errors import UsageError
from vlmops.evaluators import Case, CharacterErrorRate, Failure, FailureKind, Score
from vlmops.experiments import Experiment, compare, function_task
from vlmops.images import Image
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.reports import past_runs, report
from vlmops.reports.page import script_json
from vlmops.reports.text import readable
from vlmops.testing import MemoryPlatform, picture

HOSTILE = "</script><script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"


class Elements(HTMLParser):
    """Every element of a page, with its attributes and what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.contents: dict[int, str] = {}
        self.within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

        self.within = True

    def handle_endtag(self, tag: str) -> None:
        self.within = False

    def handle_data(self, data: str) -> None:
        if self.within:
            at = len(self.found) - 1
            self.contents[at] = self.contents.get(at, "") + data

    def data(self, identity: str) -> Any:
        at = next(at for at, (_, attrs) in enumerate(self.found) if attrs.get("id") == identity)
        return json.loads(self.contents[at])


def page_of(records: list[ExperimentRecord], **options: Any) -> tuple[str, Elements]:
    text = report(records, **options).html()
    return text, Elements(text)


class TestPage:
    def test_hostile_text_is_never_markup(self, records):
        _, page = page_of(records, title=HOSTILE)
        assert [tag for tag, _ in page.found].count("script") == 3
        assert not any(tag == "img" for tag, _ in page.found)
        assert not any(name.startswith("on") for _, attrs in page.found for name in attrs)
        assert page.data("data")["rows"][0]["c"][0]["o"] == HOSTILE

    def test_it_refers_to_nothing_outside_but_links_of_the_platform(self, records):
        _, page = page_of(records)
        for tag, attrs in page.found:
            assert "src" not in attrs
            if tag != "a":
                assert attrs.get("href", "data:,") == "data:,"
            else:
                assert attrs["href"].startswith(("#", "https://example.com/"))

    def test_its_policy_admits_its_own_script_and_style_alone(self, records):
        _, page = page_of(records)
        policy = next(a["content"] for t, a in page.found if a.get("http-equiv") == "Content-Security-Policy")
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert "unsafe" not in policy
        for tag, index in (("script", -1), ("style", 0)):
            at = [n for n, (found, attrs) in enumerate(page.found) if found == tag][index]
            digest = base64.b64encode(hashlib.sha256(page.contents[at].encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy

    def test_no_style_stands_in_an_attribute_where_the_policy_would_drop_it(self, records):
        _, page = page_of(records)
        assert not any("style" in attrs for _, attrs in page.found)

    def test_links_that_run_code_are_no_links(self, records):
        from dataclasses import replace

        records[1] = replace(records[1], url="javascript:alert(1)", trace_url="javascript:trace-0")
        _, page = page_of(records)
        assert not any((a.get("href") or "").startswith("javascript") for _, a in page.found)
        assert page.data("data")["variants"][1]["url"] == page.data("data")["variants"][1]["trace"] == ""

    def test_every_answer_is_in_it_with_its_scores(self, records):
        _, page = page_of(records)
        data = page.data("data")
        assert [row["i"] for row in data["rows"]] == [f"s{n}" for n in range(12)]
        assert [metric["name"] for metric in data["metrics"]] == ["cer", "ok"]
        assert data["rows"][1]["c"][1]["v"] == [0.5, False]
        assert data["rows"][1]["q"] == "question: What is it?"
        failed = data["rows"][11]["c"][1]
        assert (data["failures"][failed["f"]], failed["v"]) == ("timeout", [None, None])
        assert data["variants"][0]["trace"] == "https://example.com/traces/{trace}"

    def test_metadata_of_few_values_can_be_chosen_by(self, records):
        _, page = page_of(records)
        data = page.data("data")
        assert data["slices"] == ["light=bright", "light=dim"]
        assert [row["s"] for row in data["rows"][:2]] == [[0], [1]]

    def test_figures_stand_in_the_page_without_script(self, records):
        text, _ = page_of(records, slices=["light"])
        table = text[text.index('class="figures"') : text.index("</table>")]
        assert ">0.333</b>" in table or ">0.364</b>" in table
        assert 'data-verdict="worse"' in table
        assert "1 failed" in table
        assert "light=dim" in text

    def test_values_that_are_no_numbers_do_not_break_it(self):
        runs = [Run(Case("a", id="1"), 1, [Score("x", float("nan")), Score("y", float("inf"))])]
        record = ExperimentRecord("1", "one", "", "d", "1", runs)
        _, page = page_of([record])
        assert page.data("data")["rows"][0]["c"][0]["v"] == [None, None]

    def test_one_experiment_without_answers_has_a_page(self):
        text, page = page_of([ExperimentRecord("1", "empty", "", "d", "1", [])])
        assert page.data("data")["rows"] == []
        assert "empty" in text

    @given(st.text())
    def test_no_text_ends_the_element_it_stands_in(self, text):
        written = script_json({"text": text.encode("utf-8", "replace").decode()})
        assert "<" not in written
        assert json.loads(written)["text"] == text.encode("utf-8", "replace").decode()


class TestPictures:
    def test_each_is_there_once_small_and_without_metadata(self, records):
        exif = PIL.Image.Exif()
        exif[0x010E] = "a secret"
        drawn, out = PIL.Image.new("RGB", (600, 300), "teal"), io.BytesIO()
        drawn.save(out, "JPEG", exif=exif)
        shared = Image.from_bytes(out.getvalue())
        runs = [Run(Case("a", inputs=[shared], id=str(n)), 1, []) for n in range(3)]
        made = report([ExperimentRecord("1", "one", "", "d", "1", runs)], thumbnails=160)
        (only,) = made.samples.pictures
        assert (only["w"], only["h"]) == (600, 300)
        data = base64.b64decode(only["u"].partition(",")[2])
        small = PIL.Image.open(io.BytesIO(data))
        assert (small.size, small.format, len(small.getexif())) == ((160, 80), "WEBP", 0)
        assert b"secret" not in data

    def test_one_that_cannot_be_read_says_why(self, tmp_path):
        broken = tmp_path / "broken.png"
        broken.write_bytes(b"no picture")
        runs = [
            Run(Case("a", inputs=[Image.from_path(broken), Image.from_path(tmp_path / "gone.png")]), 1, [])
        ]
        made = report([ExperimentRecord("1", "one", "", "d", "1", runs)])
        assert ["broken.png" in each["n"] or "gone.png" in each["n"] for each in made.samples.pictures] == [
            True
        ] * 2

    def test_within_a_budget_the_samples_that_differ_most_keep_theirs(self, records):
        every = report(records).samples
        one = len(every.pictures[1]["u"])
        some = report(records, max_picture_bytes=3 * one + 20).samples
        shown = [at for at, each in enumerate(some.pictures) if "u" in each]
        assert 1 <= len(shown) <= 4
        worst = max(row["d"] for row in some.rows)
        assert all(some.rows[at]["d"] == worst for at in shown)
        assert all(each["n"].startswith("left out") for each in some.pictures if "u" not in each)

    def test_evidence_and_pictures_of_answers_are_shown(self):
        score = Score("iou", 0.5, evidence=picture(7))
        runs = [Run(Case({"edited": picture(8)}, inputs=[picture(9)], expected=picture(6)), 1, [score])]
        made = report([ExperimentRecord("1", "one", "", "d", "1", runs)])
        row = made.samples.rows[0]
        assert len({*row["p"], *row["e"], *row["c"][0]["p"], *row["c"][0]["z"]}) == 4
        assert all("u" in each for each in made.samples.pictures)


class TestPlaces:
    def row(self, output: Any, expected: Any, *results: Score, model: str = "m") -> dict[str, Any]:
        case = Case(output, expected, {"image": picture(1, (200, 100))}, id="1")
        record = ExperimentRecord(
            "1", "one", "", "d", "1", [Run(case, 1, results)], metadata={"model": model}
        )
        return dict(report([record]).samples.rows[0])

    def test_expected_boxes_are_in_pixels(self):
        row = self.row("a", {"parts": [{"bbox": [1, 2, 30, 40], "label": "cup"}]})
        assert row["b"] == [[1, 2, 30, 40, "cup"]]

    def test_answered_boxes_are_as_an_evaluator_read_them(self):
        located = {"located": {"canonical_xyxy_px": [[5, 6, 7, 8]], "convention": "percent"}}
        row = self.row("[50, 60, 70, 80]", None, Score("iou", 1.0, metadata=located), model="gemini-3")
        assert row["c"][0]["b"] == [[5, 6, 7, 8, ""]]

    def test_without_one_the_models_convention_holds(self):
        output = [{"box_2d": [100, 200, 300, 400], "label": "cup"}]
        row = self.row(output, None, model="gemini-2.5-flash")
        assert row["c"][0]["b"] == [[40, 10, 80, 30, "cup"]]

    def test_of_an_unknown_model_nothing_is_guessed(self):
        row = self.row([{"box_2d": [100, 200, 300, 400]}], {"codes": [1, 2, 3, 4]}, model="my-own")
        assert "b" not in row
        assert "b" not in row["c"][0]


class TestTable:
    def test_a_failure_beside_an_answer_is_the_largest_disagreement(self, records):
        rows = report(records).samples.rows
        assert rows[11]["d"] == 1.0
        assert rows[9]["d"] == 0.0

    def test_samples_of_one_variant_alone_are_there(self):
        def ran(name, ids):
            return ExperimentRecord(name, name, "", "d", "1", [Run(Case("a", id=i), 1, []) for i in ids])

        rows = report([ran("old", "ab"), ran("new", "bc")]).samples.rows
        assert [(row["i"], [cell is not None for cell in row["c"]]) for row in rows] == [
            ("a", [True, False]),
            ("b", [True, True]),
            ("c", [False, True]),
        ]

    def test_evaluators_that_failed_are_named(self):
        failure = Failure(FailureKind.UNPARSABLE, "no box", "iou")
        record = ExperimentRecord("1", "one", "", "d", "1", [Run(Case("a", id="1"), 1, [failure])])
        assert report([record]).samples.rows[0]["c"][0]["k"] == [["iou", "unparsable", "no box"]]

    def test_long_values_are_cut_and_say_so(self):
        assert readable("x" * 10, 4) == "xxxx\n... (6 more characters)"

    def test_half_characters_can_be_written(self, tmp_path):
        record = ExperimentRecord("1", "one", "", "d", "1", [Run(Case("\ud800", id="1"), 1, [])])
        assert report([record]).save(tmp_path / "r.html").exists()

    def test_the_comparison_must_be_of_these(self, records):
        with pytest.raises(UsageError, match="other experiments"):
            report(records[:1], compare(records))


class TestFiles:
    def test_the_ending_says_what_is_written(self, records, tmp_path: Path):
        made = report(records)
        assert made.save(tmp_path / "deep" / "r.html").read_text().startswith("<!doctype html>")
        assert made.save(tmp_path / "r.md").read_text().startswith("## new and old")
        with pytest.raises(UsageError, match=r"\.html or \.md"):
            made.save(tmp_path / "r.pdf")
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_markdown_says_what_is_shown_and_escapes_it(self, records):
        text = report(records).markdown()
        assert "❌ worse: ok" in text
        assert "| timeout | 0 | 1 |" in text
        assert "<script" not in text
        assert "<img" not in text
        assert re.search(r"\| s11 \| part 11 \| failed: gave up", text)

    @pytest.mark.parametrize("side", [0, 15, 2049])
    def test_thumbnails_have_a_sensible_size(self, records, side):
        with pytest.raises(UsageError, match="16 to 2048"):
            report(records, thumbnails=side)


class TestHistory:
    def test_runs_of_the_same_name_come_oldest_first(self):
        platform = MemoryPlatform()
        push(
            ImageDataset.from_samples("d", [Sample(str(n), {"n": n}, expected="a") for n in range(3)]),
            platform,
        )

        def ran(name: str, said: str, key: str) -> ExperimentRecord:
            task = function_task(lambda _: said)
            return Experiment("d", name, task, [CharacterErrorRate()], key=key).run(platform).record

        first, second = ran("reader", "b", "1"), ran("reader", "a", "2")
        other = ran("other", "b", "3")
        past = past_runs(platform, "d", [second])
        assert [run.id for run in past] == [first.id, second.id]
        assert [run.scores[0].value for run in past] == [1.0, 0.0]
        assert [run.id for run in past_runs(platform, "d", [second, other], limit=1)] == [second.id, other.id]
        _, page = page_of([second], history=past)
        assert [run["scores"]["cer"][0] for run in page.data("data")["history"]] == [1.0, 0.0]


def test_what_was_estimated_stands_beside_what_was_measured(records):
    from dataclasses import replace

    old, new = records
    assert "Estimated and measured" not in report([old, new]).html()
    carded = replace(new, metadata={**new.metadata, "model": "gpt-4o"})
    made = report([old, carded])
    for text in (made.html(), made.markdown()):
        assert "Estimated and measured" in text
    assert "input tokens" in made.html()
    assert "measured 100 (" in made.markdown()
