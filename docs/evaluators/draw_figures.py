"""Draw the figures of these pages with the library: ``python docs/evaluators/draw_figures.py [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from canvas import INK, LINE, MARGIN, MUTED, RIGHT, THIRD, WRONG, Canvas
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFilter

from vlmops import Image
from vlmops.evaluators import (
    BoxF1,
    Case,
    CharacterErrorRate,
    Chrf,
    Classification,
    FieldMatch,
    ImageQuality,
    JsonParse,
    Latency,
    PeakSignalToNoiseRatio,
    QuantityError,
    RougeL,
    SchemaValidity,
    Score,
    StepCompleteness,
    StructuralSimilarity,
    WithinTolerance,
)
from vlmops.evaluators.hallucination import coco_vocabulary
from vlmops.evaluators.questions import read_choice
from vlmops.judges import Material, View, material_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).with_name("figures")
COLORS = 64
"""Colours of a stored figure: enough for drawings, and small files."""


def documents() -> PilImage.Image:
    """Fields of a receipt, read and expected."""
    expected = {"shop": "Luna Bar", "date": "8 May", "item": "Tea", "price": "3.20", "total": "12.50"}
    read = {"shop": "Lura Bar", "date": "3 May", "item": "Tea", "price": "3.20", "total": "12.50"}
    sheet = Canvas(720, 300, "What field_match counts, and what cer sees in the same fields")
    rate = CharacterErrorRate()
    rows = []
    for name, wanted in expected.items():
        error = rate.compare(read[name], wanted)
        rows.append((name, wanted, read[name], read[name] == wanted, f"{error.value:.2f}"))
    sheet.table(60, [(20, "field"), (140, "expected"), (300, "read"), (460, "right"), (560, "cer")], rows)
    score = FieldMatch().compare(read, expected)
    sheet.text((MARGIN, 255), f"field_match {score.value:g}: {score.explanation}", size=15)
    return sheet.image


def structure() -> PilImage.Image:
    """Which answers are JSON, and which have the form."""
    answers = ['{"total": 12.5}', 'Sure: {"total": 12.5,}', '{"sum": 12.5}', "The total is 12.5."]
    schema = SchemaValidity(schema={"type": "object", "required": ["total"]}, repair=True)
    sheet = Canvas(720, 220, "json_parse and schema_valid (with repair) on four answers")
    rows = []
    for answer in answers:
        strict, repaired = JsonParse().judge(answer)
        rows.append((answer, strict.value, repaired.value, schema.judge(answer).value))
    sheet.table(60, [(20, "answer"), (330, "strict"), (450, "repaired"), (580, "valid")], rows)
    return sheet.image


def grounding() -> PilImage.Image:
    """The overlay that box_f1 attaches."""
    desk = PilImage.new("RGB", (480, 300), (232, 226, 214))
    draw = ImageDraw.Draw(desk)
    draw.ellipse((60, 90, 170, 220), fill=(70, 110, 160))
    draw.rectangle((230, 70, 330, 240), fill=(150, 80, 70))
    draw.polygon((380, 230, 420, 100, 460, 230), fill=(90, 130, 90))
    gold = [
        {"bbox": [60, 90, 170, 220], "label": "plate"},
        {"bbox": [230, 70, 330, 240], "label": "book"},
        {"bbox": [380, 100, 460, 230], "label": "cone"},
    ]
    found = [
        {"bbox": [66, 96, 176, 214], "label": "plate"},
        {"bbox": [232, 150, 332, 290], "label": "book"},
        {"bbox": [378, 96, 462, 234], "label": "cone"},
    ]
    case = Case(output=found, expected=gold, inputs={"image": Image.from_pil(desk)})
    return evidence(BoxF1(convention="pixels").evaluate(case))


def pictures() -> PilImage.Image:
    """Expected, made, and the heat map of their differences."""
    reference = PilImage.new("RGB", (220, 220), (90, 110, 130))
    ImageDraw.Draw(reference).ellipse((50, 50, 170, 170), fill=(220, 190, 120))
    made = reference.copy()
    ImageDraw.Draw(made).rectangle((120, 120, 150, 200), fill=(220, 190, 120))
    expected, picture = Image.from_pil(reference), Image.from_pil(made.filter(ImageFilter.GaussianBlur(1)))
    similarity = StructuralSimilarity().compare(picture, expected)
    ratio = PeakSignalToNoiseRatio().compare(picture, expected)
    sheet = Canvas(
        720, 320, f"ssim {similarity.value:.3f}, psnr {ratio.value:.1f} dB: the heat map shows where"
    )
    shown = {"expected": expected, "output": picture, "evidence": Image.from_pil(evidence(similarity))}
    for column, (name, image) in enumerate(shown.items()):
        left = MARGIN + column * 232
        sheet.paste(image, (left, 56), 216)
        sheet.text((left, 280), name, color=MUTED, size=15)
    return sheet.image


def image_quality() -> PilImage.Image:
    """The same page, usable and not."""
    page = PilImage.new("RGB", (400, 300), (225, 222, 214))
    draw = ImageDraw.Draw(page)
    for line in range(12):
        draw.rectangle((40, 30 + 20 * line, 200 + (line * 53) % 160, 38 + 20 * line), fill=(40, 40, 48))
    shown: Mapping[str, PilImage.Image] = {
        "as it is": page,
        "out of focus": page.filter(ImageFilter.GaussianBlur(6)),
        "in the dark": page.point(lambda value: value // 9),
        "washed out": page.point(lambda value: 246 + value // 32),
        "empty": PilImage.new("RGB", (400, 300), (240, 240, 240)),
    }
    sheet = Canvas(900, 250, "What image_quality says of one page")
    for column, (name, picture) in enumerate(shown.items()):
        left = MARGIN + column * 173
        case = Case(output="", inputs={"page": Image.from_pil(picture)})
        score = ImageQuality().evaluate(case)
        issues = score.metadata["issues"][0] if isinstance(score, Score) else []
        height = sheet.paste(Image.from_pil(picture), (left, 56), 160)
        sheet.draw.rectangle((left, 56, left + 160, 56 + height), outline=LINE)
        for line, issue in enumerate(issues or ["no issue"]):
            sheet.text((left, 184 + 18 * line), issue, size=14, color=WRONG if issues else RIGHT)
        sheet.text((left + 160, 42), name, color=MUTED, size=12, anchor="ra")
    return sheet.image


def classification() -> PilImage.Image:
    """The confusion matrix that classification attaches."""
    counts = {("ok", "ok"): 41, ("ok", "scratch"): 3, ("scratch", "scratch"): 17, ("scratch", "ok"): 6}
    counts |= {("dent", "dent"): 9, ("dent", "scratch"): 4, ("scratch", "dent"): 1}
    cases = [Case(output=got, expected=gold) for (gold, got), times in counts.items() for _ in range(times)]
    scores = Classification().evaluate_set(cases)
    return evidence(scores[0]) if isinstance(scores, list) else PilImage.new("RGB", (1, 1))


def quantities() -> PilImage.Image:
    """Counts beside the right ones, with the band of within_tolerance."""
    generator = np.random.default_rng(4)
    right = generator.integers(5, 50, 40)
    counted = np.clip(np.round(right * generator.normal(1, 0.12, 40)), 0, None)
    near = WithinTolerance(relative=0.1)
    sheet = Canvas(520, 430, "Counted against right number; the band is within 10 %")
    left, bottom, scale = 60, 390, 5.2
    sheet.draw.polygon(
        [
            (left, bottom),
            (left + 54 * scale, bottom - 59.4 * scale),
            (left + 54 * scale, bottom - 48.6 * scale),
        ],
        fill=(232, 240, 246),
    )
    sheet.line((left, bottom), (left + 66 * scale, bottom))
    sheet.line((left, bottom), (left, bottom - 64 * scale))
    for wanted, got in zip(right.tolist(), counted.tolist(), strict=True):
        score = near.compare(got, wanted)
        x, y = left + wanted * scale, bottom - got * scale
        good = isinstance(score, Score) and score.value is True
        sheet.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=RIGHT if good else WRONG)
    pairs = zip(counted.tolist(), right.tolist(), strict=True)
    found = QuantityError().evaluate_set([Case(output=got, expected=wanted) for got, wanted in pairs])
    values = {score.name: score.value for score in found} if isinstance(found, list) else {}
    note = f"mae {values['quantity_error.mae']:.1f}, r2 {values['quantity_error.r2']:.2f}"
    sheet.text((left + 66 * scale, bottom - 24), note, size=15, anchor="ra")
    return sheet.image


def steps() -> PilImage.Image:
    """Expected and observed steps, matched."""
    expected = ["open lid", "remove fuse", "insert fuse", "close lid", "test"]
    observed = ["open lid", "insert fuse", "wipe", "test", "close lid"]
    sheet = Canvas(720, 320, "How step_completeness matches steps")
    for column, (title, names) in enumerate({"expected": expected, "observed": observed}.items()):
        sheet.text((120 + column * 300, 56), title, color=MUTED, size=14)
        other = observed if column == 0 else expected
        for row, name in enumerate(names):
            color = INK if name in other else WRONG
            sheet.text((120 + column * 300, 84 + row * 34), name, color=color)
    for row, name in enumerate(expected):
        if name in observed:
            sheet.line((230, 93 + row * 34), (410, 93 + observed.index(name) * 34), THIRD)
    scores = StepCompleteness().compare(observed, expected)
    if isinstance(scores, list):
        recall, precision, _, order = scores
        note = f"recall {recall.value:g}, precision {precision.value:g}, order {order.value:.2f}"
        sheet.text((MARGIN, 270), f"{note}; {recall.explanation}; {order.explanation}", size=15)
    return sheet.image


def questions() -> PilImage.Image:
    """One answer, read by several evaluations."""
    choices = {"A": "dog", "B": "rabbit", "C": "cat"}
    answers = ["(B)", "**B**", "The answer is a rabbit", "A rabbit sits there", "Answer: D"]
    readers = ("vlmops", "mmmu", "vlmevalkit", "vlmevalkit_regex", "lmms_eval_mcq")
    sheet = Canvas(860, 250, "Choices: A dog, B rabbit, C cat. What each evaluation reads (- is nothing)")
    rows = []
    for answer in answers:
        labels = [read_choice(answer, choices, reader).label or "-" for reader in readers]
        rows.append((answer, *((label, RIGHT if label == "B" else WRONG) for label in labels)))
    edges = [230, 350, 450, 570, 730]
    sheet.table(60, [(20, "answer"), *zip(edges, readers, strict=True)], rows)
    return sheet.image


def hallucination() -> PilImage.Image:
    """The words of a caption that CHAIR counts."""
    caption = "A dog and a cat sit on the sofa beside a laptop and a cup."
    present = {"dog", "couch", "cup"}
    sheet = Canvas(720, 170, f"chair: mentions of objects; in the picture are {', '.join(sorted(present))}")
    mentions = coco_vocabulary().mentions(caption)
    spoken = {mention.words: mention.object for mention in mentions}
    x: float = MARGIN
    for word in caption.split():
        plain = word.strip(".")
        color = INK if plain not in spoken else RIGHT if spoken[plain] in present else WRONG
        end = sheet.text((x, 70), word, color=color, size=20)
        if color != INK:
            sheet.line((x, 98), (end, 98), color)
        x = end + 7
    absent = [mention.object for mention in mentions if mention.object not in present]
    sheet.text((MARGIN, 125), f"{len(absent)} of {len(mentions)} are not there: {', '.join(absent)}", size=15)
    return sheet.image


def captions() -> PilImage.Image:
    """Measures of four captions of one picture."""
    references = ["a brown dog runs on the grass", "a dog is running across a lawn"]
    shown = [
        "a brown dog runs on grass",
        "a dog running on the lawn",
        "a puppy races by",
        "a cat sleeps",
    ]
    sheet = Canvas(720, 270, f"References: {references[0]!r}, {references[1]!r}")
    for row, caption in enumerate(shown):
        y = 66 + row * 48
        sheet.text((MARGIN, y + 6), caption, size=15)
        measures = (RougeL().compare(caption, references), Chrf().compare(caption, references))
        for index, score in enumerate(measures):
            if isinstance(score, Score):
                share = float(score.value) / (score.range or (0.0, 1.0))[1]
                sheet.bar((270, y + 18 * index), (340 * share, 14), (RIGHT, THIRD)[index])
                sheet.text((276 + 340 * share, y - 1 + 18 * index), f"{score.name} {share:.2f}", size=13)
    return sheet.image


def operations() -> PilImage.Image:
    """Latencies with their mean and percentiles."""
    seconds = np.random.default_rng(3).lognormal(0.2, 0.55, 400)
    scores = Latency(percentiles=(50, 95, 99)).evaluate_set([Case(output="", latency=s) for s in seconds])
    sheet = Canvas(720, 280, "Latency of 400 calls: the mean says little of the slow ones")
    left, bottom, scale = MARGIN, 240, 120
    counts, edges = np.histogram(seconds, bins=55, range=(0, 5.5))
    for count, edge in zip(counts.tolist(), edges.tolist(), strict=False):
        sheet.bar((left + edge * scale, bottom - 4 * count), (9, 4 * count), (176, 196, 214))
    sheet.line((left, bottom), (left + 5.6 * scale, bottom))
    for row, score in enumerate(scores if isinstance(scores, list) else []):
        x = left + score.value * scale
        sheet.line((x, 60 + row * 26), (x, bottom), WRONG)
        sheet.text((x + 6, 56 + row * 26), f"{score.name} {score.value:.2f} s", size=14)
    return sheet.image


def judges() -> PilImage.Image:
    """What a judge is shown of a case: each picture behind its label, texts between marks."""
    part = PilImage.new("RGB", (480, 320), (206, 211, 217))
    pen = ImageDraw.Draw(part)
    pen.ellipse((60, 40, 300, 280), fill=(150, 158, 168))
    pen.line((352, 216, 392, 232, 424, 222), fill=(70, 60, 55), width=3)
    case = Case(
        "A scratch at the lower right.",
        {"boxes": [{"box": [340, 205, 436, 245], "label": "found"}]},
        {"image": Image.from_pil(part), "question": "Which defect is there?"},
    )
    material = material_of(case, case.output, View(regions="boxes"))
    sheet = Canvas(720, 260, "What judge_defect is shown, in this order")
    x, y = MARGIN, 56
    for label, piece in material.parts if isinstance(material, Material) else ():
        sheet.text((x, y), label, color=MUTED, size=12)
        if isinstance(piece, Image):
            sheet.paste(piece, (x, y + 22), 200)
            x += 222
        else:
            sheet.text((x, y + 22), piece, size=15)
            y += 60
    sheet.text((MARGIN, 228), "kind: yes   place: yes   severity: yes, and the reason before each", size=14)
    return sheet.image


def evidence(score: object) -> PilImage.Image:
    """The picture that a score carries."""
    picture = getattr(score, "evidence", None)
    if not isinstance(picture, Image):
        raise TypeError(f"no picture comes with {score!r}")
    return picture.to_pil("RGB")


FIGURES: Mapping[str, Callable[[], PilImage.Image]] = {
    "captions": captions,
    "classification": classification,
    "documents": documents,
    "grounding": grounding,
    "hallucination": hallucination,
    "image-quality": image_quality,
    "judges": judges,
    "operations": operations,
    "pictures": pictures,
    "quantities": quantities,
    "questions": questions,
    "steps": steps,
    "structure": structure,
}


def main(folder: Path = FOLDER) -> None:
    """Write every figure as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw().quantize(COLORS).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
