"""Geometry of classic XA headers: angles, increments, distances, spacing, table, field of view, orientation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from VesselRegistrationLib.dicom.overrides import GeometryOverrides
from VesselRegistrationLib.dicom.reading import XARun, open_xa
from VesselRegistrationLib.dicom.sanity import SanityRow
from VesselRegistrationLib.errors import UserError
from xa_files import FULL_GEOMETRY, levels_image, write_xa


def opened(folder: Path, frames: int = 1, overrides: GeometryOverrides | None = None, **elements: Any) -> XARun:
    """A run with the full geometry, changed by the elements given (None leaves one out)."""
    return open_xa(write_xa(folder / "a.dcm", levels_image(frames=frames), **{**FULL_GEOMETRY, **elements}), overrides)


def rows_about(run: XARun, item: str) -> list[SanityRow]:
    """The report's rows about one item."""
    return [row for row in run.sanity.rows if row.item == item]


# Angles


def test_one_increment_is_the_average_change_per_frame(tmp_path: Path) -> None:
    run = opened(tmp_path, 5, PositionerMotion="DYNAMIC", PositionerPrimaryAngle=-40, PositionerSecondaryAngle=5,
                 PositionerPrimaryAngleIncrement=2.5, PositionerSecondaryAngleIncrement=-1)
    assert [run.geometry(n).primary_angle_deg for n in range(5)] == [-40, -37.5, -35, -32.5, -30]
    assert [run.geometry(n).secondary_angle_deg for n in range(5)] == [5, 4, 3, 2, 1]
    assert run.geometry(2).sources["primary_angle_deg"] == "(0018,1510) + (0018,1520)"


def test_one_increment_per_frame_is_relative_to_the_first(tmp_path: Path) -> None:
    run = opened(tmp_path, 4, PositionerMotion="DYNAMIC", PositionerPrimaryAngle=10, PositionerSecondaryAngle=0,
                 PositionerPrimaryAngleIncrement=[0, 1, 3, 7], PositionerSecondaryAngleIncrement=[0, 0, -2, -2])
    assert [run.geometry(n).primary_angle_deg for n in range(4)] == [10, 11, 13, 17]
    assert [run.geometry(n).secondary_angle_deg for n in range(4)] == [0, 0, -2, -2]


def test_another_number_of_increments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"3 values of PositionerPrimaryAngleIncrement \(0018,1520\) for 4 frames"):
        opened(tmp_path, 4, PositionerMotion="DYNAMIC", PositionerPrimaryAngleIncrement=[0, 1, 2],
               PositionerSecondaryAngleIncrement=0)


def test_increments_of_a_static_positioner_are_left_out_and_said(tmp_path: Path) -> None:
    run = opened(tmp_path, 3, PositionerMotion="STATIC", PositionerPrimaryAngleIncrement=2)
    assert [run.geometry(n).primary_angle_deg for n in range(3)] == [30, 30, 30]
    assert rows_about(run, "Positioner motion")[0].level == "amber"


def test_a_moving_positioner_without_increments_leaves_later_frames_unknown(tmp_path: Path) -> None:
    run = opened(tmp_path, 3, PositionerMotion="DYNAMIC", PositionerSecondaryAngleIncrement=[0, 1, 2])
    assert run.geometry(0).primary_angle_deg == 30
    assert run.geometry(1).primary_angle_deg is None
    assert run.geometry(1).secondary_angle_deg == -19
    assert rows_about(run, "Positioner motion")[0].level == "red"
    with pytest.raises(UserError, match="--primary DEG"):
        run.frame(1).view()


def test_a_rotation_past_180_comes_round(tmp_path: Path) -> None:
    run = opened(tmp_path, 3, PositionerMotion="DYNAMIC", PositionerPrimaryAngle=175,
                 PositionerPrimaryAngleIncrement=4, PositionerSecondaryAngleIncrement=0)
    assert [run.geometry(n).primary_angle_deg for n in range(3)] == [175, 179, -177]


def test_increments_to_an_impossible_angle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"secondary angle of 100 deg .*frame 2"):
        opened(tmp_path, 3, PositionerMotion="DYNAMIC", PositionerSecondaryAngle=60,
               PositionerPrimaryAngleIncrement=0, PositionerSecondaryAngleIncrement=20)


# Distances and spacing


def test_magnification_stands_in_for_a_missing_patient_distance(tmp_path: Path) -> None:
    run = opened(tmp_path, DistanceSourceToPatient=None, EstimatedRadiographicMagnificationFactor=1.25)
    geometry = run.geometry(0)
    assert geometry.sod_mm == pytest.approx(880)
    assert (geometry.sid_mm, geometry.sources["sod_mm"]) == (1100, "SID / ERMF")
    assert rows_about(run, "Source to patient (SOD)")[0].level == "amber"


def test_magnification_stands_in_for_a_missing_detector_distance(tmp_path: Path) -> None:
    geometry = opened(tmp_path, DistanceSourceToDetector=None,
                      EstimatedRadiographicMagnificationFactor=1.5).geometry(0)
    assert geometry.sid_mm == pytest.approx(1140)
    assert geometry.sources["sid_mm"] == "SOD x ERMF"


def test_magnification_alone_gives_no_distance(tmp_path: Path) -> None:
    run = opened(tmp_path, DistanceSourceToDetector=None, DistanceSourceToPatient=None,
                 EstimatedRadiographicMagnificationFactor=1.5)
    assert (run.geometry(0).sid_mm, run.geometry(0).sod_mm) == (None, None)


def test_magnification_with_a_distance_of_the_user(tmp_path: Path) -> None:
    run = opened(tmp_path, overrides=GeometryOverrides(sid_mm=1200), DistanceSourceToDetector=None,
                 DistanceSourceToPatient=None, EstimatedRadiographicMagnificationFactor=1.5)
    assert run.geometry(0).sod_mm == pytest.approx(800)


@pytest.mark.parametrize("factor", [0.9, 1.0, -1.4, "nan"])
def test_an_impossible_magnification_is_not_used(tmp_path: Path, factor: Any) -> None:
    run = opened(tmp_path, DistanceSourceToPatient=None, EstimatedRadiographicMagnificationFactor=factor)
    assert run.geometry(0).sod_mm is None
    assert rows_about(run, "Magnification (ERMF)")[0].level == "red"


@pytest.mark.parametrize(("factor", "level"), [(1100 / 760, "ok"), (1.44, "ok"), (1.40, "red"), (1.69, "red")])
def test_magnification_checks_the_distances(tmp_path: Path, factor: float, level: str) -> None:
    run = opened(tmp_path, EstimatedRadiographicMagnificationFactor=f"{factor:.6f}")
    assert rows_about(run, "Magnification (ERMF)")[0].level == level
    assert (run.geometry(0).sid_mm, run.geometry(0).sod_mm) == (1100, 760)


def test_zero_distances_and_spacing_count_as_missing(tmp_path: Path) -> None:
    run = opened(tmp_path, DistanceSourceToDetector=0, DistanceSourceToPatient=0, ImagerPixelSpacing=[0, 0],
                 EstimatedRadiographicMagnificationFactor=0)
    assert run.geometry(0).missing() == ["source to detector distance (--sid MM)",
                                         "source to patient distance (--sod MM)",
                                         "imager pixel spacing (--pixel-spacing MM)"]
    assert run.sanity.level == "red"


def test_pixel_spacing_in_the_patient_is_never_used(tmp_path: Path) -> None:
    run = opened(tmp_path, ImagerPixelSpacing=None, PixelSpacing=[0.21, 0.21])
    assert run.geometry(0).row_spacing_mm is None
    row = rows_about(run, "Imager pixel spacing")[0]
    assert row.level == "red" and "(0028,0030)" in row.says and "--pixel-spacing" in row.says


def test_imager_pixel_spacing_wins_over_pixel_spacing_and_is_row_first(tmp_path: Path) -> None:
    geometry = opened(tmp_path, PixelSpacing=[0.21, 0.14]).geometry(0)
    assert (geometry.row_spacing_mm, geometry.column_spacing_mm) == (0.3, 0.2)


def test_a_field_of_view_that_does_not_fit_the_spacing_is_said(tmp_path: Path) -> None:
    # 12 rows of 0.3 mm and 16 columns of 0.2 mm make 3.6 x 3.2 mm, in whole millimetres 4 x 3.
    wrong = opened(tmp_path, FieldOfViewShape="RECTANGLE", FieldOfViewDimensions=[5, 5])
    assert rows_about(wrong, "Field of view size")[0].level == "amber"
    right = opened(tmp_path, FieldOfViewShape="RECTANGLE", FieldOfViewDimensions=[12, 16], ImagerPixelSpacing=[1, 1])
    assert rows_about(right, "Field of view size")[0].level == "ok"


# Table


def moved(run: XARun, frame: int) -> tuple[float, float]:
    """How far (col, row) the picture of the isocentre's tissue of frame 0 moves until a frame."""
    first, later = (run.frame(number).view().project(np.zeros((1, 3)))[0][0] for number in (0, frame))
    return tuple(later - first)  # type: ignore[return-value]


TABLE: dict[str, Any] = {"TableMotion": "DYNAMIC", "TableLongitudinalIncrement": 0, "TableLateralIncrement": 0,
                         "TableVerticalIncrement": 0, "PositionerPrimaryAngle": 0, "PositionerSecondaryAngle": 0}


def test_longitudinal_moves_the_patient_to_the_left(tmp_path: Path) -> None:
    run = opened(tmp_path, 3, **{**TABLE, "TableLongitudinalIncrement": [0, 4, 10]})
    assert run.geometry(2).table_shift_mm == (-10, 0, 0)
    assert run.geometry(1).table_shift_mm == (-4, 0, 0)
    # Seen from the front the patient's left is on the right: 10 mm at 1100 / 760 on pixels of 0.2 mm.
    assert moved(run, 2) == pytest.approx((10 * 1100 / 760 / 0.2, 0), abs=1e-6)


def test_lateral_moves_the_patient_to_the_head(tmp_path: Path) -> None:
    run = opened(tmp_path, 3, **{**TABLE, "TableLateralIncrement": 3})
    assert run.geometry(2).table_shift_mm == (0, 0, 6)
    assert moved(run, 2) == pytest.approx((0, -6 * 1100 / 760 / 0.3), abs=1e-6)


def test_vertical_lowers_the_patient(tmp_path: Path) -> None:
    run = opened(tmp_path, 2, **{**TABLE, "TableVerticalIncrement": [0, 8], "PositionerPrimaryAngle": 90})
    assert run.geometry(1).table_shift_mm == (0, -8, 0)
    # With the detector at the patient's left, the back is on the right.
    assert moved(run, 1) == pytest.approx((8 * 1100 / 760 / 0.2, 0), abs=1e-6)
    assert any("no sign" in row.says and row.level == "amber" for row in rows_about(run, "Table"))


@pytest.mark.parametrize(("position", "shift"), [
    ("HFS", (0, -8, 0)), ("FFS", (0, -8, 0)), ("HFP", (0, 8, 0)), ("FFP", (0, 8, 0)), ("HFDR", (8, 0, 0)),
    ("FFDR", (8, 0, 0)), ("HFDL", (-8, 0, 0)), ("FFDL", (-8, 0, 0)),
])
def test_down_depends_on_how_the_patient_lies(tmp_path: Path, position: str, shift: tuple[float, ...]) -> None:
    run = opened(tmp_path, 2, **{**TABLE, "TableVerticalIncrement": [0, 8], "PatientPosition": position})
    assert run.geometry(1).table_shift_mm == pytest.approx(shift, abs=1e-12)


def test_a_table_that_stands_still(tmp_path: Path) -> None:
    run = opened(tmp_path, 2, **{**TABLE, "TableMotion": "STATIC", "TableLateralIncrement": 5})
    assert run.geometry(1).table_shift_mm == (0, 0, 0)
    assert rows_about(run, "Table")[0].level == "amber"
    with pytest.raises(UserError, match="TableLateralIncrement"):
        opened(tmp_path, 3, **{**TABLE, "TableLateralIncrement": [0, 5]})


def test_a_tilted_table_that_moves_is_said(tmp_path: Path) -> None:
    run = opened(tmp_path, 2, **{**TABLE, "TableLateralIncrement": 5, "TableAngle": 10})
    assert any("tilted by 10 deg" in row.says and row.level == "amber" for row in rows_about(run, "Table"))


# Field of view


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["NO", "YES"])
def test_the_central_ray_follows_field_of_view_rotation_and_flip(tmp_path: Path, rotation: int, flip: str) -> None:
    # The detector as an array: element (19, 33) is where the isocentre lands; the field of view is cut out of it.
    detector = np.zeros((60, 80))
    detector[19, 33] = 1
    image = detector[10:34, 20:52]
    image = np.rot90(image, -rotation // 90)
    image = image[:, ::-1] if flip == "YES" else image
    row, column = np.argwhere(image == 1)[0]
    run = open_xa(write_xa(tmp_path / "a.dcm", levels_image(*image.shape), **{
        **FULL_GEOMETRY, "ImagerPixelSpacing": [0.2, 0.2], "DetectorElementSpacing": [0.2, 0.2],
        "PositionOfIsocenterProjection": [19, 33], "FieldOfViewOrigin": [10, 20], "FieldOfViewRotation": rotation,
        "FieldOfViewHorizontalFlip": flip}))
    geometry = run.geometry(0)
    assert geometry.principal_point == pytest.approx((column, row))
    assert (geometry.image_rotation_deg, geometry.horizontal_flip) == (rotation, flip == "YES")


def test_the_central_ray_on_binned_pixels(tmp_path: Path) -> None:
    # Two by two elements make a pixel; elements 18..19 and 34..35 make the pixel (4, 7) of a field from (10, 20).
    geometry = opened(tmp_path, ImagerPixelSpacing=[0.4, 0.4], DetectorElementSpacing=[0.2, 0.2],
                      PositionOfIsocenterProjection=[18.5, 34.5], FieldOfViewOrigin=[10, 20],
                      FieldOfViewRotation=0).geometry(0)
    assert geometry.principal_point == pytest.approx((7, 4))


def test_a_turned_field_of_view_with_unequal_spacing(tmp_path: Path) -> None:
    # Turned by 90 deg, the stored rows run along the detector's columns: 0.3 mm down the image, 0.2 mm across.
    geometry = opened(tmp_path, ImagerPixelSpacing=[0.3, 0.2], DetectorElementSpacing=[0.2, 0.3],
                      PositionOfIsocenterProjection=[3, 5], FieldOfViewOrigin=[0, 0],
                      FieldOfViewRotation=90).geometry(0)
    assert geometry.principal_point == pytest.approx((16 - 1 - 3, 5))


def test_without_the_isocentre_the_middle_is_taken(tmp_path: Path) -> None:
    run = opened(tmp_path, FieldOfViewOrigin=[10, 20], FieldOfViewRotation=0)
    assert run.geometry(0).principal_point is None
    assert run.frame(0).view().central_pixel == (7.5, 5.5)


def test_other_rotations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="45 deg"):
        opened(tmp_path, FieldOfViewRotation=45)


# Patient Orientation


@pytest.mark.parametrize(("primary", "secondary", "words", "level"), [
    (0, 0, ["L", "F"], "ok"), (0, 0, ["R", "F"], "red"), (0, 0, ["L", "H"], "red"), (90, 0, ["P", "F"], "ok"),
    (90, 0, ["A", "F"], "red"), (-90, 0, ["A", "F"], "ok"), (-90, 0, ["P", "F"], "red"), (30, 20, ["L", "F"], "ok"),
    (30, 20, ["LP", "FP"], "ok"), (-45, 0, ["L", "F"], "ok"), (-45, 0, ["A", "F"], "ok"), (-45, 0, ["P", "F"], "red"),
    (75, 0, ["L", "F"], "amber"), (0, 0, ["X", "F"], "amber"), (180, 0, ["R", "F"], "ok"),
])
def test_patient_orientation_is_held_against_the_angles(tmp_path: Path, primary: float, secondary: float,
                                                        words: list[str], level: str) -> None:
    run = opened(tmp_path, PositionerPrimaryAngle=primary, PositionerSecondaryAngle=secondary,
                 PatientOrientation=words)
    assert rows_about(run, "Patient orientation")[0].level == level


def test_a_mirrored_picture_is_named(tmp_path: Path) -> None:
    run = opened(tmp_path, PositionerPrimaryAngle=0, PositionerSecondaryAngle=0, PatientOrientation=["R", "F"])
    assert "mirrored" in rows_about(run, "Patient orientation")[0].says
    flipped = opened(tmp_path, PositionerPrimaryAngle=0, PositionerSecondaryAngle=0, PatientOrientation=["R", "F"],
                     FieldOfViewRotation=0, FieldOfViewHorizontalFlip="YES")
    assert rows_about(flipped, "Patient orientation")[0].level == "ok"


def test_without_orientation_or_angles_nothing_is_claimed(tmp_path: Path) -> None:
    assert rows_about(opened(tmp_path), "Patient orientation")[0].level == "amber"
    run = opened(tmp_path, PositionerPrimaryAngle=None, PatientOrientation=["L", "F"])
    assert rows_about(run, "Patient orientation")[0].level == "amber"
