"""Catheters and guidewires of all makes along a given course, and where they run in a picture."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .courses import with_arc
from .devices import Device, with_pigtail
from .instruments import SOLID
from .strokes import resample
from .tubes import arc_lengths

_SAMPLE_MM = 0.6


@dataclass(frozen=True)
class Catheter:
    """One instrument: ``line`` (n, 3) mm from its far end to its tip, and the ``parts`` that lie along it.

    Every part is a :class:`.devices.Device` whose line begins as ``line`` does and ends at or before its tip: a wire
    and the catheter over it are one instrument of two parts.
    """

    line: np.ndarray
    parts: tuple[Device, ...]


def make_catheter(name: str, course: np.ndarray, rng: np.random.Generator, contrast: float = 1.0) -> Catheter:
    """An instrument of the kind ``name`` along ``course`` (n, 3) mm, whose last point becomes or precedes the tip.

    ``contrast`` multiplies its attenuation.
    """
    return _KINDS[name](course, rng, contrast)


def _sampled(line: np.ndarray) -> np.ndarray:
    return resample(line, _SAMPLE_MM)[0]


def _single(line: np.ndarray, radius: float, wall: float, per_mm: float, *, tip_mm: float = 0.0,
            tip_gain: float = 1.0, marks_mm: np.ndarray | None = None, coil_mm: float = 0.0) -> Catheter:
    line = _sampled(line)
    length = max(float(arc_lengths(line)[-1]), 1.0)
    marks = () if marks_mm is None else tuple(float(mark) for mark in 1 - marks_mm / length)
    return Catheter(line, (Device(line, radius, wall, per_mm, tip_mm=tip_mm, tip_gain=tip_gain, marks=marks,
                                  coil_mm=coil_mm),))


def _guidewire(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """0.018 to 0.038 inch, straight or with a J tip, its end more radiopaque."""
    if rng.random() < 0.45:
        course = with_arc(course, rng, rng.uniform(1.5, 5.0), rng.uniform(0.5, 1.1) * np.pi, rng.uniform(0.0, 4.0))
    return _single(course, rng.uniform(0.23, 0.48), SOLID, contrast * rng.uniform(0.4, 1.0),
                   tip_mm=rng.uniform(15, 40), tip_gain=rng.uniform(1.0, 2.0))


def _stiff_wire(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    return _single(course, rng.uniform(0.42, 0.52), SOLID, contrast * rng.uniform(0.6, 1.1),
                   tip_mm=rng.uniform(30, 60), tip_gain=0.6, coil_mm=3.0)


def _end_hole(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """4 to 7 F with a straight, angled or hooked end."""
    shape = rng.random()
    if shape < 0.4:
        course = with_arc(course, rng, rng.uniform(6, 15), rng.uniform(0.5, 1.6), rng.uniform(3, 10))
    elif shape < 0.6:
        course = with_arc(course, rng, rng.uniform(8, 16), rng.uniform(2.0, 3.2), rng.uniform(8, 25))
    return _single(course, rng.uniform(0.65, 1.2), rng.uniform(0.22, 0.45), contrast * rng.uniform(0.2, 0.6),
                   tip_mm=rng.uniform(0, 5), tip_gain=rng.uniform(1.0, 2.5))


def _pigtail(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    return _single(with_pigtail(course, rng), rng.uniform(0.65, 1.1), rng.uniform(0.25, 0.4),
                   contrast * rng.uniform(0.2, 0.6))


def _electrodes(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """A diagnostic electrophysiology catheter: rings in pairs, a larger one at the tip."""
    if rng.random() < 0.6:
        course = with_arc(course, rng, rng.uniform(15, 30), rng.uniform(0.4, 1.8), rng.uniform(3, 10))
    pairs = np.arange(int(rng.integers(2, 6))) * rng.uniform(7, 12)
    rings = np.concatenate([pairs + 3.0, pairs + 6.5])
    return _single(course, rng.uniform(0.7, 1.1), SOLID, contrast * rng.uniform(0.1, 0.25), tip_mm=2.0,
                   tip_gain=rng.uniform(3, 5), marks_mm=rings)


def _ablation(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """An ablation catheter: a long tip electrode and three rings."""
    course = with_arc(course, rng, rng.uniform(15, 25), rng.uniform(0.5, 2.2), rng.uniform(3, 8))
    return _single(course, rng.uniform(1.1, 1.35), SOLID, contrast * rng.uniform(0.1, 0.2), tip_mm=rng.uniform(4, 8),
                   tip_gain=rng.uniform(3, 5), marks_mm=np.array([11.0, 15.0, 19.0]))


def _marked(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """A sizing catheter: marks every 10 mm."""
    return _single(course, rng.uniform(0.75, 1.0), 0.35, contrast * rng.uniform(0.18, 0.5), tip_mm=2.0, tip_gain=3.0,
                   marks_mm=10.0 * np.arange(1, 20))


def _microcatheter(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """A tapered shaft: the last third is thinner, with a band at its tip."""
    line = _sampled(course)
    taper = max(8, int(rng.uniform(0.4, 0.8) * len(line)))
    shaft = Device(line[:taper], rng.uniform(0.6, 0.85), 0.3, contrast * rng.uniform(0.2, 0.5))
    thin = Device(line, rng.uniform(0.33, 0.45), SOLID, contrast * rng.uniform(0.2, 0.45), tip_mm=2.0,
                  tip_gain=rng.uniform(3, 5))
    return Catheter(line, (thin, shaft))


def _over_wire(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """A catheter or sheath over a wire that stands out of it."""
    if rng.random() < 0.5:
        course = with_arc(course, rng, rng.uniform(2, 6), rng.uniform(0.4, 1.0) * np.pi, 2.0)
    line = _sampled(course)
    end = max(8, len(line) - int(rng.uniform(12, 90) / _SAMPLE_MM))
    wire = Device(line, rng.uniform(0.3, 0.48), SOLID, contrast * rng.uniform(0.5, 1.0), tip_mm=25, tip_gain=1.5)
    outer = Device(line[:end], rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.5), contrast * rng.uniform(0.15, 0.4),
                   tip_mm=2.0, tip_gain=rng.uniform(1.0, 4.0))
    return Catheter(line, (wire, outer))


def _sheath(course: np.ndarray, rng: np.random.Generator, contrast: float) -> Catheter:
    """A large delivery sheath (16 to 20 F) with a ring at its end."""
    return _single(course, rng.uniform(2.5, 3.2), rng.uniform(0.4, 0.6), contrast * rng.uniform(0.1, 0.22),
                   tip_mm=2.0, tip_gain=4.0)


_KINDS: dict[str, Callable[[np.ndarray, np.random.Generator, float], Catheter]] = {
    "guidewire": _guidewire,
    "stiff wire": _stiff_wire,
    "catheter": _end_hole,
    "pigtail": _pigtail,
    "electrode catheter": _electrodes,
    "ablation catheter": _ablation,
    "marked catheter": _marked,
    "microcatheter": _microcatheter,
    "catheter over wire": _over_wire,
    "sheath": _sheath,
}
