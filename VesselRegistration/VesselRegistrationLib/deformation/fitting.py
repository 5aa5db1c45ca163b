"""Fitting of a bend to the masks of two or more views, after the rigid pose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..errors import UserError
from ..geometry.carm import CArmView
from ..matching.lifting import MINIMUM_ANGLE_DEG, largest_angle_deg
from ..mesh.surface import SurfaceModel
from ..pose.contour import OutlinedModel
from ..pose.evidence import ViewEvidence
from ..pose.local import Level, edge_pulls, normal_gradient
from ..pose.quality import PoseQuality, judge_pose
from ..pose.rigid import PosePrior, move_points, rigid_motion, twist_between
from ..pose.solver import PoseModel
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .bending import CONTROLS, PathBending
from .centreline import VesselPath, vessel_paths

LEAST_GAIN = 0.04
"""How much better (score 0 to 3 of ``PoseQuality``) a bend must explain the masks to be believed."""

MOST_BENDS = 2
"""A wire in each of two arteries is the most that is looked for."""

_LEVELS = (Level(128, 16.0, 6.0, 6), Level(256, 9.0, 3.0, 5), Level(256, 6.0, 1.5, 5))
_NEAR_THE_POSE = PosePrior(rotation_deg=2.0, in_plane_mm=4.0, depth_mm=4.0)
_STEP_PX = 1.5
_FEWEST_POINTS = 10
_LARGEST_STEP_MM = 6.0
_SMALL_STEP_MM = 0.03
_JUDGE_SIZE = 256
_SCALE_MM = 1.5
_NEIGHBOURS = 4


@dataclass(frozen=True)
class Bend:
    """Control displacements ``control_mm`` (K, 2) across the ``path``, at ``control_arc_mm`` (K,) along it."""

    path: VesselPath
    control_arc_mm: np.ndarray
    control_mm: np.ndarray


@dataclass(frozen=True)
class Deformation:
    """What the fit found; without ``bends`` the model and the pose are unchanged.

    ``model`` is the bent model in model RAS mm, ``model_to_world`` (4, 4) its pose, refined with the bends.
    ``before`` and ``after`` say how well model and masks agree; ``largest_mm`` is the largest displacement of a vertex.
    ``sentence`` tells it to the user.
    """

    bends: tuple[Bend, ...]
    model: SurfaceModel
    model_to_world: np.ndarray
    before: PoseQuality
    after: PoseQuality
    largest_mm: float
    sentence: str

    @property
    def gain(self) -> float:
        """By how much the score rose."""
        return self.after.score - self.before.score


def deform_to_masks(
    model: SurfaceModel,
    evidence: Sequence[ViewEvidence],
    pose: np.ndarray,
    controls: int = CONTROLS,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> Deformation:
    """Bend a rigidly registered model (pose (4, 4), mm) where the masks of at least two views ask for it.

    Tries every long path through the tree, keeps the bend that explains the masks best if it is worth it, and then
    looks for a second one. Raises UserError for fewer than two views, or views that look along nearly the same line.
    """
    check_views([one.view for one in evidence])
    if not 4 <= controls <= 8:
        raise UserError(f"A bend cannot have {controls} control points: give 4 to 8.")
    outlined = PoseModel(model).coarse
    paths = vessel_paths(outlined.model)
    before = best = judge_pose(outlined, evidence, pose, _JUDGE_SIZE, _SCALE_MM)
    current, vertices, bends = pose, outlined.model.vertices, []
    for number in range(MOST_BENDS):
        tried = []
        for index, path in enumerate(paths):
            raise_if_stopped(should_stop)
            progress((number + index / len(paths)) / MOST_BENDS, "Bending the model")
            bending = PathBending(path, controls)
            moved, control = _fit(outlined, vertices, bending, evidence, current)
            bent = vertices + bending.displacements(control)
            quality = judge_pose(_outlined(outlined, bent), evidence, moved, _JUDGE_SIZE, _SCALE_MM)
            tried.append((quality.score, index, quality, moved, bent, Bend(path, bending.arc_mm, control)))
        score, _, quality, moved, bent, bend = max(tried, key=lambda one: one[:2])
        if score < best.score + LEAST_GAIN:
            break
        best, current, vertices = quality, moved, bent
        bends.append(bend)
    progress(1.0, "Bent" if bends else "No bend needed")
    if not bends:
        return Deformation((), model, pose, before, before, 0.0,
                           "No bend of the vessel explains the masks clearly better than the rigid model.")
    shifts = _spread(outlined.model.vertices, vertices - outlined.model.vertices, model.vertices)
    largest = float(np.linalg.norm(shifts, axis=1).max())
    bent_model = SurfaceModel(model.vertices + shifts, model.triangles, model.name, model.notes)
    return Deformation(tuple(bends), bent_model, current, before, best, largest,
                       f"The model was bent by up to {largest:.1f} mm: the share of its outline beside an edge of the "
                       f"masks rose from {100 * before.outline_explained:.0f} to {100 * best.outline_explained:.0f} %.")


def check_views(views: Sequence[CArmView]) -> None:
    """Refuse views that cannot show a bend: fewer than two, or all along nearly the same line (UserError)."""
    if largest_angle_deg(views) < MINIMUM_ANGLE_DEG:
        raise UserError(f"A bend can be seen only in two views at least {MINIMUM_ANGLE_DEG:g} deg apart: give a second "
                        "view, or leave --deform out.")


def _fit(
    outlined: OutlinedModel, rest: np.ndarray, bending: PathBending, evidence: Sequence[ViewEvidence], start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pose (4, 4) and control displacements (K, 2) by Gauss-Newton, for vertices that rest at ``rest`` (N, 3)."""
    pose, control = start, np.zeros((bending.controls, 2))
    believed = np.zeros((6 + control.size,) * 2)
    believed[:6, :6] = _NEAR_THE_POSE.precision(np.array([one.view.beam_direction for one in evidence]))
    believed[6:, 6:] = bending.precision()
    for level in _LEVELS:
        scaled = [one.at(level.size) for one in evidence]
        for _ in range(level.iterations):
            bent = rest + bending.displacements(control)
            placed = move_points(pose, bent)
            centre = move_points(pose, outlined.centre[None])[0]
            information = believed.copy()
            pull = -believed @ np.concatenate([twist_between(start, pose, outlined.centre), control.ravel()])
            for one in scaled:
                added, pulled = _normal_equations(outlined, one, placed, centre, pose, bending, level)
                information += added
                pull += pulled
            step = np.linalg.solve(information, pull)
            step /= max(1.0, np.abs(step[3:]).max() / _LARGEST_STEP_MM)
            pose = rigid_motion(step[:6], centre) @ pose
            control = control + step[6:].reshape(-1, 2)
            if np.abs(step[3:]).max() < _SMALL_STEP_MM:
                break
    return pose, control


def _normal_equations(
    outlined: OutlinedModel, evidence: ViewEvidence, placed: np.ndarray, centre: np.ndarray, pose: np.ndarray,
    bending: PathBending, level: Level,
) -> tuple[np.ndarray, np.ndarray]:
    """J^T W J and J^T W r of one view for a twist about ``centre`` and the control displacements."""
    projection = evidence.view.projection_matrix
    drawn = outlined.silhouette(placed, projection, evidence.mask.shape)
    contour = outlined.outline(placed, projection, drawn, _STEP_PX)
    size = 6 + 2 * bending.controls
    if len(contour.points) < _FEWEST_POINTS:
        return np.zeros((size, size)), np.zeros(size)
    residual, weight = edge_pulls(contour, evidence, level)
    gradient = normal_gradient(contour, projection)
    nearest = cKDTree(placed).query(contour.points)[1]
    modes = np.einsum("ma,mak->mk", gradient @ pose[:3, :3], bending.modes(nearest))
    jacobian = np.column_stack([np.cross(contour.points - centre, gradient), gradient, modes])
    weighted = jacobian * weight[:, None]
    return weighted.T @ jacobian, weighted.T @ residual


def _outlined(outlined: OutlinedModel, vertices: np.ndarray) -> OutlinedModel:
    return OutlinedModel(SurfaceModel(vertices, outlined.model.triangles))


def _spread(known: np.ndarray, shifts: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Displacements (N, 3) of points from those of the nearest known places (M, 3), by inverse distance."""
    distance, index = cKDTree(known).query(points, k=_NEIGHBOURS)
    weight = 1.0 / np.maximum(distance, 1e-6)
    return np.einsum("nk,nka->na", weight / weight.sum(axis=1, keepdims=True), shifts[index])
