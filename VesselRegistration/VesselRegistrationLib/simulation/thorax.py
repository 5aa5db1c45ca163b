"""The chest about a thoracic aorta: lungs, heart, diaphragm, ribs, spine, sternum, clavicles."""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from .body import SOFT_TISSUE, Body, solid
from .spine import add_spine


def thorax(lines: Mapping[str, np.ndarray], rng: np.random.Generator) -> Body:
    """A seeded chest, placed by the course of the descending aorta.

    ``lines`` holds the centreline (n, 3) mm of every branch of a thoracic aorta, by name.
    """
    descending, root = lines["descending_aorta"], lines["aortic_root"]
    spine = np.array([descending[:, 0].mean() + rng.uniform(17, 24), np.quantile(descending[:, 1], 0.2) - 19.0])
    level = root[0, 2]
    wide, deep = rng.uniform(0.9, 1.15), rng.uniform(0.9, 1.15)
    middle = np.array([spine[0], spine[1] + 52.0 * deep, level])

    body = Body()
    body.ellipsoid(middle, (165 * wide, 112 * deep, 700), SOFT_TISSUE)
    _lungs(body, rng, middle, wide, deep)
    heights = level + np.arange(170.0, -200.0, -24.0)
    kyphosis = -14.0 * ((heights - level) / 170.0) ** 2
    add_spine(body, rng, np.column_stack([np.full(len(heights), spine[0]), spine[1] + kyphosis, heights]), 16.0, 14.0)
    _ribs(body, rng, middle, spine, (wide, deep))
    front = middle[1] + 96.0 * deep
    for step in range(6):
        body.box(np.array([middle[0], front - 3.0 * abs(step - 3), level + 90 - 27 * step]), (17, 5, 12.5), 0.012)
    for side in (1.0, -1.0):
        start = np.array([middle[0] + side * 12, front - 14, level + 118])
        line = start + np.linspace(0, 1, 12)[:, None] * np.array([side * 120.0, -42.0, 34.0])
        line[:, 1] += 12 * np.sin(np.linspace(0, 2 * np.pi, 12))
        body.bar(line, 6.5, 1.6, 0.05, 0.012)
        tilt = Rotation.from_euler("zx", [side * 32, 12], degrees=True).as_matrix()
        body.ellipsoid(np.array([middle[0] + side * 112, spine[1] - 16, level + 75]), (48, 3.0, 70), 0.022, tilt)
    return body


def _lungs(body: Body, rng: np.random.Generator, middle: np.ndarray, wide: float, deep: float) -> None:
    """Two lungs, out of which heart, great vessels and diaphragm are cut."""
    depth = rng.uniform(-30.0, 5.0)
    heart = solid(middle + np.array([-26 * wide, 22 * deep, -38]),
                  (58 * wide * rng.uniform(0.9, 1.15), 46 * deep, 52), 0.0,
                  Rotation.from_euler("y", rng.uniform(20, 45), degrees=True).as_matrix())
    vessels = solid(middle + np.array([-4, -5, 60]), (32, 42, 95), 0.0)
    liver = solid(middle + np.array([70 * wide, 10, -130 + depth]), (88 * wide, 100 * deep, 72), 0.0)
    stomach = solid(middle + np.array([-72 * wide, 5, -142 + depth]), (82 * wide, 95 * deep, 68), 0.0)
    air = rng.uniform(-0.0145, -0.011)
    for side, dome in ((1.0, liver), (-1.0, stomach)):
        lung = solid(middle + np.array([side * 76 * wide, -14 * deep, 5]), (58 * wide, 86 * deep, 150), air)
        body.cavities.append((lung, [heart, vessels, dome]))
    if rng.random() < 0.6:
        body.ellipsoid(stomach[0] + np.array([rng.uniform(-15, 15), 30, 35]),
                       (rng.uniform(18, 34), 24, rng.uniform(12, 20)), -0.018)


def _ribs(
    body: Body, rng: np.random.Generator, middle: np.ndarray, spine: np.ndarray, size: tuple[float, float]
) -> None:
    """Eleven pairs of ribs from the vertebrae round to the front, sloping down."""
    wide, deep = size
    density = rng.uniform(0.7, 1.2)
    slope = rng.uniform(55.0, 80.0)
    for number in range(11):
        top = middle[2] + 175.0 - 26.0 * number
        girth = 0.62 + 0.38 * np.sin(np.clip((number + 2) / 10, 0, 1) * np.pi / 2)
        for side in (1.0, -1.0):
            angle = np.linspace(-0.46 * np.pi, rng.uniform(0.20, 0.32) * np.pi, 26)
            turned = (angle - angle[0]) / (angle[-1] - angle[0])
            x = spine[0] + side * (14 + (140 * wide * girth - 14) * np.cos(angle))
            y = middle[1] + 97 * deep * girth**0.5 * np.sin(angle) - 6
            z = top - slope * turned**1.25 + rng.normal(0, 1.5)
            radius = np.interp(turned, [0, 0.1, 1], [4.5, 5.5, 6.0]) * rng.uniform(0.9, 1.1)
            body.bar(np.column_stack([x, y, z]), radius, 1.1, 0.034 * density, 0.004)
