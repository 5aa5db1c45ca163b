"""Catheters on backgrounds that somebody gives: rendered CT volumes, pictures without a catheter, plain patches."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import UserError
from .anatomy import FAMILIES, LOWER, UPPER
from .catheter_frames import CatheterFrame, catheter_look, empty_frame, finished_frame
from .catheters import Catheter
from .contrast import halved
from .courses import bounded_spline
from .ct_case import CTVolume, ray_sums
from .devices import Device
from .domains import TRAINING
from .exposure import random_view, true_pose
from .instruments import SOLID
from .placing import course_across, place
from .streams import cached_anatomy
from .textures import resized

PATCHES = 32
_DEPTH_MM = 740.0
_VIEWS_TRIED = 5
_NEXT_TO_NOTHING = 0.4
_VOXEL_MM = 2.0
_REACH_MM = 220.0
_LARGEST_STEP = 50.0
_GREY_PER_UNIT = 100.0  # grey levels per -ln unit of what a patch frame hands over
_SHAPES = 400


def ct_backgrounds(ct: CTVolume, count: int, seed: int, size: int = 256) -> np.ndarray:
    """Ray sums of a CT as (count, size, size) float32 in -ln units, in random views of random places.

    A volume that is too short for them goes on beyond its first and last slice in its mirror image. Of a few views
    the one is taken that shows least beside the volume. That takes half a second each: make some
    dozens once and hand them to :func:`frame_over`.
    """
    rng = np.random.default_rng([seed, 61])
    ct = _continued(_coarser(ct))
    images = []
    for _ in range(count):
        tries = [_ct_view(ct, rng, size) for _ in range(_VIEWS_TRIED)]
        glances = [ray_sums(ct, halved(halved(halved(projection))), (size // 8, size // 8)) for projection in tries]
        filled = [float((glance > _NEXT_TO_NOTHING).mean()) for glance in glances]
        chosen = halved(tries[int(np.argmax(filled))])
        images.append(resized(ray_sums(ct, chosen, (size // 2, size // 2)), (size, size)))
    return np.stack(images)


def _coarser(ct: CTVolume) -> CTVolume:
    """The volume with voxels of about 2 mm where they are finer, by means of blocks."""
    spacing = np.linalg.norm(np.linalg.inv(ct.ras_to_index)[:3, :3], axis=0)
    factor = np.maximum(1, (_VOXEL_MM / spacing).astype(int))
    size = np.array(ct.values.shape[::-1]) // factor
    (ni, nj, nk), (fi, fj, fk) = size.tolist(), factor.tolist()
    blocks = ct.values[: nk * fk, : nj * fj, : ni * fi].reshape(nk, fk, nj, fj, ni, fi)
    to_coarse = np.diag([1 / fi, 1 / fj, 1 / fk, 1.0])
    to_coarse[:3, 3] = (1 / factor - 1) / 2
    return CTVolume(blocks.mean(axis=(1, 3, 5), dtype=np.float32), to_coarse @ ct.ras_to_index)


def _continued(ct: CTVolume) -> CTVolume:
    """The volume with its mirror image above and below, as far as views may look."""
    spacing = float(np.linalg.norm(np.linalg.inv(ct.ras_to_index)[:3, 2]))
    count = min(len(ct.values) - 1, int(_REACH_MM / spacing))
    shift = np.eye(4)
    shift[2, 3] = count
    return CTVolume(np.pad(ct.values, ((count, count), (0, 0), (0, 0)), mode="reflect"), shift @ ct.ras_to_index)


def _ct_view(ct: CTVolume, rng: np.random.Generator, size: int) -> np.ndarray:
    """The projection (3, 4) of a random view of a random place in the middle third of a CT."""
    index_to_ras = np.linalg.inv(ct.ras_to_index)
    index = rng.uniform(0.36, 0.64, size=3) * (np.array(ct.values.shape[::-1]) - 1)
    centre = index_to_ras[:3, :3] @ index + index_to_ras[:3, 3]
    return random_view(LOWER, rng, size).projection_matrix @ true_pose(centre, rng)


def frame_over(
    background: np.ndarray, seed: int, domain: str = TRAINING, *, finished: bool = False
) -> CatheterFrame:
    """A picture with catheters across a given ``background`` (rows, columns) in -ln units without catheters.

    The background counts as line integrals that the detector has yet to see; a ``finished`` one is a picture with
    noise and processing of its own, to which nothing but the catheters is added. There is no vessel in the truth.
    Raises UserError for a background that is no picture of at least 64 pixels a side or not finite.
    """
    if background.ndim != 2 or min(background.shape) < 64 or not np.isfinite(background).all():
        raise UserError("The background has to be one picture of at least 64 x 64 pixels without gaps.")
    rng = np.random.default_rng([seed, 62])
    look = catheter_look(rng, domain, cached_anatomy(UPPER, 0))
    rows, columns = background.shape
    focal = _DEPTH_MM * rng.uniform(0.9, 1.7) * columns / 256
    projection = np.array([[focal, 0, columns / 2, 0], [0, focal, rows / 2, 0], [0, 0, 1, 0]])

    def course(_: bool, shown: np.ndarray) -> np.ndarray:
        return course_across(rng, projection, shown)

    nothing = np.zeros(background.shape, dtype=np.float32)
    everywhere = np.ones(background.shape, dtype=bool)

    def added(shadow: np.ndarray) -> np.ndarray:
        return (background + gaussian_filter(shadow, look.blur_px) / (1 + look.scatter)).astype(np.float32)

    return finished_frame(background.astype(np.float32), nothing, nothing > 0, everywhere, look, rng, projection,
                          course, added if finished else None)


def patch_frame(
    seed: int, size: int = 256, domain: str = TRAINING, backgrounds: np.ndarray | None = None
) -> CatheterFrame:
    """A picture made by the recipe of Gherardini et al. (2020, section 3.2), for comparison with physical ones.

    A background patch in 256 grey levels and a catheter's course are paired at random; one transformation of rotation
    (0 to 90 deg), zoom (0.6 to 1.4), shift (up to a fifth of the side) and mirroring moves the course; every pixel of
    the catheter gets the background's mean grey plus a uniform number between -50 and 50. ``backgrounds`` (n, size,
    size) in grey levels take the place of 32 patches of simulated pictures of the domain. The attenuation of the
    frame is (255 - grey) / 100. Courses are B-splines of 2 to 4 px width in place of the paper's annotations.
    """
    patches = _patches(size, domain) if backgrounds is None else np.asarray(backgrounds, dtype=np.float32)
    if patches.ndim != 3 or patches.shape[1:] != (size, size) or not len(patches):
        raise UserError(f"Background patches have to be a stack of pictures of {size} x {size} pixels.")
    rng = np.random.default_rng([seed, 63])
    everywhere = np.ones((size, size), dtype=bool)
    plain = np.array([[_DEPTH_MM, 0, 0, 0], [0, _DEPTH_MM, 0, 0], [0, 0, 1, 0]])  # one pixel per millimetre
    while True:
        line = _transformed(_shape(int(rng.integers(_SHAPES)), size), rng, size)
        flat = np.column_stack([line, np.full(len(line), _DEPTH_MM)])
        device = Device(flat, rng.uniform(0.9, 1.6), SOLID, 1.0)
        placed = place(Catheter(flat, (device,)), plain, everywhere, np.zeros((size, size)))
        if placed is not None:
            break
    patch = patches[int(rng.integers(len(patches)))]
    grey = patch.mean() + rng.uniform(-_LARGEST_STEP, _LARGEST_STEP, size=patch.shape)
    picture = np.clip(np.where(placed.mask, grey, patch), 0, 255)
    return CatheterFrame(
        attenuation=((255 - picture) / _GREY_PER_UNIT).astype(np.float32), vessel_mask=np.zeros_like(everywhere),
        device_mask=placed.mask, instances=placed.mask.astype(np.uint8), curves=(placed.curve,),
        tips=placed.tip[None], tip_visible=np.array([placed.tip_visible]), usable=everywhere,
    )


@lru_cache(maxsize=4)
def _patches(size: int, domain: str) -> np.ndarray:
    """Sub-areas of simulated pictures without a catheter (32, size, size) in grey levels."""
    patches = []
    for number in range(PATCHES):
        rng = np.random.default_rng([number, 64])
        image, usable = empty_frame(FAMILIES[number % len(FAMILIES)], number, size, domain)
        low, high = np.quantile(image[usable], [0.005, 0.995])
        part = int(size * rng.uniform(0.6, 0.9))
        row, col = rng.integers(0, size - part + 1, size=2)
        cut = resized(image[row : row + part, col : col + part], (size, size))
        patches.append(np.rint(255 * (1 - np.clip((cut - low) / max(high - low, 1e-3), 0, 1))))
    return np.stack(patches).astype(np.float32)


def _shape(number: int, size: int) -> np.ndarray:
    """One of the 400 courses (n, 2) px that stand for annotated catheters; it ends at the tip."""
    rng = np.random.default_rng([number, 65])
    tip = rng.uniform(0.25, 0.75, size=2) * size
    angle = rng.uniform(0, 2 * np.pi)
    target = size * (0.5 + 1.5 * np.array([np.cos(angle), np.sin(angle)]))
    heading = float(np.arctan2(*(target - tip)[::-1]) + rng.normal(0, 0.7))
    return bounded_spline(rng, tip, heading, target, rng.uniform(10.0, 60.0), 4.0 * size)[::-1]


def _transformed(line: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """The course after one random transformation about the middle of the picture."""
    middle = (size - 1) / 2
    kind = int(rng.integers(4))
    if kind == 0:
        angle = np.radians(rng.uniform(0, 90))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return middle + (line - middle) @ turn.T
    if kind == 1:
        return middle + rng.uniform(0.6, 1.4) * (line - middle)
    if kind == 2:
        return line + rng.uniform(-0.2, 0.2, size=2) * size
    return middle + (line - middle) * np.where(rng.random(2) < 0.5, -1.0, 1.0)
