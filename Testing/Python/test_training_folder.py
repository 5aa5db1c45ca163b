"""The user's own annotated frames: layouts, masks, splits, and training on them from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xa_files
from PIL import Image
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.training.architectures import CATHETER_NETWORKS
from VesselRegistrationLib.training.checkpoint import read_checkpoint
from VesselRegistrationLib.training.export import export_network
from VesselRegistrationLib.training.first_weights import load_first_weights
from VesselRegistrationLib.training.frame_folder.dataset import FrameSamples, divide, load_folder
from VesselRegistrationLib.training.frame_folder.listing import find_frames
from VesselRegistrationLib.training.frame_folder.masks import read_mask
from VesselRegistrationLib.training.frame_folder.options import FolderOptions

PLAIN = FolderOptions()


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (40, 60), kind: Any = np.uint8) -> np.ndarray:
    """A noisy frame with a darker bar, and its mask (rows, columns) bool."""
    levels = np.random.default_rng(seed).normal(160, 8, size)
    mask = np.zeros(size, dtype=bool)
    mask[:, 10 + seed % 20:22 + seed % 20] = True
    levels = np.where(mask, levels - 90, levels).astype(kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, levels)
    else:
        Image.fromarray(levels).save(path)
    return mask


def save_mask(path: Path, mask: np.ndarray, value: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((value * mask).astype(np.uint8)).save(path)


def image_folder(folder: Path, count: int, patients: int = 1) -> Path:
    for number in range(count):
        below = f"patient{number % patients}" if patients > 1 else "."
        mask = picture(folder / "images" / below / f"f{number}.png", number)
        save_mask(folder / "masks" / below / f"f{number}.png", mask)
    return folder


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npy"])
def test_frames_and_masks_of_the_same_stem(tmp_path: Path, suffix: str) -> None:
    masks = [picture(tmp_path / "images" / f"f{number}{suffix}", 10 * number) for number in range(2)]
    for number, mask in enumerate(masks):
        save_mask(tmp_path / "masks" / f"f{number}.png", mask)
    frames = find_frames(tmp_path)
    assert [(frame.picture.name, frame.annotation.name) for frame in frames] == [
        (f"f{number}{suffix}", f"f{number}.png") for number in range(2)]
    image, mask, usable = FrameSamples(frames, PLAIN)[1]
    assert image.shape == mask.shape == usable.shape == (1, 256, 256)
    assert float(mask.mean()) == pytest.approx(masks[1].mean(), abs=0.01)
    # Contrast is darker in the file and attenuates more, so it is larger for the network.
    assert image[mask > 0].mean() > image[mask == 0].mean() + 0.4
    large, large_mask, _ = FrameSamples(frames, PLAIN, 512)[1]
    assert large.shape == (1, 512, 512)
    assert torch.nn.functional.avg_pool2d(large, 2).sub(image).abs().mean() < 0.02
    assert float(large_mask.mean()) == pytest.approx(float(mask.mean()), abs=0.01)
    bright = FrameSamples(frames, FolderOptions(polarity="bright"))[1][0]
    assert bright[mask > 0].mean() < bright[mask == 0].mean() - 0.4


def test_pixel_annotation_tool(tmp_path: Path) -> None:
    for number in range(2):
        mask = picture(tmp_path / f"f{number}.png", number)
        # It writes class numbers, paints every class, and leaves a picture for the eyes.
        save_mask(tmp_path / f"f{number}_watershed_mask.png", 1 + 2 * mask, 1)
        save_mask(tmp_path / f"f{number}_mask.png", np.zeros_like(mask))
        Image.new("RGB", (60, 40), (9, 200, 7)).save(tmp_path / f"f{number}_color_mask.png")
    frames = find_frames(tmp_path)
    assert [frame.annotation.name for frame in frames] == ["f0_watershed_mask.png", "f1_watershed_mask.png"]
    np.testing.assert_array_equal(read_mask(frames[1].annotation, (40, 60), FolderOptions(class_ids=(3,))), mask)
    with pytest.raises(UserError, match=r"values 1, 3.*class_ids"):
        FrameSamples(frames, PLAIN)


def labelme(path: Path, shapes: list[dict[str, Any]], size: tuple[int, int] = (40, 60)) -> None:
    path.write_text(json.dumps({"imageHeight": size[0], "imageWidth": size[1], "shapes": shapes}), encoding="utf-8")


def test_labelme(tmp_path: Path) -> None:
    square = {"label": "vessel", "shape_type": "polygon", "points": [[10, 5], [30, 5], [30, 25], [10, 25]]}
    line = {"label": "wire", "shape_type": "linestrip", "points": [[0, 30.5], [60, 30.5]]}
    for number in range(2):
        picture(tmp_path / f"f{number}.png", number)
        labelme(tmp_path / f"f{number}.json", [square, line])
    frame = find_frames(tmp_path)[0]
    area, wire = np.zeros((40, 60), dtype=bool), np.zeros((40, 60), dtype=bool)
    area[5:25, 10:30] = True
    wire[29:32] = True
    np.testing.assert_array_equal(read_mask(frame.annotation, (40, 60), FolderOptions(labels=("vessel",))), area)
    np.testing.assert_array_equal(read_mask(frame.annotation, (40, 60), FolderOptions(labels=("wire",))), wire)
    np.testing.assert_array_equal(read_mask(frame.annotation, (40, 60), PLAIN), area | wire)
    with pytest.raises(UserError, match=r"No frame has the label 'vesel'.*vessel, wire"):
        load_folder(tmp_path, FolderOptions(labels=("vesel",)), 0)
    labelme(tmp_path / "f1.json", [{**square, "shape_type": "point", "points": [[3, 4]]}])
    with pytest.raises(UserError, match="no area"):
        load_folder(tmp_path, PLAIN, 0)


def test_outlines_in_text_files(tmp_path: Path) -> None:
    for number in range(2):
        picture(tmp_path / "images" / f"f{number}.png", number)
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"f{number}.txt").write_text(
            "2 0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5\n25 0 0 1 0 1 1 0 1\n")
    frame = find_frames(tmp_path)[0]
    expected = np.zeros((40, 60), dtype=bool)
    expected[10:20, 15:30] = True
    np.testing.assert_array_equal(read_mask(frame.annotation, (40, 60), FolderOptions(class_ids=(2,))), expected)
    assert read_mask(frame.annotation, (40, 60), PLAIN).all()
    frame.annotation.write_text("2 0.25 0.25 0.5\n")
    with pytest.raises(UserError, match="outline"):
        read_mask(frame.annotation, (40, 60), PLAIN)


def test_dicom_frames_with_masks(tmp_path: Path) -> None:
    levels = xa_files.levels_image(rows=40, columns=60, frames=3)
    (tmp_path / "images").mkdir()
    xa_files.xa_dataset(levels).save_as(tmp_path / "images" / "run.dcm", enforce_file_format=True)
    xa_files.xa_dataset(levels[:1]).save_as(tmp_path / "images" / "one.dcm", enforce_file_format=True)
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:20, 8:30] = True
    for name in ("run_0", "run_002", "one"):
        save_mask(tmp_path / "masks" / f"{name}.png", mask)
    frames = find_frames(tmp_path)
    assert [(frame.picture.name, frame.number, frame.annotation.stem) for frame in frames] == [
        ("one.dcm", 0, "one"), ("run.dcm", 0, "run_0"), ("run.dcm", 2, "run_002")]
    assert len({frame.group for frame in frames[1:]}) == 1
    sample = FrameSamples(frames, PLAIN)[2]
    assert float(sample[1].mean()) == pytest.approx(mask.mean(), abs=0.01)
    save_mask(tmp_path / "masks" / "run.png", mask)
    with pytest.raises(UserError, match="several frames"):
        find_frames(tmp_path)


def test_patients_are_not_torn_apart(tmp_path: Path) -> None:
    frames = find_frames(image_folder(tmp_path, 12, patients=4))
    training, validation = divide(frames, 0)
    assert len(training) == 9 and len(validation) == 3
    assert not {frame.group for frame in training} & {frame.group for frame in validation}
    alone = find_frames(image_folder(tmp_path / "alone", 10))
    training, validation = divide(alone, 0)
    assert len(training) == 8 and len(validation) == 2
    assert divide(alone, 0) == (training, validation) and divide(alone, 1) != (training, validation)
    assert "ONE group" in load_folder(tmp_path / "alone", PLAIN, 0).how


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    def refused(name: str, words: str, options: FolderOptions = PLAIN) -> None:
        with pytest.raises(UserError, match=words):
            load_folder(tmp_path / name, options, 0)

    refused("none", "no folder")
    (tmp_path / "empty").mkdir()
    refused("empty", "no annotated frames")
    image_folder(tmp_path / "single", 1)
    refused("single", "one annotated frame")
    image_folder(tmp_path / "size", 3)
    save_mask(tmp_path / "size" / "masks" / "f1.png", np.ones((41, 60), dtype=bool))
    refused("size", "41 rows and 60 columns, but its frame has 40 and 60")
    image_folder(tmp_path / "bare", 3)
    (tmp_path / "bare" / "masks" / "f1.png").unlink()
    refused("bare", "f1.png has no mask")
    image_folder(tmp_path / "widow", 3)
    (tmp_path / "widow" / "images" / "f1.png").unlink()
    refused("widow", "f1.png has no frame")
    image_folder(tmp_path / "kind", 3)
    (tmp_path / "kind" / "images" / "clip.mp4").write_bytes(b"x")
    refused("kind", "clip.mp4 is no frame")
    image_folder(tmp_path / "broken", 3)
    (tmp_path / "broken" / "images" / "f0.png").write_bytes(b"x")
    refused("broken", "f0.png cannot be read")
    image_folder(tmp_path / "colour", 3)
    Image.new("RGB", (60, 40), (9, 200, 7)).save(tmp_path / "colour" / "images" / "f2.png")
    refused("colour", "in colour")
    image_folder(tmp_path / "blank", 3)
    Image.new("L", (60, 40), 9).save(tmp_path / "blank" / "images" / "f2.png")
    refused("blank", "f2.png.*blank")
    image_folder(tmp_path / "unmarked", 4)
    for path in (tmp_path / "unmarked" / "masks").iterdir():
        save_mask(path, np.zeros((40, 60), dtype=bool))
    refused("unmarked", "anything marked")
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    (tmp_path / "array" / "images").mkdir(parents=True)
    image_folder(tmp_path / "array", 2)
    (tmp_path / "cube.npy").rename(tmp_path / "array" / "images" / "cube.npy")
    save_mask(tmp_path / "array" / "masks" / "cube.png", np.ones((3, 4), dtype=bool))
    refused("array", "shape")


def test_fine_tuning_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image_folder(tmp_path / "data", 6, patients=3)
    config = tmp_path / "plan.toml"
    config.write_text('network = "ours"\n[settings]\nvalidate_every = 2\n')
    common = ["train", "catheter", "--config", str(config), "--threads", "1", "--device", "cpu", "--data",
              str(tmp_path / "data"), "--steps", "2"]
    assert main([*common, "--out", str(tmp_path / "first")]) == 0
    assert "Trained:" in capsys.readouterr().out
    tuned = [*common, "--init", str(tmp_path / "first"), "--freeze", "all-but-7", "--out", str(tmp_path / "tuned")]
    assert main(tuned) == 0
    assert main([*tuned, "--resume"]) == 0
    first = read_checkpoint(tmp_path / "first", "best.pt")
    last = read_checkpoint(tmp_path / "tuned")
    assert last["origin"]["init"].startswith("catheter, step 2 (SHA-256 ")
    assert "6 annotated frames of the user" in last["origin"]["data"]
    changed = {name for name, value in last["network"].items() if not value.equal(first["network"][name])}
    assert changed and not any(name.startswith(("head.", "encoder.0.")) for name in changed)
    report = (tmp_path / "tuned" / "report.md").read_text(encoding="utf-8")
    assert "frozen: all-but-7" in report and "6 annotated frames" in report
    card = export_network(tmp_path / "tuned", tmp_path / "weights", "2", cases=1)
    assert card.training_data.startswith("REAL frames") and last["origin"]["init"] in card.training_data
    assert "--data FOLDER --init WEIGHTS --freeze all-but-7" in card.training_command
    assert 0 <= card.scores["validation_dice"] == round(last["best_score"], 4)
    assert load_first_weights(CATHETER_NETWORKS["ours"].build(), str(card.folder / "catheter.json"),
                              CATHETER_NETWORKS["ours"]).startswith("catheter 2 (SHA-256 ")
    capsys.readouterr()
    assert main(["train", "vessels", "--init", "nothing", "--data", str(tmp_path / "data"), "--out",
                 str(tmp_path / "x")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
