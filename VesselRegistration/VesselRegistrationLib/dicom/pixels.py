"""Stored pixel values to attenuation: bits, polarity, and the relation to the X-ray beam (PS3.3 C.8.7.1, C.8.11.3)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from .lookup import FrameHeader, items_in, tag_of, text_in
from .sanity import SanityRow

_PROPERTIES = "FramePixelDataPropertiesSequence"
_DARKEST_LEVEL = 0.5
_NO_DECODER_WORDS = ("missing dependencies", "does not support", "no pixel data decoders", "not supported")
_PACKAGES = {
    "1.2.840.10008.1.2.4.51": "pylibjpeg-libjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg-openjpeg",
}
_VIDEO = "1.2.840.10008.1.2.4.10"
_NOT_SUBTRACTED = ("UNSUBTRACT", "NOT SUBTRACT", "NO SUBTRACT", "WITHOUT SUBTRACT", "NON SUBTRACT", "NON-SUBTRACT")


@dataclass(frozen=True)
class PixelFormat:
    """How stored values are read.

    ``relationship`` is LIN, LOG or DISP. ``high_attenuates``: whether higher stored values mean more attenuation.
    ``subtracted``: whether the file holds images from which a mask has already been taken off.
    """

    rows: int
    columns: int
    bits_stored: int
    high_bit: int
    signed: bool
    relationship: str
    high_attenuates: bool
    subtracted: bool

    @property
    def highest(self) -> float:
        """The highest value that can be stored."""
        return float(2 ** (self.bits_stored - self.signed) - 1)


def _sizes(header: FrameHeader) -> tuple[int, int, int, int]:
    """Rows, columns, bits stored and high bit. Raises UserError where they make no image."""
    values = {keyword: header.number(keyword) for keyword in
              ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel")}
    photometric = header.text("PhotometricInterpretation")
    if (values["SamplesPerPixel"] or 1) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UserError(f"The image is in colour ({photometric or 'no photometric interpretation'}): give a grey "
                        "X-ray image.")
    rows, columns = int(values["Rows"] or 0), int(values["Columns"] or 0)
    if rows < 2 or columns < 2:
        raise UserError(f"The header gives an image of {columns} x {rows} pixels: the file is damaged.")
    allocated = int(values["BitsAllocated"] or 0)
    stored = int(values["BitsStored"] or allocated)
    high = int(values["HighBit"] if values["HighBit"] is not None else stored - 1)
    if allocated not in (8, 16) or not 1 < stored <= allocated or not stored - 1 <= high < allocated:
        raise UserError(f"Pixels of {stored} bits stored in {allocated} are not supported: 8 or 16 allocated bits are.")
    return rows, columns, stored, high


def _already_subtracted(header: FrameHeader) -> bool:
    """Whether the header says that a mask has been taken off before storing.

    Image Processing Applied (0028,9446) in Enhanced XA; the derivation elsewhere. A DSA in Image Type counts only where
    the file does not ask for a subtraction itself: some systems so mark runs that are stored unsubtracted.
    """
    if "DIGITAL_SUBTR" in header.words("ImageProcessingApplied", _PROPERTIES):
        return True
    derivation = [header.text("DerivationDescription")]
    derivation += [text_in(code, "CodeMeaning") for code in header.group_items("DerivationCodeSequence")]
    if any("SUBTRACT" in words and not any(no in words for no in _NOT_SUBTRACTED) for words in derivation):
        return True
    asked = [text_in(item, "MaskOperation") for item in items_in(header.dataset, "MaskSubtractionSequence")]
    marked = any(word == "DSA" or word.startswith("SUBTR") for word in header.words("ImageType")[2:])
    return marked and all(operation == "NONE" for operation in asked)


def read_pixel_format(header: FrameHeader) -> PixelFormat:
    """The pixel format of a frame. Raises UserError for colour images and bit depths that are not supported."""
    rows, columns, stored, high = _sizes(header)
    relationship = header.text("PixelIntensityRelationship", _PROPERTIES)
    sign = header.number("PixelIntensityRelationshipSign", _PROPERTIES)
    high_attenuates = header.text("PhotometricInterpretation") == "MONOCHROME1" if sign not in (-1, 1) else sign == -1
    subtracted = _already_subtracted(header)
    if relationship not in ("LIN", "LOG") or (subtracted and relationship == "LIN"):
        # The logarithm of a difference around mid-grey has no meaning: keep such levels in their order.
        relationship = "DISP"
    return PixelFormat(rows, columns, stored, high, bool(header.number("PixelRepresentation")), relationship,
                       high_attenuates, subtracted)


def decode_levels(path: Path, dataset: Any, frame: int, pixel_format: PixelFormat) -> np.ndarray:
    """Stored values (rows, columns) float32 of one frame (0-based), decoding only that frame.

    Read from ``dataset`` where it holds the pixels, else from the file. Raises UserError where the compression needs a
    package that is not installed, or the data are damaged.
    """
    from pydicom.pixels import pixel_array

    try:
        levels = pixel_array(dataset if "PixelData" in dataset else path, index=frame, correct_unused_bits=False)
    except Exception as error:
        # Decoders fail in many ways; the user needs to know only which of two things to do.
        raise _decoding_error(path, str(dataset.file_meta.TransferSyntaxUID), frame, error) from None
    if levels.shape != (pixel_format.rows, pixel_format.columns):
        raise UserError(f"Frame {frame} of {path.name} decodes to another size than the header's "
                        f"{pixel_format.columns} x {pixel_format.rows}: the file is damaged.")
    return _stored_bits(levels, pixel_format).astype(np.float32)


def _decoding_error(path: Path, syntax: str, frame: int, error: Exception) -> UserError:
    words = str(error)
    if any(mark in words for mark in _NO_DECODER_WORDS):
        if syntax.startswith(_VIDEO):
            return UserError(f"The pixels of {path.name} are a compressed video, which is not supported: store the run "
                             "as single frames.")
        package = _PACKAGES.get(syntax, "python-gdcm")
        return UserError(f"The pixels of {path.name} are compressed in a way for which no decoder is installed: "
                         f"install the package {package}, or store the file uncompressed.")
    return UserError(f"The pixel data of frame {frame} of {path.name} is damaged or cut short: copy the file again.")


def _stored_bits(levels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """Only the bits that are stored: old files keep overlays in the others (PS3.5 8.1.1)."""
    spare = pixel_format.high_bit + 1 - pixel_format.bits_stored
    if spare == 0 and pixel_format.bits_stored == 8 * levels.itemsize:
        return levels
    values = levels.astype(np.int32) >> spare
    span = 1 << pixel_format.bits_stored
    values &= span - 1
    if pixel_format.signed:
        values = np.where(values >= span // 2, values - span, values)
    return values


def to_attenuation(levels: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """Stored values (float32, any shape) to attenuation, larger meaning more.

    LIN: -ln(I / I0), I0 the highest value that can be stored, I at least half a level. LOG and DISP: the values as
    they are where high values attenuate, else counted down from the highest.
    """
    if pixel_format.relationship == "LIN":
        intensity = pixel_format.highest - levels if pixel_format.high_attenuates else levels
        return -np.log(np.maximum(intensity, _DARKEST_LEVEL) / pixel_format.highest).astype(np.float32)
    if pixel_format.high_attenuates:
        return np.asarray(levels, dtype=np.float32)
    return np.asarray(pixel_format.highest - levels, dtype=np.float32)


def pixel_rows(header: FrameHeader, pixel_format: PixelFormat, frame_count: int) -> list[SanityRow]:
    """What the report says about the pixels."""
    syntax = header.dataset.file_meta.TransferSyntaxUID
    photometric = header.text("PhotometricInterpretation")
    said = header.text("PixelIntensityRelationship", _PROPERTIES)
    sign = header.number("PixelIntensityRelationshipSign", _PROPERTIES)
    rows = [SanityRow("ok", "Image", f"{frame_count} frame{'s' if frame_count > 1 else ''} of {pixel_format.columns} x "
                      f"{pixel_format.rows}, {pixel_format.bits_stored} bits, {syntax.name}", "(0002,0010)")]
    source = tag_of("PixelIntensityRelationship")
    meaning = {"LIN": "proportional to the beam, the negative logarithm is taken",
               "LOG": "already logarithmic, used as it is",
               "DISP": "made for display, only the order of the grey values means something"}
    if pixel_format.subtracted and said == "LIN":
        rows.append(SanityRow("amber", "Intensity", "LIN, but already subtracted: only the order is used", source))
    elif said in meaning:
        rows.append(SanityRow("ok", "Intensity", f"{said}: {meaning[said]}", source))
    else:
        rows.append(SanityRow("amber", "Intensity", f"{said or 'not given'}: only the order of the grey values is used",
                              source))
    if sign in (-1, 1):
        words = f"{photometric}, sign {sign:+g}"
        source = tag_of("PixelIntensityRelationshipSign")
    else:
        words, source = photometric, tag_of("PhotometricInterpretation")
    words += f": {'high' if pixel_format.high_attenuates else 'low'} values are more attenuation"
    unusual = pixel_format.high_attenuates or photometric == "MONOCHROME1"
    rows.append(SanityRow("amber" if unusual else "ok", "Polarity", words + (
        ", unusual for XA: check that vessels come out dark" if unusual else ""), source))
    if items_in(header.dataset, "ModalityLUTSequence") or header.number("RescaleSlope") not in (None, 1.0):
        rows.append(SanityRow("amber", "Modality LUT", "given and not applied: the values stay in the file's units",
                              tag_of("ModalityLUTSequence")))
    return rows


def frame_time_ms(dataset: Any, frame: int) -> tuple[float | None, str]:
    """Time per frame in ms around a frame, and its source, from the cine module (PS3.3 C.7.6.5)."""
    header = FrameHeader(dataset, frame)
    vector = header.numbers("FrameTimeVector")
    if vector is not None and len(vector) > 1:
        return vector[min(max(frame, 1), len(vector) - 1)], tag_of("FrameTimeVector")
    time = header.number("FrameTime")
    if time is not None and time > 0:
        return time, tag_of("FrameTime")
    rate = header.number("CineRate")
    return (1000.0 / rate, tag_of("CineRate")) if rate is not None and rate > 0 else (None, "")
