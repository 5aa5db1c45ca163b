"""Reading X-ray angiography and fluoroscopy files: XA, XRF, Enhanced XA and Enhanced XRF."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from .container import frame_count, is_enhanced, read_header
from .contrast import strongest_frame
from .frame import HeaderGeometry, XAFrame
from .header import geometry_rows, read_geometry
from .lookup import FrameHeader, tag_of, text_in
from .overrides import GeometryOverrides
from .pixels import decode_levels, frame_time_ms, pixel_rows, read_pixel_format, to_attenuation
from .sanity import SanityReport, SanityRow
from .shutters import black_border, read_usable, shutter_rows
from .subtraction import SubtractionPlan, read_plan, subtract


class XARun:
    """One XA file: a single image or a run. Its header is read once, its pixels frame by frame when asked for."""

    def __init__(self, path: Path, dataset: Any, overrides: GeometryOverrides, subtraction: bool | None) -> None:
        """Check the whole header; use ``open_xa`` instead. Raises UserError where it cannot be used."""
        self._path, self._dataset = path, dataset
        self._frame_count = frame_count(dataset)
        first = FrameHeader(dataset, 0)
        self._format = read_pixel_format(first)
        if "BIPLANE" in first.words("ImageType")[2:]:
            raise UserError(f"{path.name} shows both planes of a biplane system in one image: give each plane as a "
                            "file of its own.")
        rows, columns = self._format.rows, self._format.columns
        self._geometries = tuple(
            read_geometry(FrameHeader(dataset, frame), self._frame_count, rows, columns, overrides)
            for frame in range(self._frame_count))
        self._plan = read_plan(dataset, self._frame_count, self._format.subtracted, self._format.relationship,
                               subtraction)
        # Decoding one frame now tells a missing decoder or damaged pixels before any work is done.
        self._border = black_border(self._levels(0), self._format.highest, self._format.high_attenuates)
        self._sanity = SanityReport((
            _kind_row(dataset),
            *pixel_rows(first, self._format, self._frame_count),
            *_time_rows(dataset, self._frame_count),
            *geometry_rows(first, self._frame_count, rows, columns, overrides),
            *shutter_rows(first, read_usable(first, rows, columns), self._border),
            *self._plan.rows,
        ))
        self._strongest: int | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def frame_count(self) -> int:
        """How many frames the file holds, at least 1."""
        return self._frame_count

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of every frame."""
        return self._format.rows, self._format.columns

    @property
    def sanity(self) -> SanityReport:
        """What was read, what is missing, what was cross-checked."""
        return self._sanity

    @property
    def subtraction(self) -> SubtractionPlan:
        """The mask subtraction that ``frame`` does."""
        return self._plan

    def _check_number(self, frame: int) -> int:
        if isinstance(frame, bool) or not isinstance(frame, int | np.integer) or not 0 <= frame < self._frame_count:
            raise UserError(f"{self._path.name} has no frame {frame}: frames are counted from 0, give one from 0 to "
                            f"{self._frame_count - 1}.")
        return int(frame)

    def geometry(self, frame: int) -> HeaderGeometry:
        """The geometry of a frame (0-based) as far as header and user give it. Raises UserError out of range."""
        return self._geometries[self._check_number(frame)]

    def frame(self, frame: int) -> XAFrame:
        """One frame (0-based), subtracted where the file asks for it.

        Decodes that frame, and its mask, only. Raises UserError out of range and where pixel data are damaged.
        """
        number = self._check_number(frame)
        with _quiet():
            return self._read(number)

    def _read(self, number: int) -> XAFrame:
        header = FrameHeader(self._dataset, number)
        usable = self._usable(header)
        recipe = self._plan.recipe(number, header)
        if recipe is None:
            attenuation = self._attenuation(number)
        else:
            attenuation, covered = subtract(recipe, self._levels, self._to_attenuation)
            usable &= covered
        attenuation.setflags(write=False)
        usable.setflags(write=False)
        return XAFrame(
            path=self._path,
            frame_number=number,
            frame_count=self._frame_count,
            attenuation=attenuation,
            usable=usable,
            intensity_relationship=self._format.relationship,
            geometry=self._geometries[number],
            subtracted=self._format.subtracted or recipe is not None,
            frame_time_ms=frame_time_ms(self._dataset, number)[0],
            body_part=text_in(self._dataset, "BodyPartExamined"),
            sop_instance_uid=text_in(self._dataset, "SOPInstanceUID"),
        )

    def strongest_contrast_frame(self) -> int:
        """The frame (0-based) that shows the most contrast agent; 0 for a single image. Decodes every frame once.

        See ``contrast.strongest_frame``; mask subtraction plays no part. Raises UserError where pixels are damaged.
        """
        if self._strongest is None:
            usable = self._usable(FrameHeader(self._dataset, 0))
            images = (self._attenuation(frame) for frame in range(self._frame_count))
            with _quiet():
                self._strongest = strongest_frame(images, usable) if self._frame_count > 1 else 0
        return self._strongest

    def _usable(self, header: FrameHeader) -> np.ndarray:
        usable = read_usable(header, *self.shape)
        open_part = usable & ~self._border
        return open_part if open_part.any() else usable

    def _levels(self, frame: int) -> np.ndarray:
        return decode_levels(self._path, self._dataset, frame, self._format)

    def _to_attenuation(self, levels: np.ndarray) -> np.ndarray:
        return to_attenuation(levels, self._format)

    def _attenuation(self, frame: int) -> np.ndarray:
        return self._to_attenuation(self._levels(frame))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pydicom's remarks about ill-formed values to itself: they can quote the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _kind_row(dataset: Any) -> SanityRow:
    from pydicom.uid import UID

    kind = text_in(dataset, "SOPClassUID") or text_in(dataset.file_meta, "MediaStorageSOPClassUID")
    words = UID(kind).name + (" (per-frame functional groups)" if is_enhanced(dataset) else "")
    return SanityRow("ok", "Object", words, tag_of("SOPClassUID"))


def _time_rows(dataset: Any, frames: int) -> list[SanityRow]:
    if frames == 1:
        return []
    time, source = frame_time_ms(dataset, 0)
    if time is None:
        return [SanityRow("amber", "Frame time", "not given")]
    return [SanityRow("ok", "Frame time", f"{time:.4g} ms", source)]


def open_xa(path: Path | str, overrides: GeometryOverrides | None = None, *, subtraction: bool | None = None) -> XARun:
    """Open an XA, XRF, Enhanced XA or Enhanced XRF file.

    ``overrides`` win over the header. ``subtraction`` None subtracts the mask where the file recommends it, True
    wherever it describes one, False never. Raises UserError where the file cannot be used: not DICOM, another kind of
    object, cut short, in colour, or with impossible angles, distances or spacing.
    """
    path = Path(path)
    with _quiet():
        return XARun(path, read_header(path), overrides or GeometryOverrides(), subtraction)
