"""Colour frames of DICOM files: endoscopy and secondary capture, single or multi-frame."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .frame import Frame, Problem

_GRAY = ("MONOCHROME1", "MONOCHROME2")


class DicomSource:
    """The frames of one DICOM file."""

    def __init__(self, path: Path) -> None:
        """Read the header. Raises UserError for what is no DICOM file or holds no 8-bit colour frames."""
        self.path = path
        self._header = _read(path)
        photometric = str(self._header.get("PhotometricInterpretation", ""))
        if "Rows" not in self._header or not photometric:
            raise UserError(f"{path.name} holds no image: give a DICOM file of an endoscopy.")
        if photometric in _GRAY:
            raise UserError(f"{path.name} is gray: sutures are found in colour, give the colour recording.")
        if int(self._header.get("BitsAllocated", 8)) != 8:
            raise UserError(f"{path.name} has more than 8 bits per colour: export it with 8 bits.")
        self.count: int | None = int(self._header.get("NumberOfFrames", 1) or 1)
        self.follows = self.count > 1
        self.rate = _rate(self._header)

    def frames(self) -> Iterator[Frame | Problem]:
        """The frames as RGB; where the pixel data end too early, the rest is one problem."""
        from pydicom.pixels import apply_color_lut, iter_pixels

        number = 0
        try:
            for pixels in iter_pixels(self.path):
                if self._header.PhotometricInterpretation == "PALETTE COLOR":
                    pixels = apply_color_lut(pixels, self._header)  # noqa: PLW2901
                    pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels  # noqa: PLW2901
                yield Frame(np.ascontiguousarray(pixels[..., :3]), self.path.name, number)
                number += 1
        except Exception:
            # Decoders fail in any way they like; to the user it is one thing.
            yield Problem(f"{self.path.name} cannot be decoded from frame {number} on: it is damaged, cut short, or "
                          "compressed in a way that needs another decoder.", self.path.name, number)


def _read(path: Path) -> Any:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        return dcmread(path, stop_before_pixels=True)
    except InvalidDicomError:
        raise UserError(f"{path.name} is not a DICOM file: give an endoscopy as DICOM, picture or video.") from None
    except OSError as problem:
        raise UserError(f"{path.name} cannot be read ({problem.strerror or 'cut short'}): copy it again.") from None
    except Exception:
        raise UserError(f"The DICOM header of {path.name} is damaged or cut short: copy the file again.") from None


def _rate(header: Any) -> float | None:
    """Frames per second: (0008,2144) recommended, (0018,0040) cine rate, or 1000 over (0018,1063) frame time in ms."""
    for name in ("RecommendedDisplayFrameRate", "CineRate"):
        if header.get(name):
            return float(header[name].value)
    return 1000.0 / float(header.FrameTime) if header.get("FrameTime") else None
