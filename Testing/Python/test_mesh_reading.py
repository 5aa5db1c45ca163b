"""Reading and writing of models: formats, coordinate systems, units, and what Slicer itself writes and reads."""

import time
from pathlib import Path

import mesh_shapes as shapes
import numpy as np
import pytest
import slicer
import vtk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.mesh.writing import write_model
from vtk.util.numpy_support import vtk_to_numpy

DATA = Path(__file__).resolve().parents[3] / "shared/data/meshes"
SUFFIXES = (".vtp", ".vtk", ".stl", ".ply", ".obj")
MESH = shapes.ellipsoid()
MIRROR = np.array([-1.0, -1.0, 1.0])


def same_places(found: np.ndarray, expected: np.ndarray, within: float = 1e-3) -> bool:
    """Whether two sets of points (N, 3) are the same but for their order."""
    distance = np.linalg.norm(found[:, None] - expected[None], axis=-1)
    return len(found) == len(expected) and max(distance.min(axis=0).max(), distance.min(axis=1).max()) < within


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("ascii_text", [False, True], ids=["binary", "text"])
def test_file_without_coordinate_system_is_lps(tmp_path: Path, suffix: str, ascii_text: bool) -> None:
    path = shapes.write(tmp_path / f"model{suffix}", MESH, ascii_text)
    model = read_model(path)
    assert same_places(model.vertices, MESH[0] * MIRROR)
    assert len(model.triangles) == len(MESH[1])
    assert model.vertices.dtype == np.float64 and model.triangles.dtype == np.int32
    assert shapes.faces_outward((model.vertices, model.triangles))
    assert any("LPS was assumed" in note for note in model.notes)
    assert np.allclose(model.centre, [-12, -25, 40], atol=0.5)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("system", ["RAS", "LPS"])
def test_option_overrides_the_file(tmp_path: Path, suffix: str, system: str) -> None:
    path = shapes.write(tmp_path / f"model{suffix}", MESH)
    expected = MESH[0] * (MIRROR if system == "LPS" else 1)
    assert same_places(read_model(path, system).vertices, expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("system", ["RAS", "LPS"])
def test_what_slicer_writes_comes_back_in_its_place(tmp_path: Path, suffix: str, system: str) -> None:
    """Slicer's own storage node writes the file; MRML holds models in RAS."""
    scene = slicer.vtkMRMLScene()
    node = slicer.vtkMRMLModelNode()
    scene.AddNode(node)
    node.SetAndObservePolyData(shapes.polydata(MESH))
    storage = slicer.vtkMRMLModelStorageNode()
    scene.AddNode(storage)
    path = tmp_path / f"model{suffix}"
    storage.SetFileName(str(path))
    storage.SetCoordinateSystem(storage.GetCoordinateSystemFromString(system))
    if suffix == ".obj":
        # Slicer needs a render window for this format; the line that it puts on top is all that matters.
        shapes.write(path, (MESH[0] * (MIRROR if system == "LPS" else 1), MESH[1]))
        path.write_text(f"# 3D Slicer output. SPACE={system}\n{path.read_text()}")
    else:
        assert storage.WriteData(node)
    model = read_model(path)
    assert same_places(model.vertices, MESH[0])
    assert any(system in note and "as the file says" in note for note in model.notes)
    other = "LPS" if system == "RAS" else "RAS"
    overridden = read_model(path, other)
    assert same_places(overridden.vertices, MESH[0] * MIRROR)
    assert any("although the file says" in note for note in overridden.notes)


@pytest.mark.parametrize("suffix", [".vtp", ".stl", ".ply"])
def test_slicer_reads_what_is_written(tmp_path: Path, suffix: str) -> None:
    model = read_model(shapes.write(tmp_path / "model.vtp", MESH))
    turn = np.array([[0.0, -1, 0, 5], [1, 0, 0, -7], [0, 0, 1, 11], [0, 0, 0, 1]])
    path = tmp_path / f"moved{suffix}"
    write_model(path, model, turn)
    expected = model.vertices @ turn[:3, :3].T + turn[:3, 3]
    storage, node, scene = slicer.vtkMRMLModelStorageNode(), slicer.vtkMRMLModelNode(), slicer.vtkMRMLScene()
    scene.AddNode(storage)
    scene.AddNode(node)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    assert storage.GetCoordinateSystemAsString(storage.GetCoordinateSystem()) == "LPS"
    assert same_places(vtk_to_numpy(node.GetPolyData().GetPoints().GetData()), expected)
    again = read_model(path)
    assert same_places(again.vertices, expected)
    assert not any("turned" in note or "capped" in note for note in again.notes)


def test_writing_replaces_in_one_step_or_not_at_all(tmp_path: Path) -> None:
    model = read_model(shapes.write(tmp_path / "model.vtp", MESH))
    target = tmp_path / "out.stl"
    target.write_text("old")
    write_model(target, model)
    assert target.stat().st_size == 84 + 50 * len(model.triangles)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.vtp", "out.stl"]
    with pytest.raises(UserError, match=r"out\.obj"):
        write_model(tmp_path / "out.obj", model)
    with pytest.raises(UserError, match=r"out\.vtp"):
        write_model(tmp_path / "missing" / "out.vtp", model)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.vtp", "out.stl"]


def test_quads_and_strips_are_triangulated(tmp_path: Path) -> None:
    tube, triangles = shapes.open_tube(sides=12, rings=5)
    quads = np.array([(r * 12 + s, r * 12 + (s + 1) % 12, r * 12 + 12 + (s + 1) % 12, r * 12 + 12 + s)
                      for r in range(4) for s in range(12)])
    stripper = vtk.vtkStripper()
    stripper.SetInputData(shapes.polydata((tube, triangles)))
    writer = vtk.vtkXMLPolyDataWriter()
    writer.SetInputConnection(stripper.GetOutputPort())
    writer.SetFileName(str(tmp_path / "strips.vtp"))
    writer.Write()
    for path in (shapes.write(tmp_path / "quads.obj", (tube, quads)), tmp_path / "strips.vtp"):
        model = read_model(path)
        assert shapes.measured_volume((model.vertices, model.triangles)) == pytest.approx(
            shapes.tube_volume(sides=12), rel=1e-3)


def test_unstructured_grid_gives_its_outside(tmp_path: Path) -> None:
    """Tetrahedra inside an ellipsoid: the inner faces must be gone."""
    delaunay = vtk.vtkDelaunay3D()
    delaunay.SetInputData(shapes.polydata(MESH))
    writer = vtk.vtkUnstructuredGridWriter()
    writer.SetInputConnection(delaunay.GetOutputPort())
    writer.SetHeader("3D Slicer output. SPACE=RAS")
    writer.SetFileName(str(tmp_path / "grid.vtk"))
    writer.Write()
    model = read_model(tmp_path / "grid.vtk")
    assert same_places(model.vertices, MESH[0])
    assert shapes.measured_volume((model.vertices, model.triangles)) == pytest.approx(
        shapes.measured_volume(MESH), rel=0.01)


def test_ply_of_mixed_polygons_with_further_columns(tmp_path: Path) -> None:
    """A tube of quads between two lids of twelve corners, with columns that do not matter, big-endian and as text."""
    tube, _ = shapes.open_tube(sides=12, rings=5)
    faces = [[r * 12 + s, r * 12 + (s + 1) % 12, r * 12 + 12 + (s + 1) % 12, r * 12 + 12 + s]
             for r in range(4) for s in range(12)] + [list(range(11, -1, -1)), list(range(48, 60))]
    header = ("ply\nformat {kind} 1.0\ncomment made by hand SPACE=RAS\nelement vertex 60\nproperty double x\n"
              "property uchar red\nproperty double y\nproperty double z\nelement face 50\nproperty short flags\n"
              "property list uchar int vertex_indices\nelement edge 1\nproperty int a\nend_header\n")
    binary = b"".join(np.array([x], ">f8").tobytes() + b"\x07" + np.array([y, z], ">f8").tobytes()
                      for x, y, z in tube)
    binary += b"".join(np.array([-3], ">i2").tobytes() + bytes([len(face)]) + np.array(face, ">i4").tobytes()
                       for face in faces) + np.array([1], ">i4").tobytes()
    (tmp_path / "big.ply").write_bytes(header.format(kind="binary_big_endian").encode() + binary)
    text = "".join(f"{x!r} 7 {y!r} {z!r}\n" for x, y, z in tube.tolist())
    text += "".join(f"-3 {len(face)} {' '.join(map(str, face))}\n" for face in faces) + "1\n"
    (tmp_path / "text.ply").write_text(header.format(kind="ascii") + text)
    for name in ("big.ply", "text.ply"):
        model = read_model(tmp_path / name)
        assert same_places(model.vertices, tube, 1e-9)
        assert shapes.open_edges((model.vertices, model.triangles)) == 0
        assert shapes.measured_volume((model.vertices, model.triangles)) == pytest.approx(
            shapes.tube_volume(sides=12), rel=1e-6)


def test_stl_header_with_binary_colours_is_read(tmp_path: Path) -> None:
    """Mimics and Magics write colours as raw bytes into the header."""
    path = shapes.write(tmp_path / "model.stl", MESH)
    content = bytearray(path.read_bytes())
    content[:80] = b"SPACE=RAS COLOR=\xff\x80\x00\xff,MATERIAL=\xfe\xff\x01".ljust(80, b"\x00")
    path.write_bytes(content)
    assert same_places(read_model(path).vertices, MESH[0])


def test_units(tmp_path: Path) -> None:
    for unit, size in (("m", 1000.0), ("cm", 10.0), ("um", 0.001), ("mm", 1.0)):
        path = shapes.write(tmp_path / f"{unit}.vtp", (MESH[0] / size, MESH[1]))
        assert same_places(read_model(path, "RAS", unit).vertices, MESH[0])


def test_input_file_is_left_as_it_is_and_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = shapes.write(tmp_path / "model.stl", MESH)
    before = path.read_bytes()
    read_model(path)
    (tmp_path / "cut.stl").write_bytes(before[:1000])
    with pytest.raises(UserError):
        read_model(tmp_path / "cut.stl")
    assert path.read_bytes() == before
    output = capfd.readouterr()
    assert output.out == "" and output.err == ""


def test_vtk_reports_elsewhere_again_afterwards(tmp_path: Path) -> None:
    """Slicer's own error log must get VTK's messages back, also after a refusal."""
    window = vtk.vtkOutputWindow.GetInstance()
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    (tmp_path / "bad.stl").write_bytes(b"x" * 90)
    with pytest.raises(UserError):
        read_model(tmp_path / "bad.stl")
    assert vtk.vtkOutputWindow.GetInstance() is window
    assert vtk.vtkLogger.GetCurrentVerbosityCutoff() == verbosity


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_large_mesh_is_read_in_two_seconds(tmp_path: Path, suffix: str) -> None:
    """The processor's time, since a test machine is shared."""
    path = tmp_path / f"large{suffix}"
    source = vtk.vtkSphereSource()
    source.SetRadius(50)
    source.SetThetaResolution(318)
    source.SetPhiResolution(318)
    source.Update()
    writer = shapes.WRITERS[suffix]()
    writer.SetInputData(source.GetOutput())
    writer.SetFileName(str(path))
    writer.Write()
    start = time.process_time()
    model = read_model(path)
    assert time.process_time() - start < 2
    assert len(model.triangles) > 200_000


@pytest.mark.parametrize(("name", "unit", "said"), [
    ("TS_example_aortoiliac_all.vtp", "mm", "2 separate pieces"), ("TS_example_bones.vtp", "mm", "13 specks"),
    ("vmtk/aorta-surface-two-segments.vtp", "mm", "faced inward"),
    ("stEVE_bench/vessel_architecture_collision.obj", "mm", "faced inward"),
    ("stEVE_bench/mechanical_thrombectomy_collision_FIX_REMESH.obj", "mm", "cannot be mended"),
    ("pescio/AbdominalAorta.stl", "m", "capped"), ("pescio/AbdominalAorticAneurysm.stl", "m", "capped")])
def test_real_models_are_read(name: str, unit: str, said: str) -> None:
    if not (DATA / name).exists():
        pytest.skip("the development data are not here")
    model = read_model(DATA / name, unit=unit)
    assert any(said in note for note in model.notes), model.notes
    assert 70 < np.linalg.norm(np.ptp(model.vertices, axis=0)) < 800
    if "cannot be mended" not in " ".join(model.notes):
        assert shapes.open_edges((model.vertices, model.triangles)) == 0


def test_real_model_in_metres_is_refused() -> None:
    if not (DATA / "pescio").exists():
        pytest.skip("the development data are not here")
    with pytest.raises(UserError, match="--model-unit m"):
        read_model(DATA / "pescio/AbdominalAorta.stl")
