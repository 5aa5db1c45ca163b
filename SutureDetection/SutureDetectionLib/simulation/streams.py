"""Endless seeded examples: single frames, stereo pairs and videos, with exact truth; the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..stereo.camera import StereoCalibration
from .frames import EndoscopyFrame, build_scene, take_picture
from .looks import DOMAINS, SIMULATOR
from .occluders import Tool, sample_tool
from .view import right_eye, smooth_path

FRAME_SIZE = (288, 512)
FRAMES_PER_SECOND = 25.0
_EVERY_S = 3.5  # an instrument passes in front of the stitches this often
_PASSAGE_S = 0.5


@dataclass(frozen=True)
class StereoFrame:
    """Two eyes of one moment: their points correspond one to one; ``points_mm`` (n, 3) in the left camera's frame."""

    left: EndoscopyFrame
    right: EndoscopyFrame
    calibration: StereoCalibration
    points_mm: np.ndarray

    @property
    def top_bottom(self) -> np.ndarray:
        """The recorded picture (2 * rows, columns, 3): the left eye above the right."""
        return np.concatenate([self.left.image, self.right.image])


def _generator(seed: int, domain: str, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, DOMAINS.index(domain) if domain in DOMAINS else len(DOMAINS), stream])


def endoscopy_frame(seed: int, domain: str = SIMULATOR, size: tuple[int, int] = FRAME_SIZE) -> EndoscopyFrame:
    """One picture of ``size`` (rows, columns) in an appearance of :data:`.looks.DOMAINS`. Raises UserError."""
    scene, view = build_scene(_generator(seed, domain, 61), domain, size)
    return take_picture(scene, view, 0)


def stereo_frame(seed: int, domain: str = SIMULATOR, size: tuple[int, int] = FRAME_SIZE) -> StereoFrame:
    """Both eyes of a stereo endoscope with a base of 3 to 6 mm, each of ``size`` (rows, columns). Raises UserError.

    The left eye sees the frame that :func:`endoscopy_frame` gives for the same arguments.
    """
    scene, view = build_scene(_generator(seed, domain, 61), domain, size)
    right, calibration = right_eye(_generator(seed, domain, 62), view)
    return StereoFrame(take_picture(scene, view, 0), take_picture(scene, right, 1), calibration,
                       view.in_camera(scene.stitches.points))


def video(seed: int, frames: int, domain: str = SIMULATOR, size: tuple[int, int] = FRAME_SIZE,
          frames_per_second: float = FRAMES_PER_SECOND) -> Iterator[EndoscopyFrame]:
    """Frames of one scene: the camera drifts and shakes, instruments pass and cover some stitches for about 1 s.

    ``ids`` of the points are the same in all frames. Raises UserError.
    """
    rng = _generator(seed, domain, 63)
    scene, view = build_scene(rng, domain, size)
    drift = smooth_path(rng, frames, 1.2 * frames_per_second, np.array([1.6, 1.6, 1.5, 1.5, 1.5, 2.5]))
    shake = smooth_path(rng, frames, 0.16 * frames_per_second, np.array([0.10, 0.10, 0.10, 0.05, 0.05, 0.05]))
    course = drift + shake
    course -= course[0]
    passages = []
    points = scene.stitches.points
    for start in np.arange(rng.uniform(0.3, 1.2), frames / frames_per_second, _EVERY_S):
        target = points[int(rng.integers(len(points)))] if len(points) else np.zeros(3)
        tool = sample_tool(rng, view, target - np.append(0.15 * target[:2], 0.0))
        passages.append((float(start), float(rng.uniform(0.8, 1.2)), tool))
    for number in range(frames):
        moving = tuple(moved for passage in passages
                       if (moved := _passing(passage, number / frames_per_second)) is not None)
        turned = view.turned(course[number, :3], course[number, 3:])
        yield take_picture(scene, turned, number, scene.tools + moving)


def _passing(passage: tuple[float, float, Tool], time_s: float) -> Tool | None:
    """The tool of a passage (start s, stay s, tool) at a time: it comes along its shaft, stays, and goes; else None."""
    start, stay, tool = passage
    since = time_s - start
    if not 0 <= since <= stay + 2 * _PASSAGE_S:
        return None
    outside = max(1 - since / _PASSAGE_S, (since - stay - _PASSAGE_S) / _PASSAGE_S, 0.0)
    shaft = tool.tail - tool.wrist
    sway = np.array([np.sin(3.0 * since), np.cos(2.3 * since), 0.0]) * 0.6
    return tool.moved(70.0 * outside**1.5 * shaft / np.linalg.norm(shaft) + sway)
