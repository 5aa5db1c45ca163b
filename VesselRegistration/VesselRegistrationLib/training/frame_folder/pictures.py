"""Pixels of picture, array and DICOM files."""

from pathlib import Path

import numpy as np

from ...errors import UserError
from .options import DARK

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
ARRAY_SUFFIX = ".npy"
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima", "")


def is_frame_file(path: Path) -> bool:
    """Whether a file's name is that of a frame."""
    return path.suffix.lower() in (*PICTURE_SUFFIXES, ARRAY_SUFFIX, *DICOM_SUFFIXES)


def is_dicom(path: Path) -> bool:
    """Whether a file's name is that of a DICOM file."""
    return path.suffix.lower() in DICOM_SUFFIXES


def read_levels(path: Path) -> np.ndarray:
    """Levels (rows, columns) of a gray picture or array file, as they are; a palette's are its indices.

    Raises UserError where it cannot be read or is in colour.
    """
    if path.suffix.lower() == ARRAY_SUFFIX:
        return _read_array(path)
    from PIL import Image

    try:
        with Image.open(path) as picture:
            levels = np.asarray(picture)
    except (OSError, ValueError, SyntaxError):
        raise UserError(f"{path.name} cannot be read as a picture: save it again as PNG.") from None
    if levels.ndim == 3:
        gray = levels[..., :3] if levels.shape[2] >= 3 else levels[..., :1]
        if np.any(gray != gray[..., :1]):
            raise UserError(f"{path.name} is in colour: save it as a gray picture.")
        levels = gray[..., 0]
    return levels


def read_frame(path: Path, frame: int, polarity: str) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32, larger where more is absorbed, and usable (rows, columns) bool.

    ``frame`` is 0-based and 0 for all but runs. Raises UserError where the file cannot be used.
    """
    if is_dicom(path):
        from ...dicom.reading import open_xa

        xa = open_xa(path).frame(frame)
        return xa.attenuation.astype(np.float32), xa.usable
    levels = read_levels(path).astype(np.float32)
    if not np.all(np.isfinite(levels)):
        raise UserError(f"{path.name} holds pixels that are not numbers: repair or remove it.")
    return -levels if polarity == DARK else levels, np.ones(levels.shape, dtype=bool)


def frame_count(path: Path) -> int:
    """Frames in a file. Raises UserError where it cannot be read."""
    if not is_dicom(path):
        return 1
    from ...dicom.reading import open_xa

    return open_xa(path).frame_count


def _read_array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise UserError(f"{path.name} cannot be read as a NumPy array: save it again with numpy.save.") from None
    if array.ndim != 2 or array.dtype.kind not in "buif":
        raise UserError(f"{path.name} holds {array.dtype} of shape {array.shape}: a frame is one array of rows and "
                        "columns of numbers.")
    return array
