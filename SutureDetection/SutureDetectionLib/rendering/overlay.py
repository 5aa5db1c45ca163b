"""Pictures of what was found, and of how it compares with labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from VesselRegistrationLib.rendering.legend import GRAY, NOTICE, WHITE, Colour, LegendText, with_legend

from .. import ENTRY, EXIT, KIND_NAMES
from ..detection.points import UNPAIRED, SuturePoints
from ..evaluation.scoring import Matches

KIND_COLOURS: dict[int, Colour] = {ENTRY: (90, 220, 255), EXIT: (255, 200, 70), -1: (120, 255, 130)}
TRUE_POSITIVE: Colour = (70, 230, 90)
FALSE_NEGATIVE: Colour = (255, 165, 40)
FALSE_POSITIVE: Colour = (255, 60, 60)
"""Colours of Sharan et al., Fig. 5."""

_LEAST_WIDTH = 1000
_RADIUS = 0.009
_LINE = 0.0022


def overlay_picture(image: np.ndarray, points: SuturePoints, track_ids: np.ndarray | None = None,
                    title: str = "") -> np.ndarray:
    """Circles on the points in the colours of their kinds, a line between the ends of a stitch, track numbers.

    ``image`` (height, width, 3) uint8; small ones are enlarged by a whole factor.
    """
    canvas, factor = _enlarged(image)
    draw, radius, line = _pen(canvas)
    for number in np.unique(points.pair_ids[points.pair_ids != UNPAIRED]):
        ends = [_place(position, factor) for position in points.positions[points.pair_ids == number]]
        if len(ends) == 2:
            draw.line([*ends[0], *ends[1]], fill=(235, 235, 235), width=max(1, line // 2))
    for index, (position, kind) in enumerate(zip(points.positions, points.kinds, strict=True)):
        _circle(draw, _place(position, factor), radius, KIND_COLOURS[int(kind)], line)
        if track_ids is not None:
            col, row = _place(position, factor)
            draw.text((col + radius, row - 2 * radius), str(track_ids[index]), fill=(255, 255, 255),
                      stroke_width=max(1, line // 2), stroke_fill=(0, 0, 0), font=_font(2.2 * radius))
    kinds = [(f"{KIND_NAMES[kind]} {np.count_nonzero(points.kinds == kind)}    ", KIND_COLOURS[kind])
             for kind in (ENTRY, EXIT, -1) if (points.kinds == kind).any()]
    return with_legend(np.asarray(canvas), [LegendText([(title, WHITE)], kinds or [("no points", GRAY)]),
                                            LegendText([], [(NOTICE, GRAY)])])


def comparison_picture(image: np.ndarray, found: np.ndarray, labels: np.ndarray, matches: Matches,
                       title: str = "") -> np.ndarray:
    """Found points (N, 2) and labels (M, 2) on their image: hit green, missed orange, false red (Fig. 5)."""
    canvas, factor = _enlarged(image)
    draw, radius, line = _pen(canvas)
    groups: Sequence[tuple[np.ndarray, Colour, str]] = (
        (found[matches.pairs[:, 0]], TRUE_POSITIVE, "found"), (labels[matches.missed], FALSE_NEGATIVE, "missed"),
        (found[matches.extra], FALSE_POSITIVE, "false"))
    for positions, colour, _ in groups:
        for position in positions:
            _circle(draw, _place(position, factor), radius, colour, line)
    words = [(f"{name} {len(positions)}    ", colour) for positions, colour, name in groups]
    return with_legend(np.asarray(canvas), [LegendText([(title, WHITE)], words)])


def _enlarged(image: np.ndarray) -> tuple[Any, int]:
    from PIL import Image

    factor = max(1, -(-_LEAST_WIDTH // image.shape[1]))
    picture = Image.fromarray(image)
    if factor > 1:
        picture = picture.resize((factor * image.shape[1], factor * image.shape[0]), Image.Resampling.BICUBIC)
    return picture, factor


def _pen(canvas: Any) -> tuple[Any, float, int]:
    from PIL import ImageDraw

    return ImageDraw.Draw(canvas), max(4.0, _RADIUS * canvas.width), max(2, round(_LINE * canvas.width))


def _place(position: np.ndarray, factor: int) -> tuple[float, float]:
    col, row = (np.asarray(position, dtype=float) + 0.5) * factor - 0.5
    return float(col), float(row)


def _circle(draw: Any, place: tuple[float, float], radius: float, colour: Colour, line: int) -> None:
    col, row = place
    draw.ellipse([col - radius, row - radius, col + radius, row + radius], outline=(0, 0, 0), width=line + 2)
    draw.ellipse([col - radius, row - radius, col + radius, row + radius], outline=colour, width=line)


def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(max(10, round(size)))
