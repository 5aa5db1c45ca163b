"""The command suture-detection from end to end, with a network trained on drawn frames for seconds."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from suture_frames import drawn_frame, trained_on_drawn_frames
from SutureDetectionLib.cli.main import main
from SutureDetectionLib.evaluation.scoring import match_points
from SutureDetectionLib.formats.adaptor import find_frames, read_labels, read_split
from SutureDetectionLib.formats.labelme import labelme_content, read_labelme
from SutureDetectionLib.formats.labels import Labels
from VesselRegistrationLib.training.trainer import read_checkpoint

SHAPE = (288, 512)


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> Path:
    return trained_on_drawn_frames(tmp_path_factory.mktemp("suture") / "training")


def large_frame(seed: int):
    return drawn_frame(seed, SHAPE, pairs=8)


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


def result_of(folder: Path):
    return json.loads((folder / "result.json").read_text())


def positions(frame) -> np.ndarray:
    return np.array([[point["x"], point["y"]] for point in frame["points"]]).reshape(-1, 2)


def test_help_comes_within_a_second() -> None:
    program = "from SutureDetectionLib.cli.main import main; main(['--help'])"
    path = [str(Path(__file__).parents[2] / name) for name in ("SutureDetection", "VesselRegistration")]
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {program}"], capture_output=True,
                          text=True, check=False)
    assert time.monotonic() - start < 3.0  # a busy machine; alone it takes a tenth of a second
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("detect", "simulate", "train", "evaluate", "demo"))


def test_a_folder_with_bad_frames_is_worked_through(tmp_path, training, capsys) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    image, points, _, _ = large_frame(1)
    Image.fromarray(image).save(folder / "a.png")
    Image.fromarray(image[..., 0]).save(folder / "b.png")
    Image.fromarray(np.repeat(np.repeat(image, 2, 0), 2, 1)).save(tmp_path / "large.png")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    out = tmp_path / "out"
    assert run("detect", folder, "--out", out, "--weights", training) == 0
    result = result_of(out)
    [frame], [problem] = result["frames"], result["problems"]
    assert (problem["file"], problem["frame"]) == ("b.png", 1) and "is gray" in problem["reason"]
    assert (frame["width"], frame["height"], frame["file"]) == (512, 288, "a.png")
    assert len(match_points(positions(frame), points, 3.0).missed) <= 2
    first = frame["points"][0]
    assert set(first) == {"x", "y", "confidence", "class", "pair_id", "track_id"}
    assert first["class"] in ("entry", "exit") and 0 < first["confidence"] <= 1 and first["track_id"] is None
    with (out / "points.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(frame["points"])
    assert len(read_labelme(out / "labelme" / "a.json", image.shape).points) == len(frame["points"])
    assert (out / "overlays" / "a.png").is_file()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert run("detect", folder, "--out", out, "--weights", training) == 2
    assert "is not empty" in capsys.readouterr().err
    # Coordinates are in the picture's own pixels, whatever its size.
    assert run("detect", tmp_path / "large.png", "--out", tmp_path / "out2", "--weights", training) == 0
    [large] = result_of(tmp_path / "out2")["frames"]
    matches = match_points(positions(large), 2 * points + 0.5, 5.0)
    assert len(matches.missed) <= 2 and np.median(matches.distances) < 1.5


def test_stereo_frames_give_both_eyes_and_adaptor_files(tmp_path, training) -> None:
    image, points, _, _ = large_frame(2)
    Image.fromarray(np.concatenate([image, image[:, ::-1]], axis=1)).save(tmp_path / "both.png")
    out = tmp_path / "out"
    assert run("detect", tmp_path / "both.png", "--stereo", "side-by-side", "--out", out, "--weights", training,
               "--adaptor", "op1/v1") == 0
    left, right = result_of(out)["frames"]
    assert (left["eye"], right["eye"], left["width"]) == ("left", "right", 512)
    mirrored = points * [-1, 1] + [511, 0]
    assert len(match_points(positions(right), mirrored, 3.0).missed) <= 2
    [first, second] = find_frames(out / "adaptor")
    np.testing.assert_allclose(read_labels(out / "adaptor", second, image.shape).points, positions(right), atol=0.01)
    assert first.eye == "l"


def test_videos_are_tracked(tmp_path, training) -> None:
    pytest.importorskip("av")
    from SutureDetectionLib.inputs.video import write_video

    image, points, _, _ = large_frame(3)
    write_video(tmp_path / "v.mp4", [np.roll(image, 2 * shift, axis=1) for shift in range(8)], 25.0)
    assert run("detect", tmp_path / "v.mp4", "--out", tmp_path / "out", "--weights", training) == 0
    frames = result_of(tmp_path / "out")["frames"]
    first, last = ({point["track_id"]: point["x"] for point in frame["points"]} for frame in (frames[0], frames[-1]))
    kept = set(first) & set(last)
    assert len(kept) > 0.7 * len(points)
    assert np.median([last[number] - first[number] for number in kept]) == pytest.approx(14, abs=0.7)
    assert (tmp_path / "out" / "overlay.mp4").stat().st_size > 1000


@pytest.mark.parametrize(("arguments", "words"), [
    (["detect", "nowhere.png"], "does not exist"), (["detect", ".", "--threshold", "3"], "is impossible"),
    (["detect", ".", "--calibration", "x.yml"], "--stereo"), (["detect", ".", "--adaptor", "op1"], "OP/VIDEO"),
    (["evaluate", "--trained", "x.bin"], "no trained network"), (["detect"], "--help"),
    (["train", "--sigma-1", "2", "--tanh", "7", "--network", "paper"], "either --sigma-1 or --tanh"),
    (["evaluate", "--trained", "nowhere"], "no trained network"), (["simulate", "--seed", "-1"], "whole number")])
def test_user_errors_are_one_sentence_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments, "--out", "out") == 2
    message = capsys.readouterr().err.strip()
    assert words in message and "\n" not in message and not (tmp_path / "out").exists()


def test_simulated_frames_are_laid_out_as_adaptors_with_their_truth(tmp_path) -> None:
    assert run("simulate", "--seed", "3", "--domain", "or", "--frames", "2", "--out", tmp_path / "sim") == 0
    truth = json.loads((tmp_path / "sim" / "truth.json").read_text())
    keys = find_frames(tmp_path / "sim")
    assert len(keys) == 4
    key = next(key for key in keys if key.eye == "r" and key.frame == 1)
    visible = np.array([[point["x"], point["y"]] for point in truth["frames"][1]["right"] if point["visible"]])
    labels = read_labels(tmp_path / "sim", key, (288, 512, 3)).points
    assert len(match_points(labels, visible, 0.01).pairs) == len(visible) == len(labels)
    assert read_split(tmp_path / "sim" / "split.txt") == keys
    assert Image.open(tmp_path / "sim" / "top_bottom" / "000000.png").size == (512, 576)


def test_own_labels_are_scored(tmp_path, training, capsys) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    for seed in range(2):
        image, points, kinds, pairs = large_frame(10 + seed)
        Image.fromarray(image).save(folder / f"{seed}.png")
        labels = Labels.of_points(points, kinds, pairs)
        (folder / f"{seed}.json").write_text(json.dumps(labelme_content(labels, f"{seed}.png", image.shape)))
    (folder / "1.json").write_text("{}")
    assert run("evaluate", "--trained", training, "--labels", folder, "--out", tmp_path / "scores") == 0
    printed = capsys.readouterr().out
    assert float(printed.split("F1 ")[1][:5]) > 0.85 and "Left out: 1.json" in printed
    assert (tmp_path / "scores" / "0.png").is_file()


def test_fine_tuning_goes_on_from_trained_weights(tmp_path, training, capsys) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    for seed in range(6):
        image, points, kinds, pairs = large_frame(30 + seed)
        Image.fromarray(255 - image).save(folder / f"{seed}.png")
        labels = Labels.of_points(points, kinds, pairs)
        (folder / f"{seed}.json").write_text(json.dumps(labelme_content(labels, f"{seed}.png", image.shape)))
    assert run("train", "--labels", folder, "--weights", training, "--steps", 6, "--batch-size", 4, "--out",
               tmp_path / "tuned", "--threads", 1) == 0
    printed = capsys.readouterr().out
    before, after = (float(word) for word in printed.replace(",", "").split() if word[:2] in ("0.", "1."))
    assert min(before, after) > 0.8
    start, tuned = (read_checkpoint(place)["network"]["heat.weight"] for place in (training, tmp_path / "tuned"))
    assert 0 < (start - tuned).abs().max() < 0.1
    assert run("train", "--labels", folder, "--fold", "7/2", "--out", tmp_path / "x", "--weights", training) == 2
    assert "no fold 7" in capsys.readouterr().err
