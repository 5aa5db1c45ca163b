"""Abdomen and pelvis about an aorto-iliac tree: lumbar spine, sacrum, hip bones, femora, kidneys, liver."""

from collections.abc import Mapping

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.spatial.transform import Rotation

from .body import SOFT_TISSUE, Body
from .spine import add_spine
from .tubes import Tube


def abdomen(lines: Mapping[str, np.ndarray], rng: np.random.Generator) -> Body:
    """A seeded lower trunk, placed by the aorta, its bifurcation and the groins.

    ``lines`` holds the centreline (n, 3) mm of every branch of an abdominal aorta, by name.
    """
    aorta = lines["abdominal_aorta"]
    groins = {1.0: lines["right_common_femoral"][0], -1.0: lines["left_common_femoral"][0]}
    fork = aorta[-1]
    middle_x = 0.5 * (groins[1.0][0] + groins[-1.0][0])
    body = Body()
    thick = rng.uniform(0.85, 1.25)
    trunk = np.array([middle_x, fork[1] - 12.0, fork[2] - 40.0])
    body.ellipsoid(trunk, (178 * thick**0.5, 112 * thick, 900), SOFT_TISSUE)

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

    def of(origin: np.ndarray, lateral: float, forward: float, up: float) -> np.ndarray:
        return origin + np.array([side * lateral, forward, up])

    density = rng.uniform(0.8, 1.15)
    head = of(groin, rng.uniform(10, 17), -34.0, rng.uniform(-14, -4))
    joint = of(lumbar, 50, -28, -40)
    pubis = np.array([lumbar[0] + side * 6, head[1] + 24, head[2] - 22])
    tuber = np.array([lumbar[0] + side * 54, head[1] - 34, head[2] - 60])
    socket = of(head, -16, 2, 16)
    _wing(body, rng, (joint, of(lumbar, 42, -52, -6), of(lumbar, 132, 20, 24), of(lumbar, 126, 84, -46),
                      of(head, 4, 18, 36)), density)
    parts = [
        _rod([of(socket, 6, 0, 6), of(head, -24, 14, -8), of(pubis, 26, 4, 6), pubis], [15, 12, 8.5, 8.5]),
        _rod([of(joint, 6, 4, -4), of(joint, 22, 10, -30), of(socket, 0, -4, 0), of(socket, 6, 0, -12)],
             [8, 11, 15, 16]),
        _rod([of(head, -4, -14, 0), of(head, -14, -26, -26), tuber, of(tuber, -14, 8, -6)], [14, 12, 12, 8]),
        _rod([of(tuber, -8, 4, -8), of(tuber, -26, 22, 8), of(pubis, 6, -2, -18), of(pubis, 1, 0, -4)], [7, 6, 6, 7]),
    ]
    turn = np.linspace(0, 2 * np.pi, 30)[:, None]
    opening = np.array([side * 0.75, 0.25, -0.6])
    u = np.cross(opening, [0.0, 1.0, 0.0]) / np.linalg.norm(np.cross(opening, [0.0, 1.0, 0.0]))
    w = np.cross(opening, u) / np.linalg.norm(opening)
    parts.append(Tube(head + 4 * opening + 27 * (np.cos(turn) * u + np.sin(turn) * w), np.full(30, 4.0)))
    body.bone(rng, parts, 1.5, 0.040 * density, 0.0075 * density)

    trochanter = of(head, 46, -8, -20)
    femur = [
        Tube(head + np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]), np.full(2, 23.5)),
        _rod([head, of(head, 24, -4, -10), trochanter], [16, 15, 16]),
        _rod([of(trochanter, -2, -4, 22), trochanter, of(trochanter, -8, 0, -30)], [9, 16, 16]),
        _rod([of(trochanter, -8, 0, -20), of(trochanter, -18, 6, -120), of(trochanter, -30, 8, -260)], [17, 14, 13]),
        _rod([of(trochanter, -26, -8, -34), of(trochanter, -18, -4, -44)], [8, 10]),
    ]
    body.bone(rng, femur, 2.6, 0.034 * density, 0.007 * density)


def _rod(points: list[np.ndarray], radii: list[float]) -> Tube:
    """A tube through a few points, with a radius at each of them."""
    return Tube(_through(points, 40), np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(radii)), radii))


def _through(points: list[np.ndarray], count: int) -> np.ndarray:
    """A smooth curve (count, 3) through a few points."""
    knots = np.linspace(0, 1, len(points))
    return make_interp_spline(knots, np.array(points), k=min(3, len(points) - 1))(np.linspace(0, 1, count))


def _wing(body: Body, rng: np.random.Generator, corners: tuple[np.ndarray, ...], density: float) -> None:
    """The iliac wing: a hollowed plate between the pelvic brim and the crest, thick at both."""
    joint, back, crest, spine, front = corners
    arch = 0.5 * (back + spine) + 1.05 * (crest - 0.5 * (back + spine))
    brim = _through([joint, 0.5 * (joint + front) + 0.12 * (crest - joint), front], 24)
    behind = 0.55 * back + 0.45 * arch + np.array([0, -6, 16])
    top = _through([back, behind, arch, 0.45 * spine + 0.55 * arch, spine], 24)
    up = np.linspace(0, 1, 14)
    outwards = np.cross(front - joint, crest - joint)
    outwards *= rng.uniform(4, 10) * np.sign(crest[0] - joint[0]) * np.sign(outwards[0]) / np.linalg.norm(outwards)
    hollow = np.sin(np.pi * np.linspace(0, 1, 24))[:, None] * np.sin(np.pi * up)[None]
    grid = brim[:, None] + up[None, :, None] * (top - brim)[:, None] + hollow[..., None] * outwards
    thickness = np.interp(up, [0, 0.15, 0.5, 0.84, 0.93, 1], [10, 8, 4, 6, 9, 4])[None] * np.ones((24, 1))
    body.plate(grid, thickness, 0.026 * density)
