"""Models that cannot be used: each is refused with one sentence that says what to do, and nothing is printed."""

from collections.abc import Callable
from pathlib import Path

import mesh_shapes as shapes
import numpy as np
import pytest
import vtk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.mesh.reading import read_model

SUFFIXES = (".vtp", ".vtk", ".stl", ".ply", ".obj")
TUBE = shapes.open_tube(sides=24, rings=20)


def refusal(path: Path, *args: str, **options: str) -> str:
    with pytest.raises(UserError) as caught:
        read_model(path, *args, **options)
    text = str(caught.value)
    assert text.endswith((".", "?")) and text.count(". ") == 0 and "\n" not in text
    assert str(path.parent) not in text
    return text


def with_values(path: Path, value: float) -> Path:
    vertices = TUBE[0].copy()
    vertices[[5, 60]] = value
    return shapes.write(path, (vertices, TUBE[1]))


def only_lines(path: Path) -> Path:
    line = vtk.vtkLineSource()
    writer = vtk.vtkXMLPolyDataWriter()
    writer.SetInputConnection(line.GetOutputPort())
    writer.SetFileName(str(path))
    writer.Write()
    return path


def only_points(path: Path) -> Path:
    return shapes.write(path, (TUBE[0], np.zeros((0, 3), int)))


def an_image(path: Path) -> Path:
    image = vtk.vtkImageData()
    image.SetDimensions(3, 3, 3)
    image.AllocateScalars(vtk.VTK_FLOAT, 1)
    image.GetPointData().GetScalars().Fill(0.0)  # else whatever lay in memory, sometimes what no reader takes
    writer = vtk.vtkStructuredPointsWriter()
    writer.SetInputData(image)
    writer.SetFileName(str(path))
    writer.Write()
    return path


def text(content: str | bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
    return write


def triangles_beyond_the_points(path: Path) -> Path:
    shapes.write(path, TUBE, ascii_text=True)
    content = path.read_text()
    assert "CONNECTIVITY" in content
    head, tail = content.split("CONNECTIVITY", 1)
    kind, first, rest = tail.split(maxsplit=2)
    path.write_text(f"{head}CONNECTIVITY {kind}\n{int(first) + 10**7} {rest}")
    return path


FLAT = (np.array([(x, y, 0.0) for x in range(0, 100, 5) for y in range(0, 100, 5)]),
        np.array([(a, a + 1, a + 20) for a in range(379) if a % 20 < 19]))


@pytest.mark.parametrize(("name", "make", "said"), [
    ("model.xyz", text("hello"), "VTP, VTK, STL, OBJ or PLY"),
    ("model", text("hello"), "VTP, VTK, STL, OBJ or PLY"),
    ("model.vtp", lambda p: with_values(p, np.nan), "not numbers"),
    ("model.ply", lambda p: with_values(p, np.inf), "not numbers"),
    ("model.stl", lambda p: with_values(p, np.nan), "not numbers"),
    ("lines.vtp", only_lines, "only points or lines"),
    ("points.vtp", only_points, "only points or lines"),
    ("points.ply", only_points, "only points or lines"),
    ("image.vtk", an_image, "no surface"),
    ("few.stl", lambda p: shapes.write(p, shapes.box((0, 0, 0), (40, 40, 40))), "only 12 triangles"),
    ("flat.stl", lambda p: shapes.write(p, FLAT), "flat"),
    ("beyond.vtk", triangles_beyond_the_points, "damaged"),
    ("comment.obj", text("# nothing here\n"), "no "),
    ("vertices.obj", text("v 0 0 0\nv 1 0 0\nv 0 1 0\n"), "no "),
    ("beyond.obj", text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"), "export the model again"),
    ("none.ply", text("ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nelement face 0\nend_header\n"),
     "no points"),
    ("far.vtp", lambda p: with_values(p, 1e200), "beyond all bounds"),
    ("one.vtp", lambda p: shapes.write(p, (np.ones_like(TUBE[0]), TUBE[1])), "no triangles"),
    ("tiny.vtp", lambda p: shapes.write(p, (TUBE[0] * 1e-300, TUBE[1])), "no thickness"),
    ("header.ply", text("ply\nformat ascii 1.0\nelement vertex many\nend_header\n"), "damaged"),
    ("endless.ply", text("ply\nformat ascii 1.0\nelement vertex 3\n"), "header is damaged"),
    ("huge.ply", text(b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\n"
                      b"property float y\nproperty float z\nend_header\n1234"), "damaged or incomplete"),
    ("page.vtp", text("<html><body>404 Not Found</body></html>"), "export the model again"),
    ("solid.stl", text("solid nothing\nendsolid nothing\n"), "no "),
], ids=lambda value: value if isinstance(value, str) and "." in value else "")
def test_unusable_file(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str,
                       make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path / name)
    capfd.readouterr()
    assert said in refusal(path) and path.name in refusal(path)
    output = capfd.readouterr()
    assert output.out == "" and output.err == ""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_empty_and_folder(tmp_path: Path, suffix: str) -> None:
    assert "no model file" in refusal(tmp_path / f"missing{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    assert "empty" in refusal(tmp_path / f"empty{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    assert "no model file" in refusal(tmp_path / f"folder{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_noise_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(np.random.default_rng(2).bytes(5000))
    assert path.name in refusal(path)


@pytest.mark.parametrize("ascii_text", [False, True], ids=["binary", "text"])
@pytest.mark.parametrize("suffix", [".vtp", ".vtk", ".stl", ".ply"])
def test_truncated_file_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str,
                                   ascii_text: bool) -> None:
    """Cut at many places; VTK's PLY reader would take the whole program down on some."""
    content = shapes.write(tmp_path / f"whole{suffix}", TUBE, ascii_text).read_bytes()
    path = tmp_path / f"cut{suffix}"
    capfd.readouterr()
    for part in (0.001, 0.02, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.99):
        path.write_bytes(content[:int(part * len(content)) + 1])
        assert path.name in refusal(path)
    output = capfd.readouterr()
    assert output.out == "" and output.err == ""


@pytest.mark.parametrize(("size", "unit"), [(1000, "m"), (10, "cm"), (0.001, "um")])
def test_wrong_scale_is_refused_with_the_unit_to_try(tmp_path: Path, size: float, unit: str) -> None:
    """A tube 300 mm long and 20 mm thick, written in another unit: 0.3 or 300000 long."""
    vertices, triangles = shapes.open_tube(length=300)
    path = shapes.write(tmp_path / "aorta.vtp", (vertices / size, triangles))
    assert refusal(path).endswith(f"it looks like {unit}, say --model-unit {unit}.")
    assert np.ptp(read_model(path, unit=unit).vertices, axis=0).max() == pytest.approx(300)


def test_thirty_metres_are_refused(tmp_path: Path) -> None:
    vertices, triangles = shapes.open_tube(length=300)
    path = shapes.write(tmp_path / "aorta.vtp", (vertices, triangles))
    assert "say --model-unit mm" in refusal(path, unit="cm")
    assert "say --model-unit mm" in refusal(path, unit="m")
    path = shapes.write(tmp_path / "needle.vtp", (vertices * [0.3, 0.3, 20], triangles))
    assert "in no other unit" in refusal(path)


@pytest.mark.parametrize(("radius", "length"), [
    (15, 60), (12, 40), (9, 150), (12, 250), (4, 300), (9, 600), (8, 750), (35, 120), (40, 100)])
def test_plausible_vessels_are_taken_in_mm_and_in_no_larger_unit(tmp_path: Path, radius: float, length: float) -> None:
    """From an aortic root to the whole aorta with its branches, thin iliac arteries and large aneurysms."""
    vertices, triangles = shapes.open_tube(radius, length)
    path = shapes.write(tmp_path / "vessel.vtp", (vertices, triangles))
    assert len(read_model(path).triangles) > len(triangles)
    assert "say --model-unit cm." in refusal(shapes.write(tmp_path / "c.vtp", (vertices / 10, triangles)))
    assert "say --model-unit m." in refusal(shapes.write(tmp_path / "m.vtp", (vertices / 1000, triangles)))


def test_unknown_options_are_refused(tmp_path: Path) -> None:
    path = shapes.write(tmp_path / "model.vtp", TUBE)
    assert "RAS or LPS" in refusal(path, "LAS")
    assert "mm, cm, m" in refusal(path, unit="inch")
