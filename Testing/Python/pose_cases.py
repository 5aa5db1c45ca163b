"""Seeded cases with known pose for the tests of the pose solver.

Masks are painted triangle by triangle with Pillow from the points that the X-ray machine of ``carm_raycaster`` sees, so
neither the geometry nor the renderer under test has a part in them.
"""

from functools import lru_cache

import numpy as np
from carm_raycaster import XRayMachine
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.pose.solver import PoseModel
from VesselRegistrationLib.simulation.anatomy import Anatomy, build_anatomy

_FINER = 3


@lru_cache
def anatomy(family: str) -> Anatomy:
    """A vessel tree of the simulator, "upper" or "lower", that no training has seen."""
    return build_anatomy(family, 1003)


@lru_cache
def pose_model(family: str) -> PoseModel:
    """The same, made ready for the solver."""
    return PoseModel(anatomy(family).model)


def machine(primary: float, secondary: float, detector_mm: float = 300.0, size: int = 512,
            **changes: object) -> XRayMachine:
    """A square detector of a side in mm and in pixels."""
    values = {"rows": size, "columns": size, "row_spacing": detector_mm / size, "column_spacing": detector_mm / size}
    return XRayMachine(primary, secondary, **{**values, **changes})  # type: ignore[arg-type]


def view_of(rays: XRayMachine) -> CArmView:
    """The machine as the project knows it."""
    return CArmView(**rays.view_parameters())


def centred(family: str) -> np.ndarray:
    """The pose that registrations start from: the middle of the model at the isocentre."""
    pose = np.eye(4)
    pose[:3, 3] = -anatomy(family).model.centre
    return pose


def moved_pose(family: str, turn_deg: tuple[float, float, float], move_mm: tuple[float, float, float]) -> np.ndarray:
    """The centred pose turned about the isocentre (Euler xyz) and moved."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    motion[:3, 3] = move_mm
    return motion @ centred(family)


def painted(rays: XRayMachine, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The silhouette, bool (rows, columns), of a mesh whose vertices are in world mm."""
    rows, columns = (int(side) for side in rays.pixel_places().shape[:2])
    corners = ((rays.see(vertices) + 0.5) * _FINER - 0.5)[triangles].reshape(-1, 6)
    picture = Image.new("1", (columns * _FINER, rows * _FINER))
    draw = ImageDraw.Draw(picture)
    for corner in corners.tolist():
        draw.polygon(corner, fill=1)
    fine = np.asarray(picture, dtype=np.float32).reshape(rows, _FINER, columns, _FINER)
    return fine.mean(axis=(1, 3)) > 0.5


def true_mask(rays: XRayMachine, family: str, pose: np.ndarray, without: tuple[str, ...] = ()) -> np.ndarray:
    """The silhouette of an anatomy at a pose; branches can be left out by name."""
    tree = anatomy(family)
    left = [number for number, branch in enumerate(tree.branches) if branch.name not in without]
    triangles = tree.model.triangles[np.isin(tree.triangle_branch, left)]
    return painted(rays, tree.model.vertices @ pose[:3, :3].T + pose[:3, 3], triangles)


def spoilt(mask: np.ndarray, seed: int, dice: float) -> np.ndarray:
    """A mask as a poor segmentation gives it: pieces missing, false blobs, a wire, a ragged edge.

    ``dice`` is about what is left of the overlap with ``mask``.
    """
    rng = np.random.default_rng(seed)
    size = mask.shape[0]
    row, col = np.indices(mask.shape)
    bad = mask.copy()
    for step in range(200):
        places = np.argwhere(mask)
        at_row, at_col = places[rng.integers(len(places))]
        if step % 3 == 0:
            bad &= np.hypot(row - at_row, col - at_col) > rng.uniform(0.03, 0.06) * size
        elif step % 3 == 1:
            centre_row, centre_col = rng.uniform(0, size, 2)
            height, width = rng.uniform(0.015, 0.05, 2) * size
            bad |= np.hypot((row - centre_row) / height, (col - centre_col) / width) < 1
        else:
            slope, start = rng.uniform(-1, 1), rng.uniform(0.2, 0.8) * size
            wire = np.abs(col - start - slope * (row - size / 2) - 0.05 * size * np.sin(row / 40)) < 2
            bad |= wire if step == 2 else False
        if overlap(bad, mask) < dice + 0.03:
            break
    inside, outside = ndimage.distance_transform_edt(bad), ndimage.distance_transform_edt(~bad)
    rough = ndimage.gaussian_filter(rng.normal(size=mask.shape), size / 80)
    return inside - outside + rough / rough.std() * size / 250 > 0


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Dice."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def errors_mm(family: str, found: np.ndarray, truth: np.ndarray, machines: list[XRayMachine]) -> tuple[float, float]:
    """mTRE and mRPD, mm, over the model's vertices.

    The mRPD measures from the true point to the line through the source and the found point, at the isocentre's scale;
    only points whose true place is in the picture count.
    """
    points = anatomy(family).model.vertices[::10]
    here, there = (points @ pose[:3, :3].T + pose[:3, 3] for pose in (found, truth))
    in_plane = []
    for rays in machines:
        source = rays.source * [-1, -1, 1] - np.asarray(rays.patient_moved)
        along, to_truth = here - source, there - source
        off = np.linalg.norm(np.cross(along, to_truth), axis=1) / np.linalg.norm(along, axis=1)
        rows, columns = rays.pixel_places().shape[:2]
        seen = ((rays.see(there) > 0) & (rays.see(there) < [columns - 1, rows - 1])).all(axis=1)
        in_plane.append((off * rays.sod / np.linalg.norm(to_truth, axis=1))[seen].mean())
    return float(np.linalg.norm(here - there, axis=1).mean()), float(np.mean(in_plane))
