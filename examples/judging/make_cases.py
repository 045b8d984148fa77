"""Make pictures of one colour, right and wrong answers about them, and what people said of the answers."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 210), "yellow": (230, 210, 40)}
FOLDER = Path(__file__).parent


def main() -> None:
    """Write ``pictures/`` and ``cases.jsonl``, 32 cases of which every other four are answered rightly."""
    (FOLDER / "pictures").mkdir(exist_ok=True)
    names = list(COLOURS)
    rows = []
    for number in range(32):
        colour = names[number % 4]
        said = colour if number // 4 % 2 else names[(number + 1) % 4]
        picture = Image.new("RGB", (160, 120), COLOURS[colour])
        # A corner of its own: 32 different pictures.
        picture.paste((number * 7, number * 7, number * 7), (0, 0, 8, 8))
        picture.save(FOLDER / "pictures" / f"{number:02}.png")
        rows.append(
            {
                "id": f"c{number:02}",
                "image": f"pictures/{number:02}.png",
                "question": "Which colour is it?",
                "output": f"It is {said}.",
                "human": said == colour,
            }
        )
    (FOLDER / "cases.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


if __name__ == "__main__":
    main()
