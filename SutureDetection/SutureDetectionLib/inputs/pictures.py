"""PNG, JPEG and TIFF pictures, alone and in folders."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from VesselRegistrationLib.errors import UserError

from .frame import Frame, Problem

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def read_picture(path: Path) -> np.ndarray:
    """A colour picture (height, width, 3) uint8. Raises UserError where it cannot be read, is gray or has 16 bits."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            mode = opened.mode
            picture = ImageOps.exif_transpose(opened)
            picture.load()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise UserError(f"{path.name} cannot be read as a picture: it is damaged, cut short, or of another kind.") \
            from None
    if mode.startswith(("I", "F")):
        raise UserError(f"{path.name} has more than 8 bits per colour: save it as an 8-bit colour picture.")
    if mode in ("1", "L", "LA"):
        raise UserError(f"{path.name} is gray: sutures are found in colour, give the colour picture.")
    return np.asarray(picture.convert("RGB"))


class PictureSource:
    """One picture, or those of a folder in the order of the numbers in their names."""

    def __init__(self, path: Path, follows: bool = False) -> None:
        """``follows`` says that the pictures of a folder follow each other. Raises UserError where there are none."""
        self.path = path
        self.follows = follows
        self.rate: float | None = None
        if path.is_dir():
            self._files = sorted((entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES), key=_order)
            if not self._files:
                raise UserError(f"There are no pictures in {path}: give a folder with {', '.join(SUFFIXES)} files.")
        else:
            self._files = [path]
        self.count: int | None = len(self._files)

    def frames(self) -> Iterator[Frame | Problem]:
        """The pictures; one of another size than the first is a problem, as frames of one camera have one size."""
        shape: tuple[int, ...] | None = None
        for number, path in enumerate(self._files):
            try:
                image = read_picture(path)
            except UserError as problem:
                yield Problem(str(problem), path.name, number)
                continue
            shape = shape or image.shape
            if image.shape != shape:
                yield Problem(f"{path.name} has {image.shape[1]} x {image.shape[0]} pixels, the frames before it "
                              f"{shape[1]} x {shape[0]}: put frames of one size into a folder.", path.name, number)
                continue
            yield Frame(image, path.name, number)


def _order(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.findall(r"\d+|\D+", path.stem.lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], path.name
