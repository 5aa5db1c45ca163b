"""The model drawn over the X-ray, under a pose and in runs; nothing here needs OpenGL."""

from dataclasses import replace

import numpy as np
import pytest
import slicer
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.scene.guidanceViews import GuidanceViews
from VesselRegistrationLib.scene.liveOverlay import LiveOverlay, OverlayStyle, thinnedModel
from VesselRegistrationLib.scene.overlayNodes import MASK_LABEL, comparisonLabels, showLabelmap
from VesselRegistrationLib.scene.poseSequence import addPoseSequence, addRunSequence
from VesselRegistrationLib.scene.sequenceBridge import browserOf, showItem
from VesselRegistrationLib.scene.volumeBridge import frameFromVolume, geometryFromVolume, giveGeometry
from view_cases import VIEW, frame_of, labels_of, large_model, pose_of, tracked, view_scene
from view_pictures import farthest_difference


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
