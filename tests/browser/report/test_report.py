"""The report in a real browser, from disk: no errors, no requests, by keyboard, with ten thousand samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from vlmops.evaluators import Case, Failure, FailureKind, Score, Usage
from vlmops.experiments import compare
from vlmops.platforms.records import ExperimentRecord, Run
from vlmops.reports import report
from vlmops.testing import picture

pytestmark = pytest.mark.browser
# ruff: noqa: E501 - scripts that run in the page

HOSTILE = "</script><script>window.harmed = true</script><img src=x onerror='window.harmed = true'>"
BOXES = {"parts": [{"bbox": [10, 10, 40, 30], "label": "cup"}]}


def variant(name: str, count: int, right: int, pictures: int) -> ExperimentRecord:
    """The first ``right`` answers are right, the last one fails."""
    shown = [picture(number, (96, 64)) for number in range(pictures)]
    runs = []
    for number in range(count):
        good = number < right
        failed = number == count - 1
        said = HOSTILE if number == 1 else "a cup" if good else "a cap"
        results = [
            Score("cer", 0.0 if good else 0.2 + number / count, direction="minimize"),
            Score("ok", good),
        ]
        case = Case(
            Failure(FailureKind.TIMEOUT, HOSTILE) if failed else {"text": said},
            {"text": "a cup", **BOXES},
            {"image": shown[number % pictures], "question": HOSTILE},
            f"s{number:05}",
            {"light": "dim" if number % 2 else "bright"},
            Usage(100, 10, cost=0.001),
            0.5 + number / count,
        )
        runs.append(Run(case, 1, [] if failed else results, trace_id=f"t{number}"))
    return ExperimentRecord(
        name,
        name,
        "https://example.com/e",
        "d",
        "1",
        runs,
        0,
        "https://example.com/t/t0",
        {"prompt": f"Read {name}."},
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [variant(name, 60, right, 60) for name, right in (("old", 50), ("new", 20), (HOSTILE, 40))]
    found = compare(records, slices=["light"])
    return report(records, found, slices=["light"]).save(tmp_path_factory.mktemp("report") / "small.html")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [variant(name, 10_000, right, 50) for name, right in (("old", 9_000), ("new", 5_000))]
    return report(records, compare(records)).save(tmp_path_factory.mktemp("report") / "large.html")


class Opened:
    """A page with everything that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.wrong.append(url)

    def show(self, file: Path, address: str = "") -> Page:
        self.page.goto(file.as_uri() + address)
        self.page.wait_for_selector("html[data-ready=true]")
        return self.page


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1500, "height": 950}, color_scheme="light")
    context.set_default_timeout(20_000)
    opened = Opened(context.new_page())
    yield opened
    assert opened.wrong == []
    assert opened.page.evaluate("() => window.harmed") is None
    context.close()


def count(page: Page) -> str:
    return page.locator("#count").inner_text()


def current(page: Page) -> str:
    return page.locator("#sample:not([aria-busy]) h3").inner_text()


def choose(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"#{name}").evaluate(
            "(field, value) => { field.value = value; field.dispatchEvent(new Event('input')); }", value
        )


def test_it_shows_figures_pictures_and_answers(opened: Opened, small: Path) -> None:
    page = opened.show(small)
    assert page.locator(".figures").first.get_by_text("✗ worse").count() > 0
    assert page.evaluate("() => document.querySelector('#sample .picture img').naturalWidth") == 96
    assert page.locator("#sample .overlay rect.expected").count() == 1
    assert page.locator("#trade svg .point").count() == 3
    assert page.locator("#histogram svg .bar").count() > 0
    assert page.locator("#sample .answers .card").count() == 3
    assert (
        page.locator("#sample .to-trace a").first.get_attribute("href").startswith("https://example.com/t/t")
    )
    assert page.locator("#prompts ins").first.inner_text() == "new"


def test_the_worst_come_first(opened: Opened, small: Path) -> None:
    page = opened.show(small)
    choose(page, order="worst:0")
    assert current(page) == "s00058"
    choose(page, order="dataset")
    assert current(page) == "s00000"
    choose(page, order="loss:1:1")
    assert current(page) == "s00020"


def test_filters_narrow_and_reset_widens(opened: Opened, small: Path) -> None:
    page = opened.show(small)
    assert count(page) == "60 samples"
    choose(page, slice="0")
    assert count(page) == "30 of 60"
    choose(page, slice="", failure="any")
    assert (count(page), current(page)) == ("1 of 60", "s00059")
    choose(page, failure="", differ="worse:1:1")
    assert count(page) == "30 of 60"
    choose(page, differ="", metric="0", whose="1", low="0.9")
    assert count(page) == "17 of 60"
    choose(page, text="no such thing")
    assert page.get_by_text("No sample fits.").is_visible()
    page.get_by_role("button", name="Reset").click()
    assert count(page) == "60 samples"


def test_what_is_chosen_stays_in_the_address(opened: Opened, small: Path) -> None:
    page = opened.show(small)
    choose(page, text="s0001", order="dataset")
    address = page.evaluate("() => location.hash")
    page.goto("about:blank")
    page = opened.show(small, address)
    assert count(page) == "10 of 60"
    assert page.locator("#text").input_value() == "s0001"


def test_the_keyboard_does_it_all(opened: Opened, small: Path) -> None:
    page = opened.show(small, "#samples?order=dataset")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert current(page) == "s00002"
    page.keyboard.press("k")
    assert current(page) == "s00001"
    assert page.locator("#sample").get_by_text("onerror=").count() > 0
    page.keyboard.press("/")
    page.keyboard.type("s00042")
    assert (count(page), current(page)) == ("1 of 60", "s00042")
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.id") == "list"
    choose(page, text="")
    page.keyboard.press("End")
    assert current(page) == "s00059"
    page.keyboard.press("ArrowUp")
    assert current(page) == "s00058"
    assert page.locator("#sample ins").count() > 0
    page.keyboard.press("d")
    assert page.locator("#sample .answers ins").count() == 0
    page.keyboard.press("b")
    assert page.locator("#sample .overlay").count() == 0
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_the_current_row_is_told_to_screen_readers(opened: Opened, small: Path) -> None:
    page = opened.show(small, "#samples?order=dataset")
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    active = page.locator("#list").get_attribute("aria-activedescendant")
    row = page.locator(f"#{active}")
    assert (row.get_attribute("aria-selected"), row.get_attribute("aria-posinset")) == ("true", "2")
    assert page.locator("[role=option][aria-selected=true]").count() == 1
    unnamed = "() => [...document.querySelectorAll('input, select, button')].filter(e => !e.labels?.length && !e.getAttribute('aria-label') && !e.textContent.trim()).length"
    assert page.evaluate(unnamed) == 0


def test_dark_and_light_follow_the_system_and_the_button(opened: Opened, small: Path) -> None:
    page = opened.show(small)
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.locator("#theme").click()
    assert page.evaluate(paper) == light
    page.reload()
    page.wait_for_selector("html[data-ready=true]")
    assert page.evaluate(paper) == light


CONTRAST = """
() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const rgb = (...colours) => { canvas.clearRect(0, 0, 1, 1); for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); } return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { const all = []; for (; e; e = e.parentElement) all.unshift(getComputedStyle(e).backgroundColor); return all; };
  const weak = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest('svg, script, noscript, option, [hidden], dialog:not([open])') || !e.getClientRects().length) continue;
    const back = behind(e), a = light(rgb(...back)), b = light(rgb(...back, getComputedStyle(e).color));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.add(`${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return [...weak];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(opened: Opened, small: Path, scheme: str) -> None:
    opened.page.emulate_media(color_scheme=scheme)
    page = opened.show(small, "#samples?failure=any")
    assert page.evaluate(CONTRAST) == []


def test_ten_thousand_samples_are_a_list_of_few_elements(opened: Opened, large: Path) -> None:
    page = opened.show(large, "#samples?order=dataset")
    assert count(page) == "10,000 samples"
    page.locator("#list").focus()
    page.keyboard.press("End")
    assert current(page) == "s09999"
    assert page.get_by_role("option", name="s09999").is_visible()
    assert page.locator(".row").count() < 60
    choose(page, differ="worse:1:1")
    assert count(page) == "4,000 of 10,000"
    choose(page, differ="", text="s0123")
    assert count(page) == "10 of 10,000"


def test_it_prints_figures_and_the_chosen_samples(opened: Opened, small: Path, tmp_path: Path) -> None:
    page = opened.show(small)
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed article").count() == 20
    page.emulate_media(media="print")
    assert not page.locator("#choice").is_visible()
    assert page.locator("#printed article").first.is_visible()
    assert page.locator(".figures").first.is_visible()


def test_it_fits_a_narrow_screen(opened: Opened, small: Path) -> None:
    opened.page.set_viewport_size({"width": 420, "height": 800})
    page = opened.show(small)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1")
