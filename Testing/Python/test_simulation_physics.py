"""The simulator's X-ray physics against analytic shadows and photon statistics."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.projection.rasterizer import path_length
from VesselRegistrationLib.simulation.anatomy import LOWER, UPPER
from VesselRegistrationLib.simulation.body import Body, line_integral
from VesselRegistrationLib.simulation.contrast import Filling, contrast_shadow, halved
from VesselRegistrationLib.simulation.detector import collimator, expose, to_attenuation
from VesselRegistrationLib.simulation.devices import Device, device_shadow, free_line, route_line
from VesselRegistrationLib.simulation.exposure import initial_pose
from VesselRegistrationLib.simulation.streams import cached_anatomy
from VesselRegistrationLib.simulation.textures import resized, smooth_noise
from VesselRegistrationLib.simulation.tubes import Tube, arc_lengths

VIEW = CArmView(25.0, -12.0, 1050.0, 740.0, 96, 80, 2.4, 3.0)


def sampled(inside: Callable[[np.ndarray], np.ndarray], view: CArmView, reach: float = 90.0) -> np.ndarray:
    """Length inside a solid along every pixel's ray, by stepping along the rays 0.1 mm at a time."""
    rows, cols = np.indices((view.rows, view.columns))
    rays = view.ray_directions(np.column_stack([cols.ravel(), rows.ravel()]))
    total = np.zeros(len(rays))
    for distance in np.arange(view.sod_mm - reach, view.sod_mm + reach, 0.1):
        total += inside(view.source + distance * rays)
    return 0.1 * total.reshape(rows.shape)


def test_ellipsoids_and_boxes_cast_their_exact_shadow() -> None:
    turn = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    body = Body()
    body.ellipsoid(np.array([12.0, -8.0, 10.0]), (30, 18, 44), 0.02, turn)
    body.box(np.array([-20.0, 5.0, -15.0]), (14, 25, 9), 0.05, turn)

    def inside(points: np.ndarray) -> np.ndarray:
        one = (points - [12.0, -8.0, 10.0]) @ turn / [30, 18, 44]
        other = np.abs((points - [-20.0, 5.0, -15.0]) @ turn) <= [14, 25, 9]
        return 0.02 * ((one**2).sum(axis=1) <= 1) + 0.05 * other.all(axis=1)

    assert np.abs(line_integral(body, VIEW.projection_matrix, (96, 80)) - sampled(inside, VIEW)).max() < 0.02


def test_a_cavity_is_cut_out_of_by_its_neighbours() -> None:
    body = Body()
    eye = np.eye(3)
    body.cavities.append(((np.zeros(3), eye / 40, -0.015), [(np.array([20.0, 0, 0]), eye / 30, 0.0)]))

    def inside(points: np.ndarray) -> np.ndarray:
        far = np.linalg.norm(points - [20.0, 0, 0], axis=1) > 30
        return -0.015 * ((np.linalg.norm(points, axis=1) <= 40) & far)

    assert np.abs(line_integral(body, VIEW.projection_matrix, (96, 80)) - sampled(inside, VIEW)).max() < 0.01


def test_bone_has_a_dense_shell() -> None:
    body = Body()
    rod = Tube(np.linspace([0, 0, -60], [0, 0, 60], 20), np.full(20, 15.0))
    body.bone(np.random.default_rng(0), [rod], 3.0, 0.05, 0.01)
    body.bar(np.linspace([40, 0, -60], [40, 0, 60], 20), 15.0, 3.0, 0.05, 0.01)
    view = CArmView(0, 0, 1000, 800, 101, 201, 1.0, 1.0)
    row = line_integral(body, view.projection_matrix, (101, 201))[50]
    centre, shell = 0.05 * 6 + 0.01 * 24, 0.05 * 2 * np.sqrt(15**2 - 12.5**2)
    assert row[100] == pytest.approx(centre, rel=0.1)  # meshed bone, in the middle
    assert row[100 - round(40 * 1.25)] == pytest.approx(centre, rel=0.1)  # drawn bar
    assert row[100 + round(12.5 * 1.25)] == pytest.approx(shell, rel=0.25)


def test_device_shadow_is_twice_its_radius_thick_and_keeps_its_total_when_thin() -> None:
    view = CArmView(0, 0, 1000, 800, 128, 128, 0.5, 0.5)
    line = np.linspace([0.0, 0, -15], [0, 0, 15], 40)
    for radius in (2.0, 0.3):
        image, mask = device_shadow([Device(line, radius, 100.0, 0.1)], view.projection_matrix, (128, 128))
        area = image[64].sum() * 0.5 * 0.8  # attenuation x mm at the isocentre
        assert area == pytest.approx(0.1 * np.pi * radius**2, rel=0.12)
        assert mask[64].sum() >= 2
    assert device_shadow([Device(line, 2.0, 100.0, 0.1)], view.projection_matrix, (128, 128))[0].max() == pytest.approx(
        0.4, rel=0.05)
    hollow, _ = device_shadow([Device(line, 2.0, 0.4, 0.1)], view.projection_matrix, (128, 128))
    assert hollow[64].max() > 1.5 * hollow[64, 63]  # dark walls, bright lumen


def test_fixtures_are_no_tools() -> None:
    line = np.linspace([0.0, 0, -15], [0, 0, 15], 40)
    _, mask = device_shadow([Device(line, 1.0, 100.0, 0.1, tool=False)], VIEW.projection_matrix, (96, 80))
    assert not mask.any()


@pytest.mark.parametrize("family", [UPPER, LOWER])
def test_a_guidewire_stays_in_the_vessel_and_bends_gently(family: str) -> None:
    anatomy = cached_anatomy(family, 3)
    centres = np.concatenate([branch.centreline for branch in anatomy.branches])
    radii = np.concatenate([branch.radii for branch in anatomy.branches])
    for seed in range(5):
        line = route_line(anatomy, np.random.default_rng(seed))
        outside = np.linalg.norm(line[:, None] - centres[None, ::2], axis=2) - radii[None, ::2]
        assert (outside.min(axis=1) < 1.5).mean() > 0.97
        assert arc_lengths(line)[-1] > 60
    free = free_line(np.random.default_rng(1), np.zeros(3), 200, 20.0)[:, [0, 2]]
    turning = np.abs(np.diff(np.unwrap(np.arctan2(*np.diff(free, axis=0).T))))
    assert turning.max() <= 3.0 / 20.0 + 1e-6


def test_full_contrast_adds_its_coefficient_times_the_path() -> None:
    anatomy = cached_anatomy(LOWER, 0)
    view = CArmView(10, 5, 1000, 750, 128, 128, 2.8, 2.8)
    projection = view.projection_matrix @ initial_pose(anatomy.model.centre)
    length = path_length(anatomy.model, projection, (128, 128))
    shadow, mask = contrast_shadow(anatomy, Filling(0.06), projection, length)
    assert np.allclose(shadow, 0.06 * length, rtol=1e-3, atol=1e-4)
    assert np.array_equal(mask, length > 0)
    assert not contrast_shadow(anatomy, Filling(0.0), projection, length)[1].any()


def test_contrast_ends_at_the_bolus_front_and_leaves_blocked_branches_empty() -> None:
    anatomy = cached_anatomy(LOWER, 0)
    view = CArmView(0, 0, 1000, 750, 256, 256, 1.5, 1.5)
    projection = view.projection_matrix @ initial_pose(anatomy.model.centre)
    length = path_length(anatomy.model, projection, (256, 256))
    parts = {branch.name: branch for branch in anatomy.branches}
    blocked = "left_external_iliac"
    front = parts["right_common_femoral"].inlet_distance_mm
    filling = Filling(0.06, front_mm=front, branch_factors=((blocked, 0.0),))
    _, mask = contrast_shadow(anatomy, filling, projection, length)

    def at(points: np.ndarray) -> np.ndarray:
        homogeneous = points @ projection[:, :3].T + projection[:, 3]
        col, row = np.rint(homogeneous[:, :2] / homogeneous[:, 2:]).astype(int).T
        shown = (col >= 0) & (col < 256) & (row >= 0) & (row < 256)
        return mask[row[shown], col[shown]]

    assert at(parts["right_common_iliac"].centreline).all()
    assert not at(parts["right_superficial_femoral"].centreline).any()
    two_thirds = 2 * len(parts[blocked].centreline) // 3
    assert not at(parts[blocked].centreline[two_thirds - 2 : two_thirds + 3]).any()


def test_detector_is_poisson_about_the_transmitted_intensity() -> None:
    attenuation = np.full((200, 200), 3.0, dtype=np.float32)
    attenuation[:, 100:] = 4.0
    everywhere = np.ones((200, 200), dtype=bool)
    seen = to_attenuation(expose(attenuation, everywhere, np.random.default_rng(0), photons=2000, scatter=0.0,
                                 blur_px=0.0, electronic=0.0))
    bright, dark = seen[:, :90], seen[:, 110:]
    assert dark.mean() - bright.mean() == pytest.approx(1.0, abs=0.01)
    # The median lies between both halves: 2000 photons there.
    photons = 2000 / np.median(np.exp(-(attenuation - 3.0))) * np.array([1.0, np.exp(-1.0)])
    assert bright.std() == pytest.approx(1 / np.sqrt(photons[0]), rel=0.05)
    assert dark.std() == pytest.approx(1 / np.sqrt(photons[1]), rel=0.05)


def test_scatter_veils_contrast_and_the_collimator_is_dark() -> None:
    attenuation = np.full((128, 128), 3.0, dtype=np.float32)
    attenuation[:, 64:] = 4.0
    usable = np.ones((128, 128), dtype=bool)
    usable[:, :10] = False
    step = {}
    for scatter in (0.0, 1.0):
        seen = to_attenuation(expose(attenuation, usable, np.random.default_rng(0), photons=1e5, scatter=scatter,
                                     blur_px=0.0, electronic=0.0))
        step[scatter] = seen[:, 70:80].mean() - seen[:, 48:58].mean()
        assert seen[:, :9].mean() > seen[:, 12:].max() - 1.0
    assert step[1.0] < 0.75 * step[0.0]


@pytest.mark.parametrize("kind", ["none", "straight", "tilted", "iris", "octagon"])
def test_collimators_leave_most_of_the_picture(kind: str) -> None:
    for seed in range(20):
        usable = collimator(np.random.default_rng(seed), (64, 64), kind)
        assert usable.mean() > 0.4 and usable[32, 32]
        assert usable.all() or kind != "none"


def test_half_the_pixels_over_the_same_area() -> None:
    projection = VIEW.projection_matrix
    points = np.random.default_rng(0).normal(size=(20, 3)) * 30
    small = VIEW.resampled(48, 40)
    homogeneous = points @ halved(projection)[:, :3].T + halved(projection)[:, 3]
    assert np.allclose(homogeneous[:, :2] / homogeneous[:, 2:], small.project(points)[0])
    ramp = np.add.outer(np.arange(40.0), 2 * np.arange(30.0))
    grown = resized(ramp, (80, 60))
    assert np.allclose(grown[1:-1, 1:-1], np.add.outer((np.arange(80) + 0.5) / 2 - 0.5, np.arange(60) + 0.5 - 1.0)[
        1:-1, 1:-1], atol=1e-3)


def test_smooth_noise_has_unit_spread_and_is_smooth() -> None:
    noise = smooth_noise(np.random.default_rng(0), (300, 300), 10.0)
    assert noise.std() == pytest.approx(1.0, abs=0.1) and abs(noise.mean()) < 0.1
    assert np.abs(np.diff(noise, axis=0)).max() < 0.6
