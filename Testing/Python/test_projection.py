"""Silhouette and path length against VTK's ray/triangle intersection and against balls and boxes."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import vtk
from carm_raycaster import RAS_FROM_LPS, XRayMachine
from VesselRegistrationLib.geometry.carm import CArmView
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.mesh.surface import SurfaceModel
from VesselRegistrationLib.projection.rasterizer import path_length, silhouette
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

REAL_AORTA = Path(__file__).resolve().parents[3] / "shared/data/meshes/TS_example_aortoiliac_all.vtp"


def machine(primary: float, secondary: float, **changes: object) -> XRayMachine:
    size = {"rows": 512, "columns": 512, "row_spacing": 0.75, "column_spacing": 0.75}
    return XRayMachine(primary, secondary, **{**size, **changes})


def seen_by(rays: XRayMachine) -> tuple[np.ndarray, tuple[int, int]]:
    view = CArmView(**rays.view_parameters())
    return view.projection_matrix, (view.rows, view.columns)


def model_of(surface: vtk.vtkPolyData) -> SurfaceModel:
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    triangles.PassLinesOff()
    triangles.PassVertsOff()
    triangles.Update()
    mesh = triangles.GetOutput()
    return SurfaceModel(vtk_to_numpy(mesh.GetPoints().GetData()).astype(float),
                        vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32))


def ball(centre: Sequence[float], radius: float, resolution: int = 60) -> SurfaceModel:
    source = vtk.vtkSphereSource()
    source.SetCenter(centre)
    source.SetRadius(radius)
    source.SetThetaResolution(resolution)
    source.SetPhiResolution(resolution)
    source.SetOutputPointsPrecision(vtk.vtkAlgorithm.DOUBLE_PRECISION)
    source.Update()
    return model_of(source.GetOutput())


def together(*models: SurfaceModel) -> SurfaceModel:
    starts = np.cumsum([0, *(len(model.vertices) for model in models[:-1])])
    return SurfaceModel(np.vstack([model.vertices for model in models]),
                        np.vstack([model.triangles + start for model, start in zip(models, starts, strict=True)]))


@pytest.fixture(scope="module")
def vessels() -> SurfaceModel:
    """An aorta of 26 to 16 mm that bends and divides into two iliac arteries; the tubes run into one another."""
    def tube(points: list[tuple[float, float, float]], wide: float, narrow: float) -> SurfaceModel:
        spline = vtk.vtkParametricSpline()
        corners = vtk.vtkPoints()
        for point in points:
            corners.InsertNextPoint(point)
        spline.SetPoints(corners)
        line = vtk.vtkParametricFunctionSource()
        line.SetParametricFunction(spline)
        line.SetUResolution(80)
        line.Update()
        radii = numpy_to_vtk(np.linspace(wide, narrow, line.GetOutput().GetNumberOfPoints()) / 2, deep=True)
        line.GetOutput().GetPointData().SetScalars(radii)
        around = vtk.vtkTubeFilter()
        around.SetInputData(line.GetOutput())
        around.SetVaryRadiusToVaryRadiusByAbsoluteScalar()
        around.SetNumberOfSides(24)
        around.CappingOn()
        around.Update()
        return model_of(around.GetOutput())

    return together(tube([(0, 10, 120), (8, 0, 60), (-5, -8, 0), (0, 0, -40)], 26, 16),
                    tube([(0, 0, -35), (25, -10, -70), (45, 15, -120)], 11, 8),
                    tube([(0, 0, -35), (-22, -5, -70), (-50, 20, -115)], 11, 8))


def cast_rays(model: SurfaceModel, rays: XRayMachine) -> np.ndarray:
    """Whether the ray from the source through every pixel's centre meets a triangle, found by VTK in 3D."""
    cells, points, mesh = vtk.vtkCellArray(), vtk.vtkPoints(), vtk.vtkPolyData()
    points.SetData(numpy_to_vtk(model.vertices, deep=True))
    for triangle in model.triangles:
        cells.InsertNextCell(3, triangle.tolist())
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    tree = vtk.vtkStaticCellLocator()
    tree.SetDataSet(mesh)
    tree.BuildLocator()
    source, places = rays.source * RAS_FROM_LPS, rays.pixel_places() * RAS_FROM_LPS
    hit = np.zeros(places.shape[:2], bool)
    low, high = model.vertices.min(axis=0) - 1, model.vertices.max(axis=0) + 1
    with np.errstate(divide="ignore"):
        enter, leave = ((bound - source) / (places - source) for bound in (low, high))
    passes_box = np.minimum(enter, leave).max(axis=-1) <= np.maximum(enter, leave).min(axis=-1)
    t, x, local, sub = vtk.reference(0.0), [0.0] * 3, [0.0] * 3, vtk.reference(0)
    for row, col in np.argwhere(passes_box):
        hit[row, col] = tree.IntersectWithLine(source, places[row, col], 0.0, t, x, local, sub)
    return hit


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("rays", [
    machine(0, 0), machine(35, -20), machine(-90, 5, row_spacing=0.6, column_spacing=0.9),
    machine(25, 15, rows=200, columns=240, row_spacing=0.4, column_spacing=0.4, quarter_turns=1, mirrored=True)],
    ids=["front", "oblique", "lateral", "partly outside"])
def test_silhouette_agrees_with_cast_rays(vessels: SurfaceModel, rays: XRayMachine) -> None:
    projection, shape = seen_by(rays)
    found, exact = silhouette(vessels, projection, shape), cast_rays(vessels, rays)
    print(f"Dice {dice(found, exact):.5f}, {(found != exact).sum()} of {exact.sum()} pixels differ")
    assert exact.sum() > 3000
    assert dice(found, exact) >= 0.995
    assert (found != exact).sum() <= 0.001 * exact.sum()


def test_partly_outside_view_is_cut_off(vessels: SurfaceModel) -> None:
    projection, shape = seen_by(machine(25, 15, rows=200, columns=240, row_spacing=0.4, column_spacing=0.4))
    found = silhouette(vessels, projection, shape)
    assert found[0].any() and found[-1].any() and not found.all()


def test_silhouette_of_a_real_aorta_agrees_with_cast_rays() -> None:
    if not REAL_AORTA.exists():
        pytest.skip("the development data are not here")
    model = read_model(REAL_AORTA)
    model = SurfaceModel(model.vertices - model.centre, model.triangles)
    rays = machine(-30, 10)
    assert dice(silhouette(model, *seen_by(rays)), cast_rays(model, rays)) >= 0.999


@pytest.mark.parametrize("angles", [(0, 0), (40, 25), (-100, -30)])
def test_ball_is_seen_as_it_is(angles: tuple[float, float]) -> None:
    """Silhouette and path length of a fine ball against its exact chords; the facets cost a little."""
    rays, centre, radius = machine(*angles), (30.0, -20.0, 40.0), 35.0
    chords = rays.chord_image(centre, radius)
    projection, shape = seen_by(rays)
    model = ball(centre, radius, 200)
    assert dice(silhouette(model, projection, shape), chords > 0) >= 0.998
    lengths = path_length(model, projection, shape)
    assert lengths.dtype == np.float32
    inside = chords > 10
    assert np.abs(lengths - chords)[inside].max() < 0.1
    assert lengths[chords == 0].max() == 0


def test_path_length_through_a_box() -> None:
    """Seen from the front, every central ray runs through the whole depth, longer where it is oblique."""
    box = vtk.vtkCubeSource()
    box.SetXLength(100)
    box.SetYLength(60)
    box.SetZLength(80)
    box.Update()
    clean = vtk.vtkCleanPolyData()
    clean.SetInputData(box.GetOutput())
    clean.Update()
    rays = machine(0, 0)
    lengths = path_length(model_of(clean.GetOutput()), *seen_by(rays))
    directions = rays.pixel_places() - rays.source
    oblique = np.linalg.norm(directions, axis=-1) / np.abs(directions @ rays.towards_detector)
    # The face at the front, away from the source, is the smaller one in the picture: its pixels see both faces.
    half_width, half_height = (half * rays.sid / (rays.sod + 30) / 0.75 - 1 for half in (50, 40))
    row, col = np.indices(lengths.shape)
    both = (np.abs(col - 255.5) < half_width) & (np.abs(row - 255.5) < half_height)
    assert np.abs(lengths - 60 * oblique)[both].max() < 1e-3


def test_path_lengths_of_pieces_add_up() -> None:
    behind = ball((0, -60, 0), 20), ball((5, 50, 5), 15)
    projection, shape = seen_by(machine(0, 0))
    apart = sum(path_length(model, projection, shape) for model in behind)
    assert np.allclose(path_length(together(*behind), projection, shape), apart, atol=1e-3)
    assert apart.max() > 60


def test_hollow_is_not_counted() -> None:
    """A cavity, whose surface faces inward, is taken away."""
    outer, inner = ball((0, 0, 0), 40, 120), ball((0, 0, 0), 30, 120)
    shell = together(outer, SurfaceModel(inner.vertices, inner.triangles[:, ::-1]))
    lengths = path_length(shell, *seen_by(machine(20, 10)))
    assert lengths[255, 255] == pytest.approx(20, abs=0.1)


def test_path_length_is_positive_exactly_on_the_silhouette(vessels: SurfaceModel) -> None:
    projection, shape = seen_by(machine(35, -20))
    assert dice(path_length(vessels, projection, shape) > 1e-3, silhouette(vessels, projection, shape)) > 0.998


def test_mirrored_image_is_the_image_mirrored(vessels: SurfaceModel) -> None:
    plain, mirrored = seen_by(machine(35, -20)), seen_by(machine(35, -20, mirrored=True))
    assert (silhouette(vessels, *mirrored) != silhouette(vessels, *plain)[:, ::-1]).sum() <= 5
    difference = np.abs(path_length(vessels, *mirrored) - path_length(vessels, *plain)[:, ::-1])
    assert np.percentile(difference, 99.9) < 1e-3


def test_silhouette_does_not_depend_on_orientation(vessels: SurfaceModel) -> None:
    turned = vessels.triangles.copy()
    turned[::3] = turned[::3, ::-1]
    place = seen_by(machine(35, -20))
    assert (silhouette(SurfaceModel(vessels.vertices, turned), *place) == silhouette(vessels, *place)).all()


def test_model_beside_the_image_leaves_it_empty(vessels: SurfaceModel) -> None:
    beside = SurfaceModel(vessels.vertices + np.array([2000.0, 0, 0]), vessels.triangles)
    place = seen_by(machine(0, 0))
    assert not silhouette(beside, *place).any()
    assert not path_length(beside, *place).any()


def test_what_is_behind_the_source_is_not_seen() -> None:
    """The source is 760 mm behind the isocentre; nothing beyond it, or around it, may appear."""
    front = ball((20, 0, 10), 30)
    place = seen_by(machine(0, 0))
    with np.errstate(all="raise"):
        for hidden in (ball((0, -900, 0), 30), ball((5, -760, 0), 30)):
            assert not silhouette(ball((0, -900, 0), 30), *place).any()
            both = together(front, hidden)
            in_front = silhouette(front, *place)
            seen = silhouette(both, *place)
            assert seen[in_front].all()
            if hidden.vertices[:, 1].max() < -760:
                assert (seen == in_front).all()
                assert np.allclose(path_length(both, *place), path_length(front, *place), atol=1e-3)


def test_model_is_not_changed(vessels: SurfaceModel) -> None:
    before = vessels.vertices.copy(), vessels.triangles.copy()
    silhouette(vessels, *seen_by(machine(35, -20)))
    path_length(vessels, *seen_by(machine(35, -20)))
    assert (vessels.vertices == before[0]).all() and (vessels.triangles == before[1]).all()


def test_large_mesh_is_projected_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    """The aim is 40 ms for a silhouette. Processor time, which a busy machine stretches less; three times passes."""
    model = ball((0, 0, 0), 60, 318)
    assert len(model.triangles) >= 200_000
    place = seen_by(machine(30, 20))
    said = []
    for name, project, limit in (("silhouette", silhouette, 0.12), ("path length", path_length, 0.3)):
        runs = []
        for _ in range(7):
            start = time.perf_counter(), time.process_time()
            project(model, *place)
            runs.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        elapsed, processor = np.min(runs, axis=0)
        said.append(f"{name} {1000 * elapsed:.0f} ms (processor {1000 * processor:.0f} ms)")
        assert processor <= limit
    with capsys.disabled():
        print(f"\n{len(model.triangles)} triangles on 512x512:", ", ".join(said))
