"""Pictures of a result, and output folders that appear whole or not at all."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image
from registration_example import COLUMNS, ROWS, example_frame, example_geometry, example_model, example_result
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.rendering.contour import enlarged_projection, model_area_and_outline
from VesselRegistrationLib.rendering.files import check_new_picture, write_picture
from VesselRegistrationLib.rendering.legend import patient_side
from VesselRegistrationLib.rendering.new_folder import check_new_folder, new_folder
from VesselRegistrationLib.rendering.pictures import (
    STATUS_COLOURS,
    comparison_picture,
    enlargement,
    mask_overlay_picture,
    mask_picture,
    overlay_picture,
)
from VesselRegistrationLib.rendering.xray import xray_gray

YELLOW, MAGENTA, CYAN = (255, 255, 0), (255, 0, 255), (0, 255, 255)


@pytest.fixture(scope="module")
def model():
    return example_model()


@pytest.fixture(scope="module")
def result(model):
    return example_result(model, [example_frame(replace(example_geometry(), sources=MappingProxyType({})))])


def pixels_of(picture, colour):
    return (picture == np.array(colour, np.uint8)).all(axis=-1)


def test_comparison_colours_every_pixel_by_agreement(result):
    view = result.views[0]
    factor = enlargement((ROWS, COLUMNS))
    picture = comparison_picture(view, None)[:ROWS * factor, :COLUMNS * factor][::factor, ::factor]
    usable = view.frame.usable
    mask = view.mask.copy()
    np.testing.assert_array_equal(pixels_of(picture, YELLOW), view.silhouette & mask & usable)
    np.testing.assert_array_equal(pixels_of(picture, MAGENTA), view.silhouette & ~mask & usable)
    np.testing.assert_array_equal(pixels_of(picture, CYAN), mask & ~view.silhouette & usable)
    assert pixels_of(picture, YELLOW).any() and pixels_of(picture, MAGENTA).any()


def test_comparison_shows_missed_mask_in_cyan_and_leaves_out_what_the_region_leaves_out(result):
    view = result.views[0]
    mask = view.mask.copy()
    mask[60:70, 5:15] = True
    view = replace(view, mask=mask, affine=np.eye(2, 3))
    factor = enlargement((ROWS, COLUMNS))
    whole = comparison_picture(view, None)[:ROWS * factor, :COLUMNS * factor][::factor, ::factor]
    assert pixels_of(whole, CYAN)[60:70, 5:15].all()
    part = comparison_picture(view, (20, 0, COLUMNS, ROWS))[:ROWS * factor, :COLUMNS * factor][::factor, ::factor]
    assert not pixels_of(part, CYAN).any()
    assert pixels_of(part, YELLOW).any()


def test_outline_runs_along_the_edge_of_the_silhouette(result, model):
    view = result.views[0]
    factor = 4
    area, line = model_area_and_outline(model, view.projection, (ROWS, COLUMNS), factor, 2.0)
    assert area.shape == line.shape == (ROWS * factor, COLUMNS * factor)
    # Averaged back, the enlarged area is the silhouette: half a pixel of shift would show in its middle.
    blocks = area.reshape(ROWS, factor, COLUMNS, factor).mean(axis=(1, 3))
    weight = view.silhouette.sum()
    for axis in range(2):
        place = np.indices(blocks.shape)[axis]
        assert (blocks * place).sum() / blocks.sum() == pytest.approx((view.silhouette * place).sum() / weight, abs=0.1)
    strong = line > 0.5
    assert strong.any()
    around = [area[max(0, r - 2):r + 3, max(0, c - 2):c + 3] for r, c in zip(*np.nonzero(strong), strict=True)]
    assert np.mean([part.min() < 0.5 < part.max() for part in around]) > 0.99
    assert strong.sum() < 0.2 * (area > 0.5).sum()


def test_enlarged_projection_keeps_pixel_centres_in_place():
    projection = np.array([[2.0, 0, 0, 5], [0, 2.0, 0, 7], [0, 0, 0, 1]])
    col, row, scale = enlarged_projection(projection, 3) @ [1.0, 2.0, 0.0, 1.0]
    # Pixel (7, 11) becomes the middle of pixels 21..23 and 33..35.
    assert (col / scale, row / scale) == (22.0, 34.0)


def test_overlay_is_the_xray_with_coloured_outline_and_fill(result, model):
    view = result.views[0]
    factor = enlargement((ROWS, COLUMNS))
    picture = overlay_picture(result, 0, model)
    assert picture.dtype == np.uint8 and picture.shape[1] == COLUMNS * factor
    assert picture.shape[0] > ROWS * factor
    image = picture[:ROWS * factor].astype(int)
    colour = STATUS_COLOURS[result.status]
    assert pixels_of(image, colour).sum() > 500
    beside = ~silhouette(model, enlarged_projection(view.projection, factor), image.shape[:2])
    rows, columns = np.nonzero(beside)
    far = (rows < 0.4 * ROWS * factor) & (rows > 0.1 * ROWS * factor)
    sample = image[rows[far], columns[far]]
    gray = (sample.max(axis=1) - sample.min(axis=1)) < 3
    assert gray.mean() > 0.8  # the X-ray itself stays as it is


def test_overlay_tells_status_by_colour(result, model):
    for status, colour in STATUS_COLOURS.items():
        picture = overlay_picture(replace(result, status=status), 0, model)
        assert pixels_of(picture, colour).sum() > 500
        others = [other for name, other in STATUS_COLOURS.items() if name != status]
        assert not any(pixels_of(picture, other).any() for other in others)


def test_overlay_survives_a_model_outside_the_image_and_a_blank_frame(result, model):
    view = result.views[0]
    away = view.projection.copy()
    away[0] += 1e5 * away[2]
    frame = replace(view.frame, attenuation=np.zeros_like(view.frame.attenuation))
    outside = replace(view, projection=away, frame=frame, silhouette=np.zeros_like(view.silhouette))
    picture = overlay_picture(replace(result, views=(outside,)), 0, model)
    factor = enlargement((ROWS, COLUMNS))
    assert not pixels_of(picture[:ROWS * factor], STATUS_COLOURS[result.status]).any()


def test_xray_shows_attenuation_dark(result):
    frame = result.views[0].frame
    gray = xray_gray(frame)
    attenuation = frame.attenuation[frame.usable]
    dark, bright = attenuation > np.percentile(attenuation, 80), attenuation < np.percentile(attenuation, 20)
    assert gray[frame.usable][dark].max() < gray[frame.usable][bright].min()


def test_mask_picture_is_the_mask_pixel_by_pixel(result):
    mask = result.views[0].mask
    picture = mask_picture(mask)
    assert picture.dtype == np.uint8 and picture.shape == mask.shape
    assert set(np.unique(picture)) == {0, 255}
    np.testing.assert_array_equal(picture == 255, mask)


def test_mask_overlay_needs_no_geometry(result):
    frame = replace(result.views[0].frame, geometry=replace(example_geometry(), sid_mm=None, sod_mm=None))
    picture = mask_overlay_picture(frame, result.views[0].mask, "vessels_upper")
    assert picture.shape[2] == 3


@pytest.mark.parametrize(("direction", "letter"), [((-0.9, 0.1, 0.2), "L"), ((0.9, -0.3, 0), "R"), ((0, 0.8, 0.1), "A"),
                                                   ((0.1, -0.8, 0.1), "P"), ((0, 0, 1), "H"), ((0.2, 0.3, -0.9), "F")])
def test_patient_sides(direction, letter):
    assert patient_side(np.array(direction, float)) == letter


def test_sides_of_a_frontal_view_are_those_of_the_patient():
    geometry = replace(example_geometry(), primary_angle_deg=0.0, secondary_angle_deg=0.0, detector_rotation_deg=0.0,
                       horizontal_flip=False)
    growing_col, growing_row = example_frame(geometry).view().image_axes
    assert (patient_side(growing_col), patient_side(growing_row)) == ("L", "F")


def test_a_new_folder_appears_when_all_is_written(tmp_path):
    out = tmp_path / "a" / "b"
    with new_folder(out) as folder:
        (folder / "file").write_text("x")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["file"]
    assert [path.name for path in out.parent.iterdir()] == ["b"]
    if os.name == "posix":
        mask = os.umask(0o022)
        os.umask(mask)
        assert out.stat().st_mode & 0o777 == 0o777 & ~mask


def test_an_empty_folder_is_taken(tmp_path):
    with new_folder(tmp_path) as folder:
        (folder / "file").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_left_where_writing_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "out") as folder:
        (folder / "file").write_text("x")
        raise ZeroDivisionError
    with pytest.raises(UserError, match="disk is full"), new_folder(tmp_path / "out"):
        raise OSError(28, "disk is full")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path):
    (tmp_path / "precious").write_text("x")
    with pytest.raises(UserError, match="not empty"), new_folder(tmp_path):
        pass
    with pytest.raises(UserError, match="is a file"):
        check_new_folder(tmp_path / "precious")
    with pytest.raises(UserError, match="cannot be written"):
        check_new_folder(tmp_path / "precious" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_place_where_nothing_can_be_made_is_refused():
    with pytest.raises(UserError, match="cannot be written"):
        check_new_folder(Path("/proc/out"))


def test_a_picture_is_never_overwritten(tmp_path):
    path = tmp_path / "picture.png"
    write_picture(path, np.eye(20, dtype=np.uint8))
    np.testing.assert_array_equal(np.asarray(Image.open(path)), np.eye(20, dtype=np.uint8))
    with pytest.raises(UserError, match="exists already"):
        write_picture(path, np.zeros((20, 20), np.uint8))
    with pytest.raises(UserError, match=r"ends in \.png"):
        check_new_picture(tmp_path / "picture.jpg")
    assert [entry.name for entry in tmp_path.iterdir()] == ["picture.png"]
