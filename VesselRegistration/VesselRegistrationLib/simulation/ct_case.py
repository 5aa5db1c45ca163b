"""A case simulated from a real CT volume: its ray sums as the background, a given vessel filled with contrast."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import map_coordinates
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection
from vtkmodules.vtkFiltersCore import vtkTriangleFilter
from vtkmodules.vtkFiltersGeneral import vtkClipClosedSurface

from ..errors import UserError
from ..geometry.carm import CArmView
from ..mesh.polydata import polydata
from ..mesh.surface import SurfaceModel
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..projection.rasterizer import path_length
from ..rendering.new_folder import check_new_folder
from .anatomy import LOWER
from .body import SOFT_TISSUE
from .case import DEFAULT_SETTINGS, CaseSettings, check_settings, write_study
from .contrast import Filling, halved
from .exposure import CaseGeometry, sample_views, true_pose
from .fluoroscopy import Scene, SimulatedFrame, picture
from .looks import Look
from .textures import resized

_STEP_MM = 1.5
_FRONT_LAYERS = 4
_FRONT_SOFTNESS_MM = 25.0
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class CTVolume:
    """Linear attenuation in 1/mm on a grid, ``values`` (k, j, i) float32, and ``ras_to_index`` (4, 4) to (i, j, k)."""

    values: np.ndarray
    ras_to_index: np.ndarray


def read_ct(path: Path) -> CTVolume:
    """Read a CT volume in HU from a file that SimpleITK knows. Raises UserError where it cannot be read or is no CT."""
    try:
        image = sitk.ReadImage(str(path), sitk.sitkFloat32)
    except RuntimeError:
        raise UserError(f"{path.name} cannot be read as a volume: give a CT as NIfTI, NRRD or MetaImage.") from None
    values = sitk.GetArrayFromImage(image)
    if image.GetDimension() != 3 or min(values.shape) < 8 or not np.isfinite(values).all():
        raise UserError(f"{path.name} is no CT volume: give a three-dimensional one in Hounsfield units.")
    if values.min() > -200 or values.max() < 200:
        raise UserError(f"{path.name} has no air or no bone in it: give a CT in Hounsfield units.")
    index_to_lps = np.eye(4)
    index_to_lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    index_to_lps[:3, 3] = image.GetOrigin()
    attenuation = SOFT_TISSUE * np.clip(1 + values / 1000, 0, 4)
    return CTVolume(attenuation.astype(np.float32), np.linalg.inv(_LPS_TO_RAS @ index_to_lps))


def ray_sums(volume: CTVolume, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows, columns) float32 of a volume along the ray of every pixel, in -ln units.

    ``projection`` (3, 4) maps RAS mm to pixels; samples are taken every 1.5 mm.
    """
    inverse = np.linalg.inv(projection[:, :3])
    source = -inverse @ projection[:, 3]
    row, col = np.indices(shape)
    rays = np.stack([col, row, np.ones(shape)], axis=-1) @ inverse.T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    far = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    far[:, :3] *= np.array(volume.values.shape[::-1]) - 1
    corners = (far @ np.linalg.inv(volume.ras_to_index).T)[:, :3]
    distances = np.linalg.norm(corners - source, axis=1)
    total = np.zeros(shape, dtype=np.float32)
    start = (source @ volume.ras_to_index[:3, :3].T + volume.ras_to_index[:3, 3])[::-1]
    step = (rays @ volume.ras_to_index[:3, :3].T)[..., ::-1]
    nearest = max(0.0, _distance_to_box(volume, source))
    for distance in np.arange(nearest, distances.max(), _STEP_MM):
        place = np.moveaxis(start + distance * step, -1, 0)
        total += map_coordinates(volume.values, place, order=1, mode="constant", cval=0.0)
    return total * np.float32(_STEP_MM)


def _distance_to_box(volume: CTVolume, source: np.ndarray) -> float:
    """Least distance in mm from a point to a volume, or a little less."""
    spacing = np.linalg.norm(np.linalg.inv(volume.ras_to_index)[:3, :3], axis=0)
    index = volume.ras_to_index[:3, :3] @ source + volume.ras_to_index[:3, 3]
    outside = np.maximum(np.maximum(-index, index - (np.array(volume.values.shape[::-1]) - 1)), 0.0)
    return float(np.linalg.norm(outside * spacing)) - 2 * _STEP_MM


def write_case_from_ct(
    directory: Path,
    ct: CTVolume,
    model: SurfaceModel,
    seed: int,
    settings: CaseSettings = DEFAULT_SETTINGS,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> CaseGeometry:
    """Write a case as :func:`.case.write_case` does, from a CT and a vessel ``model`` in the same frame (RAS mm).

    Contrast runs through the model from head to feet. The views are those of the lower field of view. Raises
    UserError where model and CT do not overlap, or the folder is not empty or cannot be written.
    """
    check_new_folder(directory)
    check_settings(settings)
    index = model.centre @ ct.ras_to_index[:3, :3].T + ct.ras_to_index[:3, 3]
    if np.any(index < 0) or np.any(index > np.array(ct.values.shape[::-1]) - 1):
        raise UserError("The vessel model lies outside of the CT volume: give both in the same frame "
                        "(meshes without a named coordinate system are taken as LPS).")
    rng = np.random.default_rng([seed, 41])
    pose = true_pose(model.centre, rng)
    geometry = CaseGeometry(sample_views(LOWER, rng, len(settings.frames), settings.size), pose)
    filling = Filling(0.07)
    look = Look(filling, scene_seed=seed, photons=4000.0, scatter=0.35, blur_px=0.6, electronic=2.0)

    def render(number: int, view: CArmView, frames: int) -> list[SimulatedFrame]:
        return _cine(ct, model, view, pose, look, frames, np.random.default_rng([seed, 42, number]))

    details = {"family": "ct", "seed": seed, "appearance": "ct"}
    write_study(directory, model, geometry, render, settings, details, progress, should_stop)
    return geometry


def _cine(
    ct: CTVolume,
    model: SurfaceModel,
    view: CArmView,
    pose: np.ndarray,
    look: Look,
    frames: int,
    rng: np.random.Generator,
) -> list[SimulatedFrame]:
    """Frames of a bolus running down a model in front of the CT's ray sums."""
    shape = (view.rows, view.columns)
    projection = view.projection_matrix @ pose
    patient = resized(ray_sums(ct, halved(projection), (shape[0] // 2, shape[1] // 2)), shape)
    empty = np.zeros(shape, dtype=bool)
    scene = Scene(patient, path_length(model, projection, shape), empty, ~empty)
    top, bottom = model.vertices[:, 2].max(), model.vertices[:, 2].min()
    shown = []
    for share in np.append(np.linspace(-0.1, 1.0, max(frames - 1, 1))[: frames - 1], 2.0):
        front = top - share * (top - bottom)
        length = scene.length if share > 1 else _length_above(model, projection, shape, front)
        shown.append(picture(scene, look.filling.per_mm * length, length > 0, rng, look))
    return shown


def _length_above(model: SurfaceModel, projection: np.ndarray, shape: tuple[int, int], height: float) -> np.ndarray:
    """Path length (rows, columns) mm inside the part of a model above a soft height (RAS S, mm)."""
    total = np.zeros(shape, dtype=np.float32)
    for offset in (np.arange(_FRONT_LAYERS) + 0.5) / _FRONT_LAYERS * _FRONT_SOFTNESS_MM:
        planes = vtkPlaneCollection()
        plane = vtkPlane()
        plane.SetOrigin(0, 0, height + offset)
        plane.SetNormal(0, 0, 1)
        planes.AddItem(plane)
        clip = vtkClipClosedSurface()
        corners = np.arange(0, 3 * len(model.triangles) + 1, 3)
        clip.SetInputData(polydata(model.vertices, corners, model.triangles.ravel()))
        clip.SetClippingPlanes(planes)
        triangulate = vtkTriangleFilter()
        triangulate.SetInputConnection(clip.GetOutputPort())
        triangulate.Update()
        part = triangulate.GetOutput()
        if part.GetNumberOfCells():
            vertices = vtk_to_numpy(part.GetPoints().GetData()).astype(float)
            triangles = vtk_to_numpy(part.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
            total += path_length(SurfaceModel(vertices, triangles), projection, shape) / _FRONT_LAYERS
    return total
