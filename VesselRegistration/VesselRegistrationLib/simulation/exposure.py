"""Where the C-arm stands and how the patient really lies: seeded cases with known pose."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..geometry.carm import CArmView
from .anatomy import FAMILIES, LOWER, Anatomy

TURN_LIMIT_DEG = 10.0
SHIFT_LIMIT_MM = 20.0
LEAST_VIEW_ANGLE_DEG = 35.0


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


def random_view(family: str, rng: np.random.Generator, size: int) -> CArmView:
    """A plausible exposure: LAO/RAO to 45, CRA/CAU to 30 deg, SID 900 to 1200, SOD 700 to 800 mm, square detector.

    The field of view at the detector is 300 to 400 mm for "lower" and 200 to 300 mm for "upper".
    """
    field = rng.uniform(300.0, 400.0) if family == LOWER else rng.uniform(200.0, 300.0)
    spacing = field / size
    return CArmView(
        primary_angle_deg=float(rng.uniform(-45.0, 45.0)), secondary_angle_deg=float(rng.uniform(-30.0, 30.0)),
        sid_mm=float(rng.uniform(900.0, 1200.0)), sod_mm=float(rng.uniform(700.0, 800.0)), rows=size, columns=size,
        row_spacing_mm=spacing, column_spacing_mm=spacing,
    )


def sample_case(anatomy: Anatomy, seed: int, views: int = 2, size: int = 512) -> CaseGeometry:
    """A seeded case of an anatomy: ``views`` exposures at least 35 deg apart on a detector of ``size`` pixels squared.

    All views share one system: SOD and the true pose are the same, SID and field of view may differ.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(anatomy.family), 7])
    pose = true_pose(anatomy.model.centre, rng)
    chosen: list[CArmView] = []
    while len(chosen) < views:
        view = random_view(anatomy.family, rng, size)
        if chosen:
            view = CArmView(view.primary_angle_deg, view.secondary_angle_deg, view.sid_mm, chosen[0].sod_mm, size, size,
                            view.row_spacing_mm, view.column_spacing_mm)
        cosines = [abs(view.beam_direction @ other.beam_direction) for other in chosen]
        if all(cosine <= np.cos(np.radians(LEAST_VIEW_ANGLE_DEG)) for cosine in cosines):
            chosen.append(view)
    return CaseGeometry(tuple(chosen), pose)
