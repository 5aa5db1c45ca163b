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
    instance: str
    patient: str = field(default="", repr=False)
    study: str = ""
    frame_of_reference: str = ""
    patient_position: str | None = None
    table_mm: tuple[float, float, float] | None = None
    table_source: str = ""
    table_turns_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class SharedReference:
    """Frames whose table shifts all count from one file's frame 0, and ``notes``: what had to be taken on trust."""

    frames: tuple[XAFrame, ...]
    notes: tuple[str, ...]


def read_reference(path: Path) -> ExposureReference:
    """The frame of reference of an XA file. Raises UserError where the file cannot be used."""
    dataset = read_header(path)
    header = FrameHeader(dataset, 0)
    place, source = table_place(header)
    known = place is not None and bool(np.all(np.isfinite(place)))
    x, y, z = place if known and place is not None else np.zeros(3)
    first, second, third = table_turns(header)
    return ExposureReference(
        name=path.name,
        instance=text_in(dataset, "SOPInstanceUID"),
        patient=text_in(dataset, "PatientID"),
        study=text_in(dataset, "StudyInstanceUID"),
        frame_of_reference=text_in(dataset, "FrameOfReferenceUID") if is_enhanced(dataset) else "",
        patient_position=patient_position(header),
        table_mm=(float(x), float(y), float(z)) if known else None,
        table_source=source,
        table_turns_deg=(float(first), float(second), float(third)),
    )


def same_reference(frames: Sequence[XAFrame], references: Sequence[ExposureReference],
                   earlier: ExposureReference | None = None) -> SharedReference:
    """Bring frames of one patient into one frame of reference; ``references`` holds that of the file of each.

    It is that of the first frame's file, or of the file ``earlier`` whose pose is to be used. Raises UserError where
    the headers contradict each other: another patient, another position on the table, another frame of reference, a
    table turned in between, or one frame given twice.
    """
    first = references[0] if earlier is None else earlier
    shared: list[XAFrame] = []
    notes: list[str] = []
    for number, (frame, own) in enumerate(zip(frames, references, strict=True)):
        if any(frame.path == other.path and frame.frame_number == other.frame_number for other in frames[:number]):
            raise UserError(f"Frame {frame.frame_number} of {frame.path.name} is given twice, which gives no depth: "
                            "give two exposures.")
        _check(first, own)
        moved, note = _moved(first, own)
        notes.extend(one for one in note if one not in notes)
        x, y, z = moved + np.array(frame.geometry.table_shift_mm)
        geometry = replace(frame.geometry, table_shift_mm=(float(x), float(y), float(z)))
        shared.append(replace(frame, geometry=geometry))
    return SharedReference(tuple(shared), tuple(notes))


def _moved(first: ExposureReference, other: ExposureReference) -> tuple[np.ndarray, list[str]]:
    """How far the table moved from one file's first frame to another's, (3,) mm, and what is taken on trust."""
    if first.instance == other.instance:
        return np.zeros(3), []
    notes = []
    if first.study and other.study and first.study != other.study:
        notes.append(f"{first.name} and {other.name} are of different studies: the patient is taken as not moved on "
                     "the table.")
    if first.table_mm is not None and other.table_mm is not None and first.table_source == other.table_source:
        return np.array(other.table_mm) - np.array(first.table_mm), notes
    notes.append(f"The headers do not say whether the table moved between {first.name} and {other.name}: it is taken "
                 "as not moved.")
    return np.zeros(3), notes


@dataclass(frozen=True)
class CarriedPrior(PosePrior):
    """What an earlier registration says about the pose: inverse covariance (6 by 6) of a twist about the centre."""

    information: tuple[tuple[float, ...], ...] = ()

    def precision(self, beam_directions: np.ndarray) -> np.ndarray:
        """6x6 inverse covariance; the new views' beams play no part."""
        return np.array(self.information, dtype=float)


def carried_prior(covariance: np.ndarray, loosened_deg: float = 1.0, loosened_mm: float = 3.0) -> CarriedPrior:
    """The prior for a new view from the ``covariance`` (6, 6) of an earlier pose.

    It is loosened by what the headers cannot tell: breathing, small moves on the table, sagging of the C-arm.
    """
    slack = np.diag([np.radians(loosened_deg) ** 2] * 3 + [loosened_mm**2] * 3)
    information = np.linalg.inv(0.5 * (covariance + covariance.T) + slack)
    return CarriedPrior(information=tuple(tuple(map(float, row)) for row in information))


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
    positions = {first.patient_position, other.patient_position} - {None}
    if len(positions) > 1:
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
