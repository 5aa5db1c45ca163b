"""Layouts and views on the real scene of slicer-core, whatever is changed or deleted; nothing here needs OpenGL."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import slicer
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.scene.cArmModel import cArmOf
from VesselRegistrationLib.scene.guidanceViews import GuidanceViews
from VesselRegistrationLib.scene.liveOverlay import OverlayStyle
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
from VesselRegistrationLib.scene.volumeBridge import giveGeometry
from view_cases import VIEW, labels_of, points_of, pose_of, set_pose, view_scene


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
