"""Poses from landmarks and from files, against the independent machine, SimpleITK and Slicer's storage nodes."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from carm_raycaster import XRayMachine
from pose_cases import machine, view_of
from scipy.spatial.transform import Rotation
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.pose.landmark_file import read_landmarks
from VesselRegistrationLib.pose.landmarks import Landmarks, pose_from_landmarks
from VesselRegistrationLib.pose.pose_file import read_initial_pose

POINTS = np.array([[12.0, -80.0, 903.0], [-30.0, -60.0, 960.0], [25.0, -110.0, 1010.0], [-10.0, -20.0, 1040.0],
                   [40.0, -70.0, 880.0], [-45.0, -95.0, 850.0]])


def a_pose(seed: int, most_deg: float = 20.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-most_deg, most_deg, 3), degrees=True).as_matrix()
    pose[:3, 3] = rng.uniform(-25, 25, 3) - pose[:3, :3] @ POINTS.mean(axis=0)
    return pose


def placed(pose: np.ndarray, points: np.ndarray = POINTS) -> np.ndarray:
    return points @ pose[:3, :3].T + pose[:3, 3]


def seen(pose: np.ndarray, machines: list[XRayMachine], which: list[list[int]]) -> Landmarks:
    pixels = [rays.see(placed(pose, POINTS[some])) for rays, some in zip(machines, which, strict=True)]
    return Landmarks(np.vstack([POINTS[some] for some in which]), np.vstack(pixels),
                     np.repeat(np.arange(len(which)), [len(some) for some in which]))


@pytest.mark.parametrize("machines,which", [
    ([machine(20, -10, 400)], [[0, 1, 2, 3]]),
    ([machine(-30, 15, 400)], [[0, 1, 2, 3, 4, 5]]),
    ([machine(-30, 15, 400), machine(25, 0, 400, quarter_turns=1, mirrored=True)], [[0, 1, 2], [0, 1, 2]]),
    ([machine(-30, 15, 400), machine(25, 0, 350, patient_moved=(5.0, 4.0, -9.0))], [[0, 1, 2], [3, 4, 5]]),
], ids=["four", "six", "three twice", "three and three others"])
def test_exact_pixels_give_the_exact_pose(machines: list[XRayMachine], which: list[list[int]]) -> None:
    for seed in range(4):
        pose = a_pose(seed)
        found = pose_from_landmarks(seen(pose, machines, which), [view_of(rays) for rays in machines])
        np.testing.assert_allclose(placed(found.model_to_world), placed(pose), atol=1e-3)
        assert found.misses_mm.max() < 1e-4


def test_any_rotation_is_found() -> None:
    """A model turned by far more than a patient ever is."""
    rays = machine(0, 0, 500)
    for seed in range(6):
        pose = a_pose(seed, 180)
        found = pose_from_landmarks(seen(pose, [rays], [[0, 1, 2, 3, 4, 5]]), [view_of(rays)])
        np.testing.assert_allclose(placed(found.model_to_world), placed(pose), atol=1e-2)


def test_clicks_a_pixel_off_stay_near_the_truth() -> None:
    machines, pose = [machine(-30, 15, 400), machine(25, 0, 400)], a_pose(3)
    exact = seen(pose, machines, [[0, 1, 2, 3, 4, 5]] * 2)
    noisy = Landmarks(exact.points, exact.pixels + np.random.default_rng(1).normal(size=exact.pixels.shape),
                      exact.view_index)
    found = pose_from_landmarks(noisy, [view_of(rays) for rays in machines])
    assert np.linalg.norm(placed(found.model_to_world) - placed(pose), axis=1).mean() < 1.5
    assert 0.1 < found.misses_mm.mean() < 1.5


def test_four_in_a_plane_take_the_pose_that_turns_least() -> None:
    """Four coplanar points seen from far can be mirrored in depth; noise must not flip the patient."""
    flat = np.array([[0.0, 0, 0], [40, 0, 0], [40, 0, 30], [0, 0, 30]])
    rays, pose = machine(0, 0, 400), np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [8, 0, 5], degrees=True).as_matrix()
    for seed in range(5):
        pixels = rays.see(flat @ pose[:3, :3].T) + np.random.default_rng(seed).normal(0, 0.15, (4, 2))
        found = pose_from_landmarks(Landmarks(flat, pixels, np.zeros(4, int)), [view_of(rays)]).model_to_world
        assert np.degrees(Rotation.from_matrix(found[:3, :3]).magnitude()) < 15


@pytest.mark.parametrize("points,words", [
    (POINTS[:3], "too few"),
    (POINTS[[0, 1, 2, 2]], "too few"),
    (np.array([[0, 0, 900.0], [0, 0, 930], [0.5, 0, 960], [0, 0.5, 995], [0.1, 0, 970]]), "one line"),
    (POINTS[:4] * np.array([1, 1, np.nan]), "not a number"),
])
def test_landmarks_that_cannot_hold_a_pose(points: np.ndarray, words: str) -> None:
    rays = machine(0, 0, 400)
    pixels = np.full((len(points), 2), 100.0) + 10 * np.arange(len(points))[:, None]
    with pytest.raises(UserError, match=words) as problem:
        pose_from_landmarks(Landmarks(points, pixels, np.zeros(len(points), int)), [view_of(rays)])
    assert str(problem.value).count(". ") == 0


def test_pixels_outside_and_views_that_are_not_there() -> None:
    rays = machine(0, 0, 400)
    exact = seen(a_pose(0), [rays], [[0, 1, 2, 3]])
    with pytest.raises(UserError, match="outside view 0"):
        pose_from_landmarks(Landmarks(exact.points, exact.pixels - 1000, exact.view_index), [view_of(rays)])
    with pytest.raises(UserError, match="view 2"):
        pose_from_landmarks(Landmarks(exact.points, exact.pixels, exact.view_index + 2), [view_of(rays)])


# Landmark files


def test_own_file_in_both_coordinate_systems(tmp_path: Path) -> None:
    entries = [{"view": 1, "pixel": [3.5, 4], "point": [1, 2, 3]}, {"view": 0, "pixel": [5, 6], "point": [4, 5, 6]}]
    path = tmp_path / "landmarks.json"
    for system, sign in (("RAS", [1, 1, 1]), ("LPS", [-1, -1, 1])):
        path.write_text(json.dumps({"coordinate_system": system, "landmarks": entries}))
        landmarks = read_landmarks(path, [])
        np.testing.assert_array_equal(landmarks.points, np.array([[1, 2, 3], [4, 5, 6]]) * sign)
        np.testing.assert_array_equal(landmarks.pixels, [[3.5, 4], [5, 6]])
        np.testing.assert_array_equal(landmarks.view_index, [1, 0])


def _markups(path: Path, places: dict[str, np.ndarray], system: str) -> None:
    points = [{"label": label, "position": list(map(float, place)), "positionStatus": "defined"}
              for label, place in places.items()]
    points.append({"label": "not placed", "position": [0, 0, 0], "positionStatus": "undefined"})
    markup = {"type": "Fiducial", "coordinateSystem": system, "controlPoints": points}
    path.write_text(json.dumps({"markups": [markup]}))


def test_pair_of_slicer_markups_gives_the_pose(tmp_path: Path) -> None:
    """Points on the X-ray volume as Slicer stores them: in LPS, (col, row, 0) times the spacing."""
    rays, pose = machine(20, -10, 400, row_spacing=0.7, column_spacing=0.9), a_pose(2)
    names = [f"F-{number}" for number in range(1, 7)]
    _markups(tmp_path / "model.mrk.json", dict(zip(names, POINTS * [-1, -1, 1], strict=True)), "LPS")
    pixels = rays.see(placed(pose)) * [0.9, 0.7]
    on_image = dict(zip(names, np.column_stack([pixels, np.zeros(6)]), strict=True))
    _markups(tmp_path / "xray.mrk.json", dict(list(on_image.items())[:5]), "LPS")
    (tmp_path / "pair.json").write_text(json.dumps({"model": "model.mrk.json", "views": ["xray.mrk.json"]}))
    landmarks = read_landmarks(tmp_path / "pair.json", [view_of(rays)])
    assert len(landmarks.points) == 5
    np.testing.assert_allclose(placed(pose_from_landmarks(landmarks, [view_of(rays)]).model_to_world), placed(pose),
                               atol=1e-2)
    _markups(tmp_path / "xray.mrk.json", {**on_image, "stray": np.zeros(3)}, "LPS")
    with pytest.raises(UserError, match="'stray'"):
        read_landmarks(tmp_path / "pair.json", [view_of(rays)])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"landmarks": [{"view": 0}]}', '{"landmarks": 3}',
                                     '{"landmarks": [{"view": "a", "pixel": [1, 2], "point": [1, 2, 3]}]}',
                                     '{"landmarks": [{"view": 0, "pixel": [1, 2, 3], "point": [1, 2, 3]}]}',
                                     '{"coordinate_system": "XYZ", "landmarks": []}',
                                     '{"model": "absent.mrk.json", "views": []}', '{"model": 1, "views": 2}'])
def test_files_without_landmarks(tmp_path: Path, content: str) -> None:
    path = tmp_path / "landmarks.json"
    path.write_text(content)
    with pytest.raises(UserError):
        read_landmarks(path, [])


# Initial poses


def test_pose_of_an_earlier_result_and_of_plain_text(tmp_path: Path) -> None:
    pose = a_pose(1)
    (tmp_path / "result.json").write_text(json.dumps({"schema_version": 1, "model_to_world": pose.tolist()}))
    np.testing.assert_allclose(read_initial_pose(tmp_path / "result.json"), pose, atol=1e-12)
    np.savetxt(tmp_path / "pose.txt", pose, fmt="%.4f")
    np.testing.assert_allclose(read_initial_pose(tmp_path / "pose.txt"), pose, atol=1e-3)
    turn = read_initial_pose(tmp_path / "pose.txt")[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("ending", [".tfm", ".h5", ".txt"])
def test_itk_file_is_read_from_world_to_model_in_lps(tmp_path: Path, ending: str) -> None:
    """A resampling transform as ITK means it: it takes a place in the fixed image back to where the model has it."""
    pose = a_pose(4)
    back = sitk.Euler3DTransform()
    back.SetCenter((10.0, -20.0, 30.0))
    in_lps = np.diag([-1.0, -1, 1, 1]) @ np.linalg.inv(pose) @ np.diag([-1.0, -1, 1, 1])
    centre = np.array(back.GetCenter())
    back.SetMatrix(in_lps[:3, :3].ravel().tolist())
    back.SetTranslation((in_lps[:3, :3] @ centre + in_lps[:3, 3] - centre).tolist())
    sitk.WriteTransform(back, str(tmp_path / f"pose{ending}"))
    np.testing.assert_allclose(read_initial_pose(tmp_path / f"pose{ending}"), pose, atol=1e-5)


def test_transform_written_by_slicer_is_the_pose_it_shows(tmp_path: Path) -> None:
    slicer = pytest.importorskip("slicer")
    pose = a_pose(5)
    node = slicer.vtkMRMLLinearTransformNode()
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(pose))
    storage = slicer.vtkMRMLTransformStorageNode()
    for name in ("pose.h5", "pose.tfm"):
        storage.SetFileName(str(tmp_path / name))
        assert storage.WriteData(node)
        np.testing.assert_allclose(read_initial_pose(tmp_path / name), pose, atol=1e-5)


@pytest.mark.parametrize("name,content,words", [
    ("absent.json", None, "does not exist"),
    ("result.json", "{", "not valid JSON"),
    ("result.json", "{}", "no model_to_world"),
    ("result.json", '{"model_to_world": [[1, 2], [3, 4]]}', "4x4"),
    ("pose.txt", "1 2 3", "16 numbers"),
    ("pose.txt", "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1", "not a rigid"),
    ("pose.txt", "-1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "not a rigid"),
    ("pose.tfm", "nonsense", "cannot be read"),
])
def test_files_that_hold_no_pose(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=words):
        read_initial_pose(tmp_path / name)


def test_bending_transform_is_refused(tmp_path: Path) -> None:
    spline = sitk.BSplineTransform(3, 3)
    spline.SetTransformDomainOrigin((-300.0, -300.0, -300.0))
    spline.SetTransformDomainPhysicalDimensions((600.0, 600.0, 600.0))
    spline.SetTransformDomainMeshSize((2, 2, 2))
    spline.SetParameters(np.random.default_rng(0).normal(0, 20, len(spline.GetParameters())).tolist())
    sitk.WriteTransform(spline, str(tmp_path / "bend.tfm"))
    with pytest.raises(UserError, match="bends space"):
        read_initial_pose(tmp_path / "bend.tfm")
