"""All settings of a simulated picture, drawn from a domain."""

from dataclasses import dataclass, replace

import numpy as np

from .anatomy import UPPER, Anatomy
from .contrast import Filling
from .domains import Domain, domain_named
from .tubes import arc_lengths

_TRUNKS = {"aortic_root", "ascending_aorta", "aortic_arch", "descending_aorta", "abdominal_aorta"}
_FED_BY = {  # arteries of one leg that stay empty with the one that feeds them
    "common_iliac": ("internal_iliac", "external_iliac", "common_femoral", "superficial_femoral", "deep_femoral"),
    "external_iliac": ("common_femoral", "superficial_femoral", "deep_femoral"),
    "common_femoral": ("superficial_femoral", "deep_femoral"),
}
_MISSING = {"common_iliac": 0.06, "external_iliac": 0.05, "common_femoral": 0.06}


@dataclass(frozen=True)
class Look:
    """Appearance of one picture; nothing in it changes the geometry.

    ``scene_seed`` fixes everything that stays put during a cine: body, textures, devices, collimator. ``body_gain``
    scales the body's attenuation. ``texture`` is "spline", "ridged" or "ridged-coarse". ``tools`` and ``fixtures``
    name what is drawn.
    ``photons`` per pixel at median attenuation, ``scatter`` to primary ratio, ``blur_px`` of the system and
    ``noise_blur_px`` of the noise, ``electronic`` noise in photons. ``collimation`` is a kind of
    :func:`.detector.collimator`. ``sharpening`` and ``compression`` imitate vendor processing (0 = none).
    ``subtracted`` makes a DSA frame whose mask was taken ``motion_px`` apart; with ``roadmap`` that mask holds the
    contrast and the picture does not. ``lag`` is the share of the frame before in a frame. ``tone``, ``text``,
    ``border`` and ``inverted`` are what a screenshot has, see :mod:`.vendor`. ``thin_vessels`` fills a tree of small
    arteries in place of the anatomy's own vessels.
    """

    filling: Filling
    scene_seed: int
    body_gain: float = 1.0
    texture: str = "spline"
    texture_amount: float = 1.0
    gas_amount: float = 1.0
    tools: tuple[str, ...] = ()
    fixtures: tuple[str, ...] = ()
    photons: float = 1500.0
    scatter: float = 0.5
    blur_px: float = 0.5
    noise_blur_px: float = 0.0
    electronic: float = 3.0
    collimation: str = "none"
    sharpening: float = 0.0
    compression: float = 0.0
    subtracted: bool = False
    motion_px: float = 0.5
    roadmap: bool = False
    lag: float = 0.0
    tone: str = "none"
    text: bool = False
    border: str = "none"
    inverted: bool = False
    thin_vessels: bool = False


def sample_look(rng: np.random.Generator, domain: str, anatomy: Anatomy) -> Look:
    """Draw a look from a domain of :mod:`.domains` for an anatomy. Raises UserError for one that is not there."""
    settings = domain_named(domain)
    tools = rng.choice(settings.tools, size=int(rng.choice(4, p=[0.10, 0.40, 0.35, 0.15])), replace=False)
    fixtures = settings.fixtures[anatomy.family]
    number = int(rng.choice(3, p=[0.35, 0.4, 0.25]))
    low, high = np.log(settings.photons)
    look = Look(
        filling=sample_filling(rng, anatomy),
        scene_seed=int(rng.integers(2**31)),
        body_gain=float(rng.uniform(0.75, 1.15)),
        texture=str(rng.choice(settings.textures)),
        texture_amount=float(rng.uniform(0.5, 1.6)),
        gas_amount=float(rng.choice([0.0, 0.6, 1.0, 1.5])),
        tools=tuple(str(tool) for tool in tools),
        fixtures=tuple(str(fixture) for fixture in rng.choice(fixtures, size=number, replace=False)),
        photons=float(np.exp(rng.uniform(low, high))),
        scatter=float(rng.uniform(*settings.scatter)),
        blur_px=float(rng.uniform(0.3, 0.9)),
        noise_blur_px=float(rng.uniform(*settings.noise_blur)),
        electronic=float(rng.uniform(1.0, 8.0)),
        collimation=str(rng.choice(settings.collimations)),
        sharpening=float(rng.uniform(*settings.sharpening)) if rng.random() < 0.6 else 0.0,
        compression=float(rng.uniform(*settings.compression)) if rng.random() < 0.6 else 0.0,
        subtracted=bool(rng.random() < settings.subtracted),
        motion_px=float(rng.uniform(*settings.motion)),
    )
    return _as_shown(look, settings)


def _as_shown(look: Look, settings: Domain) -> Look:
    """The look with what display and acquisition add; drawn apart, so that domains without it do not notice."""
    rng = np.random.default_rng([look.scene_seed, 16])
    return replace(
        look, lag=float(rng.uniform(*settings.lag)), tone=str(rng.choice(settings.tones)),
        text=bool(rng.random() < settings.text), border=str(rng.choice(settings.borders)),
        inverted=bool(rng.random() < settings.inverted), thin_vessels=bool(rng.random() < settings.thin_vessels),
        roadmap=look.subtracted and bool(rng.random() < settings.roadmaps),
    )


def sample_filling(rng: np.random.Generator, anatomy: Anatomy) -> Filling:
    """Some moment of some injection: mostly well filled, sometimes early, late, patchy, faint or none."""
    longest = max(branch.inlet_distance_mm + arc_lengths(branch.centreline)[-1] for branch in anatomy.branches)
    strongest = rng.uniform(0.022, 0.065) if anatomy.family == UPPER else rng.uniform(0.035, 0.11)
    kind = rng.random()
    start, front = -1000.0, 10000.0
    if kind < 0.30:
        front = rng.uniform(0.35, 1.0) * longest
    elif kind < 0.45:
        start = rng.uniform(0.05, 0.35) * longest
    elif kind < 0.52:
        start = rng.uniform(0.0, 0.3) * longest
        front = start + rng.uniform(0.4, 0.7) * longest
    factors: dict[str, float] = {}
    for branch in anatomy.branches:
        side, _, name = branch.name.partition("_")
        if branch.inlet_distance_mm > 0 and branch.name not in _TRUNKS and rng.random() < _MISSING.get(name, 0.18):
            factor = float(rng.choice([0.0, rng.uniform(0.2, 0.7)]))
            for fed in (branch.name, *(f"{side}_{other}" for other in _FED_BY.get(name, ()))):
                factors[fed] = min(factor, factors.get(fed, 1.0))
    return Filling(
        per_mm=0.0 if rng.random() < 0.05 else float(strongest), start_mm=float(start), front_mm=float(front),
        softness_mm=float(rng.uniform(6.0, 35.0)), branch_factors=tuple(factors.items()),
        streaming=float(rng.uniform(0.0, 0.25)), streaming_seed=int(rng.integers(2**31)),
    )
