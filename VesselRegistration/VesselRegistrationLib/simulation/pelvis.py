"""Abdomen and pelvis about an aorto-iliac tree: lumbar spine, sacrum, hip bones, femora, kidneys, liver."""

import numpy as np
from scipy.spatial.transform import Rotation

from .anatomy import Anatomy
from .body import SOFT_TISSUE, Body
from .spine import add_spine


def abdomen(anatomy: Anatomy, rng: np.random.Generator) -> Body:
    """A seeded lower trunk in the model's frame, placed by the aorta, its bifurcation and the groins."""
    lines = {branch.name: branch.centreline for branch in anatomy.branches}
    aorta = lines["abdominal_aorta"]
    groins = {1.0: lines["right_common_femoral"][0], -1.0: lines["left_common_femoral"][0]}
    fork = aorta[-1]
    middle_x = 0.5 * (groins[1.0][0] + groins[-1.0][0])
    body = Body()
    thick = rng.uniform(0.85, 1.25)
    body.ellipsoid(np.array([middle_x, fork[1] - 12.0, fork[2] - 40.0]), (178 * thick**0.5, 112 * thick, 900), SOFT_TISSUE)

    heights = fork[2] + np.arange(5.0 + 36 * 5, -50.0, -36.0) + rng.uniform(-10, 10)
    line = aorta[np.argsort(aorta[:, 2])]
    depth = np.interp(heights, line[:, 2], line[:, 1]) - 31.0
    depth[-1] -= 7.0
    add_spine(body, rng, np.column_stack([np.full(len(heights), middle_x + 2.0), depth, heights]), 22.0, 16.5)
    _sacrum(body, np.array([middle_x, depth[-1] - 6.0, heights[-1] - 22.0]))
    for side, groin in groins.items():
        _hip(body, rng, side, groin, np.array([middle_x, depth[-1], heights[-1]]))
        kidney = np.array([middle_x + side * 58, depth[0] + 6, heights[0] - 45 + 12 * (side < 0)])
        body.ellipsoid(kidney, (27, 22, 52), 0.0012, Rotation.from_euler("y", side * 15, degrees=True).as_matrix())
        psoas = np.array([middle_x + side * 42, depth[2] + 2, heights[3] + 10])
        body.ellipsoid(psoas, (20, 22, 110), 0.0009, Rotation.from_euler("y", side * -12, degrees=True).as_matrix())
    body.ellipsoid(np.array([middle_x + 75, fork[1] + 10, fork[2] + 165]), (88, 80, 72), 0.0010)
    return body


def _sacrum(body: Body, promontory: np.ndarray) -> None:
    """Sacrum and coccyx: shrinking segments along a curve, with pairs of foramina."""
    for number in range(5):
        along = number / 4
        centre = promontory + np.array([0.0, -58.0 * along + 22 * along**3, -24.0 * number])
        tilt = Rotation.from_euler("x", -38 + 46 * along, degrees=True).as_matrix()
        body.ellipsoid(centre, (56 - 9.5 * number, 15 - 2 * number, 16), 0.011, tilt)
        body.box(centre + np.array([0.0, 0.0, -10.0]), (24 - 4 * number, 9, 1.0), 0.020, tilt)
        if number < 4:
            for side in (1.0, -1.0):
                body.ellipsoid(centre + np.array([side * (24 - 3.0 * number), 0, -9]), (4.5, 11, 4), -0.014, tilt)


def _hip(body: Body, rng: np.random.Generator, side: float, groin: np.ndarray, lumbar: np.ndarray) -> None:
    """One hip bone with its femur; the groin's artery runs in front of the femoral head."""
    head = groin + np.array([side * rng.uniform(10, 17), -34.0, rng.uniform(-14, -4)])
    density = rng.uniform(0.8, 1.15)
    joint = np.array([lumbar[0] + side * 52, lumbar[1] - 26, lumbar[2] - 42])
    crest = np.array([lumbar[0] + side * 132, lumbar[1] + 22, lumbar[2] + 22])
    spina = np.array([lumbar[0] + side * 126, lumbar[1] + 82, lumbar[2] - 48])
    pubis = np.array([lumbar[0] + side * 7, head[1] + 26, head[2] - 22])

    def curve(points: list[np.ndarray], count: int = 24) -> np.ndarray:
        knots = np.linspace(0, 1, len(points))
        fit = np.polynomial.polynomial.polyfit(knots, np.array(points), min(3, len(points) - 1))
        return np.polynomial.polynomial.polyval(np.linspace(0, 1, count), fit).T

    shell = 0.045 * density
    back = joint + np.array([side * 12, -24, 22])
    body.bar(curve([back, 0.5 * (back + crest) + [0, -14, 22], crest, 0.5 * (crest + spina) + [side * 10, 8, 8], spina]),
             7.0, 1.8, shell, 0.010)
    socket = head + np.array([side * -20, 4, 14])
    body.bar(curve([joint, 0.5 * (joint + socket) + [side * 16, -3, -14], socket, pubis + [side * 32, 4, 12], pubis]),
             np.linspace(8.0, 7.0, 24), 2.2, shell, 0.008)
    body.bar(curve([spina, 0.5 * (spina + socket) + [side * 3, 0, 4], socket + [side * 20, 8, 14]]), 6.5, 1.5, shell, 0.008)
    wing_centre = 0.34 * joint + 0.33 * crest + 0.33 * spina
    across, up = spina - joint, crest - 0.5 * (spina + joint)
    normal = np.cross(across, up)
    frame = np.linalg.qr(np.column_stack([across, up, normal]))[0]
    body.ellipsoid(wing_centre, (64, 52, 3.2), 0.045 * density, frame)
    tuber = np.array([lumbar[0] + side * 52, head[1] - 36, head[2] - 58])
    ring = [pubis + [side * 4, -4, -16], 0.5 * (pubis + tuber) + [side * -4, 0, -14], tuber, tuber + [side * 16, 16, 28],
            socket + [side * 8, -16, -24]]
    body.bar(curve(ring), 8.5, 2.0, shell, 0.008)
    body.ellipsoid(head, (24, 24, 24), 0.010 * density)
    body.bar(head + np.linspace(-1, 1, 3)[:, None] * np.array([0.5, 0, 0]), 24.0, 1.6, 0.012 * density, 0.0)
    trochanter = head + np.array([side * 46, -8, -20])
    body.bar(np.linspace(head, trochanter, 12), np.linspace(17, 15, 12), 2.5, 0.022 * density, 0.006)
    body.ellipsoid(trochanter + [0, 0, 6], (13, 15, 22), 0.012 * density)
    shaft = np.linspace(trochanter + [side * -6, 0, -14], trochanter + [side * -30, 8, -280], 20)
    body.bar(shaft, np.linspace(16, 13.5, 20), 5.5, 0.030 * density, 0.003)
