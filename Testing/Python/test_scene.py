"""The MRML bridge on the real scene of slicer-core."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk
from registration_example import (
    COLUMNS,
    PATIENT_FILE,
    ROWS,
    example_frame,
    example_geometry,
    example_model,
    example_result,
)
from skimage.draw import polygon
from VesselRegistrationLib.dicom.frame import HeaderGeometry
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.scene.modelBridge import addModel, surfaceFromModel, worldPolyData
from VesselRegistrationLib.scene.resultBridge import showResult
from VesselRegistrationLib.scene.roiBridge import placeRoi, rectangleFromRoi
from VesselRegistrationLib.scene.sceneFile import writeScene
from VesselRegistrationLib.scene.volumeBridge import (
    addXrayVolume,
    frameFromVolume,
    geometryFromVolume,
    giveGeometry,
    updateXrayVolume,
)
from vtk.util.numpy_support import vtk_to_numpy

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    yield scene
    scene.Clear(True)


@pytest.fixture
def xray(scene):
    return addXrayVolume(scene, example_frame())


def ras_of_pixel(volume, col, row):
    """Where a pixel lies, asked of the volume node itself."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint([col, row, 0, 1]))[:3]


# X-ray volume


def test_pixels_lie_where_slicers_own_xa_import_puts_them(xray):
    np.testing.assert_allclose(ras_of_pixel(xray, 10, 0), [-15.0, 0, 0])
    np.testing.assert_allclose(ras_of_pixel(xray, 0, 10), [0, -20.0, 0])
    image = xray.GetImageData()
    frame = example_frame()
    assert image.GetDimensions() == (COLUMNS, ROWS, 1)
    assert image.GetScalarComponentAsDouble(7, 20, 0, 0) == pytest.approx(-frame.attenuation[20, 7])


def test_a_frame_comes_back_from_its_volume(xray):
    frame, back = example_frame(), frameFromVolume(xray)
    np.testing.assert_array_equal(back.attenuation, frame.attenuation)
    np.testing.assert_array_equal(back.usable, frame.usable)
    assert not back.attenuation.flags.writeable
    assert back.geometry == frame.geometry
    for fact in ("frame_number", "frame_count", "intensity_relationship", "subtracted", "frame_time_ms", "body_part"):
        assert getattr(back, fact) == getattr(frame, fact)
    np.testing.assert_allclose(back.view().projection_matrix, frame.view().projection_matrix)


def test_unknown_geometry_stays_unknown(scene):
    xray = addXrayVolume(scene, example_frame(HeaderGeometry(primary_angle_deg=-32.0, secondary_angle_deg=2.0)))
    assert xray.GetName() == "X-ray"
    assert xray.GetSpacing() == (1.0, 1.0, 1.0)
    back = geometryFromVolume(xray)
    assert back.primary_angle_deg == -32.0
    assert len(back.missing()) == 3


def test_the_volume_is_named_after_its_angles_and_never_after_the_file(xray):
    assert xray.GetName() == "X-ray LAO 30.5, CAU 12.2"
    texts = [xray.GetAttribute(name) for name in xray.GetAttributeNames()]
    assert not any(PATIENT_FILE.stem in text or "1.2.3.4" in text for text in texts)


def test_what_the_user_gives_wins_and_can_be_taken_back(xray):
    giveGeometry(xray, sid_mm=990.0, pixel_spacing_mm=0.5)
    given = geometryFromVolume(xray)
    assert (given.sid_mm, given.row_spacing_mm, given.column_spacing_mm) == (990.0, 0.5, 0.5)
    assert given.sources["sid_mm"] == "given by the user"
    assert given.sources["primary_angle_deg"] == "(0018,1510)"
    giveGeometry(xray, sid_mm=None, pixel_spacing_mm=None)
    assert geometryFromVolume(xray) == example_geometry()


def test_an_impossible_value_is_refused_and_changes_nothing(xray):
    with pytest.raises(UserError, match="primary angle"):
        giveGeometry(xray, primary_angle_deg=200.0)
    assert geometryFromVolume(xray) == example_geometry()


def test_another_frame_replaces_pixels_and_header_but_not_what_the_user_gave(xray):
    giveGeometry(xray, sod_mm=700.0)
    other = replace(example_frame(replace(example_geometry(), primary_angle_deg=-8.0), shutters=False),
                    attenuation=np.full((ROWS, COLUMNS), 0.25, np.float32), frame_number=5)
    updateXrayVolume(xray, other)
    back = frameFromVolume(xray)
    assert back.frame_number == 5
    assert (back.geometry.primary_angle_deg, back.geometry.sod_mm) == (-8.0, 700.0)
    assert back.usable.all()
    np.testing.assert_array_equal(back.attenuation, other.attenuation)


def test_the_display_window_leaves_out_extremes_and_shutters(scene):
    frame = example_frame()
    pixels = frame.attenuation.copy()
    pixels[:2] = 1000.0
    display = addXrayVolume(scene, replace(frame, attenuation=pixels)).GetDisplayNode()
    assert not display.GetAutoWindowLevel()
    assert -2.5 < display.GetWindowLevelMin() < display.GetWindowLevelMax() < 0.5


@pytest.mark.parametrize("shape", [(3, 8, 9), (1, 8, 9, 3)])
def test_a_volume_that_is_no_single_gray_image_is_refused(scene, shape):
    kind = "vtkMRMLScalarVolumeNode" if len(shape) == 3 else "vtkMRMLVectorVolumeNode"
    volume = scene.AddNewNodeByClass(kind, "something else")
    slicer.util.updateVolumeFromArray(volume, np.zeros(shape, np.float32))
    with pytest.raises(UserError, match="not a single gray image"):
        frameFromVolume(volume)


def test_an_empty_volume_is_refused(scene):
    with pytest.raises(UserError, match="holds no image"):
        frameFromVolume(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"))


# Region of interest


@pytest.mark.parametrize("rectangle", [(0, 0, COLUMNS, ROWS), (10, 20, 90, 60), (5, 6, 22, 40)])
def test_a_rectangle_comes_back_from_its_box(scene, xray, rectangle):
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    placeRoi(roi, xray, rectangle)
    assert rectangleFromRoi(roi, xray) == rectangle


def test_a_box_drawn_by_hand_means_the_pixels_whose_centres_it_holds(scene, xray):
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    # Columns are 1.5 mm and grow to -R, rows are 2 mm and grow to -A.
    roi.SetCenterWorld(-45.0, -60.0, 3.0)
    roi.SetSizeWorld(31.0, 22.0, 10.0)
    x0, y0, x1, y1 = rectangleFromRoi(roi, xray)
    inside = [(col, row) for col in range(COLUMNS) for row in range(ROWS)
              if abs(-1.5 * col + 45) <= 15.5 and abs(-2.0 * row + 60) <= 11.0]
    cols, rows = zip(*inside, strict=True)
    assert (x0, y0, x1, y1) == (min(cols), min(rows), max(cols) + 1, max(rows) + 1)


def test_a_box_over_the_edge_is_cut_and_one_beside_the_image_refused(scene, xray):
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    placeRoi(roi, xray, (-30, -10, 40, 200))
    assert rectangleFromRoi(roi, xray) == (0, 0, 40, ROWS)
    placeRoi(roi, xray, (COLUMNS + 5, 0, COLUMNS + 50, 50))
    with pytest.raises(UserError, match="outside the X-ray"):
        rectangleFromRoi(roi, xray)


# Model


def test_a_model_node_shows_the_surface_in_ras(scene):
    model = example_model()
    mesh = worldPolyData(addModel(scene, model))
    np.testing.assert_allclose(vtk_to_numpy(mesh.GetPoints().GetData()), model.vertices)
    corners = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    np.testing.assert_array_equal(corners, model.triangles)


def test_a_model_under_a_transform_is_taken_where_the_scene_shows_it(scene):
    model = example_model()
    node = addModel(scene, model)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = 5.0, 6.0, 7.0
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
    node.SetAndObserveTransformNodeID(transform.GetID())
    points = vtk_to_numpy(worldPolyData(node).GetPoints().GetData())
    np.testing.assert_allclose(points, model.vertices + np.array([5, 6, 7]), atol=1e-4)
    np.testing.assert_allclose(vtk_to_numpy(node.GetPolyData().GetPoints().GetData()), model.vertices)


def test_the_surface_of_a_node_is_mended_like_one_from_a_file(scene):
    model = example_model()
    node = addModel(scene, replace(model, triangles=model.triangles[:-10]))
    surface = surfaceFromModel(node)
    assert surface.name == "tube"
    assert len(surface.triangles) > len(model.triangles) - 10
    assert any("capped" in note or "opening" in note for note in surface.notes)
    with pytest.raises(UserError, match="looks like m"):
        surfaceFromModel(addModel(scene, replace(model, vertices=model.vertices / 1000), "in metres"))


def test_an_empty_model_is_refused(scene):
    with pytest.raises(UserError, match="is empty"):
        worldPolyData(scene.AddNewNodeByClass("vtkMRMLModelNode", "nothing"))


# Result


@pytest.fixture
def shown(scene, xray):
    model = example_model()
    result = example_result(model, [example_frame()])
    return model, result, showResult(result, model, [xray])


def test_the_registered_model_stands_in_the_world_of_the_c_arm(shown):
    model, result, nodes = shown
    points = vtk_to_numpy(worldPolyData(nodes.registeredModel).GetPoints().GetData())
    np.testing.assert_allclose(points, model.transformed(result.model_to_world).vertices, atol=1e-4)
    pixels, _ = result.views[0].view.project(points)
    expected, _ = result.views[0].view.project(model.transformed(result.model_to_world).vertices)
    np.testing.assert_allclose(pixels, expected, atol=1e-3)


def test_masks_lie_on_the_pixels_of_the_xray(shown):
    _, result, nodes = shown
    view = nodes.views[0]
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(view.mask)[0] > 0, result.views[0].mask)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(view.silhouette)[0] > 0, result.views[0].silhouette)
    np.testing.assert_allclose(ras_of_pixel(view.mask, 31, 17), ras_of_pixel(view.xray, 31, 17))
    # Labels of one colour table: they are told apart where both are shown.
    assert set(np.unique(slicer.util.arrayFromVolume(view.mask))) == {0, 1}
    assert set(np.unique(slicer.util.arrayFromVolume(view.silhouette))) == {0, 2}
    table = view.mask.GetDisplayNode().GetColorNode()
    assert table is view.silhouette.GetDisplayNode().GetColorNode()
    assert [table.GetColorName(label) for label in (1, 2)] == ["vessel mask", "registered model"]


def test_the_projected_model_covers_the_silhouette_in_the_plane_of_the_xray(shown):
    _, result, nodes = shown
    mesh = nodes.views[0].projectedModel.GetPolyData()
    points = vtk_to_numpy(mesh.GetPoints().GetData())
    corners = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    np.testing.assert_allclose(points[:, 2], 0.0, atol=1e-9)
    # Drawn triangle by triangle on a four times finer grid, with the spacing that the volume was given (1.5, 2 mm).
    fine = np.zeros((4 * ROWS, 4 * COLUMNS), bool)
    for triangle in points[corners]:
        col, row = -triangle[:, 0] / 1.5, -triangle[:, 1] / 2.0
        fine[polygon(4 * row + 1.5, 4 * col + 1.5, fine.shape)] = True
    drawn = fine.reshape(ROWS, 4, COLUMNS, 4).mean(axis=(1, 3)) >= 0.5
    expected = result.views[0].silhouette
    assert 2 * (drawn & expected).sum() / (drawn.sum() + expected.sum()) > 0.98


def test_status_and_overlap_stand_on_the_nodes(shown):
    _, result, nodes = shown
    assert nodes.transform.GetAttribute("HybridOR.result.status") == "check"
    assert nodes.transform.GetAttribute("HybridOR.result.reason") == result.reason
    assert float(nodes.views[0].xray.GetAttribute("HybridOR.result.dice")) == pytest.approx(
        result.views[0].overlap.dice, abs=1e-4)


def test_registering_again_updates_the_nodes_instead_of_adding_more(scene, xray, shown):
    model, result, nodes = shown
    count = scene.GetNumberOfNodes()
    moved = replace(result, model_to_world=np.eye(4), status="rejected")
    again = showResult(moved, model, [xray])
    assert scene.GetNumberOfNodes() == count
    assert again.transform is nodes.transform
    assert again.transform.GetAttribute("HybridOR.result.status") == "rejected"
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(again.transform), np.eye(4))


# Files


def reopened(path, cache):
    """The scene of a bundle, with the data-IO logic that reading one back needs."""
    scene = slicer.vtkMRMLScene()
    manager, data_io, logic = slicer.vtkCacheManager(), slicer.vtkDataIOManager(), slicer.vtkDataIOManagerLogic()
    manager.SetRemoteCacheDirectory(str(cache))
    manager.SetMRMLScene(scene)
    data_io.SetCacheManager(manager)
    scene.SetCacheManager(manager)
    scene.SetDataIOManager(data_io)
    logic.SetMRMLScene(scene)
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    assert scene.ReadFromMRB(str(path), True)
    return scene


def test_the_scene_file_reopens_with_all_its_data(tmp_path):
    model = example_model()
    second = example_frame(replace(example_geometry(), primary_angle_deg=-45.0), shutters=False)
    result = example_result(model, [example_frame(), second])
    out, cache = tmp_path / "out", tmp_path / "cache"
    out.mkdir()
    cache.mkdir()
    bundle, transform = writeScene(result, model, out)
    assert sorted(out.iterdir()) == [transform, bundle] == [out / "model_to_world.h5", out / "registration.mrb"]

    scene = reopened(bundle, cache)
    registered = scene.GetFirstNodeByName("tube registered")
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(registered.GetParentTransformNode()),
                               result.model_to_world, atol=1e-9)
    points = vtk_to_numpy(worldPolyData(registered).GetPoints().GetData())
    np.testing.assert_allclose(points, model.transformed(result.model_to_world).vertices, atol=1e-3)
    for view in result.views:
        xray = scene.GetFirstNodeByName(f"X-ray {view.view.clinical_angles.replace(' /', ',')}")
        back = frameFromVolume(xray)
        np.testing.assert_array_equal(back.attenuation, view.frame.attenuation)
        np.testing.assert_array_equal(back.usable, view.frame.usable)
        assert back.geometry == view.frame.geometry
        mask = xray.GetNodeReference("HybridOR.mask")
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(mask)[0] > 0, view.mask)
        assert mask.GetDisplayNode().GetColorNode().GetColorName(1) == "vessel mask"
        assert xray.GetNodeReference("HybridOR.projectedModel").GetPolyData().GetNumberOfPoints() == len(model.vertices)


def test_the_scene_file_names_no_patient(tmp_path):
    model = example_model()
    bundle, _ = writeScene(example_result(model, [example_frame()]), model, tmp_path)
    with zipfile.ZipFile(bundle) as archive:
        listing = archive.namelist()
        texts = [archive.read(name).decode("latin-1") for name in listing]
    for secret in (PATIENT_FILE.stem, "1.2.3.4", str(tmp_path)):
        assert not any(secret in text for text in [*listing, *texts])
    assert all(name.startswith("registration/") for name in listing)


def test_the_transform_file_is_the_lps_resampling_transform_that_slicer_expects(tmp_path):
    model = example_model()
    result = example_result(model, [example_frame()])
    _, path = writeScene(result, model, tmp_path)
    # SimpleITK is the independent reader: an ITK file maps the moved space (here the world) to the model, in LPS.
    read = sitk.ReadTransform(str(path))
    for point in model.vertices[::97]:
        world = RAS_TO_LPS @ result.model_to_world @ [*point, 1.0]
        np.testing.assert_allclose(read.TransformPoint(world[:3]), (RAS_TO_LPS @ [*point, 1.0])[:3], atol=1e-6)


def test_a_folder_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path):
    model = example_model()
    result = example_result(model, [example_frame()])
    (tmp_path / "file").write_text("in the way")
    for directory in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(UserError, match="cannot be written"):
            writeScene(result, model, directory)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_attributes_are_plain_json(xray):
    values = {name: json.loads(xray.GetAttribute(name)) for name in xray.GetAttributeNames()}
    assert values["HybridOR.header.primary_angle_deg"] == 30.5
    assert values["HybridOR.header.table_shift_mm"] == [3.0, -2.0, 5.0]
