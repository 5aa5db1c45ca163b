"""Layouts, C-arm nodes, overlay and sequences on the real scene of slicer-core; nothing here needs OpenGL."""

import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import slicer
import vtk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.scene.asIfView import removeAsIf, showAsIf
from VesselRegistrationLib.scene.cArmCamera import aimCamera, displayFromPixels
from VesselRegistrationLib.scene.cArmModel import cArmOf, showCArm
from VesselRegistrationLib.scene.cornerText import factLines, sideLetters
from VesselRegistrationLib.scene.guidanceViews import GuidanceViews
from VesselRegistrationLib.scene.liveOverlay import LiveOverlay, OverlayStyle, thinnedModel
from VesselRegistrationLib.scene.overlayNodes import MASK_LABEL, comparisonLabels, showLabelmap
from VesselRegistrationLib.scene.poseSequence import addPoseSequence, addRunSequence
from VesselRegistrationLib.scene.sequenceBridge import browserOf, showItem
from VesselRegistrationLib.scene.viewLayout import (
    CARM_VIEW_NAME,
    ONE_XRAY_LAYOUT,
    ROOM_VIEW_NAME,
    TWO_XRAYS_LAYOUT,
    XRAY_VIEW_NAMES,
    isShown,
    showLayout,
    viewNode,
)
from VesselRegistrationLib.scene.volumeBridge import frameFromVolume, geometryFromVolume, giveGeometry, viewFromVolume
from view_cases import frame_of, large_model, new_scene, pose_of, set_pose, tracked, view_scene
from view_pictures import farthest_difference
from vtk.util.numpy_support import vtk_to_numpy

VIEW = CArmView(30.0, 20.0, 1100.0, 760.0, 160, 192, 1.6, 1.4, principal_point=(90.0, 85.0),
                table_shift_mm=(5.0, -4.0, 8.0))


@pytest.fixture
def errors(monkeypatch):
    """A test must end without an exception in an observer."""
    found = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: found.append(repr(error)))
    yield found
    assert found == []


@pytest.fixture
def scene(errors):
    scene, logics = new_scene()
    yield scene
    del logics


@pytest.fixture
def layout_logic(scene):
    """Makes view nodes from layouts, as Slicer does; without widgets."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)
    yield logic
    logic.SetMRMLScene(None)


def points_of(node):
    return vtk_to_numpy(node.GetPolyData().GetPoints().GetData())


def labels_of(xray, role="silhouette"):
    return slicer.util.arrayFromVolume(xray.GetNodeReference(f"HybridOR.{role}"))[0]


def reading_logics(scene, cache):
    """What a scene needs to read a bundle."""
    manager, dataIO, logic = slicer.vtkCacheManager(), slicer.vtkDataIOManager(), slicer.vtkDataIOManagerLogic()
    manager.SetRemoteCacheDirectory(str(cache))
    manager.SetMRMLScene(scene)
    dataIO.SetCacheManager(manager)
    scene.SetCacheManager(manager)
    scene.SetDataIOManager(dataIO)
    logic.SetMRMLScene(scene)
    colors = slicer.vtkMRMLColorLogic()
    colors.SetMRMLScene(scene)
    return manager, dataIO, logic, colors


# Layouts


def test_the_layout_makes_its_views(scene, layout_logic):
    def shown():
        views = layout_logic.GetViewNodes()
        return {views.GetItemAsObject(number).GetLayoutName() for number in range(views.GetNumberOfItems())}

    assert showLayout(scene, 1)
    assert isShown(scene)
    assert shown() == {XRAY_VIEW_NAMES[0], CARM_VIEW_NAME, ROOM_VIEW_NAME}
    assert showLayout(scene, 2)
    assert shown() == {*XRAY_VIEW_NAMES, CARM_VIEW_NAME, ROOM_VIEW_NAME}
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    for number, count in ((ONE_XRAY_LAYOUT, 3), (TWO_XRAYS_LAYOUT, 4)):
        assert len(ElementTree.fromstring(node.GetLayoutDescription(number)).findall(".//view")) == count


def test_without_a_layout_node_there_is_nothing_to_show(scene):
    assert not showLayout(scene, 1)
    assert not isShown(scene)
    assert viewNode(scene, CARM_VIEW_NAME) is None


# C-arm


def test_the_c_arm_stands_where_the_view_says(scene):
    case = view_scene(scene, VIEW)
    nodes = showCArm(case.xray, VIEW)
    source, detector, beam = (points_of(nodes[k]) for k in range(3))
    # The tube lies behind the focal spot, the detector behind the image plane, and both near the central ray.
    assert ((source - VIEW.source) @ VIEW.beam_direction).max() < 1e-3
    depth = (detector - VIEW.source) @ VIEW.beam_direction
    assert VIEW.sid_mm < depth.min() < depth.max() < VIEW.sid_mm + 50
    corners = VIEW.back_project(np.array([[-0.5, -0.5], [191.5, 159.5]]), VIEW.sid_mm)
    for place in (VIEW.source, *corners):
        assert np.linalg.norm(beam - place, axis=1).min() < 3.0
    assert np.linalg.norm(points_of(nodes.isocentre).mean(axis=0) + VIEW.table_shift_mm) < 0.1


def test_the_c_arm_moves_with_its_angles_and_keeps_its_nodes(scene):
    case = view_scene(scene, VIEW)
    nodes = showCArm(case.xray, VIEW)
    count = scene.GetNumberOfNodes()
    turned = replace(VIEW, primary_angle_deg=-60.0, sid_mm=1000.0)
    assert showCArm(case.xray, turned) == nodes == cArmOf(case.xray)
    assert scene.GetNumberOfNodes() == count
    assert ((points_of(nodes.source) - turned.source) @ turned.beam_direction).max() < 1e-3


@pytest.mark.parametrize("size", [(512, 512), (700, 300), (300, 700)])
@pytest.mark.parametrize("view", [VIEW, replace(VIEW, horizontal_flip=True), replace(VIEW, image_rotation_deg=270)])
def test_the_camera_projects_as_the_c_arm_does(view, size):
    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(*size)
    window.AddRenderer(renderer)
    aimCamera(renderer.GetActiveCamera(), view, size[0] / size[1])
    points = np.random.default_rng(0).normal(0.0, 60.0, (20, 3))
    expected = displayFromPixels(view, view.project(points)[0], size)
    for point, place in zip(points, expected, strict=True):
        renderer.SetWorldPoint(*point, 1.0)
        renderer.WorldToDisplay()
        np.testing.assert_allclose(renderer.GetDisplayPoint()[:2], place, atol=1e-6)


def test_the_whole_image_fits_into_the_view():
    corners = np.array([[-0.5, -0.5], [191.5, 159.5]])  # 268.8 x 256 mm
    np.testing.assert_allclose(displayFromPixels(VIEW, corners, (268.8, 256)), [[0, 256], [268.8, 0]], atol=1e-9)
    np.testing.assert_allclose(displayFromPixels(VIEW, corners, (268.8, 356)), [[0, 306], [268.8, 50]], atol=1e-9)


def test_words_of_the_corner():
    assert factLines(VIEW, (4, 12)) == ["LAO 30 / CRA 20", "SID 1100 mm", "frame 4 (of 0 to 11)"]
    assert factLines(replace(VIEW, primary_angle_deg=-8.5, secondary_angle_deg=-3.0))[0] == "RAO 8.5 / CAU 3"
    assert factLines(None) == []
    frontal = replace(VIEW, primary_angle_deg=0.0, secondary_angle_deg=0.0)
    assert sideLetters(frontal) == ("L", "R", "F", "H")
    assert sideLetters(replace(frontal, horizontal_flip=True)) == ("R", "L", "F", "H")
    assert sideLetters(replace(frontal, primary_angle_deg=90.0))[:2] == ("P", "A")


# Overlay


def test_the_overlay_follows_the_pose_in_the_same_labelmap(scene):
    case = view_scene(scene, VIEW)
    overlay = LiveOverlay(case.model, case.xray)
    overlay.update(VIEW, case.pose)
    image = case.xray.GetNodeReference("HybridOR.silhouette").GetImageData()
    moved = pose_of(case.model, (20.0, 3.0, -10.0))
    overlay.update(VIEW, moved)
    assert case.xray.GetNodeReference("HybridOR.silhouette").GetImageData() is image
    expected = silhouette(case.model, VIEW.projection_matrix @ moved, (160, 192))
    np.testing.assert_array_equal(labels_of(case.xray) > 0, expected)


def test_a_view_that_changes_its_size_gets_a_labelmap_of_that_size(scene):
    case = view_scene(scene, VIEW)
    overlay = LiveOverlay(case.model, case.xray)
    overlay.update(VIEW, case.pose)
    overlay.update(VIEW.resampled(80, 96), case.pose)
    assert labels_of(case.xray).shape == (80, 96)


def test_the_thinned_model_is_drawn_within_a_pixel(scene):
    model = large_model()
    thinned = thinnedModel(model)
    assert len(thinned.triangles) <= 20_000
    view = replace(VIEW, rows=1024, columns=1024, row_spacing_mm=0.3, column_spacing_mm=0.3,
                   principal_point=None).projection_matrix
    exact, quick = (silhouette(one, view, (1024, 1024)) for one in (model, thinned))
    assert farthest_difference(quick, exact) <= 1.0


def test_comparison_is_told_by_labels(scene):
    model, mask = np.array([[1, 1, 0, 0, 1]], bool), np.array([[1, 0, 1, 0, 1]], bool)
    counted = np.array([[1, 1, 1, 1, 0]], bool)
    np.testing.assert_array_equal(comparisonLabels(model, mask, counted), [[3, 4, 5, 0, 0]])


def test_an_edited_mask_is_compared_anew(scene):
    case = view_scene(scene, VIEW)
    drawn = silhouette(case.model, VIEW.projection_matrix @ case.pose, (160, 192))
    maskNode = showLabelmap(case.xray, "mask", "mask", drawn * MASK_LABEL)
    overlay = LiveOverlay(case.model, case.xray)
    overlay.setStyle(OverlayStyle.COMPARISON, 0.5)
    overlay.update(VIEW, case.pose)
    overlay.settle()
    assert set(np.unique(labels_of(case.xray, "comparison"))) == {0, 3}
    slicer.util.arrayFromVolume(maskNode)[0, :80] = 0
    slicer.util.arrayFromVolumeModified(maskNode)
    overlay.setStyle(OverlayStyle.COMPARISON, 0.5)
    np.testing.assert_array_equal(labels_of(case.xray, "comparison") == 4, drawn & (np.arange(160) < 80)[:, None])


# All together


def test_without_a_window_the_nodes_are_made_all_the_same(scene):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    for style in OverlayStyle:
        views.setStyle(style, 0.3)
    moved = pose_of(case.model, (20.0, 3.0, -10.0))
    set_pose(case.transform, moved)
    expected = silhouette(case.model, VIEW.projection_matrix @ moved, (160, 192))
    np.testing.assert_array_equal(labels_of(case.xray) > 0, expected)
    assert cArmOf(case.xray) is not None
    views.close()
    set_pose(case.transform, case.pose)
    np.testing.assert_array_equal(labels_of(case.xray) > 0, expected)  # closed: nothing follows any more


def test_given_angles_move_overlay_and_c_arm(scene, layout_logic):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    giveGeometry(case.xray, primary_angle_deg=-40.0)
    turned = replace(VIEW, primary_angle_deg=-40.0)
    expected = silhouette(case.model, turned.projection_matrix @ case.pose, (160, 192))
    np.testing.assert_array_equal(labels_of(case.xray) > 0, expected)
    assert ((points_of(cArmOf(case.xray).source) - turned.source) @ turned.beam_direction).max() < 1e-3
    views.close()


def test_missing_geometry_shows_no_c_arm(scene, layout_logic):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    assert cArmOf(case.xray).source.GetDisplayVisibility()
    case.xray.RemoveAttribute("HybridOR.header.sid_mm")
    assert not cArmOf(case.xray).source.GetDisplayVisibility()
    views.close()


@pytest.mark.parametrize("lost", ["xray", "modelNode", "transform"])
def test_a_deleted_node_leaves_the_views_standing(scene, layout_logic, lost):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    scene.RemoveNode(getattr(case, lost))
    views.update()
    views.settle()
    views.setStyle(OverlayStyle.SHADED, 0.4)
    views.close()


def test_a_closed_scene_leaves_the_views_standing(scene, layout_logic):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    scene.Clear(False)
    views.update()
    views.settle()
    views.close()


def test_showing_again_adds_no_nodes(scene, layout_logic):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    count = scene.GetNumberOfNodes()
    views.show([case.xray], case.modelNode, case.transform)
    assert scene.GetNumberOfNodes() == count
    views.close()


def test_the_loaded_model_stays_out_of_the_two_views(scene, layout_logic):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    shown = case.modelNode.GetDisplayNode()
    for name, visible in ((CARM_VIEW_NAME, False), (ROOM_VIEW_NAME, False)):
        assert shown.IsDisplayableInView(viewNode(scene, name).GetID()) is visible
    ordinary = scene.GetNthNodeByClass(0, "vtkMRMLViewNode")
    assert ordinary.GetName() not in (CARM_VIEW_NAME, ROOM_VIEW_NAME)
    assert shown.IsDisplayableInView(ordinary.GetID())
    views.close()


def test_a_reloaded_scene_shows_the_same_again(scene, layout_logic, tmp_path):
    case = view_scene(scene, VIEW)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    views.close()
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"))
    again, cache = slicer.vtkMRMLScene(), tmp_path / "cache"
    cache.mkdir()
    logics = reading_logics(again, cache)
    assert again.ReadFromMRB(str(tmp_path / "scene.mrb"), True)
    xray, model, transform = (again.GetFirstNodeByName(node.GetName()) for node in (
        case.xray, case.modelNode, case.transform))
    count = again.GetNumberOfNodes()
    views = GuidanceViews(again, None)
    views.show([xray], model, transform)
    assert again.GetNumberOfNodes() == count
    plane = xray.GetNodeReference("HybridOR.imagePlane")
    assert plane.GetDisplayNode().GetTextureImageDataConnection() is not None
    np.testing.assert_array_equal(labels_of(xray), labels_of(case.xray))
    views.close()
    del logics


# As if


def test_the_preview_has_the_suggested_geometry_and_is_no_xray(scene):
    case = view_scene(scene, VIEW)
    suggested = replace(VIEW, primary_angle_deg=-30.0, secondary_angle_deg=5.0)
    node = showAsIf(case.xray, suggested)
    assert viewFromVolume(node) == suggested
    assert node.GetName() == "As if RAO 30, CRA 5"
    with pytest.raises(UserError, match="not exposed"):
        frameFromVolume(node)
    again = showAsIf(case.xray, replace(suggested, primary_angle_deg=-20.0))
    assert again is node
    assert again.GetName() == "As if RAO 20, CRA 5"
    removeAsIf(case.xray)
    assert node.GetScene() is None
    removeAsIf(case.xray)


# Sequences


def test_replay_moves_xray_model_and_overlay(scene):
    case = view_scene(scene, VIEW)
    frames = [replace(frame_of(VIEW, np.array([[20 + 30 * k, 40]]), k, 3)) for k in range(3)]
    poses = [pose_of(case.model, (6.0 + 10.0 * k, -8.0, 12.0)) for k in range(3)]
    case.transform.SetAttribute("HybridOR.result.status", "accepted")
    kinds = ("vtkMRMLVolumeNode", "vtkMRMLTransformNode")
    before = [scene.GetNumberOfNodesByClass(kind) for kind in kinds]
    browser = addRunSequence(case.xray, frames)
    poseSequence = addPoseSequence(case.xray, case.transform, tracked(poses))
    assert [scene.GetNumberOfNodesByClass(kind) for kind in kinds] == before  # no nodes that nobody asked for
    assert browserOf(case.transform) is browser is browserOf(case.xray)
    assert browser.GetPlaybackRateFps() == pytest.approx(10.0)
    views = GuidanceViews(scene, None)
    views.show([case.xray], case.modelNode, case.transform)
    for number in (2, 1, 0):
        showItem(case.xray, number)
        np.testing.assert_array_equal(frameFromVolume(case.xray).attenuation, frames[number].attenuation)
        assert frameFromVolume(case.xray).frame_number == number
        np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(case.transform), poses[number])
        expected = silhouette(case.model, VIEW.projection_matrix @ poses[number], (160, 192))
        np.testing.assert_array_equal(labels_of(case.xray) > 0, expected)
        assert case.transform.GetAttribute("HybridOR.pose.status") == ("held" if number == 2 else "tracked")
        assert case.transform.GetAttribute("HybridOR.result.status") == "accepted"
    assert poseSequence.GetNumberOfDataNodes() == 3
    views.close()


def test_angles_given_by_the_user_stay_on_every_frame(scene):
    case = view_scene(scene, VIEW)
    addRunSequence(case.xray, [frame_of(VIEW, number=k, count=3) for k in range(3)])
    giveGeometry(case.xray, sid_mm=990.0)
    showItem(case.xray, 2)
    assert geometryFromVolume(case.xray).sid_mm == 990.0
    giveGeometry(case.xray, sid_mm=None)
    showItem(case.xray, 1)
    assert geometryFromVolume(case.xray).sid_mm == VIEW.sid_mm


def test_tracking_again_fills_the_same_sequence(scene):
    case = view_scene(scene, VIEW)
    addRunSequence(case.xray, [frame_of(VIEW, number=k, count=3) for k in range(3)])
    first = addPoseSequence(case.xray, case.transform, tracked([case.pose] * 3))
    moved = [pose_of(case.model, (k, 0.0, 0.0)) for k in range(3)]
    count = scene.GetNumberOfNodes()
    assert addPoseSequence(case.xray, case.transform, tracked(moved)) is first
    assert scene.GetNumberOfNodes() == count
    showItem(case.xray, 2)
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(case.transform), moved[2])


def test_poses_join_a_run_that_slicer_loaded_with_its_own_counting(scene):
    case = view_scene(scene, VIEW)
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "run of the DICOM module")
    for number in range(3):
        sequence.SetDataNodeAtValue(case.xray, f"{number * 0.0667:.4f}")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.AddSynchronizedSequenceNode(sequence)
    browser.AddProxyNode(case.xray, sequence, False)
    poses = [pose_of(case.model, (k, 0.0, 0.0)) for k in range(3)]
    addPoseSequence(case.xray, case.transform, tracked(poses))
    for number in (1, 2):
        showItem(case.xray, number)
        np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(case.transform), poses[number])


def test_poses_without_a_run_get_a_browser_of_their_own(scene):
    case = view_scene(scene, VIEW)
    poses = [pose_of(case.model, (k, 0.0, 0.0)) for k in range(3)]
    addPoseSequence(case.xray, case.transform, tracked(poses))
    assert browserOf(case.xray) is None
    showItem(case.transform, 2)
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(case.transform), poses[2])
