"""Following a run and advice on views, from XA files to files, through the library and the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.mesh.reading import read_model
from VesselRegistrationLib.pose.pose_file import read_initial_pose
from VesselRegistrationLib.registration.cine import CineRequest, follow_cine
from VesselRegistrationLib.rendering.cine import write_cine


@pytest.fixture
def vessel_mask(lower_case: Path) -> np.ndarray:
    return np.asarray(Image.open(lower_case / "vessel_mask_0.png")) > 0


def in_plane_mm(case: Path, projection: np.ndarray) -> float:
    """Mean distance in the first view, at the isocentre, between the model's vertices and where they truly are."""
    truth = json.loads((case / "truth.json").read_text(encoding="utf-8"))["views"][0]
    points = np.column_stack([(vertices := read_model(case / "model.vtp").vertices), np.ones(len(vertices))])
    found, true = (one[:, :2] / one[:, 2:] for one in (points @ np.array(matrix).T
                                                       for matrix in (projection, truth["projection"])))
    inside = ((true > 0) & (true < 191)).all(axis=1)
    spacing = truth["row_spacing_mm"] * truth["sod_mm"] / truth["sid_mm"]
    return float(np.linalg.norm(found - true, axis=1)[inside].mean() * spacing)


def test_a_run_is_registered_and_followed(lower_case: Path, vessel_mask: np.ndarray, tmp_path: Path) -> None:
    run, model = open_xa(lower_case / "view_0.dcm"), read_model(lower_case / "model.vtp")
    result = follow_cine(CineRequest(model, run, 2, masks=[vessel_mask] * 3))
    assert result.status in ("accepted", "check")
    assert result.registration is not None
    write_cine(result, run, model, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"result.json", "overlay.gif"}
    content = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert [frame["frame"] for frame in content["frames"]] == [0, 1, 2]
    assert content["tracked"] == 3
    assert content["start_frame"] == 2
    for frame in content["frames"]:
        assert in_plane_mm(lower_case, np.array(frame["projection"])) < 1.5
        np.testing.assert_allclose(run.frame(0).view().projection_matrix @ np.array(frame["model_to_world"]),
                                   frame["projection"])
    np.testing.assert_allclose(read_initial_pose(tmp_path / "out" / "result.json"), result.start, atol=1e-12)
    with Image.open(tmp_path / "out" / "overlay.gif") as movie:
        assert movie.n_frames == 3
        assert max(movie.size) <= 512


def test_frames_without_a_vessel_are_held_and_said(lower_case: Path, true_pose: np.ndarray,
                                                   vessel_mask: np.ndarray) -> None:
    run, model = open_xa(lower_case / "view_0.dcm"), read_model(lower_case / "model.vtp")
    empty = np.zeros_like(vessel_mask)
    result = follow_cine(CineRequest(model, run, 2, true_pose, [vessel_mask, empty, vessel_mask]))
    assert [frame.status for frame in result.frames] == ["tracked", "held", "tracked"]
    assert result.status == "check"
    assert "2 of 3 frames" in result.reason
    assert "Frame 1: no contrast" in result.reason
    nothing = follow_cine(CineRequest(model, run, 2, true_pose, [empty] * 3))
    assert nothing.status == "rejected"
    assert "could not be followed in any frame" in nothing.reason


def test_a_rejected_registration_leaves_nothing_that_looks_like_a_result(lower_case: Path, vessel_mask: np.ndarray,
                                                                         tmp_path: Path) -> None:
    run, model = open_xa(lower_case / "view_0.dcm"), read_model(lower_case / "model.vtp")
    result = follow_cine(CineRequest(model, run, 2, masks=[np.zeros_like(vessel_mask)] * 3))
    assert result.status == "rejected"
    write_cine(result, run, model, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["result.json"]
    content = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert content["model_to_world"] is None
    assert content["frames"] == []


def test_masks_that_do_not_fit_the_run(lower_case: Path, vessel_mask: np.ndarray) -> None:
    run, model = open_xa(lower_case / "view_0.dcm"), read_model(lower_case / "model.vtp")
    with pytest.raises(UserError, match="2 masks for 3 frames"):
        follow_cine(CineRequest(model, run, 2, masks=[vessel_mask] * 2))
    with pytest.raises(UserError, match="masks of the X-ray's size"):
        follow_cine(CineRequest(model, run, 2, masks=[vessel_mask[:-1]] * 3))


def test_command_track_with_a_given_pose(lower_case: Path, true_pose: np.ndarray, untrained_networks: Path,
                                         tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savetxt(tmp_path / "pose.txt", true_pose)
    files = ["--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_0.dcm")]
    assert main(["track", *files, "--init", str(tmp_path / "pose.txt"), "--frame", "1", "--fov", "lower", "--out",
                 str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert len(content["frames"]) == 3
    assert content["file"] == "view_0.dcm"
    assert [one["name"] for one in content["weights"]] == ["vessels_lower"]
    assert capsys.readouterr().out.startswith(f"{content['status']}: ")
    assert main(["track", *files, "--init", str(tmp_path / "absent.txt"), "--out", str(tmp_path / "no")]) == 2
    assert main(["track", *files, "--frame", "7", "--out", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()


def test_command_advise_view(lower_case: Path, true_pose: np.ndarray, tmp_path: Path,
                             capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_0.dcm")]
    np.savetxt(tmp_path / "pose.txt", true_pose)
    assert main(["advise-view", *files, "--init", str(tmp_path / "pose.txt"), "--step", "20", "--out",
                 str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "advice.json").read_text(encoding="utf-8"))
    errors = [one["expected_mtre_mm"] for one in content["candidates"]]
    assert errors == sorted(errors)
    assert len(errors) == 7 * 3
    printed = capsys.readouterr().out
    assert printed.startswith(content["sentence"])
    assert "shrinks the expected error from" in printed
    assert main(["advise-view", *files, "--primary-limits", "30", "-30"]) == 2
    assert "smaller first" in capsys.readouterr().err


@pytest.fixture
def both_views(lower_case: Path, untrained_networks: Path) -> list[str]:
    return ["register", "--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / "view_0.dcm"),
            "--xa", str(lower_case / "view_1.dcm"), "--frame", "2", "--frame", "1",
            "--mask", *(str(lower_case / f"vessel_mask_{number}.png") for number in range(2))]


def test_register_says_what_headers_leave_open_and_bends_on_request(
        both_views: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*both_views, "--deform", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "whether the table moved between view_0.dcm and view_1.dcm" in printed
    told = json.loads((tmp_path / "out" / "deformation.json").read_text(encoding="utf-8"))
    assert told["sentence"] in printed
    assert (tmp_path / "out" / "bent_model.vtp").exists() == bool(told["bends"])
    if told["bends"]:
        result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
        assert result["status"] != "accepted"
        assert result["uncertainty"] is None


def test_bending_needs_two_views(lower_case: Path, both_views: list[str], tmp_path: Path,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    one_view = [*both_views[:5], "--mask", str(lower_case / "vessel_mask_0.png")]
    assert main([*one_view, "--deform", "--out", str(tmp_path / "out")]) == 2
    assert "two views" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_pose_is_carried_from_one_view_to_the_next_and_the_run_replayed(
        lower_case: Path, untrained_networks: Path, tmp_path: Path) -> None:
    def command(view: int, *more: str) -> list[str]:
        return ["register", "--model", str(lower_case / "model.vtp"), "--xa", str(lower_case / f"view_{view}.dcm"),
                *more]

    masks = [str(lower_case / f"vessel_mask_{number}.png") for number in range(2)]
    first, second, again = (tmp_path / name for name in ("first", "second", "again"))
    assert main(command(0, "--frame", "2", "--mask", masks[0], "--out", str(first))) == 0
    carried = ("--init", str(first / "result.json"), "--init-xa", str(lower_case / "view_0.dcm"))
    assert main(command(1, "--frame", "1", "--mask", masks[1], *carried, "--out", str(second))) == 0
    assert main(command(1, "--replay", str(second), "--out", str(again))) == 0
    results = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in (first, second, again)]
    truth = np.array(json.loads((lower_case / "truth.json").read_text(encoding="utf-8"))["model_to_world"])
    points = read_model(lower_case / "model.vtp").vertices

    def mtre_mm(result: dict) -> float:
        found = np.array(result["model_to_world"])
        return float(np.linalg.norm(points @ (found - truth)[:3, :3].T + (found - truth)[:3, 3], axis=1).mean())

    assert mtre_mm(results[1]) < 2.5
    assert mtre_mm(results[1]) < mtre_mm(results[0]) + 0.5
    assert results[1]["limits"]["information"]
    assert results[2]["model_to_world"] == results[1]["model_to_world"]
    assert main(command(1, "--init-xa", masks[0], "--out", str(tmp_path / "no"))) == 2
