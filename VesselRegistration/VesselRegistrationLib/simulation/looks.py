"""All settings of a simulated picture, and the two domains they are drawn from.

"training" and "test" differ in families, not only in numbers: soft tissue texture, kind of noise, devices and fixtures,
vendor processing. A network is judged on "test".
"""

from dataclasses import dataclass, field

import numpy as np

from ..errors import UserError
from .anatomy import UPPER, Anatomy
from .contrast import Filling
from .tubes import arc_lengths

TRAINING = "training"
TEST = "test"
DOMAINS = (TRAINING, TEST)

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
    ``subtracted`` makes a DSA frame whose mask was taken ``motion_px`` apart.
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


@dataclass(frozen=True)
class _Domain:
    textures: tuple[str, ...]
    tools: tuple[str, ...]
    fixtures: dict[str, tuple[str, ...]]
    collimations: tuple[str, ...]
    noise_blur: tuple[float, float]
    sharpening: tuple[float, float]
    compression: tuple[float, float]
    photons: tuple[float, float] = field(default=(250.0, 6000.0))


_SETTINGS = {
    TRAINING: _Domain(
        textures=("spline", "ridged-coarse"),
        tools=("guidewire", "catheter", "pigtail", "free wire"),
        fixtures={"upper": ("ecg lead", "ecg clip", "sternal wires"), "lower": ("ecg lead", "ecg clip", "clamp")},
        collimations=("none", "none", "none", "straight", "tilted", "iris"),
        noise_blur=(0.0, 0.55), sharpening=(0.0, 1.2), compression=(0.0, 0.6),
    ),
    TEST: _Domain(
        textures=("ridged",),
        tools=("stiff wire", "marked catheter", "sheath", "pigtail"),
        fixtures={"upper": ("tee probe", "pacing lead", "valve frame", "ecg lead"),
                  "lower": ("stent", "pacing lead", "ecg lead")},
        collimations=("none", "none", "straight", "octagon"),
        noise_blur=(0.45, 0.9), sharpening=(0.3, 1.6), compression=(0.2, 0.7), photons=(400.0, 4000.0),
    ),
}


CATHETER_KINDS = {
    TRAINING: ("guidewire", "catheter", "pigtail", "electrode catheter", "microcatheter", "catheter over wire"),
    TEST: ("stiff wire", "marked catheter", "sheath", "pigtail", "ablation catheter", "guidewire"),
}
"""What the catheter networks are shown as instruments, by domain."""

DECOYS: dict[str, dict[str, tuple[str, ...]]] = {
    TRAINING: {"upper": ("ecg lead", "ecg clip", "sternal wires", "shock lead", "surgical clips", "gastric tube"),
               "lower": ("ecg lead", "ecg clip", "clamp", "surgical clips", "screws", "gastric tube")},
    TEST: {"upper": ("tee probe", "pacing lead", "valve frame", "ecg lead"),
           "lower": ("stent", "pacing lead", "ecg lead")},
}
"""What lies beside them without being one, by domain and family."""


def sample_look(rng: np.random.Generator, domain: str, anatomy: Anatomy) -> Look:
    """Draw a look from a domain ("training" or "test") for an anatomy. Raises UserError for another domain."""
    if domain not in _SETTINGS:
        raise UserError(f"There is no domain {domain!r}: choose one of {', '.join(DOMAINS)}.")
    settings = _SETTINGS[domain]
    tools = rng.choice(settings.tools, size=int(rng.choice(4, p=[0.10, 0.40, 0.35, 0.15])), replace=False)
    fixtures = settings.fixtures[anatomy.family]
    number = int(rng.choice(3, p=[0.35, 0.4, 0.25]))
    low, high = np.log(settings.photons)
    return Look(
        filling=sample_filling(rng, anatomy),
        scene_seed=int(rng.integers(2**31)),
        body_gain=float(rng.uniform(0.75, 1.15)),
        texture=str(rng.choice(settings.textures)),
        texture_amount=float(rng.uniform(0.5, 1.6)),
        gas_amount=float(rng.choice([0.0, 0.6, 1.0, 1.5])),
        tools=tuple(str(tool) for tool in tools),
        fixtures=tuple(str(fixture) for fixture in rng.choice(fixtures, size=number, replace=False)),
        photons=float(np.exp(rng.uniform(low, high))),
        scatter=float(rng.uniform(0.15, 1.0)),
        blur_px=float(rng.uniform(0.3, 0.9)),
        noise_blur_px=float(rng.uniform(*settings.noise_blur)),
        electronic=float(rng.uniform(1.0, 8.0)),
        collimation=str(rng.choice(settings.collimations)),
        sharpening=float(rng.uniform(*settings.sharpening)) if rng.random() < 0.6 else 0.0,
        compression=float(rng.uniform(*settings.compression)) if rng.random() < 0.6 else 0.0,
        subtracted=bool(rng.random() < 0.12),
        motion_px=float(rng.uniform(0.0, 1.2)),
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
