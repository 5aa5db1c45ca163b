"""Where the C-arm stands and how the patient really lies: seeded cases with known pose."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..geometry.carm import CArmView
from .anatomy import FAMILIES, LOWER, Anatomy

TURN_LIMIT_DEG = 10.0
SHIFT_LIMIT_MM = 20.0
LEAST_VIEW_ANGLE_DEG = 35.0
MOST_VIEWS = 3


@dataclass(frozen=True)
class CaseGeometry:
    """The views of a case and its true pose ``model_to_world`` (4, 4), model RAS mm to world mm."""

    views: tuple[CArmView, ...]
    model_to_world: np.ndarray


def initial_pose(centre: np.ndarray) -> np.ndarray:
    """4x4 that puts the model's centre (3,) mm at the isocentre without turning it."""
    pose = np.eye(4)
    pose[:3, 3] = -np.asarray(centre)
    return pose


def true_pose(centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The initial pose, turned about the isocentre by up to 10 deg and shifted by up to 20 mm per axis (4x4)."""
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-1, 1, size=3) * TURN_LIMIT_DEG, degrees=True).as_matrix()
    move[:3, 3] = rng.uniform(-1, 1, size=3) * SHIFT_LIMIT_MM
    return move @ initial_pose(centre)


def aimed(pose: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The pose (4x4) shifted so that ``target`` (3,) model mm comes to lie where ``centre`` was."""
    shifted = pose.copy()
    shifted[:3, 3] -= pose[:3, :3] @ (np.asarray(target) - centre)
    return shifted


def random_view(family: str, rng: np.random.Generator, size: int) -> CArmView:
    """A plausible exposure: LAO/RAO to 45, CRA/CAU to 30 deg, SID 900 to 1200, SOD 700 to 800 mm, square detector.

    The field of view at the detector is 300 to 400 mm for "lower" and 200 to 300 mm for "upper"; at the isocentre it
    is at least 215 and 150 mm, so that the bifurcation or the arch fits in.
    """
    sid, sod = rng.uniform(900.0, 1200.0), rng.uniform(700.0, 800.0)
    low, high, least = (300.0, 400.0, 215.0) if family == LOWER else (200.0, 300.0, 150.0)
    spacing = rng.uniform(max(low, least * sid / sod), high) / size
    return CArmView(
        primary_angle_deg=float(rng.uniform(-45.0, 45.0)), secondary_angle_deg=float(rng.uniform(-30.0, 30.0)),
        sid_mm=float(sid), sod_mm=float(sod), rows=size, columns=size, row_spacing_mm=float(spacing),
        column_spacing_mm=float(spacing),
    )


def narrowed(view: CArmView, share: float) -> CArmView:
    """The view with the detector's zoom on: ``share`` of the field on as many pixels."""
    return replace(view, row_spacing_mm=share * view.row_spacing_mm, column_spacing_mm=share * view.column_spacing_mm)


def sample_views(family: str, rng: np.random.Generator, count: int, size: int) -> tuple[CArmView, ...]:
    """``count`` (1 to 3) exposures with one SOD, at least 35 deg apart, on detectors of ``size`` pixels squared."""
    if not 1 <= count <= MOST_VIEWS:
        raise ValueError(f"{count} views do not fit between the limits of the angles")
    limit = np.cos(np.radians(LEAST_VIEW_ANGLE_DEG))
    while True:
        drawn = [random_view(family, rng, size) for _ in range(count)]
        drawn = [replace(view, sod_mm=drawn[0].sod_mm) for view in drawn]
        beams = np.array([view.beam_direction for view in drawn])
        if np.all(beams @ beams.T <= limit + np.eye(count)):
            return tuple(drawn)


def sample_case(anatomy: Anatomy, seed: int, views: int = 2, size: int = 512) -> CaseGeometry:
    """A seeded case of an anatomy: ``views`` exposures of :func:`sample_views` and the true pose."""
    rng = np.random.default_rng([seed, FAMILIES.index(anatomy.family), 7])
    pose = true_pose(anatomy.model.centre, rng)
    return CaseGeometry(sample_views(anatomy.family, rng, views, size), pose)
