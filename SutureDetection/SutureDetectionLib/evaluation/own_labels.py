"""The user's labelled frames: pictures with labelme files beside them, or folders as AdaptOR lays them out."""

from collections.abc import Iterator
from pathlib import Path

from VesselRegistrationLib.errors import UserError

from ..formats.adaptor import FrameKey, find_frames, is_adaptor_folder, read_labels, read_split
from ..formats.labelme import read_json, read_labelme
from ..formats.labels import Labels
from ..formats.mono import read_mono
from ..inputs.pictures import SUFFIXES, read_picture
from .domains import LabelledFrame
from .scoring import Scores


def read_labelled_frames(folder: Path, split: Path | None = None) -> tuple[list[LabelledFrame], list[str]]:
    """All frames below a folder that have usable labels, and one sentence for each that has not.

    ``split`` is a split file that names the frames of an AdaptOR folder to take. Raises UserError where none is left.
    """
    frames: list[LabelledFrame] = []
    problems: list[str] = []
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name one with pictures and their labels.")
    for name, image_path, labels_path, key in _pairs(folder, split):
        try:
            image = read_picture(image_path)
            labels = _read(labels_path, image.shape) if key is None else read_labels(folder, key, image.shape)
        except UserError as problem:
            problems.append(str(problem))
            continue
        frames.append(LabelledFrame(image, labels, name))
    if not frames:
        reason = problems[0] if problems else "label some with labelme and save the JSON files beside the pictures."
        raise UserError(f"There are no labelled frames in {folder}: {reason}")
    return frames, problems


def surgery_of(frame: LabelledFrame) -> str:
    """The surgery of a frame: the first folder of AdaptOR's, else the frame's own name."""
    return frame.name.split("_", 1)[0]


def scores_as_text(name: str, scores: Scores) -> str:
    """One line of scores."""
    tally = scores.tally
    return (f"{name}: {scores.images} frames, F1 {tally.f1:.3f}, PPV {tally.ppv:.3f}, TPR {tally.tpr:.3f}, TPR of "
            f"close points {scores.close.tpr:.3f}, RMSE {scores.rmse_px:.1f} px ({scores.images_without_points} frames "
            "without points)")


def _read(path: Path, shape: tuple[int, ...]) -> Labels:
    return read_labelme(path, shape) if "shapes" in read_json(path) else read_mono(path, shape)


def _pairs(folder: Path, split: Path | None) -> Iterator[tuple[str, Path, Path, FrameKey | None]]:
    if split is not None and not is_adaptor_folder(folder):
        raise UserError(f"{folder} is not laid out as AdaptOR's, so a split file says nothing of it: leave it out.")
    if is_adaptor_folder(folder):
        for key in find_frames(folder) if split is None else read_split(split):
            name = f"{key.video.replace('/', '_')}_{key.frame:06d}_{key.eye}"
            yield name, key.image_path(folder), key.labels_path(folder), key
        return
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.with_suffix(".json").is_file():
            yield "_".join(path.relative_to(folder).with_suffix("").parts), path, path.with_suffix(".json"), None
