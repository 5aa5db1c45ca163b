"""What is written on the pictures: a strip below, and which side of the patient is where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..geometry.carm import CArmView

if TYPE_CHECKING:
    from PIL import ImageDraw

Colour = tuple[int, int, int]

WHITE: Colour = (235, 235, 235)
GRAY: Colour = (150, 150, 150)
_STRIP_COLOUR: Colour = (16, 18, 22)
_LETTERS = (("R", "L"), ("A", "P"), ("H", "F"))
"""Per RAS axis: the side towards which it grows and the other one. H is head, F feet."""

NOTICE = "Research software, not for clinical use"


@dataclass(frozen=True)
class LegendText:
    """One line of the strip: ``left`` and ``right`` end, each a list of text and colour."""

    left: Sequence[tuple[str, Colour]]
    right: Sequence[tuple[str, Colour]]


def with_legend(picture: np.ndarray, lines: Sequence[LegendText]) -> np.ndarray:
    """The picture (rows, columns, 3) uint8 with a dark strip of text lines added below it."""
    from PIL import Image, ImageDraw

    rows, columns = picture.shape[:2]
    size = text_size(columns)
    pitch = round(1.55 * size)
    height = pitch * len(lines) + round(0.6 * size)
    canvas = Image.new("RGB", (columns, rows + height), _STRIP_COLOUR)
    canvas.paste(Image.fromarray(picture), (0, 0))
    draw = ImageDraw.Draw(canvas)
    font = _font(size)
    margin = round(0.7 * size)
    for number, line in enumerate(lines):
        top = rows + round(0.35 * size) + number * pitch
        _write(draw, line.left, margin, top, font)
        width = sum(draw.textlength(text, font=font) for text, _ in line.right)
        _write(draw, line.right, columns - margin - width, top, font)
    return np.asarray(canvas)


def with_sides(picture: np.ndarray, view: CArmView) -> np.ndarray:
    """The picture (rows, columns, 3) uint8 with letters at its edges: R, L, A, P, H, F of the patient."""
    from PIL import Image, ImageDraw

    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    rows, columns = picture.shape[:2]
    font = _font(text_size(columns))
    gap = round(0.012 * columns)
    growing_col, growing_row = view.image_axes
    places = (((columns - gap, rows / 2), "rm", growing_col), ((gap, rows / 2), "lm", -growing_col),
              ((columns / 2, rows - gap), "mb", growing_row), ((columns / 2, gap), "mt", -growing_row))
    for place, anchor, direction in places:
        draw.text(place, patient_side(direction), fill=WHITE, font=font, anchor=anchor, stroke_width=2,
                  stroke_fill=(0, 0, 0))
    return np.asarray(canvas)


def patient_side(direction: np.ndarray) -> str:
    """The letter of the side of the patient towards which a RAS direction (3,) mostly points."""
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis][0 if direction[axis] > 0 else 1]


def text_size(columns: int) -> int:
    """Size of the letters in pixels for a picture of that width."""
    return max(11, round(columns / 52))


def _write(draw: "ImageDraw.ImageDraw", parts: Sequence[tuple[str, Colour]], left: float, top: float,
           font: Any) -> None:
    for text, colour in parts:
        draw.text((left, top), text, fill=colour, font=font)
        left += draw.textlength(text, font=font)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
