"""How far a found pose is from the true one, in millimetres."""

import numpy as np

from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel


def target_registration_errors(points: np.ndarray, found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances (N,) mm between points (N, 3), model RAS mm, moved by the found and by the true 4x4.

    Their mean is the mTRE. In a single view most of it is depth along the beam, which that view cannot show.
    """
    return np.linalg.norm(_moved(points, found) - _moved(points, truth), axis=1)


def reprojection_distances(points: np.ndarray, found: np.ndarray, truth: np.ndarray, view: CArmView) -> np.ndarray:
    """Distances (N,) mm between the true places of points (N, 3) and the rays on which the found pose shows them.

    Their mean is the mRPD (van de Kraats et al., IEEE TMI 24, 2005): the in-plane error, in millimetres at the patient
    and not at the detector. A found point behind the source has no ray and counts as infinitely far.
    """
    true_places = _moved(points, truth)
    pixels, depths = view.project(_moved(points, found))
    source = np.linalg.inv(view.world_to_camera)[:3, 3]
    distances = np.linalg.norm(np.cross(true_places - source, view.ray_directions(pixels)), axis=1)
    return np.where(depths > 0, distances, np.inf)


def spread_points(model: SurfaceModel, count: int) -> np.ndarray:
    """Up to ``count`` vertices (K, 3), model RAS mm, taken evenly from the model's list: always the same ones."""
    vertices = model.vertices
    if len(vertices) <= count:
        return vertices
    return vertices[np.linspace(0, len(vertices) - 1, count).astype(int)]


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]
