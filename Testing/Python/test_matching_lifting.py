"""Affines lifted to 3D, against projections of known motions."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.matching.lifting import lift_single_view, lift_views, triangulate

AFFINE = np.array([[1.04, 0.09, -13.0], [-0.07, 0.97, 22.0]])


def a_view(primary: float, secondary: float = 0.0, **changes: object) -> CArmView:
    values: dict[str, object] = {"primary_angle_deg": primary, "secondary_angle_deg": secondary, "sid_mm": 1100.0,
                                 "sod_mm": 760.0, "rows": 512, "columns": 480, "row_spacing_mm": 0.4,
                                 "column_spacing_mm": 0.37}
    return CArmView(**{**values, **changes})  # type: ignore[arg-type]


def model_points() -> np.ndarray:
    return np.random.default_rng(1).uniform([-30, 80, -600], [50, 160, -480], (300, 3))


def initial_pose(points: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = -0.5 * (points.min(axis=0) + points.max(axis=0))
    return matrix


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


@pytest.mark.parametrize("view", [
    a_view(0), a_view(-32, 21), a_view(50, -15, table_shift_mm=(12.0, -7.0, 30.0), principal_point=(200.0, 280.0)),
    a_view(10, 5, image_rotation_deg=90, horizontal_flip=True, detector_rotation_deg=4.0)])
def test_single_view_projects_exactly_to_the_affine(view: CArmView) -> None:
    points = model_points()
    initial = initial_pose(points)
    before, depth_before = view.project(moved(points, initial))
    after, depth_after = view.project(moved(points, lift_single_view(AFFINE, view, initial)))
    np.testing.assert_allclose(after, before @ AFFINE[:, :2].T + AFFINE[:, 2], atol=1e-8)
    np.testing.assert_allclose(depth_after, depth_before, atol=1e-8)


def test_shift_in_one_view_moves_the_isocentre_by_its_magnified_pixels() -> None:
    """By hand: 10 columns of 0.37 mm at the detector are 10 * 0.37 * 760 / 1100 mm to the patient's left at 0/0."""
    lifted = lift_single_view(np.array([[1.0, 0, 10.0], [0, 1.0, 0]]), a_view(0), np.eye(4))
    np.testing.assert_allclose(moved(np.zeros((1, 3)), lifted)[0], [-10 * 0.37 * 760 / 1100, 0, 0], atol=1e-9)


def fitted_affine(view: CArmView, points: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The best affine between two projections of the points, as perfect matching would find it.

    It cannot show turns out of the image plane, which is where the rest of the error comes from.
    """
    first, _ = view.project(moved(points, before))
    second, _ = view.project(moved(points, after))
    return np.linalg.lstsq(np.column_stack([first, np.ones(len(first))]), second, rcond=None)[0].T


@pytest.mark.parametrize(("turn_deg", "shift", "limit_mm"), [
    ((0, 0, 0), (0, 0, 0), 1e-9), ((0, 0, 0), (6, -9, 12), 0.3), ((2, -3, 0), (5, 8, -10), 0.6)])
def test_two_views_recover_a_rigid_motion(turn_deg: tuple[float, ...], shift: tuple[float, ...],
                                          limit_mm: float) -> None:
    points = model_points()
    initial = initial_pose(points)
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    motion[:3, 3] = shift
    truth = motion @ initial
    views = [a_view(-30, 10, table_shift_mm=(4.0, 5.0, -6.0)), a_view(45, -5)]
    affines = [fitted_affine(view, points, initial, truth) for view in views]
    found = lift_views(affines, views, initial, points)
    error = np.linalg.norm(moved(points, found) - moved(points, truth), axis=1)
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1.0)
    assert error.mean() < limit_mm


def test_triangulation_meets_where_the_rays_do() -> None:
    truth = np.array([[3.0, 4.0, 5.0], [-20.0, 1.0, 60.0]])
    views = [a_view(0, table_shift_mm=(9.0, -2.0, 4.0)), a_view(60, 20), a_view(-40)]
    sources = np.array([-view.sod_mm * view.beam_direction - np.array(view.table_shift_mm) for view in views])
    directions = np.array([view.ray_directions(view.project(truth)[0]) for view in views])
    np.testing.assert_allclose(triangulate(sources, directions), truth, atol=1e-8)


@pytest.mark.parametrize("second", [a_view(4), a_view(-178)])
def test_views_along_one_line_are_refused(second: CArmView) -> None:
    points = model_points()
    with pytest.raises(UserError, match="no depth"):
        lift_views([np.eye(2, 3)] * 2, [a_view(0), second], initial_pose(points), points)
