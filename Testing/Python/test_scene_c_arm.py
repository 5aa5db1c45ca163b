"""C-arm nodes, camera, corner words and the preview of a view not exposed; nothing here needs OpenGL."""

from dataclasses import replace

import numpy as np
import pytest
import vtk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.scene.asIfView import removeAsIf, showAsIf
from VesselRegistrationLib.scene.cArmCamera import aimCamera, displayFromPixels
from VesselRegistrationLib.scene.cArmModel import cArmOf, showCArm
from VesselRegistrationLib.scene.cornerText import factLines, sideLetters
from VesselRegistrationLib.scene.volumeBridge import frameFromVolume, viewFromVolume
from view_cases import VIEW, points_of, view_scene


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
