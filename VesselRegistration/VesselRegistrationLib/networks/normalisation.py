"""How an X-ray becomes a network's input; training and inference use these same functions."""

import numpy as np

from ..errors import UserError

NETWORK_SIZE = 256
FULL_SIZE = 512
"""Sides in pixels of what networks are asked about: as in the papers, and near the resolution of detectors."""

_PERCENTILES = (0.5, 99.5)


def normalise(attenuation: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Bring attenuation (rows, columns), any unit, to 0..1 by robust percentiles of the usable pixels; float32.

    Pixels that are not usable become mid grey, 0.5, so that shutters make no strong edge of their own. Raises
    UserError where no pixel is usable, or usable ones are not numbers or all alike.
    """
    values = attenuation[usable]
    if values.size == 0:
        raise UserError("No pixel of the X-ray is usable, everything lies behind shutters: choose another frame.")
    if not np.all(np.isfinite(values)):
        raise UserError("The X-ray holds pixels that are not numbers: choose another frame or repair the file.")
    low, high = np.percentile(values, _PERCENTILES)
    if high <= low:
        raise UserError("The X-ray is blank, all its pixels are alike: choose another frame.")
    scaled = np.clip((attenuation.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.where(usable, scaled, np.float32(0.5))


def resize(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Resample (rows, columns) to another size over the same area: linear, with anti-aliasing where it shrinks."""
    from skimage.transform import resize as skimage_resize

    if image.shape == (rows, columns):
        return image.astype(np.float32)
    shrinks = rows < image.shape[0] or columns < image.shape[1]
    return skimage_resize(image.astype(np.float32), (rows, columns), order=1, mode="edge", anti_aliasing=shrinks)
