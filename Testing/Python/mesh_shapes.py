"""Surfaces of known shape for the tests of mesh reading, in mm, and ways to write and damage them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

Mesh = tuple[np.ndarray, np.ndarray]

WRITERS = {".stl": vtk.vtkSTLWriter, ".ply": vtk.vtkPLYWriter, ".obj": vtk.vtkOBJWriter,
           ".vtk": vtk.vtkPolyDataWriter, ".vtp": vtk.vtkXMLPolyDataWriter}


def arrays(surface: vtk.vtkPolyData) -> Mesh:
    """Vertices (N, 3) and triangles (M, 3), coincident points merged."""
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    clean = vtk.vtkCleanPolyData()
    clean.SetInputConnection(triangles.GetOutputPort())
    clean.Update()
    mesh = clean.GetOutput()
    return (vtk_to_numpy(mesh.GetPoints().GetData()).astype(float),
            vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(int))


def ellipsoid(centre: Sequence[float] = (12.0, 25.0, 40.0), radii: Sequence[float] = (15.0, 22.0, 45.0),
              resolution: int = 24) -> Mesh:
    """A closed surface that no two axes can be mistaken for each other on."""
    source = vtk.vtkSphereSource()
    source.SetRadius(1)
    source.SetThetaResolution(resolution)
    source.SetPhiResolution(resolution)
    source.SetOutputPointsPrecision(vtk.vtkAlgorithm.DOUBLE_PRECISION)
    source.Update()
    vertices, triangles = arrays(source.GetOutput())
    return vertices * radii + centre, triangles


def open_tube(radius: float = 10.0, length: float = 200.0, sides: int = 36, rings: int = 41) -> Mesh:
    """A tube along z without ends, facing outward."""
    angle = np.arange(sides) * 2 * np.pi / sides
    height = np.linspace(-length / 2, length / 2, rings)
    vertices = np.array([(radius * np.cos(t), radius * np.sin(t), z) for z in height for t in angle])
    triangles = []
    for ring in range(rings - 1):
        for side in range(sides):
            a, b = ring * sides + side, ring * sides + (side + 1) % sides
            triangles += [(a, b, a + sides), (b, b + sides, a + sides)]
    return vertices, np.array(triangles)


def tube_volume(radius: float = 10.0, length: float = 200.0, sides: int = 36) -> float:
    return 0.5 * sides * radius**2 * np.sin(2 * np.pi / sides) * length


def box(low: Sequence[float], high: Sequence[float]) -> Mesh:
    """A box of 12 triangles, facing outward."""
    source = vtk.vtkCubeSource()
    source.SetBounds(*np.column_stack([low, high]).ravel())
    source.Update()
    bare = vtk.vtkPolyData()
    bare.SetPoints(source.GetOutput().GetPoints())
    bare.SetPolys(source.GetOutput().GetPolys())
    return arrays(bare)


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    return (np.vstack([vertices for vertices, _ in meshes]),
            np.vstack([triangles + start for (_, triangles), start in zip(meshes, starts, strict=True)]))


def polydata(mesh: Mesh) -> vtk.vtkPolyData:
    points, cells, surface = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkPolyData()
    points.SetDataTypeToDouble()
    for vertex in mesh[0]:
        points.InsertNextPoint(vertex)
    for triangle in mesh[1]:
        cells.InsertNextCell(len(triangle), list(triangle))
    surface.SetPoints(points)
    surface.SetPolys(cells)
    return surface


def write(path: Path, mesh: Mesh, ascii_text: bool = False) -> Path:
    """Write with VTK's own writers, without any coordinate system in the header."""
    writer = WRITERS[path.suffix]()
    if path.suffix == ".vtp":
        writer.SetDataMode(0 if ascii_text else 2)
    elif path.suffix != ".obj":
        writer.SetFileType(1 if ascii_text else 2)
    writer.SetInputData(polydata(mesh))
    writer.SetFileName(str(path))
    assert writer.Write()
    return path


def measured_volume(mesh: Mesh) -> float:
    """Signed volume by VTK; only right for a closed surface."""
    properties = vtk.vtkMassProperties()
    properties.SetInputData(polydata(mesh))
    return properties.GetVolume()


def open_edges(mesh: Mesh) -> int:
    """Edges that VTK finds open or shared by more than two triangles."""
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(polydata(mesh))
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.BoundaryEdgesOn()
    edges.NonManifoldEdgesOn()
    edges.Update()
    return edges.GetOutput().GetNumberOfLines()


def faces_outward(mesh: Mesh) -> bool:
    """Whether stepping a little along every triangle's normal leaves the body (VTK counts crossings, not normals)."""
    vertices, triangles = mesh
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    large = length > 1e-3 * length.max()
    outside = (a + b + c)[large] / 3 + 0.02 * normals[large] / length[large, None]
    probe = vtk.vtkPolyData()
    points = vtk.vtkPoints()
    for point in outside:
        points.InsertNextPoint(point)
    probe.SetPoints(points)
    inside = vtk.vtkSelectEnclosedPoints()
    inside.SetSurfaceData(polydata(mesh))
    inside.SetInputData(probe)
    inside.Update()
    return not vtk_to_numpy(inside.GetOutput().GetPointData().GetArray("SelectedPoints")).any()
