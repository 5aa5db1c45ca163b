"""Which pixels show the patient: display shutter (PS3.3 C.7.6.11) and collimator (C.8.7.3, C.8.19.6.8)."""

from typing import Any

import numpy as np

from ..errors import UserError
from .lookup import FrameHeader, numbers_in, tag_of, words_in
from .sanity import SanityRow

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
    """Mask (rows, columns) bool, read-only: False behind shutter and collimator.

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
    usable.setflags(write=False)
    return usable


def shutter_rows(header: FrameHeader, rows: int, columns: int) -> list[SanityRow]:
    """What the report says about shutter and collimator of the first frame."""
    found = []
    for kind, (_, name) in _NAMES.items():
        words = [word for _, word in _shapes(header, kind)]
        unknown = [word for word in words if word not in _SHAPES]
        if unknown:
            found.append(SanityRow("amber", name.capitalize(), f"the shape {' '.join(unknown)} is not supported and "
                                   "hides nothing here: keep the ROI clear of it", tag_of(f"{kind}Shape")))
        if len(words) > len(unknown):
            found.append(SanityRow("ok", name.capitalize(), ", ".join(words).lower(), tag_of(f"{kind}Shape")))
    share = float(read_usable(header, rows, columns).mean())
    level = "ok" if share >= 0.1 else "amber"
    found.append(SanityRow("ok" if level == "ok" else "amber", "Usable image", f"{100 * share:.0f} % of the pixels"))
    return found
