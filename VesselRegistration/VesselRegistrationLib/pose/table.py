"""Several exposures in one frame of reference: what the headers say about patient, table and gantry between them.

A pose holds for the patient. When the table moves, the patient moves with it, and the pose seen from the C-arm moves
as much; a view's ``table_shift_mm`` carries this. Within a file the shift counts from frame 0. Between files it can be
known only where the headers give the table's place in the room (Enhanced XA, PS3.3 C.8.19.6.11 and C.8.19.6.13).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..dicom.container import is_enhanced, read_header
from ..dicom.frame import XAFrame
from ..dicom.lookup import FrameHeader, text_in
from ..dicom.patient_axes import patient_position
from ..dicom.table import table_place, table_turns
from ..errors import UserError
from ..geometry.carm import CArmView
from .evidence import ViewEvidence
from .rigid import PosePrior
from .solver import PoseEstimate, PoseModel, solve_pose

_TURNED_DEG = 0.05


@dataclass(frozen=True)
class ExposureReference:
    """What a file says about the frame of reference of its first frame; empty or None where it does not say it.

    ``table_mm`` is the table's place in the room along the patient's RAS axes, about a fixed point that
    ``table_source`` tells apart; ``table_turns_deg`` are its angles. ``frame_of_reference`` counts for enhanced objects
    only: for others the standard gives it no meaning. The patient is kept only to be compared, and never shown.
    """

    name: str
    patient: str = field(default="", repr=False)
    study: str = ""
    frame_of_reference: str = ""
    patient_position: str | None = None
    table_mm: tuple[float, float, float] | None = None
    table_source: str = ""
    table_turns_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class SharedReference:
    """Views whose table shifts all count from the first one's frame 0, and ``notes``: what had to be taken on trust."""

    views: tuple[CArmView, ...]
    notes: tuple[str, ...]


def read_reference(path: Path) -> ExposureReference:
    """The frame of reference of an XA file. Raises UserError where the file cannot be used."""
    dataset = read_header(path)
    header = FrameHeader(dataset, 0)
    place, source = table_place(header)
    known = place is not None and bool(np.all(np.isfinite(place)))
    x, y, z = place if known and place is not None else np.zeros(3)
    first, second, third = table_turns(header)
    return ExposureReference(path.name, text_in(dataset, "PatientID"), text_in(dataset, "StudyInstanceUID"),
                             text_in(dataset, "FrameOfReferenceUID") if is_enhanced(dataset) else "",
                             patient_position(header), (float(x), float(y), float(z)) if known else None, source,
                             (float(first), float(second), float(third)))


def same_reference(frames: Sequence[XAFrame], references: Sequence[ExposureReference]) -> SharedReference:
    """Bring the views of frames of one patient into one frame of reference; ``references`` holds one for each.

    Raises UserError where the headers contradict each other: another patient, another position on the table, another
    frame of reference, a table turned in between, or one frame given twice.
    """
    first = references[0]
    views, notes = [], []
    for number, (frame, other) in enumerate(zip(frames, references, strict=True)):
        for earlier in frames[:number]:
            if earlier.path == frame.path and earlier.frame_number == frame.frame_number:
                raise UserError(f"Frame {frame.frame_number} of {frame.path.name} is given twice: give two exposures.")
        _check(first, other)
        view = frame.view()
        if frame.path != frames[0].path:
            if first.table_mm is not None and other.table_mm is not None and first.table_source == other.table_source:
                moved = np.array(other.table_mm) - np.array(first.table_mm) + np.array(view.table_shift_mm)
                view = replace(view, table_shift_mm=(float(moved[0]), float(moved[1]), float(moved[2])))
            else:
                notes.append(f"The headers do not say whether the table moved between {first.name} and {other.name}: "
                             "it is taken as not moved.")
            if first.study and other.study and first.study != other.study:
                notes.append(f"{first.name} and {other.name} are of different studies: the patient is taken as not "
                             "moved on the table.")
        views.append(view)
    return SharedReference(tuple(views), tuple(notes))


@dataclass(frozen=True)
class CarriedPrior(PosePrior):
    """What an earlier registration says about the pose: ``information`` (6, 6) of a twist about the placed centre."""

    information: np.ndarray = field(default_factory=lambda: np.zeros((6, 6)))

    def precision(self, beam_directions: np.ndarray) -> np.ndarray:
        """6x6 inverse covariance; the new views' beams play no part."""
        return self.information


def carried_prior(covariance: np.ndarray, loosened_deg: float = 1.0, loosened_mm: float = 3.0) -> CarriedPrior:
    """The prior for a new view from the ``covariance`` (6, 6) of an earlier pose.

    It is loosened by what the headers cannot tell: breathing, small moves on the table, sagging of the C-arm.
    """
    slack = np.diag([np.radians(loosened_deg) ** 2] * 3 + [loosened_mm**2] * 3)
    return CarriedPrior(information=np.linalg.inv(0.5 * (covariance + covariance.T) + slack))


def refine_in_new_view(model: PoseModel, evidence: Sequence[ViewEvidence], pose: np.ndarray,
                       covariance: np.ndarray) -> PoseEstimate:
    """The pose in new views, from the pose (4, 4) and its covariance (6, 6) of an earlier registration.

    The views of ``evidence`` must share the earlier one's reference (see ``same_reference``). The first one's depth,
    unknown to it, is settled by a new view from another side; what the new view cannot see stays as it was.
    """
    return solve_pose(model, evidence, pose, carried_prior(covariance), search=False)


def _check(first: ExposureReference, other: ExposureReference) -> None:
    pair = f"{first.name} and {other.name}"
    if first.patient and other.patient and first.patient != other.patient:
        raise UserError(f"{pair} are of different patients: give X-rays of one patient.")
    if None not in (first.patient_position, other.patient_position) \
            and first.patient_position != other.patient_position:
        raise UserError(f"In {pair} the patient lies differently ({first.patient_position} and "
                        f"{other.patient_position}): register them apart.")
    if first.frame_of_reference and other.frame_of_reference and first.frame_of_reference != other.frame_of_reference:
        raise UserError(f"The headers of {pair} name different frames of reference: register them apart.")
    if np.any(np.abs(np.array(first.table_turns_deg) - np.array(other.table_turns_deg)) > _TURNED_DEG):
        raise UserError(f"Between {pair} the table has turned, which is not supported: register them apart.")
    tilted = bool(np.any(np.abs(first.table_turns_deg) > _TURNED_DEG))
    if tilted and first.table_mm is not None and other.table_mm is not None and first.table_mm != other.table_mm:
        raise UserError(f"Between {pair} the table has moved while turned or tilted, which is not supported: register "
                        "them apart.")
