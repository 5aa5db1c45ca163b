"""Following a registered model through a cine: breathing and heartbeat as in-plane motion, frame by frame.

In a single view the depth and the turns out of the plane cannot be followed; what can are two shifts in the plane and
the turn about the beam. For moves of a few millimetres the outline of the model stays the same curve, so it is drawn
once per gantry position and only moved. A Kalman filter of constant velocity predicts the next frame and carries over
frames that show little; where a frame shows nothing, the last good pose is kept, and the result says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..geometry.carm import CArmView
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .contour import Contour
from .evidence import ViewEvidence
from .frame_quality import FrameQuality, judge_frame
from .local import Level, contour_equations
from .rigid import move_points, rigid_motion
from .solver import PoseModel

TRACKED = "tracked"
HELD = "held"

SIZE = 256
"""Longer side, in pixels, of the image that is followed."""

_NEAR = (Level(SIZE // 2, 12.0, 4.0, 3), Level(SIZE, 6.0, 1.5, 5))
_FAR = (Level(SIZE // 2, 22.0, 8.0, 6), *_NEAR)
_MARGIN = 0.2
_STEP_PX = 1.5
_SMALL_MM = 0.02
_STRENGTHS = np.array([0.25, 120.0, 120.0])
"""Standard deviation of the acceleration (rad/s^2, mm/s^2): a beat of 3 mm at 1 Hz peaks at 120 mm/s^2."""

_REST = np.array([np.radians(4.0), 12.0, 12.0])
"""How far from the last good pose a model may reappear (rad, mm)."""

_FARTHEST_MM = 40.0


@dataclass(frozen=True)
class TrackedFrame:
    """The pose of one frame.

    ``status`` is ``tracked``, or ``held`` where the pose is that of the last good frame; ``reason`` says why.
    ``shift_mm`` (2,) along col and row at the isocentre, and ``turn_deg`` about the beam, count from the pose that
    tracking began with at this gantry position; ``sd_mm`` is a standard deviation of the shift, from the residuals.
    """

    frame_number: int
    model_to_world: np.ndarray
    status: str
    reason: str
    quality: FrameQuality
    shift_mm: tuple[float, float]
    turn_deg: float
    sd_mm: float


class PoseTracker:
    """Follows one model frame after frame, in the order of time or against it."""

    def __init__(self, model: PoseModel, start: np.ndarray) -> None:
        """``start`` (4, 4) is the registered pose near the first frame that will be given."""
        self._outlined = model.coarse
        self._start = start
        self._view: CArmView | None = None
        self._contour = Contour(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 2)))
        self._area_mm2 = 0.0
        self._axes = np.zeros((3, 6))
        self._centre = np.zeros(3)
        # State: turn (rad) and two shifts (mm), then their velocities per second.
        self._state = np.zeros(6)
        self._covariance = np.diag([*_REST**2, *(4 * _REST) ** 2])
        self._last_good = -1

    def follow(self, evidence: ViewEvidence | None, view: CArmView, frame_number: int, seconds: float) -> TrackedFrame:
        """The pose in a frame that comes ``seconds`` after the one before; ``evidence`` None where there is no mask."""
        self._turn_to(view)
        held = self._state.copy()
        self._predict(seconds)
        if evidence is None:
            return self._hold(held, frame_number, FrameQuality(0.0, 0.0), "it has no mask")
        small = evidence.at(SIZE)
        believed = self._covariance
        position, information = self._settle(evidence, _FAR if self._lost else _NEAR, believed)
        quality = self._judge(small, position)
        if quality.problem and not self._lost:
            # A sudden move, e.g. of the patient: look further before giving up.
            believed = believed + np.diag([*_REST**2, 0.0, 0.0, 0.0])
            position, information = self._settle(evidence, _FAR, believed)
            quality = self._judge(small, position)
        if quality.problem:
            return self._hold(held, frame_number, quality, quality.problem)
        if np.hypot(*position[1:]) > _FARTHEST_MM:
            return self._hold(held, frame_number, quality, "the vessel jumped out of reach")
        self._correct(position, information, believed)
        self._last_good = frame_number
        return self._frame(frame_number, TRACKED, "", quality)

    @property
    def _lost(self) -> bool:
        return self._last_good < 0 or self._covariance[1, 1] > 0.5 * _REST[1] ** 2

    def _turn_to(self, view: CArmView) -> None:
        """Begin anew from the present pose where the C-arm has moved; what has been learnt of the motion stays."""
        if view == self._view:
            return
        pose = self._pose(self._state[:3])
        axes = np.zeros((3, 6))
        axes[0, :3] = view.beam_direction
        axes[1:, 3:] = view.image_axes
        if self._view is not None:
            keep = axes @ self._axes.T
            both = np.kron(np.eye(2), keep)
            self._state = np.concatenate([np.zeros(3), keep @ self._state[3:]])
            self._covariance = both @ self._covariance @ both.T + 1e-9 * np.eye(6)
        self._view, self._start, self._axes = view, pose, axes
        self._centre = move_points(pose, self._outlined.centre[None])[0]
        self._draw(view, move_points(pose, self._outlined.model.vertices))

    def _draw(self, view: CArmView, vertices: np.ndarray) -> None:
        """The outline beyond the image's border too: it may come in."""
        factor = max(1.0, max(view.rows, view.columns) / SIZE)
        rows, columns = round(view.rows / factor), round(view.columns / factor)
        margin = int(_MARGIN * max(rows, columns))
        small = view.resampled(rows, columns)
        col, row = small.central_pixel
        wide = replace(small, rows=rows + 2 * margin, columns=columns + 2 * margin,
                       principal_point=(col + margin, row + margin))
        drawn = self._outlined.silhouette(vertices, wide.projection_matrix, (wide.rows, wide.columns))
        self._contour = self._outlined.outline(vertices, wide.projection_matrix, drawn, _STEP_PX)
        spacing = wide.isocentre_spacing_mm
        self._area_mm2 = float(drawn[margin:margin + rows, margin:margin + columns].sum()) * spacing**2

    def _predict(self, seconds: float) -> None:
        step = np.eye(6)
        step[:3, 3:] = seconds * np.eye(3)
        noise = np.kron([[seconds**4 / 4, seconds**3 / 2], [seconds**3 / 2, seconds**2]], np.diag(_STRENGTHS**2))
        self._state = step @ self._state
        self._covariance = step @ self._covariance @ step.T + noise

    def _settle(self, evidence: ViewEvidence, levels: Sequence[Level],
                covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """In-plane position (3,) by Gauss-Newton from the predicted one, and what the frame says of it (3, 3)."""
        predicted = self._state[:3]
        believed = np.linalg.inv(covariance[:3, :3])
        position, information = predicted.copy(), np.zeros((3, 3))
        for level in levels:
            scaled = evidence.at(level.size)
            for _ in range(level.iterations):
                contour, centre = self._moved_contour(position, scaled.view)
                full, pull = contour_equations(contour, scaled, centre, level)
                information = self._axes @ full @ self._axes.T
                step = np.linalg.solve(information + believed,
                                       self._axes @ pull - believed @ (position - predicted))
                position = position + step
                if np.abs(step[1:]).max() < _SMALL_MM:
                    break
        return position, information

    def _moved_contour(self, position: np.ndarray, view: CArmView) -> tuple[Contour, np.ndarray]:
        twist = position @ self._axes
        points = move_points(rigid_motion(twist, self._centre), self._contour.points)
        pixels, _ = view.project(points)
        # A turn about the beam, which goes into the image, turns the normals in the image as much.
        mirrored = np.linalg.det(np.vstack([view.image_axes, view.beam_direction]))
        cosine, sine = np.cos(position[0]), mirrored * np.sin(position[0])
        normals = self._contour.normals @ np.array([[cosine, sine], [-sine, cosine]])
        return Contour(points, pixels, normals), self._centre + twist[3:]

    def _judge(self, small: ViewEvidence, position: np.ndarray) -> FrameQuality:
        contour, _ = self._moved_contour(position, small.view)
        return judge_frame(contour, self._area_mm2 / small.view.isocentre_spacing_mm**2, small)

    def _correct(self, position: np.ndarray, information: np.ndarray, prior: np.ndarray) -> None:
        """Kalman update of the predicted state, whose covariance is ``prior``, with a position that weighs both."""
        posterior = np.linalg.inv(np.linalg.inv(prior[:3, :3]) + information)
        gain = prior[:, :3] @ np.linalg.inv(prior[:3, :3])
        self._state = self._state + gain @ (position - self._state[:3])
        self._covariance = prior + gain @ (posterior - prior[:3, :3]) @ gain.T

    def _hold(self, held: np.ndarray, frame_number: int, quality: FrameQuality, problem: str) -> TrackedFrame:
        """Keep the last good pose and expect no speed; the longer it lasts, the wider the model is looked for."""
        self._state = np.concatenate([held[:3], np.zeros(3)])
        position = np.minimum(np.diag(self._covariance)[:3], _REST**2)
        self._covariance = np.diag([*position, *(2 * _REST) ** 2])
        kept = "the starting pose" if self._last_good < 0 else f"the pose of frame {self._last_good}"
        return self._frame(frame_number, HELD, f"Frame {frame_number}: {problem}; {kept} is kept.", quality)

    def _frame(self, number: int, status: str, reason: str, quality: FrameQuality) -> TrackedFrame:
        turn, col, row = self._state[:3]
        sd = float(np.sqrt(self._covariance[1:3, 1:3].trace() / 2))
        return TrackedFrame(number, self._pose(self._state[:3]), status, reason, quality, (float(col), float(row)),
                            float(np.degrees(turn)), sd)

    def _pose(self, position: np.ndarray) -> np.ndarray:
        return rigid_motion(position @ self._axes, self._centre) @ self._start


def track(
    model: PoseModel,
    views: Sequence[CArmView],
    mask_of: Callable[[int], ViewEvidence | None],
    start: np.ndarray,
    start_frame: int = 0,
    frame_seconds: float = 1 / 15,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> tuple[TrackedFrame, ...]:
    """A pose for every frame of a cine, in order.

    ``views`` holds the view of each frame; ``mask_of`` gives a frame's evidence by its number (0-based), None where
    there is none. ``start`` (4, 4) is the pose found in frame ``start_frame``: from there the cine is followed forwards
    to its end, then backwards to its beginning.
    """
    found: dict[int, TrackedFrame] = {}
    for frames in (range(start_frame, len(views)), range(start_frame - 1, -1, -1)):
        pose = start if not found else found[start_frame].model_to_world
        tracker = PoseTracker(model, pose)
        for number in frames:
            raise_if_stopped(should_stop)
            progress(len(found) / len(views), f"Frame {number}")
            found[number] = tracker.follow(mask_of(number), views[number], number, frame_seconds)
    progress(1.0, "Followed")
    return tuple(found[number] for number in sorted(found))
