"""What notebooks show: escaped, small, and never an error."""

from __future__ import annotations

import base64
import io
import re

import PIL.Image
import pytest

from vlmops import Image, ImageDataset, Sample
from vlmops.experiments import ExperimentResult, compare, summarise
from vlmops.testing import picture

HOSTILE = "<img src=x onerror=alert(1)>"


async def result_of(record) -> ExperimentResult:
    return ExperimentResult(record, await summarise(record, []))


async def test_everything_shows_itself_and_escapes_what_it_holds(records):
    result = await result_of(records[1])
    sample = Sample(
        "<b>1</b>", {"image": picture(1), "q": HOSTILE}, expected=[HOSTILE], metadata={"a": HOSTILE}
    )
    dataset = ImageDataset.from_samples("d", [sample], HOSTILE)
    for shown in (
        result,
        result.summary,
        compare(records),
        records[1].runs[0],
        records[1].runs[11],
        sample,
        dataset,
    ):
        html = shown._repr_html_()
        assert "<table>" in html
        assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert(1)&gt;", "")
        assert not re.search(r"<script|<img src=x", html)
        assert shown._repr_markdown_().strip()


def test_pictures_are_small(records):
    html = records[0].runs[1]._repr_html_()
    (found,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', html)
    assert max(PIL.Image.open(io.BytesIO(base64.b64decode(found))).size) <= 200


def test_a_failed_answer_says_why(records):
    assert "timeout" in records[1].runs[11]._repr_html_()
    assert "failed: gave up" in records[1].runs[11]._repr_markdown_()


def test_a_dataset_reads_its_first_samples_alone():
    read = []

    def samples():
        for number in range(1000):
            read.append(number)
            yield Sample(str(number), {"n": number})

    html = ImageDataset.from_samples("d", samples)._repr_html_()
    assert "the first 5 samples" in html
    assert len(read) <= 7


@pytest.mark.parametrize("name", ["gone.png", "broken.png"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    html = Sample("1", {"image": Image.from_path(tmp_path / name)})._repr_html_()
    assert name in html
