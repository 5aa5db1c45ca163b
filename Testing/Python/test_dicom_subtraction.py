"""Mask subtraction: which mask for which frame, the logarithm, the shift of the mask."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sequence import Sequence
from scipy import ndimage
from VesselRegistrationLib.dicom.reading import XARun, open_xa
from xa_files import item, levels_image, write_xa


def opened(folder: Path, levels: np.ndarray, *operations: dict[str, Any], wanted: bool | None = None,
           **elements: Any) -> XARun:
    """A run with mask operations."""
    sequence = Sequence([item(**operation) for operation in operations])
    return open_xa(write_xa(folder / "a.dcm", levels, MaskSubtractionSequence=sequence, **elements),
                   subtraction=wanted)


def masks_of(run: XARun) -> list[tuple[int, ...] | None]:
    """The 0-based mask frames of every frame."""
    recipes = [run.subtraction.recipe(number) for number in range(run.frame_count)]
    return [None if recipe is None else recipe.mask_frames for recipe in recipes]


def rows_about(run: XARun) -> list[tuple[str, str]]:
    """What the report says about subtraction."""
    return [(row.level, row.says) for row in run.sanity.rows if row.item == "Subtraction"]


def test_only_the_vessel_is_left_and_in_its_path_length(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    bones = ndimage.gaussian_filter(rng.random((40, 50)) * 20, 3)
    vessel = np.zeros((40, 50))
    vessel[10:30, 20:26] = 0.7
    levels = np.round(65535 * np.exp(-np.array([bones * 0.1, bones * 0.1 + vessel]))).astype(np.uint16)
    run = opened(tmp_path, levels, {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1},
                 PixelIntensityRelationship="LIN")
    frame = run.frame(1)
    np.testing.assert_allclose(frame.attenuation, vessel, atol=1e-3)
    assert frame.subtracted and frame.usable.all()
    # Taken off as stored, the same vessel would be weaker behind bone: the logarithm must come first.
    plain = levels[0].astype(float) - levels[1]
    assert plain[vessel > 0].std() > 0.01 * plain[vessel > 0].mean()


def test_average_masks_ranges_and_numbers_from_one(tmp_path: Path) -> None:
    levels = levels_image(frames=6)
    run = opened(tmp_path, levels,
                 {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1, 2], "ApplicableFrameRange": [3, 4, 6, 6]},
                 PixelIntensityRelationship="LOG")
    assert masks_of(run) == [None, None, (0, 1), (0, 1), None, (0, 1)]
    expected = (levels[0].astype(float) + levels[1]) / 2 - levels[3]
    np.testing.assert_allclose(run.frame(3).attenuation, expected, atol=1e-4)
    plain = run.frame(4)
    assert not plain.subtracted
    np.testing.assert_array_equal(plain.attenuation, 255.0 - levels[4])


def test_contrast_frames_are_averaged_forward(tmp_path: Path) -> None:
    levels = levels_image(frames=5)
    run = opened(tmp_path, levels, {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "ContrastFrameAveraging": 2},
                 PixelIntensityRelationship="LOG")
    expected = levels[0].astype(float) - (levels[2].astype(float) + levels[3]) / 2
    np.testing.assert_allclose(run.frame(2).attenuation, expected, atol=1e-4)
    assert masks_of(run)[4] is None  # the last frame has no follower to be averaged with


def test_time_interval_differencing(tmp_path: Path) -> None:
    levels = levels_image(frames=5)
    run = opened(tmp_path, levels, {"MaskOperation": "TID", "TIDOffset": 2}, PixelIntensityRelationship="LOG")
    assert masks_of(run) == [None, None, (0,), (1,), (2,)]
    np.testing.assert_allclose(run.frame(4).attenuation, levels[2].astype(float) - levels[4], atol=1e-4)
    forward = opened(tmp_path, levels, {"MaskOperation": "TID", "TIDOffset": -1})
    assert masks_of(forward) == [(1,), (2,), (3,), (4,), None]
    usual = opened(tmp_path, levels, {"MaskOperation": "TID"})
    assert masks_of(usual) == [None, (0,), (1,), (2,), (3,)]


def test_reversed_time_interval_differencing(tmp_path: Path) -> None:
    # Offsets 1, 3, 5 from frames 4, 5, 6 (counted from one): masks 3, 2, 1.
    run = opened(tmp_path, levels_image(frames=7),
                 {"MaskOperation": "REV_TID", "TIDOffset": 1, "ApplicableFrameRange": [4, 6]})
    assert masks_of(run) == [None, None, None, (2,), (1,), (0,), None]


def test_the_mask_is_shifted_down_and_right_not_the_contrast_frame(tmp_path: Path) -> None:
    mask = np.full((20, 24), 200, np.uint8)
    mask[6:9, 5:8] = 50
    contrast = np.full((20, 24), 200, np.uint8)
    contrast[8:11, 8:11] = 50  # the same bone, 2 rows lower and 3 columns further right
    contrast[15, 20] = 90
    run = opened(tmp_path, np.array([mask, contrast]),
                 {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "MaskSubPixelShift": [2.0, 3.0]},
                 PixelIntensityRelationship="LOG")
    frame = run.frame(1)
    left = np.argwhere(np.abs(frame.attenuation) > 1e-3)
    assert left.tolist() == [[15, 20]]
    assert frame.attenuation[15, 20] == pytest.approx(110)
    assert not frame.usable[:2].any() and not frame.usable[:, :3].any() and frame.usable[2:, 3:].all()


def test_half_a_pixel(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(40, 80, 2, dtype=np.uint8), (10, 1))
    run = opened(tmp_path, np.array([ramp, ramp]),
                 {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1, "MaskSubPixelShift": [0.0, 0.5]},
                 PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1)
    # A mask moved right by half a pixel is one level lower on a ramp of two levels per pixel.
    np.testing.assert_allclose(run.frame(1).attenuation[:, 1:], 1.0, atol=1e-5)


@pytest.mark.parametrize(("mode", "wanted", "done"), [
    ("SUB", None, True), ("", None, True), ("NAT", None, False), ("NAT", True, True), ("SUB", False, False)])
def test_the_files_recommendation_and_the_callers_wish(tmp_path: Path, mode: str, wanted: bool | None,
                                                       done: bool) -> None:
    run = opened(tmp_path, levels_image(frames=3), {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1}, wanted=wanted,
                 RecommendedViewingMode=mode)
    assert run.frame(2).subtracted is done


def test_no_operation(tmp_path: Path) -> None:
    run = opened(tmp_path, levels_image(frames=2), {"MaskOperation": "NONE", "MaskFrameNumbers": 0})
    assert masks_of(run) == [None, None] and rows_about(run) == [("ok", "none asked for")]


@pytest.mark.parametrize(("operation", "word"), [
    ({"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 9}, "outside the run"),
    ({"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 0}, "outside the run"),
    ({"MaskOperation": "AVG_SUB"}, "no mask frames"),
    ({"MaskOperation": "REV_TID", "TIDOffset": 1}, "no range"),
    ({"MaskOperation": "MAGIC"}, "MAGIC is not supported"),
])
def test_operations_that_cannot_be_done_are_said(tmp_path: Path, operation: dict[str, Any], word: str) -> None:
    run = opened(tmp_path, levels_image(frames=3), operation)
    assert not run.frame(2).subtracted
    level, says = rows_about(run)[0]
    assert level == "red" and word in says


def test_display_values_are_subtracted_with_a_warning(tmp_path: Path) -> None:
    run = opened(tmp_path, levels_image(frames=2), {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": 1})
    assert run.frame(1).subtracted
    assert [level for level, _ in rows_about(run)] == ["ok", "amber"]
