"""A scene - valve, stitches, ring, tools - and the pictures a camera takes of it, with what is true in them."""

from dataclasses import dataclass

import numpy as np

from .looks import Look, sample_look
from .occluders import Tool, paint_tool, sample_tool
from .optics import record
from .painting import knots_of, knots_on, paint_pledgets, paint_ring, paint_shadows, paint_strands, ring_line
from .stitches import Stitches, place_stitches
from .surface import meet, shade
from .valve import Valve, build_valve
from .view import View, sample_view

_HIDDEN_BEHIND_MM = 1.5
_COVERED = 0.5


@dataclass(frozen=True)
class EndoscopyFrame:
    """One picture and its truth.

    ``image`` (rows, columns, 3) uint8 RGB. Of the n places where a thread pierces the tissue: ``points`` (n, 2)
    float64 pixels (col, row) with 0-based centres, ``kinds`` (n,) 0 = entry, 1 = exit, ``pair_ids`` (n,) the stitch,
    ``ids`` (n,) the same place in every frame of a video and in both eyes, ``visible`` (n,) bool, ``depth`` (n,) mm
    along the optical axis. Points that are outside the picture or covered are not visible and are no labels.
    """

    image: np.ndarray
    points: np.ndarray
    kinds: np.ndarray
    pair_ids: np.ndarray
    ids: np.ndarray
    visible: np.ndarray
    depth: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The visible points (m, 2)."""
        return self.points[self.visible]


@dataclass(frozen=True)
class Scene:
    """Everything that stays while the camera moves; ``seed`` fixes what the painters draw at random."""

    look: Look
    valve: Valve
    stitches: Stitches
    ring: np.ndarray | None
    tools: tuple[Tool, ...]
    seed: int


def build_scene(rng: np.random.Generator, domain: str, size: tuple[int, int]) -> tuple[Scene, View]:
    """A scene in the appearance of ``domain`` and a first view of it."""
    look = sample_look(rng, domain, size[1])
    valve = build_valve(rng, look)
    stitches = place_stitches(rng, valve, look)
    view = sample_view(rng, 2 * valve.annulus.half_width_mm, size)
    ring = ring_line(rng, valve) if look.ring else None
    tools = [sample_tool(rng, view, np.append(rng.normal(0, 11, size=2), 0.0)) for _ in range(look.instruments)]
    if look.glove:
        far = rng.uniform(0, 2 * np.pi)
        target = np.array([np.cos(far), np.sin(far), 0.1]) * rng.uniform(18, 30)
        tools.append(sample_tool(rng, view, target, finger=True))
    return Scene(look, valve, stitches, ring, tuple(tools), int(rng.integers(2**31))), view


def take_picture(scene: Scene, view: View, noise_seed: int, tools: tuple[Tool, ...] | None = None) -> EndoscopyFrame:
    """The picture of a scene from a view; ``noise_seed`` varies only what changes from frame to frame."""
    look, stitches = scene.look, scene.stitches
    rng = np.random.default_rng([scene.seed, 1])
    meeting = meet(scene.valve, view)
    image = shade(np.random.default_rng([scene.seed, 2]), scene.valve, view, look, stitches, meeting)
    points, depth = view.project(stitches.points)
    hidden = _behind_tissue(meeting.depths, points, depth)
    paint_shadows(image, stitches.strands, view, look)
    cover = paint_pledgets(image, stitches.pledgets, view, look)
    over = list(stitches.strands)
    if scene.ring is not None:
        # The threads of stitches that the ring covers come out from under it.
        ring_rng = np.random.default_rng([scene.seed, 3])
        cover = np.maximum(cover, paint_ring(ring_rng, image, scene.ring, view, look))
        over += knots_on(ring_rng, scene.ring, look)
    over += knots_of(rng, stitches, look)
    paint_strands(image, over, view, look, meeting.typical_mm)
    for tool in scene.tools if tools is None else tools:
        cover = np.maximum(cover, paint_tool(np.random.default_rng([scene.seed, 4]), image, view, look, tool))
    picture = record(np.random.default_rng([scene.seed, 5]), np.random.default_rng([scene.seed, 6, noise_seed]),
                     image.reshape(*view.size, 3), look)
    visible = _inside(points, view.size) & ~hidden & (_at(cover.reshape(view.size), points) < _COVERED)
    if look.circle:
        middle = 0.5 * np.array([view.size[1], view.size[0]])
        visible &= np.linalg.norm(points - middle, axis=1) < 0.485 * view.size[1]
    return EndoscopyFrame(picture, points, stitches.kinds, stitches.pair_ids, np.arange(len(points)), visible, depth)


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.all((points > -0.5) & (points < np.array([size[1], size[0]]) - 0.5), axis=1)


def _at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values (n,) of a picture (rows, columns) at the pixels nearest to points (n, 2)."""
    spot = np.clip(np.rint(points).astype(int), 0, np.array(picture.shape[::-1]) - 1)
    return picture[spot[:, 1], spot[:, 0]]


def _behind_tissue(depths: np.ndarray, points: np.ndarray, depth: np.ndarray) -> np.ndarray:
    return _at(depths, points) < depth - _HIDDEN_BEHIND_MM
