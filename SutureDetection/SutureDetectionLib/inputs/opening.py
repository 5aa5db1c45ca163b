"""Which kind of source a path is, and which eyes are in its pictures."""

from pathlib import Path

import numpy as np
from VesselRegistrationLib.errors import UserError

from . import pictures, video
from .dicom import DicomSource
from .frame import FrameSource
from .pictures import PictureSource
from .video import VideoSource

MONO = "mono"
TOP_BOTTOM = "top-bottom"
SIDE_BY_SIDE = "side-by-side"
LAYOUTS = (MONO, TOP_BOTTOM, SIDE_BY_SIDE)

_DICOM_SUFFIXES = (".dcm", ".dicom", "")


def open_source(path: Path, follows: bool = False) -> FrameSource:
    """A picture, a folder of pictures, a DICOM file or a video.

    ``follows`` says that the pictures of a folder follow each other. Raises UserError for what is none of these.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: name a picture, a folder, a DICOM file or a video.")
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in pictures.SUFFIXES:
        return PictureSource(path, follows)
    if suffix in video.SUFFIXES:
        return VideoSource(path)
    if suffix in _DICOM_SUFFIXES or suffix[1:].isdigit():
        return DicomSource(path)
    raise UserError(f"{path.name} is of no known kind: give PNG, JPEG, TIFF, DICOM or a video such as MP4.")


def split_eyes(image: np.ndarray, layout: str) -> dict[str, np.ndarray]:
    """The picture of each eye by its name: "" for mono, else "left" (top, or left side) and "right".

    ``image`` (height, width, 3). Raises UserError where it cannot be halved.
    """
    if layout == MONO:
        return {"": image}
    axis = 0 if layout == TOP_BOTTOM else 1
    size = image.shape[axis]
    if size % 2:
        raise UserError(f"A {layout} picture cannot have {size} {'rows' if axis == 0 else 'columns'}: an odd number "
                        "cannot be halved between the eyes.")
    left, right = np.split(image, 2, axis=axis)
    return {"left": left, "right": right}
