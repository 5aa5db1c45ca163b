"""Vessel masks as picture files."""

from pathlib import Path

import numpy as np

from ..errors import UserError

_MODES = ("1", "L", "I", "I;16")


def read_mask(path: Path) -> np.ndarray:
    """A vessel mask (rows, columns) bool from a grayscale PNG: every pixel that is not black is vessel.

    Raises UserError where the file cannot be read or is in colour.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode not in _MODES:
                raise UserError(f"The mask {path.name} is in colour: give a grayscale PNG in which vessels are white.")
            pixels = np.asarray(image)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise UserError(f"The mask {path.name} cannot be read: give a grayscale PNG in which vessels are "
                        "white.") from None
    return pixels > 0
