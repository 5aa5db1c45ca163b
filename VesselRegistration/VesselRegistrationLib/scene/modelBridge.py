"""Vessel surfaces as model nodes, and back; RAS millimetres on both sides."""

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

from ..errors import UserError
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
    modelNode.SetAndObservePolyData(polyData(vertices, triangles))
    if modelNode.GetDisplayNode() is None:
        modelNode.CreateDefaultDisplayNodes()
        modelNode.GetDisplayNode().SetColor(*MODEL_COLOR)


def polyData(vertices: np.ndarray, triangles: np.ndarray) -> vtk.vtkPolyData:
    """Vertices (N, 3) and triangles (M, 3) as VTK data of its own memory."""
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, dtype=np.float64), deep=True))
    cells = vtk.vtkCellArray()
    offsets = numpy_to_vtkIdTypeArray(np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int64), deep=True)
    corners = numpy_to_vtkIdTypeArray(np.ascontiguousarray(triangles, dtype=np.int64).ravel(), deep=True)
    cells.SetData(offsets, corners)
    data = vtk.vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


def surfaceFromModel(modelNode: slicer.vtkMRMLModelNode) -> SurfaceModel:
    """The closed surface of a model node where the scene shows it, RAS mm.

    Raises UserError where the node is empty or can be no vessel.
    """
    return model_from_polydata(worldPolyData(modelNode), modelNode.GetName())


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
