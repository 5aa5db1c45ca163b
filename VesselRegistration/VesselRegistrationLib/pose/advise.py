"""Which second view will shrink the error most, told before it is exposed.

The outline that the model would show in a view says how well that view holds each of the six degrees of freedom. Its
expected information is added to that of the first view, and the covariance of the sum gives the error to expect. What
stands in the way in the picture (spine, a wire, a branch without contrast) is not known beforehand and not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import UserError
from ..geometry.carm import CArmView
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .contour import OutlinedModel
from .local import normal_gradient
from .rigid import PosePrior, move_points
from .solver import PoseModel

EDGE_SD_MM = 0.8
"""How far the edge of a vessel mask lies off the true one at the isocentre; so set that the expected errors are those
measured with simulated masks of Dice 0.78 to 0.9 in two views."""

INDEPENDENT_POINTS = 60
"""Errors of neighbouring points of the outline are alike: so many count as independent at most."""

FEWEST_OUTLINE_POINTS = 25

_SIZE = 256
_STEP_PX = 1.5
_TARGETS = 60
_DRAWS = 200
_AS_GOOD = 1.1
_WORTH_IT = 1.5  # the same view once more would promise 1.4, and would not keep it: its faults are the same


@dataclass(frozen=True)
class GantryLimits:
    """Where the C-arm can go, degrees (LAO and cranial positive), and the step of the grid to try."""

    primary_deg: tuple[float, float] = (-60.0, 60.0)
    secondary_deg: tuple[float, float] = (-30.0, 30.0)
    step_deg: float = 10.0

    def __post_init__(self) -> None:
        """Refuse limits that hold no angle (raises UserError)."""
        for name, (low, high), most in (("primary", self.primary_deg, 180.0), ("secondary", self.secondary_deg, 90.0)):
            if not -most <= low <= high <= most:
                raise UserError(f"The limits {low:g} to {high:g} deg of the {name} angle are impossible: give the "
                                f"smaller first, from -{most:g} to {most:g}.")
        if not 1.0 <= self.step_deg <= 60.0:
            raise UserError(f"A step of {self.step_deg:g} deg is of no use: give one from 1 to 60.")

    def angles(self) -> list[tuple[float, float]]:
        """All pairs (primary, secondary) of the grid: multiples of the step within the limits, or their middle."""
        def grid(low: float, high: float) -> list[float]:
            first, last = np.ceil(low / self.step_deg - 1e-9), np.floor(high / self.step_deg + 1e-9)
            return [float(self.step_deg * number) for number in np.arange(first, last + 1)] or [0.5 * (low + high)]

        return [(primary, secondary) for primary in grid(*self.primary_deg) for secondary in grid(*self.secondary_deg)]


@dataclass(frozen=True)
class ExpectedError:
    """What to expect of a view, or of two together: mean error of the model's points in space (mTRE), its 95th
    percentile over registrations, and the standard deviation of the depth along the first view's beam; all mm."""

    view: CArmView
    mtre_mm: float
    mtre_p95_mm: float
    depth_sd_mm: float


@dataclass(frozen=True)
class ViewAdvice:
    """``first`` is the error to expect of the first view alone; ``candidates`` those with a second view, best first.

    ``recommended`` is the candidate that needs the least gantry movement of those nearly as good as the best, and
    ``sentence`` says so. ``sentence`` says too where no candidate helps; ``recommended`` is None then.
    """

    first: ExpectedError
    candidates: tuple[ExpectedError, ...]
    recommended: ExpectedError | None
    sentence: str


def advise_view(
    model: PoseModel,
    first: CArmView,
    pose: np.ndarray,
    limits: GantryLimits | None = None,
    prior: PosePrior | None = None,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> ViewAdvice:
    """Rank second views by the error to expect once both are registered together.

    ``pose`` (4, 4) is where the model lies as far as known: the pose found in the first view, or the model's centre at
    the isocentre. Second views keep the first one's distances, detector and table. Raises UserError where the model
    does not show in the first view.
    """
    prior = prior or PosePrior()
    outlined = model.coarse
    vertices = move_points(pose, outlined.model.vertices)
    centre = move_points(pose, outlined.centre[None])[0]
    seen = expected_information(outlined, vertices, centre, first)
    if seen is None:
        raise UserError(f"The model does not show in the first view ({first.clinical_angles}): give the pose that was "
                        "found in it with --init.")
    targets = vertices[:: max(1, len(vertices) // _TARGETS)] - centre
    draws = np.random.default_rng(0).standard_normal((_DRAWS, 6))

    def expect(view: CArmView, information: np.ndarray, views: Sequence[CArmView]) -> ExpectedError:
        precision = prior.precision(np.array([one.beam_direction for one in views]))
        return _expected_error(view, np.linalg.inv(information + precision), first.beam_direction, targets, draws)

    candidates = []
    grid = (limits or GantryLimits()).angles()
    for number, (primary, secondary) in enumerate(grid):
        raise_if_stopped(should_stop)
        progress(number / len(grid), "Trying views")
        view = replace(first, primary_angle_deg=primary, secondary_angle_deg=secondary)
        added = expected_information(outlined, vertices, centre, view)
        if added is not None:
            candidates.append(expect(view, seen + added, (first, view)))
    progress(1.0, "Views ranked")
    candidates.sort(key=lambda one: one.mtre_mm)
    alone = expect(first, seen, (first,))
    recommended = _recommended(alone, candidates)
    return ViewAdvice(alone, tuple(candidates), recommended, _sentence(alone, recommended))


def expected_information(
    outlined: OutlinedModel, vertices: np.ndarray, centre: np.ndarray, view: CArmView
) -> np.ndarray | None:
    """Inverse covariance (6, 6) that a good mask in a view would give a twist about ``centre`` (world mm).

    ``vertices`` (N, 3) are the placed ones. None where hardly any outline falls into the image.
    """
    factor = max(1.0, max(view.rows, view.columns) / _SIZE)
    small = view.resampled(round(view.rows / factor), round(view.columns / factor))
    drawn = outlined.silhouette(vertices, small.projection_matrix, (small.rows, small.columns))
    contour = outlined.outline(vertices, small.projection_matrix, drawn, _STEP_PX)
    if len(contour.points) < FEWEST_OUTLINE_POINTS:
        return None
    gradient = normal_gradient(contour, small.projection_matrix) * small.isocentre_spacing_mm
    jacobian = np.column_stack([np.cross(contour.points - centre, gradient), gradient])
    return jacobian.T @ jacobian * min(1.0, INDEPENDENT_POINTS / len(jacobian)) / EDGE_SD_MM**2


def _expected_error(
    view: CArmView, covariance: np.ndarray, beam: np.ndarray, targets: np.ndarray, draws: np.ndarray
) -> ExpectedError:
    """Errors of the targets (K, 3), mm from the centre, for twists drawn from a covariance (6, 6)."""
    twists = draws @ np.linalg.cholesky(covariance).T
    moved = np.cross(twists[:, None, :3], targets[None]) + twists[:, None, 3:]
    errors = np.linalg.norm(moved, axis=2).mean(axis=1)
    depth = float(np.sqrt(beam @ covariance[3:, 3:] @ beam))
    return ExpectedError(view, float(errors.mean()), float(np.percentile(errors, 95)), depth)


def _recommended(alone: ExpectedError, candidates: Sequence[ExpectedError]) -> ExpectedError | None:
    if not candidates or candidates[0].mtre_mm > alone.mtre_mm / _WORTH_IT:
        return None
    good = [one for one in candidates if one.mtre_mm <= _AS_GOOD * candidates[0].mtre_mm]
    return min(good, key=lambda one: _travel_deg(alone.view, one.view))


def _travel_deg(one: CArmView, other: CArmView) -> float:
    """How far the gantry turns, both axes moving together."""
    return max(abs(one.primary_angle_deg - other.primary_angle_deg),
               abs(one.secondary_angle_deg - other.secondary_angle_deg))


def _sentence(alone: ExpectedError, recommended: ExpectedError | None) -> str:
    if recommended is None:
        return (f"No second view within the limits shrinks the expected error of {alone.view.clinical_angles} alone "
                f"({alone.mtre_mm:.1f} mm) noticeably.")
    return (f"{recommended.view.clinical_angles} shrinks the expected error from {alone.mtre_mm:.1f} mm to "
            f"{recommended.mtre_mm:.1f} mm.")
