"""Pictures are drawn in Phoenix's own screens: example dialog, compare grid, trace."""

from __future__ import annotations

import pytest
from phoenix_process import Phoenix
from playwright.sync_api import Page

from vlmops import Experiment, ImageDataset, Sample, connect, function_task, push
from vlmops.evaluators import CharacterErrorRate
from vlmops.experiments import ExperimentResult
from vlmops.platforms import Platform
from vlmops.testing import picture

pytestmark = pytest.mark.browser

LOADED = """
prefix => [...document.querySelectorAll('img')]
    .filter(image => (image.getAttribute('src') || '').startsWith(prefix) && image.naturalWidth > 0)
    .length
"""
NAME = "screens"


@pytest.fixture(scope="module")
def platform(phoenix_server: Phoenix) -> Platform:
    return connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)


@pytest.fixture(scope="module")
def results(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> list[ExperimentResult]:
    """Two experiments on two samples, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLMOPS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        samples = [
            Sample(f"s{i}", {"image": picture(i, (640, 400)), "question": "Which number?"}, expected=f"n {i}")
            for i in range(2)
        ]
        assert push(ImageDataset.from_samples(NAME, samples), platform).ok
    return [
        Experiment(
            NAME,
            name,
            function_task(lambda sample, text=text: f"{text} {sample.id[1:]}"),
            [CharacterErrorRate()],
        ).run(platform)
        for name, text in (("right", "n"), ("wrong", "m"))
    ]


def show(page: Page, url: str, pictures: int) -> None:
    """Open a page and wait until at least so many of our pictures have loaded."""
    page.goto(url)
    page.wait_for_function(f"prefix => ({LOADED})(prefix) >= {pictures}", arg="/vlmops/media/")


def test_the_example_dialog_draws_the_picture(
    page: Page, phoenix_server: Phoenix, results: list[ExperimentResult]
) -> None:
    page.goto(f"{phoenix_server.url}/datasets/{results[0].record.dataset_id}/examples")
    page.get_by_role("link", name="s1", exact=True).click()
    page.wait_for_function(f"prefix => ({LOADED})(prefix) >= 1", arg="/vlmops/media/")
    assert page.get_by_text("Which number?").first.is_visible()


def test_the_compare_grid_draws_the_picture_beside_every_output(
    page: Page, platform: Platform, results: list[ExperimentResult]
) -> None:
    outputs_and_references = 2 * 3
    url = platform.experiments.compare_url([result.record for result in results])
    show(page, url, pictures=outputs_and_references)
    assert page.get_by_text("m 1", exact=True).first.is_visible()


def test_the_trace_draws_the_picture_the_model_saw(page: Page, results: list[ExperimentResult]) -> None:
    url = results[0].record.trace_url
    assert url is not None
    show(page, url, pictures=1)


def test_scores_carry_direction_and_range_to_the_platform(results: list[ExperimentResult]) -> None:
    right, wrong = (result.summary.scores[0] for result in results)
    assert (right.value, wrong.value) == (0.0, pytest.approx(1 / 3))
    assert wrong.direction == "minimize"
    assert wrong.interval is not None
