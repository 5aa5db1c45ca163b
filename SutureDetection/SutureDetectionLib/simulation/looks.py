"""All settings of a simulated endoscopic picture, and the appearance domains they are drawn from.

"simulator" is a silicone valve in a training box, "or" a heart during surgery. Each has a held-out twin with other
texture families, colours, threads, lights, noise and instruments: a network is judged on those it never saw.
"""

from dataclasses import dataclass

import numpy as np
from VesselRegistrationLib.errors import UserError

SIMULATOR = "simulator"
OPERATING_ROOM = "or"
SIMULATOR_HELDOUT = "simulator-heldout"
OPERATING_ROOM_HELDOUT = "or-heldout"
DOMAINS = (SIMULATOR, OPERATING_ROOM, SIMULATOR_HELDOUT, OPERATING_ROOM_HELDOUT)
TRAINING_DOMAINS = (SIMULATOR, OPERATING_ROOM)

_THREADS = {  # linear RGB albedo
    "white": (0.78, 0.78, 0.74), "green": (0.03, 0.30, 0.16), "blue": (0.04, 0.14, 0.48),
    "violet": (0.20, 0.05, 0.32), "black": (0.025, 0.025, 0.03), "teal": (0.03, 0.30, 0.36),
    "striped": (0.62, 0.66, 0.58), "cream": (0.66, 0.52, 0.30),
}


@dataclass(frozen=True)
class Look:
    """Appearance of one picture; nothing in it moves a stitch.

    Colours are linear RGB (3,). ``texture`` is "soft", "grain", "veined", "fibrous" or "pitted". ``cast_mm`` is the
    radius of the silicone. ``wetness`` is the strength and ``gloss`` the exponent of the speculars. ``light`` is the
    colour of the lamp, ``light_mm`` its offset from the optical centre (x, y). ``thread_colours`` (k, 3) are drawn
    from per stitch. Amounts are 0..1. ``sharpening``,
    ``noise``, ``noise_cell`` (pixels), ``interlace_px``, ``motion_px``, ``quality`` (JPEG; 0 = none) are the camera's.
    """

    clinical: bool
    tissue: np.ndarray
    leaflet: np.ndarray
    mottle: np.ndarray
    texture: str
    texture_amount: float
    cast_mm: float
    wetness: float
    gloss: float
    light: np.ndarray
    light_mm: np.ndarray
    ambient: float
    thread_colours: np.ndarray
    thread_mm: float
    instruments: int
    instrument_kind: str
    glove: bool
    glove_colour: np.ndarray
    ring: bool
    ring_colour: np.ndarray
    blood: float
    smoke: float
    bloom: float
    vignette: float
    circle: bool
    exposure: float
    gamma: float
    saturation: float
    defocus_px: float
    motion_px: float
    motion_angle: float
    interlace_px: float
    sharpening: float
    noise: float
    noise_cell: float
    quality: int


@dataclass(frozen=True)
class _Domain:
    clinical: bool
    tissues: tuple[tuple[float, float, float], ...]
    textures: tuple[str, ...]
    threads: tuple[str, ...]
    lights: tuple[tuple[float, float, float], ...]
    instruments: tuple[str, ...]
    gloves: tuple[tuple[float, float, float], ...]
    rings: tuple[tuple[float, float, float], ...]
    wetness: tuple[float, float]
    gloss: tuple[float, float]
    noise: tuple[float, float]
    noise_cell: tuple[float, float]
    quality: tuple[int, int]
    gamma: tuple[float, float]


_SETTINGS = {
    SIMULATOR: _Domain(
        clinical=False, tissues=((0.62, 0.36, 0.27), (0.66, 0.42, 0.34), (0.55, 0.25, 0.20), (0.70, 0.50, 0.40)),
        textures=("soft", "grain"), threads=("white", "green", "blue"), lights=((1.0, 0.97, 0.92), (1.0, 0.93, 0.84)),
        instruments=("steel", "black"), gloves=((0.75, 0.70, 0.60), (0.72, 0.74, 0.76)),
        rings=((0.80, 0.80, 0.78), (0.75, 0.72, 0.66)), wetness=(0.15, 0.9), gloss=(20, 90), noise=(0.003, 0.015),
        noise_cell=(0.0, 1.4), quality=(45, 95), gamma=(0.42, 0.50)),
    OPERATING_ROOM: _Domain(
        clinical=True, tissues=((0.50, 0.13, 0.10), (0.58, 0.22, 0.15), (0.42, 0.10, 0.10), (0.60, 0.30, 0.20)),
        textures=("veined", "soft"), threads=("white", "green", "blue", "striped"),
        lights=((1.0, 0.96, 0.90), (1.0, 0.90, 0.78)), instruments=("steel", "black"),
        gloves=((0.78, 0.72, 0.58), (0.70, 0.72, 0.74)), rings=((0.80, 0.80, 0.78), (0.30, 0.55, 0.45)),
        wetness=(0.4, 1.6), gloss=(80, 400), noise=(0.004, 0.020), noise_cell=(0.0, 1.6), quality=(35, 92),
        gamma=(0.40, 0.50)),
    SIMULATOR_HELDOUT: _Domain(
        clinical=False, tissues=((0.48, 0.40, 0.38), (0.62, 0.36, 0.35), (0.68, 0.56, 0.38)),
        textures=("fibrous", "pitted"), threads=("violet", "black", "teal", "cream"),
        lights=((0.86, 0.95, 1.0), (0.95, 1.0, 0.93)), instruments=("gold", "grey"),
        gloves=((0.16, 0.30, 0.62), (0.05, 0.05, 0.06)), rings=((0.62, 0.66, 0.72), (0.85, 0.82, 0.70)),
        wetness=(0.4, 1.4), gloss=(60, 160), noise=(0.006, 0.018), noise_cell=(1.4, 2.4), quality=(30, 75),
        gamma=(0.45, 0.58)),
    OPERATING_ROOM_HELDOUT: _Domain(
        clinical=True, tissues=((0.62, 0.26, 0.26), (0.48, 0.22, 0.10), (0.36, 0.08, 0.05)),
        textures=("fibrous", "pitted"), threads=("violet", "black", "teal", "cream"),
        lights=((0.85, 0.95, 1.0), (1.0, 0.98, 0.86)), instruments=("gold", "grey"),
        gloves=((0.16, 0.30, 0.62), (0.10, 0.36, 0.28)), rings=((0.62, 0.66, 0.72), (0.85, 0.82, 0.70)),
        wetness=(0.6, 2.0), gloss=(150, 500), noise=(0.006, 0.022), noise_cell=(1.4, 2.4), quality=(28, 70),
        gamma=(0.44, 0.58)),
}


def sample_look(rng: np.random.Generator, domain: str, columns: int = 512) -> Look:
    """Draw a look from a domain for pictures of ``columns`` pixels. Raises UserError for an unknown domain."""
    if domain not in _SETTINGS:
        raise UserError(f"There is no appearance domain {domain!r}: choose one of {', '.join(DOMAINS)}.")
    of = _SETTINGS[domain]
    px = columns / 512
    tissue = _pick(rng, of.tissues) * rng.uniform(0.82, 1.18, size=3)
    pale = rng.uniform(0.25, 0.75) if of.clinical else rng.uniform(0.0, 0.3)
    leaflet = (1 - pale) * tissue + pale * np.array([0.72, 0.58, 0.44]) * rng.uniform(0.85, 1.1, size=3)
    mottle = np.array([-0.10, -0.16, -0.14]) if of.clinical else np.array([-0.05, -0.05, -0.05])
    names = rng.choice(of.threads, size=int(rng.choice([1, 2, 3], p=[0.35, 0.5, 0.15])), replace=False)
    threads = np.array([np.array(_THREADS[str(name)]) * rng.uniform(0.75, 1.25, size=3) for name in names])
    return Look(
        clinical=of.clinical, tissue=tissue, leaflet=leaflet,
        mottle=mottle * rng.uniform(0.5, 1.6), texture=str(rng.choice(of.textures)),
        texture_amount=float(rng.uniform(0.4, 1.6)), cast_mm=float(rng.uniform(26.0, 70.0)),
        wetness=float(rng.uniform(*of.wetness)),
        gloss=float(np.exp(rng.uniform(*np.log(of.gloss)))), light=_pick(rng, of.lights) * rng.uniform(0.94, 1.06, 3),
        light_mm=rng.uniform(-6, 6, size=2), ambient=float(rng.uniform(0.05, 0.3)), thread_colours=threads,
        thread_mm=float(rng.uniform(0.26, 0.46)),
        instruments=int(rng.choice(3, p=[0.45, 0.4, 0.15])), instrument_kind=str(rng.choice(of.instruments)),
        glove=bool(rng.random() < 0.10), glove_colour=_pick(rng, of.gloves), ring=bool(rng.random() < 0.28),
        ring_colour=_pick(rng, of.rings), blood=float(rng.uniform(0.0, 1.0) ** 1.5) if of.clinical else 0.0,
        smoke=float(rng.uniform(0.03, 0.35)) if rng.random() < (0.3 if of.clinical else 0.08) else 0.0,
        bloom=float(rng.uniform(0.0, 0.5)), vignette=float(rng.uniform(0.0, 0.65)), circle=bool(rng.random() < 0.12),
        exposure=float(np.exp(rng.normal(0.0, 0.22))), gamma=float(rng.uniform(*of.gamma)),
        saturation=float(rng.uniform(0.75, 1.3)), defocus_px=float(rng.uniform(0.35, 1.15) * px),
        motion_px=float(rng.uniform(1.5, 5.0) * px) if rng.random() < 0.18 else 0.0,
        motion_angle=float(rng.uniform(0, np.pi)),
        interlace_px=float(rng.uniform(0.5, 2.0) * px) if rng.random() < 0.10 else 0.0,
        sharpening=float(rng.uniform(0.2, 1.2)) if rng.random() < 0.6 else 0.0, noise=float(rng.uniform(*of.noise)),
        noise_cell=float(rng.uniform(*of.noise_cell)),
        quality=int(rng.integers(*of.quality)) if rng.random() < 0.75 else 0,
    )


def _pick(rng: np.random.Generator, colours: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    return np.array(colours[int(rng.integers(len(colours)))])
