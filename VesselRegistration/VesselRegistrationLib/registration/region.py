"""The region of interest: the part of the projected model that is matched, and where a registration moves it."""

import numpy as np

from ..errors import UserError
from .result import ROI

SMALLEST_SIDE_PX = 16.0


def check_roi(roi: ROI, shape: tuple[int, int]) -> None:
    """Refuse a region that is no rectangle of 16 or more pixels a side within an image (rows, columns); UserError."""
    x0, y0, x1, y1 = roi
    rows, columns = shape
    if not np.all(np.isfinite(roi)) or x0 >= x1 or y0 >= y1:
        raise UserError(f"The region of interest {_words(roi)} is not a rectangle: give X0,Y0,X1,Y1 with X0 < X1 and "
                        "Y0 < Y1.")
    if x0 < 0 or y0 < 0 or x1 > columns or y1 > rows:
        raise UserError(f"The region of interest {_words(roi)} lies outside the image of {columns} x {rows} pixels: "
                        "give one inside it.")
    if x1 - x0 < SMALLEST_SIDE_PX or y1 - y0 < SMALLEST_SIDE_PX:
        raise UserError(f"The region of interest {_words(roi)} is too small: give one of at least "
                        f"{SMALLEST_SIDE_PX:g} x {SMALLEST_SIDE_PX:g} pixels.")


def roi_pixels(roi: ROI, affine: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (rows, columns) bool of the X-ray onto which ``affine`` (2, 3) moves the region of interest."""
    row, col = np.indices(shape)
    back = np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))
    from_col, from_row = (back[axis, 0] * col + back[axis, 1] * row + back[axis, 2] for axis in range(2))
    x0, y0, x1, y1 = np.asarray(roi) - 0.5
    return (from_col >= x0) & (from_col < x1) & (from_row >= y0) & (from_row < y1)


def counted_pixels(usable: np.ndarray, roi: ROI | None, affine: np.ndarray) -> np.ndarray:
    """Pixels (rows, columns) bool that count in every measure: not behind shutters, and inside the moved region."""
    return usable if roi is None else usable & roi_pixels(roi, affine, (usable.shape[0], usable.shape[1]))


def _words(roi: ROI) -> str:
    return ",".join(f"{value:g}" for value in roi)
