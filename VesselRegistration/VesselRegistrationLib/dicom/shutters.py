"""Which pixels show the patient: display shutter (PS3.3 C.7.6.11) and collimator (C.8.7.3, C.8.19.6.8)."""

from typing import Any

import numpy as np
from scipy import ndimage

from ..errors import UserError
from .lookup import FrameHeader, numbers_in, tag_of, words_in
from .sanity import SanityRow

_BLACK = 0.02
_SMALLEST_BORDER = 0.005
_LARGEST_BORDER = 0.9
_BORDER_MARGIN = 0.01
_SCARCE = 0.1

_EDGES = ("LeftVerticalEdge", "RightVerticalEdge", "UpperHorizontalEdge", "LowerHorizontalEdge")
_NAMES = {"Shutter": ("FrameDisplayShutterSequence", "display shutter"),
          "Collimator": ("CollimatorShapeSequence", "collimator")}


def _needed(item: Any, keyword: str, count: int | None) -> list[float]:
    """The numbers of an element that a shape needs. Raises UserError where they are missing or too few."""
    values = numbers_in(item, keyword)
    if values is None or not np.all(np.isfinite(values)) or (count is not None and len(values) != count):
        raise UserError(f"The header describes a shutter or collimator without a valid {keyword} {tag_of(keyword)}: "
                        "the file is damaged.")
    return values


def _rectangle(item: Any, kind: str, rows: int, columns: int) -> np.ndarray:
    left, right, upper, lower = (_needed(item, f"{kind}{edge}", 1)[0] for edge in _EDGES)
    row, column = np.ogrid[1:rows + 1, 1:columns + 1]
    return (column >= left) & (column <= right) & (row >= upper) & (row <= lower)


def _circle(item: Any, kind: str, rows: int, columns: int) -> np.ndarray:
    centre_row, centre_column = _needed(item, f"CenterOfCircular{kind}", 2)
    radius = _needed(item, f"RadiusOfCircular{kind}", 1)[0]
    row, column = np.ogrid[1:rows + 1, 1:columns + 1]
    return (row - centre_row) ** 2 + (column - centre_column) ** 2 <= radius ** 2


def _polygon(item: Any, kind: str, rows: int, columns: int) -> np.ndarray:
    from skimage.draw import polygon2mask

    keyword = f"VerticesOfThePolygonal{kind}"
    vertices = _needed(item, keyword, None)
    if len(vertices) < 6 or len(vertices) % 2:
        raise UserError(f"The polygon of {keyword} {tag_of(keyword)} has no three corners: the file is damaged.")
    return polygon2mask((rows, columns), np.reshape(vertices, (-1, 2)) - 1.0)


_SHAPES = {"RECTANGULAR": _rectangle, "CIRCULAR": _circle, "POLYGONAL": _polygon}


def _shapes(header: FrameHeader, kind: str) -> list[tuple[Any, str]]:
    """Every shape word of a shutter or collimator with the item that holds its values."""
    group = _NAMES[kind][0]
    items = header.group_items(group) or [header.dataset]
    return [(item, word) for item in items for word in words_in(item, f"{kind}Shape")]


def read_usable(header: FrameHeader, rows: int, columns: int) -> np.ndarray:
    """Mask (rows, columns) bool: False behind shutter and collimator.

    Coordinates in the header start at 1 for the first pixel, and edges belong to the picture; several shapes leave
    open what all of them leave open. Raises UserError for a shape that is damaged or that leaves nothing open.
    """
    usable = np.ones((rows, columns), dtype=bool)
    for kind in _NAMES:
        for item, word in _shapes(header, kind):
            shape = _SHAPES.get(word)
            if shape is not None:
                usable &= shape(item, kind, rows, columns)
    if not usable.any():
        raise UserError(f"Shutter and collimator of frame {header.frame} hide the whole image: there is nothing to "
                        "register.")
    return usable


def black_border(levels: np.ndarray, highest: float, high_attenuates: bool) -> np.ndarray:
    """Mask (rows, columns) bool of a black frame that is drawn into the picture without a shutter in the header.

    That is what hangs together with a corner, lies within 2 % of the value of no X-rays, and covers between 0.5 and
    90 % of the image; grown by 1 % of the image, as its edge is blurred. ``levels`` are stored values, ``highest`` the
    highest that can be stored.
    """
    nothing = np.zeros(levels.shape, dtype=bool)
    brightness = highest - levels if high_attenuates else levels
    dark = brightness <= _BLACK * np.percentile(brightness, 99.9)
    parts, _ = ndimage.label(dark)
    corners = {int(parts[row, column]) for row in (0, -1) for column in (0, -1)} - {0}
    border = np.isin(parts, sorted(corners)) if corners else nothing
    if not _SMALLEST_BORDER <= border.mean() <= _LARGEST_BORDER:
        return nothing
    return ndimage.binary_dilation(border, iterations=max(1, round(_BORDER_MARGIN * max(levels.shape))))


def shutter_rows(header: FrameHeader, usable: np.ndarray, border: np.ndarray) -> list[SanityRow]:
    """What the report says about shutter, collimator and black border of the first frame."""
    found = []
    for kind, (_, name) in _NAMES.items():
        words = [word for _, word in _shapes(header, kind)]
        unknown = [word for word in words if word not in _SHAPES]
        if unknown:
            found.append(SanityRow("amber", name.capitalize(), f"the shape {' '.join(unknown)} is not supported and "
                                   "hides nothing here: keep the ROI clear of it", tag_of(f"{kind}Shape")))
        if len(words) > len(unknown):
            found.append(SanityRow("ok", name.capitalize(), ", ".join(words).lower(), tag_of(f"{kind}Shape")))
    if (border & usable).any():
        found.append(SanityRow("amber", "Black border", f"{100 * border.mean():.0f} % of the picture are a black frame "
                               "that the header does not describe: left out", "pixels of frame 0"))
    share = float((usable & ~border).mean())
    found.append(SanityRow("ok" if share >= _SCARCE else "amber", "Usable image", f"{100 * share:.0f} % of the pixels"))
    return found
