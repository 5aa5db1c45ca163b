"""Vessel surfaces as model nodes, and back; RAS millimetres on both sides."""

import numpy as np
import slicer
import vtk

from ..errors import UserError
from ..mesh.polydata import triangle_polydata
from ..mesh.reading import model_from_polydata
from ..mesh.surface import SurfaceModel

MODEL_COLOR = (0.94, 0.35, 0.22)


def addModel(scene: slicer.vtkMRMLScene, surface: SurfaceModel, name: str | None = None) -> slicer.vtkMRMLModelNode:
    """A new model node with display that shows a surface."""
    modelNode = scene.AddNewNodeByClass("vtkMRMLModelNode", name or surface.name)
    setModelSurface(modelNode, surface.vertices, surface.triangles)
    return modelNode


def setModelSurface(modelNode: slicer.vtkMRMLModelNode, vertices: np.ndarray, triangles: np.ndarray) -> None:
    """Let a model node show triangles (M, 3) of vertices (N, 3) in RAS mm."""
    modelNode.SetAndObservePolyData(triangle_polydata(vertices, triangles))
    if modelNode.GetDisplayNode() is None:
        modelNode.CreateDefaultDisplayNodes()
        modelNode.GetDisplayNode().SetColor(*MODEL_COLOR)


def surfaceFromModel(modelNode: slicer.vtkMRMLModelNode) -> SurfaceModel:
    """The closed surface of a model node where the scene shows it, RAS mm.

    Raises UserError where the node is empty or can be no vessel.
    """
    return model_from_polydata(worldPolyData(modelNode), modelNode.GetName())


def middleOf(modelNode: slicer.vtkMRMLModelNode) -> np.ndarray:
    """The middle (3,) of the bounding box of a model node's mesh where the scene shows it, RAS mm."""
    moved = modelNode.GetParentTransformNode() is not None
    return np.array((worldPolyData(modelNode) if moved else modelNode.GetPolyData()).GetCenter())


def worldPolyData(modelNode: slicer.vtkMRMLModelNode) -> vtk.vtkPolyData:
    """A copy of a model node's mesh where the scene shows it: moved by the transforms above the node, RAS mm.

    Raises UserError where the node holds no mesh.
    """
    mesh = modelNode.GetPolyData()
    if mesh is None or mesh.GetNumberOfPoints() == 0:
        raise UserError(f"The model {modelNode.GetName()} is empty: choose a vessel model or load one from a file.")
    if modelNode.GetParentTransformNode() is None:
        copy = vtk.vtkPolyData()
        copy.DeepCopy(mesh)
        return copy
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(modelNode.GetParentTransformNode(), None, toWorld)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(toWorld)
    moved.SetInputData(mesh)
    moved.Update()
    return moved.GetOutput()
