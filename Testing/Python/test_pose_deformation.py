"""Bends put into a vessel by hand, found again from two views; and straight vessels left alone."""

from dataclasses import replace

import numpy as np
import pytest
from pose_cases import anatomy, centred, machine, moved_pose, painted, pose_model, spoilt, view_of
from VesselRegistrationLib.deformation.bending import PathBending
from VesselRegistrationLib.deformation.centreline import vessel_paths
from VesselRegistrationLib.deformation.fitting import deform_to_masks
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.mesh.surface import SurfaceModel
from VesselRegistrationLib.pose.evidence import ViewEvidence
from VesselRegistrationLib.pose.solver import solve_pose

MACHINES = [machine(-20, 5, 430, size=256), machine(45, 0, 430, size=256)]
TRUTH = moved_pose("lower", (3, -2, 3), (5, -4, 6))


def bent_vertices(largest_mm: float) -> np.ndarray:
    """The left leg's arteries pushed to the left and forwards between the bifurcation and the groin, as by a wire."""
    tree = anatomy("lower")
    names = [branch.name.startswith("left") for branch in tree.branches]
    on_left = np.zeros(len(tree.model.vertices), dtype=bool)
    on_left[tree.model.triangles[np.array(names)[tree.triangle_branch]].ravel()] = True
    height = tree.model.vertices[:, 2]
    share = np.clip((height[on_left].max() - height) / (height[on_left].max() - height.min()), 0, 1)
    push = np.where(on_left, largest_mm * np.sin(np.pi * share) ** 2, 0.0)
    return tree.model.vertices + push[:, None] * np.array([-0.9, 0.44, 0.0])


def evidence_of(vertices: np.ndarray, dice: float = 1.0) -> list[ViewEvidence]:
    placed = vertices @ TRUTH[:3, :3].T + TRUTH[:3, 3]
    masks = [painted(rays, placed, anatomy("lower").model.triangles) for rays in MACHINES]
    return [ViewEvidence.from_mask(view_of(rays), mask if dice == 1 else spoilt(mask, seed, dice))
            for seed, (rays, mask) in enumerate(zip(MACHINES, masks, strict=True))]


def errors_mm(vertices: np.ndarray, pose: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances of vertices to where they truly are, for those that both views show."""
    there = truth @ TRUTH[:3, :3].T + TRUTH[:3, 3]
    shown = np.all([((rays.see(there) > 0) & (rays.see(there) < 255)).all(axis=1) for rays in MACHINES], axis=0)
    return np.linalg.norm(vertices @ pose[:3, :3].T + pose[:3, 3] - there, axis=1)[shown]


@pytest.mark.parametrize("dice", [1.0, 0.85])
def test_a_bend_of_one_artery_is_found(dice: float) -> None:
    model, truth = anatomy("lower").model, bent_vertices(12.0)
    evidence = evidence_of(truth, dice)
    pose = solve_pose(pose_model("lower"), evidence, centred("lower")).model_to_world
    kept = model.vertices.copy()
    found = deform_to_masks(model, evidence, pose)
    rigid, bent = errors_mm(model.vertices, pose, truth), errors_mm(found.model.vertices, found.model_to_world, truth)
    assert np.percentile(rigid, 95) > 8
    assert bent.mean() < 0.5 * rigid.mean()
    assert np.percentile(bent, 95) < 4
    assert found.after.outline_explained > found.before.outline_explained + 0.04
    assert found.gain > 0.1
    assert 1 <= len(found.bends) <= 2
    assert all(bend.control_mm.shape == (6, 2) for bend in found.bends)
    assert 5 < found.largest_mm < 25
    assert f"{found.largest_mm:.1f} mm" in found.sentence
    np.testing.assert_array_equal(model.vertices, kept)
    np.testing.assert_array_equal(found.model.triangles, model.triangles)


@pytest.mark.parametrize("dice", [1.0, 0.78])
def test_a_straight_vessel_stays_as_it_is(dice: float) -> None:
    model = anatomy("lower").model
    evidence = evidence_of(model.vertices, dice)
    pose = solve_pose(pose_model("lower"), evidence, centred("lower")).model_to_world
    found = deform_to_masks(model, evidence, pose)
    if found.bends:  # a ragged mask may ask for a little
        assert found.largest_mm < 2
    else:
        assert found.model is model
        assert found.gain == 0
        np.testing.assert_array_equal(found.model_to_world, pose)
        assert "No bend" in found.sentence


def test_one_direction_alone_cannot_show_a_bend() -> None:
    evidence = evidence_of(anatomy("lower").model.vertices)
    near = ViewEvidence.from_mask(replace(evidence[0].view, primary_angle_deg=-15.0), evidence[0].mask)
    for few in (evidence[:1], [evidence[0], near]):
        with pytest.raises(UserError, match="two views"):
            deform_to_masks(anatomy("lower").model, few, TRUTH)
    with pytest.raises(UserError, match="4 to 8"):
        deform_to_masks(anatomy("lower").model, evidence, TRUTH, controls=3)
    with pytest.raises(Cancelled):
        deform_to_masks(anatomy("lower").model, evidence, TRUTH, should_stop=lambda: True)


@pytest.mark.parametrize("family", ["lower", "upper"])
def test_paths_run_inside_the_vessel_from_its_widest_end(family: str) -> None:
    """Against the simulator's own centrelines; where the tree divides, a ring's middle may lie between the branches."""
    tree = anatomy(family)
    paths = vessel_paths(pose_model(family).coarse.model)
    assert 2 <= len(paths) <= 4
    lines = np.vstack([branch.centreline for branch in tree.branches])
    radii = np.concatenate([branch.radii for branch in tree.branches])
    for path in paths:
        away = np.linalg.norm(path.points[:, None] - lines[None], axis=2)
        outside = away.min(axis=1) - radii[away.argmin(axis=1)]
        assert np.mean(outside < 0) > 0.8
        assert outside.max() < 8
        assert np.all(np.diff(path.arc_mm) > 0)
        assert path.vertex_arc_mm.min() >= 0
        assert path.vertex_arc_mm.max() <= path.arc_mm[-1]
    if family == "lower":
        inlet = next(branch for branch in tree.branches if branch.name == "abdominal_aorta").centreline[0]
        assert all(np.linalg.norm(path.points[0] - inlet) < 25 for path in paths)
        ends = np.array([path.points[-1] for path in paths])
        assert ends[:, 0].max() - ends[:, 0].min() > 80  # one in each leg


def test_displacements_are_across_the_path_and_rings_stay_rings() -> None:
    path = vessel_paths(pose_model("lower").coarse.model)[0]
    bending = PathBending(path, 6)
    control = np.random.default_rng(0).normal(0, 8, (6, 2))
    shift = bending.displacements(control)
    tangents = np.gradient(path.points, path.arc_mm, axis=0)
    at = np.array([np.interp(path.vertex_arc_mm, path.arc_mm, tangents[:, axis]) for axis in range(3)]).T
    along = np.abs(np.einsum("ij,ij->i", shift, at)) / np.linalg.norm(at, axis=1)
    assert np.mean(along < 0.2 * np.linalg.norm(shift, axis=1) + 0.2) > 0.9
    # Neighbours move alike: no tear where branches leave.
    triangles = pose_model("lower").coarse.model.triangles
    vertices = pose_model("lower").coarse.model.vertices
    stretch = np.linalg.norm(shift[triangles[:, 0]] - shift[triangles[:, 1]], axis=1)
    length = np.linalg.norm(vertices[triangles[:, 0]] - vertices[triangles[:, 1]], axis=1)
    assert np.percentile(stretch / length, 99) < 0.6
    # The modes are the derivative of the displacements.
    numbers = np.array([0, 500, 1500])
    np.testing.assert_allclose(bending.modes(numbers) @ control.ravel(), shift[numbers], atol=1e-9)


def test_a_lump_is_no_vessel() -> None:
    corners = np.array([[x, y, z] for x in (0.0, 9) for y in (0.0, 9) for z in (0.0, 9)])
    faces = np.array([[0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],
                      [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5]], dtype=np.int32)
    with pytest.raises(UserError, match="tubular"):
        vessel_paths(SurfaceModel(corners, faces))
