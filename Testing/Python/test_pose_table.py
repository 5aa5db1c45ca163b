"""One frame of reference for several exposures, and a pose carried over to a new view of a moved table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_cases import errors_mm, machine, moved_pose, pose_model, true_mask, view_of
from pydicom.sequence import Sequence
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.rigid import rigid_motion
from VesselRegistrationLib.pose.table import (
    SharedReference,
    carried_prior,
    read_reference,
    refine_in_new_view,
    same_reference,
)
from xa_files import ENHANCED_XA, FULL_GEOMETRY, group, item, levels_image, write_xa


def enhanced(path: Path, primary: float, places: list[tuple[float, float, float]], turn: float = 0.0,
             **elements: Any) -> Path:
    """An enhanced run; ``places`` are (longitudinal = to the left, lateral = to the head, vertical = down) by frame."""
    frames = Sequence([item(
        PositionerPositionSequence=group(PositionerPrimaryAngle=primary, PositionerSecondaryAngle=0),
        TablePositionSequence=group(
            TableTopLongitudinalPosition=left, TableTopLateralPosition=head, TableTopVerticalPosition=down,
            TableHorizontalRotationAngle=turn, TableHeadTiltAngle=0, TableCradleTiltAngle=0,
        )) for left, head, down in places])
    shared = group(XRayGeometrySequence=group(DistanceSourceToDetector=1100.0, DistanceSourceToIsocenter=760.0),
                   FramePixelDataPropertiesSequence=group(PixelIntensityRelationship="LOG",
                                                          PixelIntensityRelationshipSign=-1,
                                                          ImagerPixelSpacing=[0.5, 0.5]),
                   FieldOfViewSequence=group(FieldOfViewRotation=0, FieldOfViewHorizontalFlip="NO"))
    return write_xa(path, levels_image(frames=len(places)), ENHANCED_XA, PixelIntensityRelationship=None,
                    PerFrameFunctionalGroupsSequence=frames, SharedFunctionalGroupsSequence=shared, **elements)


def shared(*which: tuple[Path, int]) -> SharedReference:
    return same_reference([open_xa(path).frame(number) for path, number in which],
                          [read_reference(path) for path, _ in which])


def test_table_moves_between_files_and_within_them_add_up(tmp_path: Path) -> None:
    first = enhanced(tmp_path / "a.dcm", -20, [(10, 5, 0), (10, 5, 0)])
    second = enhanced(tmp_path / "b.dcm", 40, [(25, 45, -7), (25, 50, -7)])
    found = shared((first, 0), (second, 1))
    # 15 mm to the left, 45 to the head, 7 up, for a patient who lies head first and supine.
    np.testing.assert_allclose(found.frames[1].view().table_shift_mm, [-15, 7, 45], atol=1e-9)
    assert found.frames[0].view().table_shift_mm == (0, 0, 0)
    assert found.notes == ()


def test_frames_count_from_an_earlier_file(tmp_path: Path) -> None:
    earlier = enhanced(tmp_path / "a.dcm", -20, [(10, 5, 0), (90, 90, 90)])
    later = enhanced(tmp_path / "b.dcm", 40, [(12, 45, 0), (12, 48, 0)])
    frame = open_xa(later).frame(1)
    found = same_reference([frame], [read_reference(later)], read_reference(earlier))
    np.testing.assert_allclose(found.frames[0].view().table_shift_mm, [-2, 0, 43], atol=1e-9)
    assert frame.geometry.table_shift_mm == pytest.approx((0, 0, 3))
    # The same file again: whatever its header says of the table, it has not moved.
    plain = write_xa(tmp_path / "c.dcm", levels_image(frames=2), **FULL_GEOMETRY)
    again = same_reference([open_xa(plain).frame(1)], [read_reference(plain)], read_reference(plain))
    assert again.notes == ()


def test_what_the_headers_do_not_say_is_said(tmp_path: Path) -> None:
    first = write_xa(tmp_path / "a.dcm", **FULL_GEOMETRY, StudyInstanceUID="1.2.3")
    second = write_xa(tmp_path / "b.dcm", **{**FULL_GEOMETRY, "PositionerPrimaryAngle": -30}, StudyInstanceUID="1.2.4")
    notes = shared((first, 0), (second, 0)).notes
    assert len(notes) == 2
    assert "different studies" in notes[0]
    assert "whether the table moved" in notes[1]


@pytest.mark.parametrize("changes,words", [
    ({"PatientID": "ID-4712"}, "different patients"),
    ({"PatientPosition": "FFS"}, "lies differently"),
    ({"FrameOfReferenceUID": "1.2.5"}, "different frames of reference"),
    ({"turn": 8.0}, "table has turned"),
])
def test_contradictions_between_the_views_are_one_sentence(tmp_path: Path, changes: dict, words: str) -> None:
    known = {"PatientPosition": "HFS", "FrameOfReferenceUID": "1.2.3"}
    first = enhanced(tmp_path / "a.dcm", -20, [(0, 0, 0)], **known)
    second = enhanced(tmp_path / "b.dcm", 40, [(0, 0, 0)], **{**known, **changes})
    with pytest.raises(UserError, match=words) as problem:
        shared((first, 0), (second, 0))
    assert "ID-4712" not in str(problem.value)
    assert "Secret" not in repr(read_reference(second))
    assert "ID-4711" not in repr(read_reference(first))


def test_a_frame_given_twice(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "a.dcm", 20, [(0, 0, 0), (0, 0, 0)])
    with pytest.raises(UserError, match="given twice"):
        shared((path, 1), (path, 1))


def test_a_pose_is_carried_to_a_new_view_of_a_moved_table() -> None:
    """The first view left 12 mm of depth open; the second, with the table 30 mm on, settles it."""
    truth = moved_pose("lower", (5, -4, 3), (6, 8, -5))
    first = view_of(machine(-30, 0, 380))
    later = machine(35, 10, 380, patient_moved=(30.0, 0.0, -25.0))
    off = rigid_motion(np.concatenate([[0.01, -0.01, 0.005], 12 * first.beam_direction]), np.zeros(3)) @ truth
    along = np.outer(first.beam_direction, first.beam_direction)
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = np.eye(3) * np.radians(1) ** 2
    covariance[3:, 3:] = np.eye(3) + 15**2 * along
    seen = ViewEvidence.from_mask(view_of(later), true_mask(later, "lower", truth))
    estimate = refine_in_new_view(pose_model("lower"), [seen], off, covariance)
    assert errors_mm("lower", off, truth, [later])[0] > 11
    in_space, in_plane = errors_mm("lower", estimate.model_to_world, truth, [later])
    assert in_plane < 0.8
    assert in_space < 3.0  # what lies along the new beam stays with the first view's word
    still = replace(seen.view, table_shift_mm=(0.0, 0.0, 0.0))
    lost = refine_in_new_view(pose_model("lower"), [replace(seen, view=still)], off, covariance)
    assert errors_mm("lower", lost.model_to_world, truth, [later])[0] > 20


def test_the_prior_is_loosened_by_what_headers_cannot_tell() -> None:
    prior = carried_prior(np.zeros((6, 6)), loosened_deg=2.0, loosened_mm=4.0)
    sd = np.sqrt(np.diag(np.linalg.inv(prior.precision(np.array([[0.0, 1, 0]])))))
    np.testing.assert_allclose(sd, [np.radians(2)] * 3 + [4] * 3)


def test_shift_of_a_view_moves_the_patient_and_not_the_pose() -> None:
    """By hand: at 0/0 a patient 10 mm further left is seen 10 mm * SID / SOD / spacing further along the columns."""
    view = CArmView(0, 0, 1100, 760, 100, 100, 0.5, 0.5)
    at, _ = view.project(np.zeros((1, 3)))
    moved, _ = replace(view, table_shift_mm=(-10.0, 0.0, 0.0)).project(np.zeros((1, 3)))
    np.testing.assert_allclose(moved - at, [[10 * 1100 / 760 / 0.5, 0]], atol=1e-9)
