"""Files of JSON lines, as the folder platform keeps answers."""

from __future__ import annotations

from pathlib import Path

from vlmops.platforms.folder.json_lines import LineWriter, read_lines


def test_lines_with_half_a_character_are_kept_beside_others(tmp_path: Path) -> None:
    lines = [{"said": "é"}, {"said": "broken off: \ud83d"}]
    with LineWriter(tmp_path / "answers.jsonl") as out:
        out.write(lines)
        out.write([{"said": "after"}])
    assert list(read_lines(tmp_path / "answers.jsonl")) == [*lines, {"said": "after"}]
