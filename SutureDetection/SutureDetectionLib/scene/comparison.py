"""Labels of frames, and how the points that count compare with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .. import HEIGHT, KIND_NAMES, UNKNOWN_KIND, WIDTH
from ..detection.points import UNPAIRED
from ..evaluation.scoring import RADII_PX, ScoredImage, Scores, Tally, match_points, score_images
from ..formats.adaptor import split_labels
from ..formats.labelme import read_json, read_labelme
from ..formats.labels import Labels
from ..formats.mono import read_mono
from ..inputs.opening import MONO, TOP_BOTTOM
from .frameSeries import FrameSeries
from .pointKeeper import eyesOf
from .pointRecord import LABELS, NumberedPoints, PointRecord, joined, labelPoints, writeRecord

_KINDS = {name: kind for kind, name in KIND_NAMES.items()}


@dataclass(frozen=True)
class Comparison:
    """``groups``: for each labelled frame found, missed and false points (N, 2) in pixels of the whole picture;
    ``tallies`` their counts; ``scores`` pooled over the labelled frames."""

    groups: Mapping[int, tuple[np.ndarray, np.ndarray, np.ndarray]]
    tallies: Mapping[int, Tally]
    scores: Scores


def loadLabels(series: FrameSeries, path: Path) -> int:
    """Read the labels of the frames from a file or folder, and keep them; gives the number of frames with labels.

    A folder holds one labelme or challenge file per frame, named as the frame or by its number; a file is of the
    present frame, or a truth.json or result.json. Raises UserError where no labels fit, and then changes nothing.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: name a folder with labels, or a file.")
    frames = _ofFolder(series, path) if path.is_dir() else _ofFile(series, path)
    if not frames:
        raise UserError(f"No file in {path} is named as one of the frames, such as "
                        f"{Path(series.facts.names[0]).stem}.json: choose the folder with their labels.")
    setLabels(series, frames, path.name)
    return len(frames)


def setLabels(series: FrameSeries, frames: Mapping[int, NumberedPoints], source: str) -> None:
    """Keep labels of frames, in pixels of the whole picture."""
    writeRecord(series, LABELS, PointRecord(frames, {"source": source}))


def compareWithLabels(series: FrameSeries, found: Mapping[int, NumberedPoints], labels: Mapping[int, NumberedPoints],
                      radius: float = RADII_PX[0]) -> Comparison | None:
    """What was found against the frames that have labels, matched nearer than ``radius`` px; None without labels.

    The radius is meant at 512x288 pixels, as the paper has it: pictures of another size are scaled for it.
    """
    if not labels:
        return None
    height, width = series.eyeShape()
    scale, origins = np.array([WIDTH / width, HEIGHT / height]), series.eyes()
    groups, tallies, images = {}, {}, []
    for index, wantedPoints in sorted(labels.items()):
        parts: list[list[np.ndarray]] = [[], [], []]
        truth = eyesOf(series, wantedPoints)
        for eye, part in eyesOf(series, found[index]).items():
            there, wanted = part.points.positions, truth[eye].points.positions
            image = ScoredImage((there + 0.5) * scale - 0.5, (wanted + 0.5) * scale - 0.5, part.points.kinds,
                                truth[eye].points.kinds)
            images.append(image)
            matches = match_points(image.found, image.labels, radius)
            for group, chosen in zip(parts, (there[matches.pairs[:, 0]], wanted[matches.missed], there[matches.extra]),
                                     strict=True):
                group.append(chosen + origins[eye])
        hits, missed, false = (np.concatenate(group) for group in parts)
        groups[index] = (hits, missed, false)
        tallies[index] = Tally(len(hits), len(false), len(missed))
    return Comparison(groups, tallies, score_images(images, (radius, *(each for each in RADII_PX if each != radius))))


def _ofFolder(series: FrameSeries, folder: Path) -> dict[int, NumberedPoints]:
    """The labels of each frame: one file for the whole picture, or one for each eye."""
    frames, origins = {}, series.eyes()
    for index, (name, number) in enumerate(zip(series.facts.names, series.facts.numbers, strict=True)):
        for stem in dict.fromkeys((Path(name).stem, f"{number:06d}")):
            eyes = {eye: folder / f"{stem}_{eye}.json" for eye in origins}
            if (folder / f"{stem}.json").is_file():
                frames[index] = _ofPicture(series, folder / f"{stem}.json")
            elif all(path.is_file() for path in eyes.values()):
                frames[index] = joined([_numbered(read_labelme(path, series.eyeShape())).shifted(origins[eye])
                                        for eye, path in eyes.items()])
            if index in frames:
                break
    return frames


def _ofFile(series: FrameSeries, path: Path) -> dict[int, NumberedPoints]:
    content = read_json(path)
    if "frames" not in content:
        return {series.current: _ofPicture(series, path)}
    numbers = {number: index for index, number in enumerate(series.facts.numbers)}
    frames: dict[int, list[NumberedPoints]] = {}
    try:
        for entry in content["frames"]:
            if int(entry["frame"]) in numbers:
                origin = series.eyes().get(entry.get("eye", ""), np.zeros(2))
                frames.setdefault(numbers[int(entry["frame"])], []).append(_ofEntries(entry["points"]).shifted(origin))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path.name} holds no points of single frames: give labelme files, a truth.json of a "
                        "simulated video, or a result.json.") from None
    return {index: joined(parts) for index, parts in frames.items()}


def _ofEntries(entries: list[dict[str, Any]]) -> NumberedPoints:
    seen = [entry for entry in entries if entry.get("visible", True)]
    pairs = [UNPAIRED if entry.get("pair_id") is None else int(entry["pair_id"]) for entry in seen]
    return labelPoints(np.array([[entry["x"], entry["y"]] for entry in seen], float).reshape(-1, 2),
                       np.array([_KINDS.get(entry.get("class", ""), UNKNOWN_KIND) for entry in seen], int),
                       np.array(pairs, int))


def _ofPicture(series: FrameSeries, path: Path) -> NumberedPoints:
    content, shape = read_json(path), series.shape
    layout = series.facts.layout
    if "shapes" not in content and "points" in content:
        return _numbered(read_mono(path, shape))
    if layout == TOP_BOTTOM:
        left, right = split_labels(path, series.eyeShape())
        return joined([_numbered(left), _numbered(right).shifted(series.eyes()["right"])])
    if layout == MONO and content.get("imageHeight") != shape[0]:
        # AdaptOR labels both eyes in one file, above each other.
        return _numbered(split_labels(path, shape)[1 if series.facts.rightEye else 0])
    return _numbered(read_labelme(path, shape))


def _numbered(labels: Labels) -> NumberedPoints:
    return labelPoints(labels.points, labels.kinds, labels.pair_ids)
