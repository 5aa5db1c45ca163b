"""The paper's projection, corrected: the limit of the ray caster for a source far away, and not the printed formula."""

from types import ModuleType

import geometry_mutations
import numpy as np
import pytest
from carm_raycaster import XRayMachine
from VesselRegistrationLib.geometry import orthographic
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.geometry.orthographic import project_orthographic

ANGLES = ((0, 0), (30, 20), (-45, 10), (90, 0), (-120, -35), (15, 80))
POINTS = np.random.default_rng(3).uniform(-125, 125, (20, 3))


def aorta() -> np.ndarray:
    """Points (N, 3) on and in an aorta of 250 mm, RAS mm: a straight descending part and an arch to the front."""
    along = np.linspace(0, 1, 300)
    arch = np.clip((along - 0.7) / 0.3, 0, 1) * np.pi
    line = np.column_stack([5 * np.sin(6 * along) + 8 * arch / np.pi, 35 * (1 - np.cos(arch)) - 10 * along,
                            np.minimum(along / 0.7, 1) * 220 + 30 * np.sin(arch)])
    around = np.random.default_rng(0).normal(size=(300, 4, 3))
    around *= 13 / np.linalg.norm(around, axis=-1, keepdims=True)
    return (line[:, None] + around).reshape(-1, 3) - line.mean(axis=0)


def view(primary: float, secondary: float, sid: float = 1100.0, sod: float = 760.0) -> CArmView:
    return CArmView(primary_angle_deg=primary, secondary_angle_deg=secondary, sid_mm=sid, sod_mm=sod, rows=512,
                    columns=512, row_spacing_mm=0.6, column_spacing_mm=0.6)


def in_plane_mm(machine: XRayMachine, points: np.ndarray) -> np.ndarray:
    """Where the ray caster sees points, in mm at the isocentre from the central ray."""
    centre = np.array([machine.columns - 1, machine.rows - 1]) / 2
    spacing = np.array([machine.column_spacing, machine.row_spacing]) * machine.sod / machine.sid
    return (machine.see(points) - centre) * spacing


def worst_mm(module: ModuleType, points: np.ndarray = POINTS) -> float:
    worst = 0.0
    for primary, secondary in ANGLES:
        far = XRayMachine(primary, secondary, sid=1.5e8, sod=1e8)
        found = module.project_orthographic(view(primary, secondary), points)
        from_source = points * [-1, -1, 1] @ far.towards_detector
        errors = np.column_stack([found[:, :2] - in_plane_mm(far, points), found[:, 2] - from_source])
        worst = max(worst, np.abs(errors).max())
    return worst


def test_is_the_limit_of_a_source_far_away() -> None:
    assert worst_mm(orthographic) < 1e-3


def test_difference_from_perspective_halves_with_twice_the_distance() -> None:
    errors = []
    for sod in (700.0, 1400.0, 2800.0):
        real = view(30, 20, sid=sod + 150, sod=sod)
        pixels, _ = real.project(POINTS)
        mm = (pixels - real.central_pixel) * real.isocentre_spacing_mm
        errors.append(np.linalg.norm(mm - project_orthographic(real, POINTS)[:, :2], axis=1).mean())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_every_mutation_is_noticed() -> None:
    names = {"_PERMUTATION", "project_orthographic"}
    changed = list(geometry_mutations.mutants(orthographic, names))
    assert len(changed) >= 8
    for what, source in changed:
        try:
            worst = worst_mm(geometry_mutations.load(source, orthographic))
        except (ValueError, AttributeError, np.linalg.LinAlgError):
            continue
        assert worst > 1, what


def residual_mm(found: np.ndarray, true: np.ndarray) -> float:
    """Mean distance (N, 2) to (N, 2) that is left after the best affine map."""
    design = np.column_stack([found, np.ones(len(found))])
    return float(np.linalg.norm(design @ np.linalg.lstsq(design, true, rcond=None)[0] - true, axis=1).mean())


def test_printed_formula_is_off_by_centimetres_and_the_corrected_one_by_millimetres() -> None:
    """Li et al., Eq. 3 taken literally: Rot_z(a) Rot_x(b) applied to the points, the first two coordinates kept."""
    a, b = np.deg2rad([30.0, 20.0])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    points = aorta()
    assert 230 < np.ptp(points, axis=0).max() < 280
    true = in_plane_mm(XRayMachine(30, 20), points)
    printed = points @ (about_z @ about_x).T
    assert residual_mm(printed[:, [0, 1]], true) > 25
    assert residual_mm(printed[:, [0, 2]], true) > 9
    assert 1 < residual_mm(project_orthographic(view(30, 20), points)[:, :2], true) < 3.5
