"""Where catheters lie in a picture: courses through it, and the visible piece of each with its truth."""

from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy
from .catheters import Catheter
from .courses import bounded_spline
from .devices import attenuation_gains, route_line, stroke_mask, stroke_shadow
from .strokes import project_points, resample
from .textures import smooth_noise

_APPROACH_MM = 240.0
_MARGIN_PX = 8.0
_SHORTEST_SHARE = 0.09  # of the picture's side; shorter pieces are not worth a label


@dataclass(frozen=True)
class PlacedCatheter:
    """The visible piece of a catheter in a picture.

    ``shadow`` (rows, columns) float32 is its attenuation, ``mask`` bool the pixels it covers. ``curve`` (N, 2) float32
    px as (col, row) runs from the tip, or from where the far side is cut off, to where it leaves the picture.
    ``tip`` (2,) px may lie outside; ``tip_visible`` says so. ``depth`` is its mean distance from the source in mm.
    """

    shadow: np.ndarray
    mask: np.ndarray
    curve: np.ndarray
    tip: np.ndarray
    tip_visible: bool
    depth: float


def course_through_vessel(anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """A course (n, 3) model mm along a usual route inside the vessel, as far as chance wants.

    It comes from outside of the vessel model: straight on from the model's end, and bent a little.
    """
    line = route_line(anatomy, rng)
    line = line[: max(12, int(rng.uniform(0.35, 1.0) * len(line)))]
    back = line[0] - line[min(8, len(line) - 1)]
    back /= np.linalg.norm(back)
    away = np.arange(_APPROACH_MM, 0.0, -3.0)[:, None]
    bend = 0.002 * rng.normal(size=3) * away**2
    return np.concatenate([line[0] + away * back + bend, line])


def course_across(rng: np.random.Generator, projection: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """A course (n, 3) model mm across the picture, whatever lies there; its last point is the tip.

    A tenth of them passes through the picture with the tip outside of it.
    """
    rows, columns = usable.shape
    inverse = np.linalg.inv(projection[:, :3])
    scale = float(np.sqrt(abs(np.linalg.det(projection[:, :3]))))
    depth = rng.uniform(660.0, 820.0)
    px_per_mm = scale / depth
    middle = np.array([columns - 1, rows - 1]) / 2
    angle = rng.uniform(0, 2 * np.pi)
    target = np.array([np.cos(angle), np.sin(angle)]) * 1.5 * columns
    if rng.random() < 0.1:
        tip = -0.45 * target + rng.normal(0, 0.15 * columns, size=2)
    else:
        inner = np.argwhere(usable[::4, ::4]) * 4.0
        tip = inner[rng.integers(len(inner))][::-1] - middle
        tip *= rng.uniform(0.5, 0.95)
    heading = float(np.arctan2(*(target - tip)[::-1]) + rng.normal(0, 0.7))
    tightest = float(np.exp(rng.uniform(np.log(9.0), np.log(60.0))))
    line = bounded_spline(rng, tip / px_per_mm, heading, target / px_per_mm, tightest, 2.6 * columns / px_per_mm)
    line = line[::-1]
    depths = depth + 14.0 * smooth_noise(rng, (1, len(line)), 60)[0][:, None]
    homogeneous = np.column_stack([line * px_per_mm + middle, np.ones(len(line))]) * depths
    return (homogeneous - projection[:, 3]) @ inverse.T


def place(
    catheter: Catheter, projection: np.ndarray, usable: np.ndarray, faintest: np.ndarray
) -> PlacedCatheter | None:
    """Draw the piece of a catheter that can be seen first from its tip.

    It is drawn up to where it leaves the picture or the collimated field for the first time, and does not come back.
    ``faintest`` (rows, columns) is the attenuation that can just be made out: where half of the catheter has less, it
    is made of denser stuff, so that nothing bears a label that nobody sees. None where next to nothing is in sight,
    or the far end is.
    """
    shape = usable.shape
    line = catheter.line
    homogeneous = line @ projection[:, :3].T + projection[:, 3]
    if homogeneous[:, 2].min() <= 100.0:
        return None
    pixels, scale = project_points(line, projection)
    shown = _visible(pixels, usable)[::-1]
    if not shown.any():
        return None
    first = int(np.argmax(shown))
    hidden = np.flatnonzero(~shown[first:])
    if not len(hidden):
        return None
    last = first + int(hidden[0]) - 1
    curve = resample(pixels[::-1][first : last + 1], 1.0)[0] if last > first else pixels[:0]
    if len(curve) < _SHORTEST_SHARE * shape[0]:
        return None
    reach = int(_MARGIN_PX / max(float(np.median(np.linalg.norm(np.diff(pixels, axis=0), axis=1))), 1e-3)) + 1
    begin, end = max(0, len(line) - 1 - last - reach), min(len(line), len(line) - first + reach)
    shadow = np.zeros(shape, dtype=np.float32)
    mask = np.zeros(shape, dtype=bool)
    for part in catheter.parts:
        stop = min(end, len(part.line))
        if stop - begin < 2:
            continue
        piece = slice(begin, stop)
        shadow += stroke_shadow(part, pixels[piece], scale[piece], attenuation_gains(part)[piece], shape)
        mask |= stroke_mask(part, pixels[piece], scale[piece], shape)
    col, row = np.rint(curve).astype(int).T
    shadow *= max(1.0, float(np.median(faintest[row, col] / np.maximum(shadow[row, col], 1e-3))))
    depth = float(homogeneous[begin:end, 2].mean())
    return PlacedCatheter(shadow, mask & usable, curve.astype(np.float32), pixels[-1].astype(np.float32), first == 0,
                          depth)


def _visible(pixels: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Which points (n,) lie on usable pixels of the picture."""
    rows, columns = usable.shape
    inside = np.all((pixels >= 0) & (pixels <= (columns - 1, rows - 1)), axis=1)
    nearest = np.clip(np.rint(pixels), 0, (columns - 1, rows - 1)).astype(int)
    return inside & usable[nearest[:, 1], nearest[:, 0]]
