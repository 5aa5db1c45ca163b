"""A small registration made by hand: a bent tube seen by an oblique view on an image that is not square."""

from pathlib import Path
from types import MappingProxyType

import numpy as np
import vtk
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.dicom.frame import HeaderGeometry, XAFrame
from VesselRegistrationLib.mesh.surface import SurfaceModel
from VesselRegistrationLib.projection.rasterizer import silhouette
from VesselRegistrationLib.registration.result import Overlap, RegistrationResult, ViewResult
from vtk.util.numpy_support import vtk_to_numpy

ROWS, COLUMNS = 96, 128
PATIENT_FILE = Path("Doe_John_19500101.dcm")


def example_geometry() -> HeaderGeometry:
    """An oblique view with every field away from its default."""
    sources = MappingProxyType({"primary_angle_deg": "(0018,1510)", "sid_mm": "(0018,1110)"})
    return HeaderGeometry(primary_angle_deg=30.5, secondary_angle_deg=-12.25, sid_mm=1105.0, sod_mm=761.0,
                          row_spacing_mm=2.0, column_spacing_mm=1.5, detector_rotation_deg=1.5,
                          table_shift_mm=(3.0, -2.0, 5.0), principal_point=(60.0, 50.0), image_rotation_deg=0,
                          horizontal_flip=True, sources=sources)


def example_frame(geometry: HeaderGeometry | None = None, shutters: bool = True) -> XAFrame:
    """A frame of smooth noise whose first two rows lie behind a shutter."""
    attenuation = np.random.default_rng(3).normal(1.0, 0.3, (ROWS, COLUMNS)).astype(np.float32)
    attenuation.flags.writeable = False
    usable = np.ones((ROWS, COLUMNS), bool)
    usable[:2] = not shutters
    return XAFrame(path=PATIENT_FILE, frame_number=4, frame_count=12, attenuation=attenuation, usable=usable,
                   intensity_relationship="LIN", geometry=geometry or example_geometry(), subtracted=True,
                   frame_time_ms=66.7, body_part="CHEST", sop_instance_uid="1.2.3.4")


def example_model() -> SurfaceModel:
    """A bent tube, closed at its ends, about 200 mm long, in RAS mm of a CT."""
    t = np.linspace(0, 1, 40)
    line = vtk.vtkPoints()
    for point in np.column_stack([40 * np.sin(2 * t) - 60, 30 * t**2 - 100, 180 * t + 900]):
        line.InsertNextPoint(point)
    path = vtk.vtkPolyLineSource()
    path.SetNumberOfPoints(40)
    path.SetPoints(line)
    tube = vtk.vtkTubeFilter()
    tube.SetInputConnection(path.GetOutputPort())
    tube.SetRadius(11)
    tube.SetNumberOfSides(24)
    tube.CappingOn()
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(tube.GetOutputPort())
    clean = vtk.vtkCleanPolyData()
    clean.SetInputConnection(triangles.GetOutputPort())
    clean.Update()
    mesh = clean.GetOutput()
    return SurfaceModel(vtk_to_numpy(mesh.GetPoints().GetData()).astype(float),
                        vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32), "tube")


def example_result(model: SurfaceModel, frames: list[XAFrame]) -> RegistrationResult:
    """The same rigid pose seen in every frame; the mask is the silhouette with a bite taken out of it."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [4, -7, 10], degrees=True).as_matrix()
    pose[:3, 3] = np.array([6.0, -8.0, 12.0]) - pose[:3, :3] @ model.centre
    initial = np.eye(4)
    initial[:3, 3] = -model.centre
    views = []
    for frame in frames:
        view = frame.view()
        projection = view.projection_matrix @ pose
        drawn = silhouette(model, projection, frame.attenuation.shape)
        mask = drawn.copy()
        mask[:ROWS // 2] = False
        recall = mask.sum() / drawn.sum()
        before = silhouette(model, view.projection_matrix @ initial, frame.attenuation.shape)
        views.append(ViewResult(frame, view, mask, "made by hand", np.eye(2, 3), projection, before, drawn,
                                Overlap(2 * recall / (1 + recall), recall, 1.0)))
    return RegistrationResult("affine", "check", "The mask covers half of the model.", pose, tuple(views),
                              {"matching": 0.5}, {"affine": "0" * 64})
