"""Enhanced XA: values of functional groups, the isocentre reference system, per-frame table and shutter."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sequence import Sequence
from VesselRegistrationLib.dicom.reading import XARun, open_xa
from VesselRegistrationLib.dicom.sanity import SanityRow
from VesselRegistrationLib.errors import UserError
from xa_files import ENHANCED_XA, group, item, levels_image, write_xa

SHARED = {
    "XRayGeometrySequence": group(DistanceSourceToDetector=1195.0, DistanceSourceToIsocenter=765.0,
                                  DistanceSourceToPatient=700.0),
    "FramePixelDataPropertiesSequence": group(PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1,
                                              ImagerPixelSpacing=[0.308, 0.154]),
    "FieldOfViewSequence": group(FieldOfViewRotation=0, FieldOfViewHorizontalFlip="NO", FieldOfViewOrigin=[4, 6]),
}


def positioner(primary: float, secondary: float) -> dict[str, Any]:
    """The positioner's functional group."""
    return {"PositionerPositionSequence": group(PositionerPrimaryAngle=primary, PositionerSecondaryAngle=secondary)}


def isocentre(primary: float = 0, secondary: float = 0, rotation: float = 0,
              place: tuple[float, float, float] = (0, 0, 0), turns: tuple[float, float, float] = (0, 0, 0)) -> dict:
    """The isocentre reference system's functional group; ``place`` is X (table left), Y (down), Z (head end)."""
    return {"IsocenterReferenceSystemSequence": group(
        PositionerIsocenterPrimaryAngle=primary, PositionerIsocenterSecondaryAngle=secondary,
        PositionerIsocenterDetectorRotationAngle=rotation, TableXPositionToIsocenter=place[0],
        TableYPositionToIsocenter=place[1], TableZPositionToIsocenter=place[2], TableHorizontalRotationAngle=turns[0],
        TableHeadTiltAngle=turns[1], TableCradleTiltAngle=turns[2])}


def opened(folder: Path, frames: list[dict[str, Any]], shared: dict[str, Any] | None = None, **elements: Any) -> XARun:
    """An Enhanced XA run with one functional group item per frame."""
    per_frame = Sequence([item(**entry) for entry in frames])
    return open_xa(write_xa(folder / "a.dcm", levels_image(frames=len(frames)), ENHANCED_XA,
                            PixelIntensityRelationship=None, PerFrameFunctionalGroupsSequence=per_frame,
                            SharedFunctionalGroupsSequence=group(**(SHARED if shared is None else shared)), **elements))


def rows_about(run: XARun, name: str) -> list[SanityRow]:
    """The report's rows about one item."""
    return [row for row in run.sanity.rows if row.item == name]


def test_per_frame_angles_and_shared_distances(tmp_path: Path) -> None:
    run = opened(tmp_path, [positioner(10, 1), positioner(20, 2), positioner(40, -3)])
    assert [(run.geometry(n).primary_angle_deg, run.geometry(n).secondary_angle_deg) for n in range(3)] == [
        (10, 1), (20, 2), (40, -3)]
    view = run.frame(2).view()
    assert (view.sid_mm, view.sod_mm) == (1195, 765)
    assert (view.row_spacing_mm, view.column_spacing_mm) == (0.308, 0.154)
    assert run.geometry(0).sources["sod_mm"] == "(0018,9402)"


def test_per_frame_wins_over_shared(tmp_path: Path) -> None:
    frames = [positioner(0, 0), {**positioner(0, 0), "XRayGeometrySequence": group(
        DistanceSourceToDetector=1000.0, DistanceSourceToIsocenter=750.0)}]
    run = opened(tmp_path, frames)
    assert [run.geometry(n).sid_mm for n in range(2)] == [1195, 1000]


def test_log_with_its_sign_is_taken_as_it_is(tmp_path: Path) -> None:
    run = opened(tmp_path, [positioner(0, 0)])
    np.testing.assert_array_equal(run.frame(0).attenuation, levels_image()[0])
    assert run.frame(0).intensity_relationship == "LOG"


def test_isocentre_on_the_detector(tmp_path: Path) -> None:
    run = opened(tmp_path, [positioner(0, 0)], DetectorElementSpacing=[0.154, 0.154],
                 PositionOfIsocenterProjection=[14.5, 12.0])
    # Rows are binned by two: elements 4 + 2 r .. 5 + 2 r make row r, so 14.5 lies in the middle of row 5.
    assert run.geometry(0).principal_point == pytest.approx((6, 5), abs=1e-5)


def test_isocentre_angles_serve_where_the_positioner_gives_none(tmp_path: Path) -> None:
    run = opened(tmp_path, [isocentre(-25, 10), isocentre(35, -15)])
    assert run.geometry(0).primary_angle_deg == pytest.approx(-25)
    assert run.geometry(1).secondary_angle_deg == pytest.approx(-15)
    assert run.geometry(1).sources["primary_angle_deg"] == "(0018,9463)"


def test_isocentre_angles_of_a_patient_feet_first(tmp_path: Path) -> None:
    # On the same C-arm, left and right as well as head and feet change places, and the picture stands on its head.
    run = opened(tmp_path, [isocentre(30, 20)], PatientPosition="FFS")
    geometry = run.geometry(0)
    assert (geometry.primary_angle_deg, geometry.secondary_angle_deg) == (pytest.approx(-30), pytest.approx(-20))
    assert abs(geometry.detector_rotation_deg) == pytest.approx(180)


def test_isocentre_angles_of_a_prone_patient(tmp_path: Path) -> None:
    geometry = opened(tmp_path, [isocentre(30, 0)], PatientPosition="HFP").geometry(0)
    # A detector to the table's left, 30 deg from above, is 150 deg from the chest on the patient's right.
    assert geometry.primary_angle_deg == pytest.approx(-150)
    assert geometry.detector_rotation_deg == pytest.approx(0, abs=1e-6)


def test_patient_position_from_codes(tmp_path: Path) -> None:
    codes = {"PatientOrientationCodeSequence": Sequence([item(
        CodeValue="102538003", PatientOrientationModifierCodeSequence=Sequence([item(CodeValue="1240000")]))]),
        "PatientGantryRelationshipCodeSequence": Sequence([item(CodeValue="102540001")])}
    assert opened(tmp_path, [isocentre(30, 0)], **codes).geometry(0).primary_angle_deg == pytest.approx(-150)


def test_detector_rotation_turns_the_image_axes(tmp_path: Path) -> None:
    run = opened(tmp_path, [{**positioner(0, 0), **isocentre(rotation=10)}])
    # Clockwise seen from the source at the back is counter-clockwise in the picture: its right edge turns to the head.
    to_the_right = run.frame(0).view().image_axes[0]
    np.testing.assert_allclose(to_the_right, [-np.cos(np.radians(10)), 0, np.sin(np.radians(10))], atol=1e-12)
    assert rows_about(run, "Detector rotation")[0].level == "amber"


@pytest.mark.parametrize(("primary", "level"), [(30, "ok"), (31, "ok"), (-30, "red")])
def test_both_kinds_of_angles_are_held_against_each_other(tmp_path: Path, primary: float, level: str) -> None:
    run = opened(tmp_path, [{**positioner(30, 10), **isocentre(primary, 10)}])
    assert rows_about(run, "Isocentre system")[0].level == level
    assert run.geometry(0).primary_angle_deg == 30


def test_a_turned_table_leaves_only_the_angles_relative_to_the_patient(tmp_path: Path) -> None:
    both = opened(tmp_path, [{**positioner(30, 10), **isocentre(30, 10, 5, turns=(20, 0, 0))}])
    assert (both.geometry(0).primary_angle_deg, both.geometry(0).detector_rotation_deg) == (30, 0)
    assert rows_about(both, "Isocentre system")[0].level == "amber"
    only = opened(tmp_path, [isocentre(30, 10, turns=(0, 8, 0))])
    assert only.geometry(0).primary_angle_deg is None
    with pytest.raises(UserError, match="--primary DEG"):
        only.frame(0).view()


def test_table_place_about_the_isocentre(tmp_path: Path) -> None:
    frames = [{**positioner(0, 0), **isocentre(place=(100, 50, -200))},
              {**positioner(0, 0), **isocentre(place=(103, 55, -193))}]
    assert opened(tmp_path, frames).geometry(1).table_shift_mm == pytest.approx((-3, -5, 7))
    assert opened(tmp_path, frames).geometry(0).table_shift_mm == (0, 0, 0)
    feet_first = opened(tmp_path, frames, PatientPosition="FFS")
    assert feet_first.geometry(1).table_shift_mm == pytest.approx((3, -5, -7))


def table(longitudinal: float, lateral: float, vertical: float, **turns: float) -> dict[str, Any]:
    """The table position's functional group."""
    return {"TablePositionSequence": group(
        TableTopLongitudinalPosition=longitudinal, TableTopLateralPosition=lateral, TableTopVerticalPosition=vertical,
        **turns)}


def test_table_position_uses_the_same_odd_names(tmp_path: Path) -> None:
    frames = [{**positioner(0, 0), **table(10, 20, 30)}, {**positioner(0, 0), **table(12, 25, 37)}]
    # Longitudinal to the left, lateral to the head, vertical down.
    assert opened(tmp_path, frames).geometry(1).table_shift_mm == pytest.approx((-2, -7, 5))


def test_a_table_that_turns_or_moves_while_tilted_is_refused(tmp_path: Path) -> None:
    turning = [{**positioner(0, 0), **isocentre()}, {**positioner(0, 0), **isocentre(turns=(3, 0, 0))}]
    with pytest.raises(UserError, match="frame 1 the table has turned"):
        opened(tmp_path, turning)
    tilted = [{**positioner(0, 0), **table(0, 0, 0, TableHeadTiltAngle=5)},
              {**positioner(0, 0), **table(4, 0, 0, TableHeadTiltAngle=5)}]
    with pytest.raises(UserError, match="tilted"):
        opened(tmp_path, tilted)
    opened(tmp_path, [tilted[0], tilted[0]])


def test_orientation_of_the_frame(tmp_path: Path) -> None:
    orientation = {"PatientOrientationInFrameSequence": group(PatientOrientation=["R", "F"])}
    run = opened(tmp_path, [{**positioner(0, 0), **orientation}])
    assert rows_about(run, "Patient orientation")[0].level == "red"


def test_shutters_of_each_frame(tmp_path: Path) -> None:
    def shutter(left: int) -> dict[str, Any]:
        return {"FrameDisplayShutterSequence": group(
            ShutterShape="RECTANGULAR", ShutterLeftVerticalEdge=left, ShutterRightVerticalEdge=16,
            ShutterUpperHorizontalEdge=1, ShutterLowerHorizontalEdge=12)}

    collimator = {"CollimatorShapeSequence": group(
        CollimatorShape="RECTANGULAR", CollimatorLeftVerticalEdge=1, CollimatorRightVerticalEdge=16,
        CollimatorUpperHorizontalEdge=3, CollimatorLowerHorizontalEdge=12)}
    run = opened(tmp_path, [{**positioner(0, 0), **shutter(3)}, {**positioner(0, 0), **shutter(6), **collimator}])
    assert run.frame(0).usable.sum() == 12 * 14
    assert run.frame(1).usable.sum() == 10 * 11


def test_intensity_other_keeps_only_the_order(tmp_path: Path) -> None:
    shared = {**SHARED, "FramePixelDataPropertiesSequence": group(PixelIntensityRelationship="OTHER",
                                                                  PixelIntensityRelationshipSign=1)}
    run = opened(tmp_path, [positioner(0, 0)], shared)
    assert run.frame(0).intensity_relationship == "DISP"
    assert rows_about(run, "Intensity")[0].level == "amber"
    np.testing.assert_array_equal(run.frame(0).attenuation, 255.0 - levels_image()[0])


def test_stored_subtraction_is_known(tmp_path: Path) -> None:
    shared = {**SHARED, "FramePixelDataPropertiesSequence": group(
        PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=1, ImageProcessingApplied="DIGITAL_SUBTR")}
    masks = Sequence([item(MaskOperation="AVG_SUB", MaskFrameNumbers=1, SubtractionItemID=1)])
    run = opened(tmp_path, [positioner(0, 0)] * 2, shared, MaskSubtractionSequence=masks)
    frame = run.frame(1)
    assert frame.subtracted
    np.testing.assert_array_equal(frame.attenuation, 255.0 - levels_image(frames=2)[1])


def test_every_frame_may_shift_the_mask_its_own_way(tmp_path: Path) -> None:
    def shifted(columns: float) -> dict[str, Any]:
        return {**positioner(0, 0), "FramePixelShiftSequence": group(SubtractionItemID=7,
                                                                     MaskSubPixelShift=[0.0, columns])}

    masks = Sequence([item(MaskOperation="AVG_SUB", MaskFrameNumbers=1, SubtractionItemID=7)])
    run = opened(tmp_path, [positioner(0, 0), shifted(2), shifted(-3)], MaskSubtractionSequence=masks)
    levels = levels_image(frames=3).astype(float)
    difference = run.frame(1).attenuation
    np.testing.assert_allclose(difference[:, 2:], levels[1][:, 2:] - levels[0][:, :-2], atol=1e-4)
    assert not run.frame(1).usable[:, :2].any() and run.frame(1).usable[:, 2:].all()
    np.testing.assert_allclose(run.frame(2).attenuation[:, :-3], levels[2][:, :-3] - levels[0][:, 3:], atol=1e-4)


def test_a_damaged_isocentre_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="isocenter reference system"):
        opened(tmp_path, [isocentre(float("nan"), 0)])


def test_empty_functional_groups(tmp_path: Path) -> None:
    run = opened(tmp_path, [{}], {})
    assert len(run.geometry(0).missing()) == 5
    assert isinstance(run.sanity.as_text(), str)

