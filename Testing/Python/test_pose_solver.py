"""The pose solver: its derivative, its outline, and poses found again from masks painted independently."""

from dataclasses import replace

import numpy as np
import pytest
import vtk
from carm_raycaster import XRayMachine
from pose_cases import (
    anatomy,
    centred,
    errors_mm,
    machine,
    moved_pose,
    overlap,
    painted,
    pose_model,
    spoilt,
    true_mask,
    view_of,
)
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.errors import Cancelled
from VesselRegistrationLib.pose.contour import Contour
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.local import normal_gradient
from VesselRegistrationLib.pose.quality import judge_pose
from VesselRegistrationLib.pose.rigid import PosePrior, move_points, rigid_motion, twist_between
from VesselRegistrationLib.pose.solver import PoseEstimate, solve_pose
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

TURNED = (6.0, -5.0, 4.0)
MOVED = (9.0, -7.0, -11.0)


def solved(family: str, machines: list[XRayMachine], masks: list[np.ndarray], usable: np.ndarray | None = None,
           **options: object) -> PoseEstimate:
    evidence = [ViewEvidence.from_mask(view_of(rays), mask, usable)
                for rays, mask in zip(machines, masks, strict=True)]
    return solve_pose(pose_model(family), evidence, centred(family), **options)  # type: ignore[arg-type]


# Small motions


def test_twist_between_undoes_rigid_motion() -> None:
    rng = np.random.default_rng(5)
    start = moved_pose("upper", (20, 30, -40), (5, 60, -20))
    centre = anatomy("upper").model.vertices.mean(axis=0)
    twist = rng.normal(size=6) * [0.2, 0.2, 0.2, 20, 20, 20]
    end = rigid_motion(twist, move_points(start, centre[None])[0]) @ start
    np.testing.assert_allclose(twist_between(start, end, centre), twist, atol=1e-9)


def test_prior_in_one_view_holds_depth_apart() -> None:
    beam = np.array([0.6, 0.0, 0.8])
    covariance = np.linalg.inv(PosePrior(rotation_deg=5, in_plane_mm=40, depth_mm=10).precision(beam[None]))
    across = np.array([0.8, 0.0, -0.6])
    assert np.sqrt(beam @ covariance[3:, 3:] @ beam) == pytest.approx(10)
    assert np.sqrt(across @ covariance[3:, 3:] @ across) == pytest.approx(40)
    assert np.degrees(np.sqrt(covariance[0, 0])) == pytest.approx(5)


# Derivative and outline


def test_gradient_along_the_normal_is_that_of_finite_differences() -> None:
    """Twist derivatives of the true projection (by the independent machine) against the solver's Jacobian row."""
    rng = np.random.default_rng(2)
    for rays in (machine(25, -15), machine(-40, 20, quarter_turns=1, mirrored=True, patient_moved=(12.0, -9.0, 20.0),
                                           row_spacing=0.5, column_spacing=0.9)):
        points = rng.uniform(-80, 80, (40, 3))
        angle = rng.uniform(0, 2 * np.pi, 40)
        normals = np.column_stack([np.cos(angle), np.sin(angle)])
        centre = np.array([7.0, -12.0, 20.0])
        gradient = normal_gradient(Contour(points, rays.see(points), normals), view_of(rays).projection_matrix)
        jacobian = np.column_stack([np.cross(points - centre, gradient), gradient])
        for axis in range(6):
            step = np.zeros(6)
            step[axis] = 1e-4
            ahead, back = (rays.see(move_points(rigid_motion(sign * step, centre), points)) for sign in (1, -1))
            numerical = np.einsum("ij,ij->i", ahead - back, normals) / 2e-4
            np.testing.assert_allclose(jacobian[:, axis], numerical, rtol=1e-4, atol=1e-4)


def _meets(surface: vtk.vtkStaticCellLocator, start: np.ndarray, end: np.ndarray) -> bool:
    return bool(surface.IntersectWithLine(start, end, 1e-9, vtk.reference(0.0), [0.0] * 3, [0.0] * 3, vtk.reference(0)))


def test_outline_lies_on_the_border_between_rays_that_meet_the_model_and_rays_that_do_not() -> None:
    """Rays cast by VTK 1.5 px to either side of each outline point: inside one meets the mesh, outside none does."""
    rays, truth = machine(20, 15, 260), moved_pose("upper", TURNED, MOVED)
    view, fine = view_of(rays), pose_model("upper").fine
    vertices = move_points(truth, fine.model.vertices)
    drawn = fine.silhouette(vertices, view.projection_matrix, (512, 512))
    contour = fine.outline(vertices, view.projection_matrix, drawn, 3.0)
    mesh = vtk.vtkPolyData()
    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    points.SetData(numpy_to_vtk(vertices, deep=True))
    cells.SetData(3, numpy_to_vtkIdTypeArray(fine.model.triangles.astype(np.int64).ravel(), deep=True))
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    locator = vtk.vtkStaticCellLocator()
    locator.SetDataSet(mesh)
    locator.BuildLocator()
    source = rays.source * [-1, -1, 1]

    def share_meeting(pixels: np.ndarray) -> float:
        ends = source + 3 * rays.sid * view.ray_directions(pixels)
        return float(np.mean([_meets(locator, source, end) for end in ends]))

    assert len(contour.points) > 150
    np.testing.assert_allclose(np.linalg.norm(contour.normals, axis=1), 1)
    np.testing.assert_allclose(rays.see(contour.points), contour.pixels, atol=1e-6)
    assert share_meeting(contour.pixels - 1.5 * contour.normals) > 0.98
    assert share_meeting(contour.pixels + 1.5 * contour.normals) < 0.04
    # The whole border is covered, not a part of it.
    mask = painted(rays, vertices, fine.model.triangles)
    border = np.argwhere(mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1)
                                  & np.roll(mask, -1, 1)))[:, ::-1]
    inner = border[((border > 3) & (border < 508)).all(axis=1)]
    gaps = np.linalg.norm(inner[:, None] - contour.pixels[None], axis=2).min(axis=1)
    assert np.mean(gaps < 5) > 0.97


def test_edges_are_found_where_the_mask_ends_and_not_where_knowledge_ends() -> None:
    view = view_of(machine(0, 0, 100, size=100))
    mask = np.zeros((100, 100))
    mask[:, 30:60] = 1
    usable = np.ones((100, 100), bool)
    usable[50:] = False
    normals = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    contour = Contour(np.zeros((4, 3)), np.array([[57.0, 20.0], [32.0, 20.0], [57.0, 70.0], [45.0, 47.0]]), normals)
    position, found = ViewEvidence.from_mask(view, mask, usable).edges_along(contour, 8.0, 1.0)
    assert position[0][found[0]] == pytest.approx([2.5], abs=1e-5)  # the mask ends between columns 59 and 60
    assert position[1][found[1]] == pytest.approx([2.5], abs=1e-5)
    assert not found[2].any()
    assert not found[3].any()


def test_reduced_evidence_keeps_its_place() -> None:
    rays = machine(-30, 20, 280, size=1000)
    evidence = ViewEvidence.from_mask(view_of(rays), np.ones((1000, 1000)))
    points = np.random.default_rng(1).uniform(-50, 50, (20, 3))
    there, _ = evidence.at(250).view.project(points)
    np.testing.assert_allclose((rays.see(points) + 0.5) / 4 - 0.5, there, atol=1e-9)
    assert evidence.at(250).mask.shape == (250, 250)


# Poses found again


def test_one_view_and_a_clean_mask() -> None:
    rays, truth = machine(-25, 12, 250), moved_pose("upper", TURNED, MOVED)
    estimate = solved("upper", [rays], [true_mask(rays, "upper", truth)])
    _, in_plane = errors_mm("upper", estimate.model_to_world, truth, [rays])
    assert in_plane < 0.5
    turn = estimate.model_to_world[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert estimate.quality.outline_explained > 0.9
    assert estimate.quality.dice > 0.95


def test_one_view_says_that_depth_is_unknown() -> None:
    rays, truth = machine(-25, 12, 250), moved_pose("upper", TURNED, MOVED)
    estimate = solved("upper", [rays], [true_mask(rays, "upper", truth)])
    covariance = np.linalg.inv(estimate.information)[3:, 3:]
    beam = view_of(rays).beam_direction
    across = view_of(rays).image_axes[0]
    assert beam @ covariance @ beam > 25 * (across @ covariance @ across)


@pytest.mark.parametrize("family", ["upper", "lower"])
def test_one_view_and_a_bad_mask(family: str) -> None:
    rays = machine(20, -10, 250 if family == "upper" else 370)
    truth = moved_pose(family, TURNED, MOVED)
    clean = true_mask(rays, family, truth)
    bad = spoilt(clean, 11, 0.78)
    assert 0.7 < overlap(bad, clean) < 0.82
    _, in_plane = errors_mm(family, solved(family, [rays], [bad]).model_to_world, truth, [rays])
    assert in_plane < 2.0


def test_two_views_find_depth() -> None:
    machines, truth = [machine(-20, 10, 360), machine(35, 0, 360)], moved_pose("lower", TURNED, MOVED)
    masks = [spoilt(true_mask(rays, "lower", truth), seed, 0.9) for seed, rays in enumerate(machines)]
    estimate = solved("lower", machines, masks)
    in_space, in_plane = errors_mm("lower", estimate.model_to_world, truth, machines)
    assert in_space < 1.0
    assert in_plane < 0.7


def test_start_45_mm_off() -> None:
    rays, truth = machine(15, 5, 380), moved_pose("lower", (4, 3, -5), (31, -10, 32))
    assert errors_mm("lower", centred("lower"), truth, [rays])[0] > 45
    _, in_plane = errors_mm("lower", solved("lower", [rays], [true_mask(rays, "lower", truth)]).model_to_world, truth,
                            [rays])
    assert in_plane < 1.0


def test_without_search_it_stays_near_the_start() -> None:
    rays, truth = machine(15, 5, 380), moved_pose("lower", (1, 2, -1), (4, 0, -5))
    mask = true_mask(rays, "lower", truth)
    _, in_plane = errors_mm("lower", solved("lower", [rays], [mask], search=False).model_to_world, truth, [rays])
    assert in_plane < 0.7


def test_field_of_view_that_shows_a_part_only() -> None:
    """150 mm of a 400 mm tree."""
    machines = [machine(-20, 10, 215), machine(40, 0, 215)]
    truth = moved_pose("lower", (3, -4, 5), (6, 5, -9))
    masks = [true_mask(rays, "lower", truth) for rays in machines]
    _, in_plane = errors_mm("lower", solved("lower", machines, masks).model_to_world, truth, machines)
    assert in_plane < 1.0


def test_shutter_and_unknown_area() -> None:
    """A shuttered corner and a band beside the vessel's middle, in which the mask says nonsense."""
    rays, truth = machine(-25, 12, 250), moved_pose("upper", TURNED, MOVED)
    mask = true_mask(rays, "upper", truth)
    usable = np.ones_like(mask)
    usable[:90], usable[:, :100], usable[250:275] = False, False, False
    mask[~usable] = np.random.default_rng(0).random((~usable).sum()) > 0.5
    estimate = solved("upper", [rays], [mask], usable)
    assert errors_mm("upper", estimate.model_to_world, truth, [rays])[1] < 0.8


def test_missing_branch_and_soft_mask() -> None:
    rays, truth = machine(25, 0, 370), moved_pose("lower", TURNED, MOVED)
    lacking = ("left_common_iliac", "left_external_iliac", "left_internal_iliac", "left_common_femoral",
               "left_superficial_femoral", "left_deep_femoral")
    soft = np.clip(true_mask(rays, "lower", truth, lacking) * 0.9 + 0.04, 0, 1)
    assert errors_mm("lower", solved("lower", [rays], [soft]).model_to_world, truth, [rays])[1] < 1.2


@pytest.mark.parametrize("changes", [
    {"row_spacing": 250 / 512, "column_spacing": 250 / 380, "columns": 380},
    {"size": 1024},
    {"quarter_turns": 1, "mirrored": True, "panel_rotation_deg": 8.0, "patient_moved": (8.0, -6.0, 5.0)},
    {"centre": (230, 290)},
], ids=["anisotropic", "1024", "turned and mirrored", "off-centre"])
def test_other_detectors(changes: dict) -> None:
    rays, truth = machine(-15, -8, 250, **changes), moved_pose("upper", TURNED, MOVED)
    estimate = solved("upper", [rays], [true_mask(rays, "upper", truth)])
    assert errors_mm("upper", estimate.model_to_world, truth, [rays])[1] < 0.5


def test_quality_falls_with_distance_and_nothing_is_changed() -> None:
    rays, truth = machine(-25, 12, 250), moved_pose("upper", TURNED, MOVED)
    mask = true_mask(rays, "upper", truth)
    mask.setflags(write=False)
    evidence, fine = ViewEvidence.from_mask(view_of(rays), mask), pose_model("upper").fine
    turn = Rotation.from_euler("z", 2, degrees=True).as_matrix()
    poses = []
    for move in (0.0, 3.0, 9.0):
        pose = truth.copy()
        pose[:3, :3] = (turn if move else np.eye(3)) @ pose[:3, :3]
        pose[:3, 3] = (turn if move else np.eye(3)) @ pose[:3, 3] + move * view_of(rays).image_axes[0]
        poses.append(judge_pose(fine, [evidence], pose, 256, 1.5))
    assert poses[0].score > poses[1].score > poses[2].score
    assert poses[0].outline_explained > 0.95
    assert poses[0].edge_explained > 0.95


def test_the_same_run_gives_the_same_pose_and_can_be_stopped() -> None:
    rays, truth = machine(-25, 12, 250, size=256), moved_pose("upper", TURNED, MOVED)
    mask = true_mask(rays, "upper", truth)
    heard: list[float] = []
    first = solved("upper", [rays], [mask], search=False, progress=lambda share, _: heard.append(share))
    second = solved("upper", [replace(rays)], [mask.copy()], search=False)
    np.testing.assert_array_equal(first.model_to_world, second.model_to_world)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    with pytest.raises(Cancelled):
        solved("upper", [rays], [mask], should_stop=lambda: True)
