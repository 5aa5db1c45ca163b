"""The X-ray that a result belongs to: what has to be taken over from its header, and how to point at it."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..dicom.container import read_header
from ..dicom.header import image_axes
from ..dicom.lookup import numbers_in, text_in
from ..dicom.overrides import GeometryOverrides
from ..dicom.patient_axes import letters_of
from ..dicom.reading import open_xa
from ..errors import UserError
from ..registration.result_file import instance_hash

MANUFACTURER = "SlicerHybridOR"
MODEL_NAME = "Vessel Registration"
SERIAL_NUMBER = "none"
FIRST_SERIES = 1000

_NEEDED_OR_EMPTY = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                    "AccessionNumber", "ReferringPhysicianName")
_TAKEN_OVER = (*_NEEDED_OR_EMPTY, "SpecificCharacterSet", "IssuerOfPatientID", "OtherPatientIDsSequence", "PatientAge",
               "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod",
               "DeidentificationMethodCodeSequence", "IssuerOfAccessionNumberSequence", "StudyInstanceUID",
               "StudyDescription", "BodyPartExamined")
"""Patient, General Study and Patient Study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2), and what was examined."""


@dataclass(frozen=True)
class SourceImage:
    """A frame (0-based) of an XA file. ``orientation`` holds the letters of the directions in which col and row grow.

    The header names the patient and is never shown.
    """

    path: Path
    frame_number: int
    frame_count: int
    shape: tuple[int, int]
    orientation: tuple[str, str]
    header: Any = field(repr=False)

    @property
    def instance_uid(self) -> str:
        """SOP Instance UID (0008,0018)."""
        return text_in(self.header, "SOPInstanceUID")

    @property
    def instance_sha256(self) -> str | None:
        """As a result names it."""
        return instance_hash(self.instance_uid)

    @property
    def study_uid(self) -> str:
        """Study Instance UID (0020,000D)."""
        return text_in(self.header, "StudyInstanceUID")


def open_source(path: Path, frame_number: int, primary_deg: float, secondary_deg: float) -> SourceImage:
    """A frame of an XA file whose angles are as given. Raises UserError where nothing can be linked to it."""
    header = read_header(path)
    missing = [keyword for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
               if not text_in(header, keyword)]
    if missing:
        raise UserError(f"{path.name} has no {', '.join(missing)}: nothing can be linked to it.")
    run = open_xa(path, GeometryOverrides(primary_deg, secondary_deg))
    axes = image_axes(run.geometry(frame_number))
    assert axes is not None  # both angles are given
    col, row = map(letters_of, axes)
    return SourceImage(path, frame_number, run.frame_count, run.shape, (col, row), header)


def take_over(dataset: Any, source: SourceImage) -> None:
    """Give a data set the patient and the study of an X-ray, as they stand there."""
    for keyword in _TAKEN_OVER:
        if keyword in source.header:
            dataset[keyword] = copy.deepcopy(source.header[keyword])
        elif keyword in _NEEDED_OR_EMPTY:
            setattr(dataset, keyword, "")
    # Of a pair, the side has to be said; "" where that is not known.
    if text_in(source.header, "Laterality") or not text_in(source.header, "BodyPartExamined"):
        dataset.Laterality = text_in(source.header, "Laterality")


def series_number(source: SourceImage, kind: int) -> int:
    """A number for a new series, told from the X-ray's own, for a kind of object from 0 to 9."""
    own = (numbers_in(source.header, "SeriesNumber") or [0.0])[0]
    return FIRST_SERIES + 10 * int(max(own, 0)) + kind


def describe_equipment(dataset: Any) -> None:
    """Say what made a data set (PS3.3 C.7.5.1 and C.7.5.2)."""
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = SERIAL_NUMBER, __version__


def stamp(dataset: Any, *keywords: str) -> None:
    """Set the dates and times named by the beginnings of ``keywords``, e.g. ``Content``, to now."""
    now = datetime.now()
    for keyword in keywords:
        setattr(dataset, f"{keyword}Date", now.strftime("%Y%m%d"))
        setattr(dataset, f"{keyword}Time", now.strftime("%H%M%S"))


def reference_to(source: SourceImage, frame: bool) -> Any:
    """An item that points at the X-ray, and with ``frame`` at its frame, which DICOM counts from 1."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = source.header.SOPClassUID
    item.ReferencedSOPInstanceUID = source.header.SOPInstanceUID
    if frame and source.frame_count > 1:
        item.ReferencedFrameNumber = source.frame_number + 1
    return item


@contextmanager
def silent() -> Iterator[None]:
    """Keep remarks about ill-formed values to those who make them: they can quote the patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
