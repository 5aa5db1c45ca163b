"""Opening a DICOM file: is it DICOM, is it X-ray angiography, is its pixel data whole."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import UserError
from .lookup import numbers_in, text_in, value_in

_ENHANCED = ("1.2.840.10008.5.1.4.1.1.12.1.1", "1.2.840.10008.5.1.4.1.1.12.2.1")
_CLASSIC = ("1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2")
_DIRECTORY = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
_MOST_FRAMES = 100_000


def read_header(path: Path) -> Any:
    """The header of an XA or XRF file as a pydicom Dataset without its pixels; with them where the file is deflated.

    Raises UserError where the file cannot be read, is not DICOM, is another kind of object, or is cut short.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    if path.is_dir():
        raise UserError(f"{path.name} is a folder: give one DICOM file.")
    try:
        with path.open("rb") as stream:
            dataset = dcmread(stream, stop_before_pixels=True)
            pixels_at = stream.tell()
            deflated = str(dataset.file_meta.get("TransferSyntaxUID", "")) == _DEFLATED
            if deflated:  # nothing can be read from the middle of such a file
                stream.seek(0)
                dataset = dcmread(stream)
    except InvalidDicomError:
        raise UserError(f"{path.name} is not a DICOM file: give an X-ray angiography (XA) file.") from None
    except OSError as error:
        raise UserError(f"{path.name} cannot be read: {error.strerror or 'the file ends too early'}.") from None
    except Exception:
        # A damaged file makes the parser fail in any way it likes; to the user it is one thing.
        raise UserError(f"The DICOM header of {path.name} is damaged or cut short: copy the file again.") from None
    _check_kind(path, dataset)
    if not _known_syntax(dataset):
        raise UserError(f"{path.name} does not say in a known way how its pixels are stored (0002,0010): the file is "
                        "damaged.")
    if deflated and "PixelData" not in dataset:
        raise UserError(f"{path.name} holds no pixel data: give a file with an image.")
    if not deflated:
        _check_pixel_data(path, dataset, pixels_at)
    return dataset


def is_enhanced(dataset: Any) -> bool:
    """Whether a header is that of an enhanced multi-frame object."""
    return text_in(dataset, "SOPClassUID") in _ENHANCED


def _known_syntax(dataset: Any) -> bool:
    from pydicom.uid import UID

    syntax = value_in(dataset.file_meta, "TransferSyntaxUID")
    return isinstance(syntax, UID) and syntax.is_transfer_syntax and not syntax.is_private


def _check_kind(path: Path, dataset: Any) -> None:
    from pydicom.uid import UID

    kind = text_in(dataset, "SOPClassUID") or text_in(dataset.file_meta, "MediaStorageSOPClassUID")
    if kind in _CLASSIC or kind in _ENHANCED:
        return
    if kind == _DIRECTORY:
        raise UserError(f"{path.name} is a DICOMDIR, a table of contents: give one of the files that it lists.")
    name = UID(kind).name if kind else "no SOP class"
    modality = text_in(dataset, "Modality") or "none"
    raise UserError(f"{path.name} is not X-ray angiography or fluoroscopy (it is {name}, modality {modality}): give an "
                    "XA or XRF file.")


def frame_count(dataset: Any) -> int:
    """Number of Frames (0028,0008), 1 where absent. Raises UserError where it is no positive number."""
    values = numbers_in(dataset, "NumberOfFrames")
    if values is None:
        return 1
    count = values[0]
    if not 1 <= count < _MOST_FRAMES or count != int(count):
        raise UserError(f"The header's number of frames (0028,0008), {count:g}, is impossible: the file is damaged.")
    return int(count)


def _cut_short(path: Path) -> UserError:
    return UserError(f"The pixel data of {path.name} is cut short: copy the file again, it is not complete.")


def _check_pixel_data(path: Path, dataset: Any, pixels_at: int) -> None:
    """Walk over the pixel data without reading it. Raises UserError where some of it is not there."""
    syntax = dataset.file_meta.TransferSyntaxUID
    order = "little" if syntax.is_little_endian else "big"
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(pixels_at)
        head = stream.read(8)
        if len(head) < 8:
            raise UserError(f"{path.name} holds no pixel data: give a file with an image.")
        group, element = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
        if (group, element) != (0x7FE0, 0x0010):
            raise UserError(f"{path.name} holds no pixel data that can be used (0028,0010): give a file with an image.")
        length = int.from_bytes(head[4:] if syntax.is_implicit_VR else stream.read(4), order)  # type: ignore[arg-type]
        if length == _UNDEFINED:
            _check_fragments(path, stream, size, frame_count(dataset))
            return
        if stream.tell() + length > size:
            raise _cut_short(path)
    needed = float(frame_count(dataset))
    for keyword in ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel"):
        needed *= (numbers_in(dataset, keyword) or [1.0])[0]
    if syntax.is_compressed or length < needed / 8:
        raise _cut_short(path)


def _check_fragments(path: Path, stream: BinaryIO, size: int, frames: int) -> None:
    """Follow the items of compressed pixel data to their end mark (PS3.5 A.4)."""
    items = 0
    while True:
        head = stream.read(8)
        if len(head) == 8 and head[:4] == _END:
            break
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or head[:4] != _ITEM or stream.tell() + length > size:
            raise _cut_short(path)
        stream.seek(length, os.SEEK_CUR)
        items += 1
    if items - 1 < frames:  # the first item is the offset table
        raise _cut_short(path)
