"""What reading makes of surfaces as they come: open, inside out, stored twice, in pieces, with walls inside."""

from pathlib import Path

import mesh_shapes as shapes
import numpy as np
import pytest
from VesselRegistrationLib.mesh.mending import is_closed, mend
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.mesh.surface import SurfaceModel
from VesselRegistrationLib.projection.rasterizer import path_length

TUBE = shapes.open_tube()
# Parallel rays along x, one per mm in y and z, as a source far away sends them; depth stays near 1e6 mm.
ALONG_X = np.array([[0, 1e6, 0, 150e6], [0, 0, 1e6, 150e6], [1, 0, 0, 1e6]], float) + np.array(
    [[150.0, 0, 0, 0], [150.0, 0, 0, 0], [0, 0, 0, 0]])


def mended(mesh: shapes.Mesh) -> tuple[shapes.Mesh, str]:
    found = mend(*mesh)
    return (found.vertices, found.triangles), " ".join(found.notes)


def length_inside(mesh: shapes.Mesh, y: float, z: float) -> float:
    """Length inside the surface of the line along x at (y, z), by the shaded projection."""
    image = path_length(SurfaceModel(*mesh), ALONG_X, (301, 301))
    return float(image[round(z) + 150, round(y) + 150])


def test_open_ends_are_capped() -> None:
    mesh, notes = mended(TUBE)
    assert shapes.open_edges(mesh) == 0
    assert is_closed(mesh[1]) and not is_closed(TUBE[1])
    assert shapes.measured_volume(mesh) == pytest.approx(shapes.tube_volume(), rel=1e-6)
    assert shapes.faces_outward(mesh)
    assert "2 openings were capped, the widest 19.9 mm across" in notes
    assert np.abs(mesh[0][:, 2]).max() == pytest.approx(100), "the caps are flat"


def test_closed_surface_is_left_alone() -> None:
    vertices, triangles = shapes.ellipsoid()
    mesh, notes = mended((vertices, triangles))
    assert notes == ""
    assert (mesh[0] == vertices).all()
    assert {tuple(np.roll(t, -t.argmin())) for t in mesh[1]} == {tuple(np.roll(t, -t.argmin())) for t in triangles}


def test_inward_surface_is_turned() -> None:
    vertices, triangles = shapes.ellipsoid()
    mesh, notes = mended((vertices, triangles[:, ::-1]))
    assert shapes.faces_outward(mesh)
    assert notes == "The surface faced inward and was turned."


def test_triangles_that_face_every_way_are_turned() -> None:
    vertices, triangles = TUBE
    mixed = triangles.copy()
    which = np.random.default_rng(4).random(len(triangles)) < 0.4
    mixed[which] = mixed[which][:, ::-1]
    mesh, notes = mended((vertices, mixed))
    assert shapes.faces_outward(mesh) and is_closed(mesh[1])
    assert f"{which.sum()} of {len(triangles)} triangles" in notes


def test_every_piece_is_turned_outward() -> None:
    inward = shapes.ellipsoid((100, 0, 0))
    mesh, notes = mended(shapes.joined(TUBE, (inward[0], inward[1][:, ::-1])))
    assert shapes.faces_outward(mesh)
    assert "2 separate pieces" in notes
    assert shapes.measured_volume(mesh) == pytest.approx(
        shapes.tube_volume() + shapes.measured_volume(shapes.ellipsoid()), rel=1e-6)


def test_triangles_stored_twice_count_once() -> None:
    vertices, triangles = TUBE
    for copies in (triangles, triangles[:, ::-1], np.roll(triangles, 1, axis=1)):
        mesh, notes = mended((vertices, np.vstack([triangles, copies])))
        assert len(mesh[1]) == len(triangles) + 72
        assert shapes.measured_volume(mesh) == pytest.approx(shapes.tube_volume(), rel=1e-6)
        assert "copies were left out" in notes


def two_boxes() -> shapes.Mesh:
    """Two boxes that share a wall, vertices merged, each closed by itself."""
    vertices, triangles = shapes.joined(shapes.box((0, -20, -20), (30, 20, 20)),
                                        shapes.box((30, -20, -20), (70, 20, 20)))
    merged, which = np.unique(vertices, axis=0, return_inverse=True)
    return merged, which[triangles]


def test_wall_between_two_pieces_does_no_harm() -> None:
    mesh, notes = mended(two_boxes())
    assert is_closed(mesh[1])
    assert length_inside(mesh, 3, -7) == pytest.approx(70, abs=0.05)
    assert "twice in the same place" in notes or "cannot be mended" in notes


def test_membrane_across_a_tube_does_no_harm() -> None:
    """A disc in the middle of the tube: 36 edges have three triangles."""
    vertices, triangles = TUBE
    middle = 20 * 36
    disc = [(middle + k, middle + (k + 1) % 36, len(vertices)) for k in range(36)]
    mesh, notes = mended((np.vstack([vertices, [0, 0, 0]]), np.vstack([triangles, disc])))
    assert is_closed(mesh[1])
    for z in (-60, -1, 1, 60):
        assert length_inside(mesh, 0, z) == pytest.approx(20, abs=0.1)
    assert "36 edges with more than two triangles" in notes and "cannot be mended" in notes


def test_pieces_inside_others_are_kept() -> None:
    mesh, _ = mended(shapes.joined(shapes.ellipsoid(), shapes.ellipsoid(radii=(5, 5, 5))))
    assert is_closed(mesh[1])
    assert len(mesh[1]) == 2 * len(shapes.ellipsoid()[1])


def test_hole_torn_by_unmerged_points_is_closed() -> None:
    """A crack: one ring of vertices is doubled and moved by a tenth of a millimetre."""
    vertices, triangles = TUBE
    ring = 20 * 36
    upper = triangles.min(axis=1) >= ring
    torn = np.where(upper[:, None] & (triangles < ring + 36), triangles - ring + len(vertices), triangles)
    doubled = vertices[ring:ring + 36] + np.array([0, 0, 0.1])
    mesh, notes = mended((np.vstack([vertices, doubled]), torn))
    assert is_closed(mesh[1])
    assert length_inside(mesh, 0, 50) == pytest.approx(20, abs=0.1)
    assert shapes.measured_volume(mesh) == pytest.approx(shapes.tube_volume(), rel=1e-2)
    assert "4 openings were capped" in notes


def test_one_sided_band_is_named() -> None:
    """A Moebius band beside a tube has no inside."""
    along = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = [(60 + (30 + w * np.cos(t / 2)) * np.cos(t), (30 + w * np.cos(t / 2)) * np.sin(t), w * np.sin(t / 2))
           for t in along for w in (-8, 8)]
    faces = []
    for k in range(40):
        a, b = 2 * k, 2 * k + 1
        c, d = (2 * k + 2, 2 * k + 3) if k < 39 else (1, 0)
        faces += [(a, b, c), (b, d, c)]
    mesh, notes = mended(shapes.joined(TUBE, (np.array(rim), np.array(faces))))
    assert is_closed(mesh[1])
    assert "cannot be told apart" in notes


def test_missing_part_is_named() -> None:
    """A tube cut in half lengthwise."""
    vertices, triangles = TUBE
    half = triangles[vertices[triangles].mean(axis=1)[:, 1] > 0]
    mesh, notes = mended((vertices, half))
    assert is_closed(mesh[1])
    assert "a part of the model seems to be missing" in notes
    assert mesh[0][:, 1].min() >= -1e-9, "vertices without triangles must not count"


def test_specks_are_named_and_kept() -> None:
    near, far = shapes.ellipsoid((0, 15, 0), (0.5, 0.5, 0.5), 8), shapes.ellipsoid((0, 300, 0), (0.5, 0.5, 0.5), 8)
    _, notes = mended(shapes.joined(TUBE, near))
    assert "1 speck of less than 1 %" in notes and "far" not in notes
    mesh, notes = mended(shapes.joined(TUBE, near, far))
    assert "2 specks" in notes and "far from the vessel" in notes
    assert mesh[0][:, 1].max() > 299


def test_nearly_coincident_points_are_merged(tmp_path: Path) -> None:
    """Triangles that share no vertex, as in STL files, with noise in the last digit of the coordinates."""
    vertices, triangles = TUBE
    noise = np.random.default_rng(1).uniform(-2e-5, 2e-5, (3 * len(triangles), 3))
    soup = vertices[triangles].reshape(-1, 3) + noise
    path = shapes.write(tmp_path / "soup.vtp", (soup, np.arange(len(soup)).reshape(-1, 3)))
    model = read_model(path)
    assert len(model.vertices) == len(vertices) + 2
    assert shapes.open_edges((model.vertices, model.triangles)) == 0


def test_arguments_are_not_changed() -> None:
    vertices, triangles = TUBE[0].copy(), TUBE[1][:, ::-1].copy()
    mend(vertices, triangles)
    assert (vertices == TUBE[0]).all() and (triangles == TUBE[1][:, ::-1]).all()
