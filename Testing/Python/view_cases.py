"""Scenes for the tests of the views: an X-ray with bright dots, a bent tube, and small balls at known points."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType

import numpy as np
import slicer
import vtk
from registration_example import example_model
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.dicom.frame import HeaderGeometry, XAFrame
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.mesh.surface import SurfaceModel
from VesselRegistrationLib.pose.frame_quality import FrameQuality
from VesselRegistrationLib.pose.tracking import TrackedFrame
from VesselRegistrationLib.scene.modelBridge import addModel
from VesselRegistrationLib.scene.volumeBridge import addXrayVolume
from vtk.util.numpy_support import vtk_to_numpy

VIEW = CArmView(30.0, 20.0, 1100.0, 760.0, 160, 192, 1.6, 1.4, principal_point=(90.0, 85.0),
                table_shift_mm=(5.0, -4.0, 8.0))
DOT_PX = 5
"""Side of the bright squares in the X-ray."""


@dataclass(frozen=True)
class ViewScene:
    """A scene with one X-ray, a model and its pose."""

    view: CArmView
    xray: slicer.vtkMRMLScalarVolumeNode
    modelNode: slicer.vtkMRMLModelNode
    transform: slicer.vtkMRMLLinearTransformNode
    model: SurfaceModel
    pose: np.ndarray


def frame_of(view: CArmView, dots: Sequence[Sequence[int]] | np.ndarray = (), number: int = 0,
             count: int = 1) -> XAFrame:
    """A dark frame with bright squares centred on pixels (N, 2) as (col, row)."""
    attenuation = np.ones((view.rows, view.columns), np.float32)
    for col, row in dots:
        half = DOT_PX // 2
        attenuation[row - half:row + half + 1, col - half:col + half + 1] = 0.0
    names = {field.name for field in fields(HeaderGeometry)} - {"sources"}
    geometry = HeaderGeometry(**{name: getattr(view, name) for name in names}, sources=MappingProxyType({}))
    return XAFrame(path=Path("made.dcm"), frame_number=number, frame_count=count, attenuation=attenuation,
                   usable=np.ones(attenuation.shape, bool), intensity_relationship="LIN", geometry=geometry,
                   frame_time_ms=100.0)


def pose_of(model: SurfaceModel, shift: tuple[float, float, float] = (6.0, -8.0, 12.0)) -> np.ndarray:
    """A pose (4, 4) that turns the model a little and brings its middle near the isocentre."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [4, -7, 10], degrees=True).as_matrix()
    pose[:3, 3] = np.array(shift) - pose[:3, :3] @ model.centre
    return pose


def set_pose(transform: slicer.vtkMRMLLinearTransformNode, pose: np.ndarray) -> None:
    """Move a transform node."""
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(pose))


def large_model() -> SurfaceModel:
    """A ring of 205,000 triangles, 180 mm wide."""
    ring = vtk.vtkParametricTorus()
    ring.SetRingRadius(75.0)
    ring.SetCrossSectionRadius(15.0)
    source = vtk.vtkParametricFunctionSource()
    source.SetParametricFunction(ring)
    source.SetUResolution(320)
    source.SetVResolution(320)
    source.Update()
    mesh = source.GetOutput()
    return SurfaceModel(vtk_to_numpy(mesh.GetPoints().GetData()).astype(float),
                        vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32), "ring")


def view_scene(scene: slicer.vtkMRMLScene, view: CArmView, dots: Sequence[Sequence[int]] | np.ndarray = (),
               model: SurfaceModel | None = None) -> ViewScene:
    """Fill a scene: X-ray, the bent tube (or another model) and its pose."""
    xray = addXrayVolume(scene, frame_of(view, dots))
    xray.GetDisplayNode().SetWindowLevelMinMax(-1.0, 0.0)
    model = model or example_model()
    pose = pose_of(model)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "pose")
    set_pose(transform, pose)
    return ViewScene(view, xray, addModel(scene, model), transform, model, pose)


def points_of(node: slicer.vtkMRMLModelNode) -> np.ndarray:
    """The points (N, 3) of a model node."""
    return vtk_to_numpy(node.GetPolyData().GetPoints().GetData())


def labels_of(xray: slicer.vtkMRMLScalarVolumeNode, role: str = "silhouette") -> np.ndarray:
    """The labels (rows, columns) that lie over an X-ray."""
    return slicer.util.arrayFromVolume(xray.GetNodeReference(f"HybridOR.{role}"))[0]


def along_the_tube(model: SurfaceModel, count: int) -> np.ndarray:
    """Some vertices from one end of the tube to the other."""
    order = np.argsort(model.vertices[:, 2])
    return model.vertices[order[np.linspace(20, len(order) - 20, count).astype(int)]]


def middle_of_the_tube(case: ViewScene) -> np.ndarray:
    """A point inside the tube, half way along its centre line, world mm."""
    t = 0.5
    return case.pose[:3, :3] @ (40 * np.sin(2 * t) - 60, 30 * t**2 - 100, 180 * t + 900) + case.pose[:3, 3]


def add_ball(scene: slicer.vtkMRMLScene, point: np.ndarray, radius: float,
             transform: slicer.vtkMRMLLinearTransformNode) -> slicer.vtkMRMLModelNode:
    """A pure green ball at a point of the model, RAS mm, under the model's transform."""
    ball = vtk.vtkSphereSource()
    ball.SetCenter(*point)
    ball.SetRadius(radius)
    ball.SetThetaResolution(24)
    ball.SetPhiResolution(24)
    ball.Update()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "ball")
    node.SetAndObservePolyData(ball.GetOutput())
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetColor(0.0, 1.0, 0.0)
    node.GetDisplayNode().LightingOff()
    node.GetDisplayNode().BackfaceCullingOff()
    node.SetAndObserveTransformNodeID(transform.GetID())
    return node


def new_scene() -> tuple[slicer.vtkMRMLScene, tuple[object, ...]]:
    """An empty scene as Slicer sets it up, and the logics that have to stay alive with it."""
    scene = slicer.vtkMRMLScene()
    logics = (slicer.vtkMRMLColorLogic(), slicer.vtkSlicerSequencesLogic(), slicer.vtkMRMLApplicationLogic())
    for logic in logics:
        logic.SetMRMLScene(scene)
    return scene, logics


def tracked(poses: list[np.ndarray]) -> list[TrackedFrame]:
    """What tracking would give for the frames 0, 1, 2 and so on; the last one was held."""
    quality = FrameQuality(0.9, 0.8)
    return [TrackedFrame(number, pose, "held" if number == len(poses) - 1 else "tracked", f"Frame {number}.", quality,
                         (0.0, 0.0), 0.0, 0.3) for number, pose in enumerate(poses)]
