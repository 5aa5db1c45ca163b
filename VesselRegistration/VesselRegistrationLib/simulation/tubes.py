"""Vessels as tubes about centrelines, and one clean closed surface about all of them.

The union is taken on signed distances, with a smooth minimum that leaves a fillet where a branch takes off (the
polynomial one of Quilez), and is contoured and thinned with VTK.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import zoom
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import (
    vtkCleanPolyData,
    vtkFeatureEdges,
    vtkFlyingEdges3D,
    vtkPolyDataConnectivityFilter,
    vtkQuadricDecimation,
    vtkWindowedSincPolyDataFilter,
)

SEGMENT_MM = 4.0
FILLET_MM = 3.0
SAMPLE_MM = 1.5


@dataclass(frozen=True)
class Tube:
    """A tube of varying radius: ``centreline`` (n, 3) mm, ``radii`` (n,) mm; its ends are round unless cut flat."""

    centreline: np.ndarray
    radii: np.ndarray
    flat_start: bool = False
    flat_end: bool = False


def spline_tube(
    control_points: np.ndarray,
    radius_profile: Sequence[tuple[float, float]],
    flat_start: bool = False,
    flat_end: bool = False,
) -> Tube:
    """A tube along a natural cubic spline through ``control_points`` (k, 3) mm, sampled about every 1.5 mm.

    ``radius_profile`` lists (fraction of the length, radius in mm), interpolated monotonically.
    """
    points = np.asarray(control_points, dtype=float)
    chords = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    fine = CubicSpline(chords, points, bc_type="natural")(np.linspace(0.0, chords[-1], 20 * len(points)))
    lengths = arc_lengths(fine)
    count = max(4, round(lengths[-1] / SAMPLE_MM) + 1)
    stations = np.linspace(0.0, lengths[-1], count)
    line = np.column_stack([np.interp(stations, lengths, fine[:, axis]) for axis in range(3)])
    fractions, radii = np.transpose(radius_profile)
    return Tube(line, PchipInterpolator(fractions, radii)(np.linspace(0.0, 1.0, count)), flat_start, flat_end)


def arc_lengths(line: np.ndarray) -> np.ndarray:
    """Length along a polyline (n, 3) from its first point to each point, (n,) mm."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def tangents(line: np.ndarray) -> np.ndarray:
    """Unit tangents (n, 3) of a polyline (n, 3)."""
    gradient = np.gradient(line, axis=0)
    return gradient / np.linalg.norm(gradient, axis=1, keepdims=True)


def union_surface(
    tubes: Sequence[Tube],
    spacing_mm: float,
    triangle_target: int,
    rng: np.random.Generator,
    roughness_mm: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) float64 mm and outward triangles (M, 3) int32 of the closed surface about all tubes.

    ``roughness_mm`` is the standard deviation of a smooth random displacement of the wall.
    """
    margin = FILLET_MM + 2 * spacing_mm
    low = np.min([(tube.centreline - tube.radii[:, None]).min(axis=0) for tube in tubes], axis=0) - margin
    high = np.max([(tube.centreline + tube.radii[:, None]).max(axis=0) for tube in tubes], axis=0) + margin
    shape = tuple(int(n) for n in np.ceil((high - low) / spacing_mm) + 1)
    field = np.full(shape, FILLET_MM, dtype=np.float32)
    for tube in tubes:
        _add_tube(field, low, spacing_mm, tube)
    if roughness_mm > 0:
        coarse = rng.normal(size=tuple(max(4, int(n * spacing_mm / 9)) for n in shape)).astype(np.float32)
        bumps = zoom(coarse, np.divide(shape, coarse.shape), order=1, grid_mode=True, mode="nearest")
        field += roughness_mm * 1.5 * bumps[tuple(slice(n) for n in shape)]
    return _contour(field, low, spacing_mm, triangle_target)


def _add_tube(field: np.ndarray, origin: np.ndarray, spacing: float, tube: Tube) -> None:
    """Unite a tube with the signed-distance field, in place."""
    step = max(1, round(SEGMENT_MM / SAMPLE_MM))
    stations = np.unique(np.append(np.arange(0, len(tube.radii), step), len(tube.radii) - 1))
    points, radii = tube.centreline[stations], tube.radii[stations]
    reach = radii.max() + FILLET_MM + spacing
    first = np.maximum(np.floor((points.min(axis=0) - reach - origin) / spacing).astype(int), 0)
    last = np.minimum(np.ceil((points.max(axis=0) + reach - origin) / spacing).astype(int) + 1, field.shape)
    own = np.full(last - first, FILLET_MM, dtype=np.float32)
    own_origin = origin + first * spacing
    for index in range(len(points) - 1):
        _add_segment(own, own_origin, spacing, points[index : index + 2], radii[index : index + 2])
    if tube.flat_start:
        _cut_flat(own, own_origin, spacing, points[0], points[0] - points[1], radii[0])
    if tube.flat_end:
        _cut_flat(own, own_origin, spacing, points[-1], points[-1] - points[-2], radii[-1])
    window = field[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    blend = np.maximum(FILLET_MM - np.abs(window - own), 0.0)
    np.minimum(window, own, out=window)
    window -= blend**2 / (4 * FILLET_MM)


def _add_segment(
    field: np.ndarray,
    origin: np.ndarray,
    spacing: float,
    ends: np.ndarray,
    radii: np.ndarray,
) -> None:
    """Take the minimum of the field and the distance to one cone between two centreline points, in place."""
    window, (x, y, z) = _around(field, origin, spacing, ends, radii.max() + FILLET_MM)
    direction = (ends[1] - ends[0]).astype(np.float32)
    length = float(np.linalg.norm(direction))
    direction /= length
    along = x * direction[0] + y * direction[1] + z * direction[2]
    square = x * x + y * y + z * z
    clamped = np.clip(along, 0.0, length)
    # |p - t d|^2 for the nearest point t of the axis
    distance = np.sqrt(np.maximum(square - 2 * clamped * along + clamped**2, 0.0))
    distance -= radii[0] + (radii[1] - radii[0]) / length * clamped
    np.minimum(window, distance, out=window)


def _cut_flat(
    field: np.ndarray, origin: np.ndarray, spacing: float, end: np.ndarray, outwards: np.ndarray, radius: float
) -> None:
    """Cut a tube's round end off at its last centreline point, in place."""
    reach = 1.3 * radius + FILLET_MM
    window, (x, y, z) = _around(field, origin, spacing, end[None], reach)
    outwards = (outwards / np.linalg.norm(outwards)).astype(np.float32)
    beyond = x * outwards[0] + y * outwards[1] + z * outwards[2]
    np.maximum(window, np.where(x * x + y * y + z * z < reach**2, beyond, -np.inf), out=window)


def _around(
    field: np.ndarray, origin: np.ndarray, spacing: float, points: np.ndarray, reach: float
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The part of a field about some points (a view of it), and its coordinates from the first point, float32 mm."""
    first = np.clip(np.floor((points.min(axis=0) - reach - origin) / spacing).astype(int), 0, field.shape)
    last = np.clip(np.ceil((points.max(axis=0) + reach - origin) / spacing).astype(int) + 1, first, field.shape)
    x, y, z = (((np.arange(a, b) * spacing + o) - p).astype(np.float32)
               for a, b, o, p in zip(first, last, origin, points[0], strict=True))
    window = field[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    return window, (x[:, None, None], y[None, :, None], z[None, None, :])


def _contour(
    field: np.ndarray, origin: np.ndarray, spacing: float, triangle_target: int
) -> tuple[np.ndarray, np.ndarray]:
    """The zero level of the field as a smoothed, thinned mesh of one piece."""
    image = vtkImageData()
    image.SetDimensions(*field.shape)
    image.SetOrigin(*origin)
    image.SetSpacing(spacing, spacing, spacing)
    image.GetPointData().SetScalars(numpy_to_vtk(field.ravel(order="F"), deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    largest = vtkPolyDataConnectivityFilter()
    largest.SetInputConnection(contour.GetOutputPort())
    largest.SetExtractionModeToLargestRegion()
    cleaned = vtkCleanPolyData()
    cleaned.SetInputConnection(largest.GetOutputPort())
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(cleaned.GetOutputPort())
    smooth.SetNumberOfIterations(10)
    smooth.SetPassBand(0.1)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    surface = _thinned(smooth.GetOutput(), triangle_target)
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    if signed_volume(vertices, triangles) < 0:
        triangles = triangles[:, ::-1].copy()
    return vertices, triangles


def _thinned(surface: vtkPolyData, triangle_target: int) -> vtkPolyData:
    """A closed surface with about as many triangles as asked for, or itself where it has fewer."""
    full = surface.GetNumberOfCells()
    for excess in (1.0, 1.01, 1.03, 1.08, 1.2, 1.5):  # VTK's thinning folds an edge onto another one now and then
        target = round(triangle_target * excess)
        if target >= full:
            break
        thin = vtkQuadricDecimation()
        thin.SetInputData(surface)
        thin.SetTargetReduction(1 - target / full)
        thin.VolumePreservationOn()
        edges = vtkFeatureEdges()
        edges.SetInputConnection(thin.GetOutputPort())
        edges.FeatureEdgesOff()
        edges.BoundaryEdgesOn()
        edges.NonManifoldEdgesOn()
        edges.Update()
        if edges.GetOutput().GetNumberOfCells() == 0:
            return thin.GetOutput()
    return surface


def signed_volume(vertices: np.ndarray, triangles: np.ndarray) -> float:
    """Volume in mm^3 inside a closed mesh, positive when its triangles face outwards."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
