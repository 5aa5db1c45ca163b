"""A result as files, written frame by frame: result.json, points.csv, labelme files, pictures or a video."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from VesselRegistrationLib.registration.result_file import software_versions
from VesselRegistrationLib.rendering.files import save_json, save_png

from .. import KIND_NAMES, __version__
from ..detection.session import DetectedFrame
from ..formats.adaptor import EYES, LABELS_FOLDER, LEFT, RIGHT, top_bottom_content
from ..formats.labelme import labelme_content
from ..formats.labels import Labels
from ..inputs.frame import Problem
from ..inputs.video import USUAL_RATE, VideoWriter, can_write_video
from .overlay import overlay_picture

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector
    from ..stereo.camera import StereoCalibration

RESULT_FILE = "result.json"
TABLE_FILE = "points.csv"
LABELME_FOLDER = "labelme"
OVERLAY_FOLDER = "overlays"
SCHEMA_VERSION = 1
_COLUMNS = ("file", "frame", "eye", "x", "y", "confidence", "class", "pair_id", "track_id")


@dataclass(frozen=True)
class OutputSettings:
    """``pictures``: one overlay per frame, or a video where the frames follow each other and PyAV is there.
    ``adaptor``: <op>/<video> under which frames and labels are also written as AdaptOR lays them out, "" for not."""

    pictures: bool = True
    adaptor: str = ""


class ResultWriter:
    """Takes detected frames and problems in their order, and writes into a folder."""

    def __init__(self, folder: Path, settings: OutputSettings, *, follows: bool, rate: float | None,
                 calibration: "StereoCalibration | None" = None) -> None:
        """``follows`` and ``rate`` (frames per second) as the source has them."""
        self._folder = folder
        self._settings = settings
        self._movie = follows and settings.pictures and can_write_video()
        self._rate = rate or USUAL_RATE
        self._writers: dict[str, VideoWriter] = {}
        self._frames: list[dict[str, Any]] = []
        self._problems: list[dict[str, Any]] = []
        self._rows: list[tuple[Any, ...]] = []
        self._names: set[str] = set()
        self._left: DetectedFrame | None = None
        self._calibration = calibration
        self._space: list[dict[str, Any]] = []

    @property
    def counts(self) -> tuple[int, int]:
        """Frames and points so far."""
        return len(self._frames), len(self._rows)

    @property
    def reasons(self) -> list[str]:
        """Why frames could not be used, one sentence each."""
        return [entry["reason"] for entry in self._problems]

    def add(self, item: DetectedFrame | Problem) -> None:
        """Write a frame, or keep the reason why it could not be used."""
        if isinstance(item, Problem):
            self._problems.append({"file": item.name, "frame": item.number, "reason": item.reason})
            return
        self._frames.append(frame_as_dict(item))
        self._rows += [(item.name, item.number, item.eye, *entry.values()) for entry in self._frames[-1]["points"]]
        stem = self._stem(item)
        folder = self._folder / LABELME_FOLDER
        folder.mkdir(exist_ok=True)
        labels = Labels.of_points(item.points.positions, item.points.kinds, item.points.pair_ids)
        save_json(folder / f"{stem}.json", labelme_content(labels, item.name, item.image.shape))
        if self._settings.pictures:
            self._draw(item, stem)
        if item.eye == "left":
            self._left = item
            return
        left, right = (self._left, item) if item.eye == "right" else (item, None)
        if left is not None:
            self._add_both(left, right)

    def finish(self, source: str, detector: "SutureDetector", threshold: float, layout: str) -> None:
        """Write result.json and the table, and close the videos."""
        for writer in self._writers.values():
            writer.close()
        content = {"schema_version": SCHEMA_VERSION, "source": source, "layout": layout, "threshold": threshold,
                   "network": {"name": detector.origin.name, "sha256": detector.origin.sha256,
                               "architecture": detector.origin.design.get("architecture", "")},
                   "frames_per_second": self._rate if self._writers else None, "frames": self._frames,
                   "problems": self._problems, "space": self._space,
                   "software": {"suture-detection": __version__, **software_versions()}}
        save_json(self._folder / RESULT_FILE, content)
        with (self._folder / TABLE_FILE).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([_COLUMNS, *self._rows])

    def _stem(self, item: DetectedFrame) -> str:
        """A file name of a frame that no other has."""
        stem = Path(item.name).stem + (f"_{item.eye}" if item.eye else "")
        if stem in self._names or self._movie:
            stem = f"{item.number:06d}" + (f"_{item.eye}" if item.eye else "")
        self._names.add(stem)
        return stem

    def _draw(self, item: DetectedFrame, stem: str) -> None:
        picture = overlay_picture(item.image, item.points, item.track_ids, f"{item.name}  frame {item.number}")
        if not self._movie:
            folder = self._folder / OVERLAY_FOLDER
            folder.mkdir(exist_ok=True)
            save_png(folder / f"{stem}.png", picture)
            return
        if item.eye not in self._writers:
            name = f"overlay_{item.eye}.mp4" if item.eye else "overlay.mp4"
            self._writers[item.eye] = VideoWriter(self._folder / name, self._rate, picture.shape)
        self._writers[item.eye].add(picture)

    def _add_both(self, left: DetectedFrame, right: DetectedFrame | None) -> None:
        matches = np.zeros((0, 2), int)
        if right is not None and self._calibration is not None:
            content, matches = space_as_dict(left, right, self._calibration)
            self._space.append(content)
        if not self._settings.adaptor:
            return
        root = self._folder / "adaptor" / self._settings.adaptor
        for eye, frame in ((LEFT, left), (RIGHT, right)):
            if frame is not None:
                (root / EYES[eye]).mkdir(parents=True, exist_ok=True)
                save_png(root / EYES[eye] / f"{left.number:06d}.png", frame.image)
        (root / LABELS_FOLDER).mkdir(exist_ok=True)
        lower = right.points.positions if right is not None else np.zeros((0, 2))
        save_json(root / LABELS_FOLDER / f"{left.number:06d}.json",
                  top_bottom_content(left.points.positions, lower, matches, left.name, left.image.shape))


def frame_as_dict(item: DetectedFrame) -> dict[str, Any]:
    """One frame in result.json: x and y in pixels of its own picture, counted from 0."""
    return {"file": item.name, "frame": item.number, "eye": item.eye, "width": item.image.shape[1],
            "height": item.image.shape[0], "points": [
                {"x": round(float(position[0]), 3), "y": round(float(position[1]), 3),
                 "confidence": round(float(confidence), 4), "class": KIND_NAMES[int(kind)],
                 "pair_id": None if pair < 0 else int(pair), "track_id": track}
                for position, confidence, kind, pair, track in zip(
                    item.points.positions, item.points.confidence, item.points.kinds, item.points.pair_ids,
                    _track_list(item), strict=True)]}


def space_as_dict(left: DetectedFrame, right: DetectedFrame,
                  calibration: "StereoCalibration") -> tuple[dict[str, Any], np.ndarray]:
    """The stitches of a stereo frame in mm in the left camera's frame, and the matched indices (K, 2) of both eyes."""
    from ..stereo.reconstruction import reconstruct

    space = reconstruct(left.points.positions, right.points.positions, calibration, left.points.kinds,
                        right.points.kinds, left.points.pair_ids)
    matches = np.column_stack([space.matches.left, space.matches.right])
    content: dict[str, Any] = {
        "frame": left.number,
        "points": [{"left": int(one), "right": int(other), "mm": np.round(point, 3).tolist(),
                    "error_mm": round(float(np.max(error)), 3)}
                   for (one, other), point, error in zip(matches, space.found.points, space.found.error_mm,
                                                         strict=True)],
        "annulus_mm": None, "why_no_annulus": space.why_no_curve or None}
    if space.curve is not None and space.spacing is not None:
        content["annulus_mm"] = {
            "length": round(space.curve.length_mm, 2), "line": np.round(space.curve.line, 2).tolist(),
            "order": space.spacing.order.tolist(), "to_next": np.round(space.spacing.to_next_mm, 2).tolist(),
            "stitch_widths": {str(pair): round(width, 2) for pair, width in space.spacing.widths_mm.items()}}
    return content, matches


def _track_list(item: DetectedFrame) -> Sequence[int | None]:
    return [None] * len(item.points) if item.track_ids is None else [int(number) for number in item.track_ids]
