"""Endless seeded pictures with catheters and guidewires, and the truth about every single one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..errors import UserError
from ..projection.rasterizer import path_length
from .anatomy import FAMILIES, Anatomy, build_anatomy
from .arteries import THIN_VESSEL_FIELD, tree_centre
from .catheters import make_catheter
from .detector import collimator, moved
from .devices import device_shadow
from .domains import TRAINING, domain_named
from .exposure import aimed, narrowed, random_view, true_pose
from .fluoroscopy import injected, observe
from .instruments import fixture
from .looks import Look, sample_look
from .placing import PlacedCatheter, course_across, course_through_vessel, place
from .scenery import solid_shadow, textured
from .vendor import undeclared_border

ANY = "any"
MOST_CATHETERS = 4

_TRAINING_ANATOMIES = 40
_FAINTEST_LINE = 0.10
_NOISES_ABOVE = 2.2
_FIRST_HELD_OUT_ANATOMY = 1000
_HELD_OUT_ANATOMIES = 24
_FRAMES_PER_SHOT = 4
_ATTEMPTS = 8


@dataclass(frozen=True)
class CatheterFrame:
    """A picture with one to four catheters or guidewires; all images (size, size).

    ``attenuation`` float32 in -ln units, larger = more attenuation. ``vessel_mask`` bool: vessel as far as contrast
    shows it. ``device_mask`` bool: all catheters and guidewires, and nothing else (no probe, lead, clip, wire suture,
    stent). ``instances`` uint8: 0 background, 1 to 4 the devices; where they cross, the one nearer to the source.
    ``curves``: for every device (N, 2) float32 px as (col, row), about 1 px apart, from the tip to where it leaves
    the picture or the collimated field. A device whose tip is out of sight begins where it comes into sight.
    ``tips`` (K, 2) float32 px, where ``tip_visible`` (K,) bool is False outside of what can be seen. ``usable`` bool:
    False behind the collimator.
    """

    attenuation: np.ndarray
    vessel_mask: np.ndarray
    device_mask: np.ndarray
    instances: np.ndarray
    curves: tuple[np.ndarray, ...]
    tips: np.ndarray
    tip_visible: np.ndarray
    usable: np.ndarray


@dataclass(frozen=True)
class _Shot:
    """What neighbouring seeds share: a patient in a view, the ``solid`` shadow at half size, mm in vessel, arteries."""

    anatomy: Anatomy
    projection: np.ndarray
    solid: np.ndarray
    length: np.ndarray
    thin_vessels: bool


def catheter_frame(family: str, seed: int, size: int = 256, domain: str = TRAINING) -> CatheterFrame:
    """One picture for the catheter networks; the same for the same arguments.

    ``family`` is "upper", "lower" or "any" (they take turns). In training four neighbouring seeds share patient and
    view, and nothing else: ask for seeds in order, which is much faster. Anatomies of the other domains are never
    those of training. Raises UserError for another family or domain or a negative seed.
    """
    if family not in (*FAMILIES, ANY):
        raise UserError(f"There is no anatomy family {family!r}: choose one of {', '.join((*FAMILIES, ANY))}.")
    if seed < 0:
        raise UserError(f"The seed {seed} is negative: give 0 or a larger whole number.")
    if family == ANY:
        family, seed = FAMILIES[seed % len(FAMILIES)], seed // len(FAMILIES)
    rng = np.random.default_rng([seed, FAMILIES.index(family), 24])
    settings = domain_named(domain)
    shot = _shot(family, seed // _FRAMES_PER_SHOT if settings.learnt_from else seed, size, settings.learnt_from,
                 settings.thin_vessels)
    look = replace(catheter_look(rng, domain, shot.anatomy), thin_vessels=shot.thin_vessels)
    scenery, usable = _empty_scene(shot, look, (size, size))
    contrast, vessels = injected(shot.anatomy, look, shot.projection, shot.length)

    def course(in_vessel: bool, shown: np.ndarray) -> np.ndarray:
        return (course_through_vessel(shot.anatomy, rng) if in_vessel
                else course_across(rng, shot.projection, shown))

    return finished_frame(scenery, contrast, vessels, usable, look, rng, shot.projection, course)


def empty_frame(family: str, seed: int, size: int, domain: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture without catheters and contrast: attenuation (size, size) float32, and usable bool."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), 25])
    settings = domain_named(domain)
    shot = _shot(family, seed, size, settings.learnt_from, 0.0)
    look = replace(catheter_look(rng, domain, shot.anatomy), subtracted=False, roadmap=False)
    scenery, usable = _empty_scene(shot, look, (size, size))
    return observe(scenery, np.zeros_like(scenery), usable, rng, look), usable


def _empty_scene(shot: _Shot, look: Look, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    usable = collimator(np.random.default_rng([look.scene_seed, 14]), shape, look.collimation)
    rng = np.random.default_rng([look.scene_seed, 15])
    devices = [device for name in look.fixtures for device in fixture(name, shot.anatomy, rng)]
    fixtures = device_shadow(devices, shot.projection, shape)[0]
    return textured(shot.solid, shot.anatomy.family, look, shape) + fixtures, usable


Course = Callable[[bool, np.ndarray], np.ndarray]
"""Called with whether a vessel is wanted and the visible pixels; gives a course (n, 3) whose last point is the tip."""


def finished_frame(
    scenery: np.ndarray,
    contrast: np.ndarray,
    vessels: np.ndarray,
    usable: np.ndarray,
    look: Look,
    rng: np.random.Generator,
    projection: np.ndarray,
    course: Course,
    process: Callable[[np.ndarray], np.ndarray] | None = None,
) -> CatheterFrame:
    """The frame of a scenery (rows, columns; -ln units) with the look's tools along courses drawn by ``course``.

    ``process`` takes the place of the detector: it makes the picture from the catheters' attenuation.
    """
    shown = usable & undeclared_border(look, usable.shape)
    placed = _catheters(look, scenery + contrast, shown, rng, projection, course)
    shadow = np.stack([one.shadow for one in placed]).sum(axis=0)
    if process is not None:
        attenuation = process(shadow)
    else:
        before = contrast + moved(shadow, rng, 1.5) if look.lag > 0 else None
        attenuation = observe(scenery, contrast, usable, rng, look, moving=shadow, before=before)
    instances = _label_image(placed, usable.shape)
    return CatheterFrame(
        attenuation=attenuation,
        vessel_mask=vessels & shown, device_mask=instances > 0, instances=instances,
        curves=tuple(one.curve for one in placed), tips=np.stack([one.tip for one in placed]),
        tip_visible=np.array([one.tip_visible for one in placed]), usable=usable,
    )


@lru_cache(maxsize=_TRAINING_ANATOMIES + _HELD_OUT_ANATOMIES)
def _anatomy(family: str, number: int) -> Anatomy:
    return build_anatomy(family, number)


@lru_cache(maxsize=4)
def _shot(family: str, number: int, size: int, learnt_from: bool, thin_share: float) -> _Shot:
    rng = np.random.default_rng([number, FAMILIES.index(family), 23])
    thin = bool(np.random.default_rng([number, FAMILIES.index(family), 26]).random() < thin_share)
    anatomy = _anatomy(family, number % _TRAINING_ANATOMIES if learnt_from
                       else _FIRST_HELD_OUT_ANATOMY + number % _HELD_OUT_ANATOMIES)
    view = random_view(family, rng, size)
    pose = true_pose(anatomy.model.centre, rng)
    if thin:
        pose = aimed(pose, anatomy.model.centre, tree_centre(anatomy))
        view = narrowed(view, rng.uniform(*THIN_VESSEL_FIELD))
    projection = view.projection_matrix @ pose
    return _Shot(anatomy, projection, solid_shadow(anatomy, projection, (size, size)),
                 path_length(anatomy.model, projection, (size, size)), thin)


def catheter_look(rng: np.random.Generator, domain: str, anatomy: Anatomy) -> Look:
    """A look of the domain with other fixtures, half of the time without contrast."""
    look = sample_look(rng, domain, anatomy)
    settings = domain_named(domain)
    kinds = settings.decoys[anatomy.family]
    number = min(int(rng.choice(4, p=[0.25, 0.35, 0.25, 0.15])), len(kinds))
    fixtures = tuple(str(kind) for kind in rng.choice(kinds, size=number, replace=False))
    filling = look.filling if rng.random() < 0.5 else replace(look.filling, per_mm=0.0)
    count = int(rng.choice(MOST_CATHETERS, p=[0.4, 0.3, 0.2, 0.1])) + 1
    tools = tuple(str(kind) for kind in rng.choice(settings.catheters, size=count))
    return replace(look, fixtures=fixtures, filling=filling, tools=tools)


def just_visible(scenery: np.ndarray, usable: np.ndarray, look: Look) -> np.ndarray:
    """The attenuation (rows, columns) that a thin line needs to be made out at a glance, given a look's scatter, noise.

    Catheters and wires are made radiopaque for that: a tenth of the beam, where a steel wire takes a third.
    Behind denser tissue scatter takes more of the contrast away, and fewer photons make more noise.
    """
    density = np.exp(np.clip(scenery - np.median(scenery[usable]), -2.0, 2.0))
    noise = np.sqrt((2 if look.subtracted else 1) * density / look.photons)
    return (1 + look.scatter * density) * (_FAINTEST_LINE + _NOISES_ABOVE * noise)


def _catheters(
    look: Look, scenery: np.ndarray, shown: np.ndarray, rng: np.random.Generator, projection: np.ndarray, course: Course
) -> list[PlacedCatheter]:
    """The tools of a look where they lie; at least one of them can be seen."""
    faintest = just_visible(scenery, shown, look)
    found = [_placed(name, faintest, shown, rng, projection, course) for name in look.tools]
    placed = [one for one in found if one is not None]
    while not placed:
        one = _placed(look.tools[0], faintest, shown, rng, projection, course)
        placed += [] if one is None else [one]
    return placed


def _placed(
    name: str, faintest: np.ndarray, shown: np.ndarray, rng: np.random.Generator, projection: np.ndarray, course: Course
) -> PlacedCatheter | None:
    in_vessel = rng.random() < 0.5
    contrast = float(np.exp(rng.uniform(np.log(0.5), np.log(1.3))))
    needed = faintest * rng.uniform(1.0, 2.0)
    for attempt in range(_ATTEMPTS):
        catheter = make_catheter(name, course(in_vessel and attempt < 2, shown), rng, contrast)
        one = place(catheter, projection, shown, needed)
        if one is not None:
            return one
    return None


def _label_image(placed: list[PlacedCatheter], shape: tuple[int, int]) -> np.ndarray:
    """The number of the device (rows, columns) uint8, the nearest to the source in front."""
    labels = np.zeros(shape, dtype=np.uint8)
    for number in sorted(range(len(placed)), key=lambda number: -placed[number].depth):
        labels[placed[number].mask] = number + 1
    return labels
