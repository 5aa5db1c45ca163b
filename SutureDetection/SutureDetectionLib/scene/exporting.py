"""Points that count, and labelled frames, as files; the writers are those of the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.rendering.files import save_json, save_png
from VesselRegistrationLib.rendering.new_folder import new_folder

from ..detection.detector import Origin
from ..detection.session import DetectedFrame
from ..formats.labelme import labelme_content
from ..formats.labels import Labels
from ..inputs.opening import MONO, split_eyes
from ..rendering.result_writer import OutputSettings, ResultWriter
from ..stereo.calibration_file import read_calibration
from ..tracking.tracker import NO_TRACK
from .frameSeries import FrameSeries
from .pointKeeper import eyesOf
from .pointRecord import DETECTIONS, NumberedPoints, readRecord

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

BY_HAND = "by hand"


@dataclass(frozen=True)
class _Finder:
    """What a result says about who found its points."""

    origin: Origin


def exportPoints(series: FrameSeries, points: Mapping[int, NumberedPoints], threshold: float, folder: Path,
                 pictures: bool = False, adaptor: str = "", calibrationPath: Path | None = None) -> None:
    """Write the points of all frames as the command ``detect`` does: result.json, points.csv, labelme files.

    ``pictures`` adds overlays; ``adaptor``, as <op>/<video>, the frames and labels as AdaptOR lays them out; a
    calibration adds points in mm to frames of two eyes. Raises UserError where the folder is not empty or cannot be
    written.
    """
    facts, record = series.facts, readRecord(series, DETECTIONS)
    parts = adaptor.split("/")
    if adaptor and (len(parts) != 2 or not all(parts) or any(part.startswith(".") for part in parts)):
        raise UserError(f"'{adaptor}' is not of the form OP/VIDEO, such as op1/video1: correct the name for AdaptOR.")
    about = record.about if record is not None else {}
    calibration = None
    if calibrationPath is not None and facts.layout != MONO:
        calibration = read_calibration(calibrationPath, series.eyeShape())
    with new_folder(folder) as workplace:
        writer = ResultWriter(workplace, OutputSettings(pictures, adaptor), follows=facts.follows, rate=facts.rate,
                              calibration=calibration)
        for index, numbered in sorted(points.items()):
            images = split_eyes(series.image(index), facts.layout)
            for eye, part in eyesOf(series, numbered).items():
                tracks = part.trackIds if (part.trackIds != NO_TRACK).any() else None
                writer.add(DetectedFrame(facts.names[index], facts.numbers[index], eye, images[eye], part.points,
                                         tracks))
        finder = _Finder(Origin(about.get("name", BY_HAND), about.get("sha256", ""), about.get("design", {})))
        writer.finish(series.volume.GetName(), cast("SutureDetector", finder), threshold, facts.layout)


def saveLabelledFrames(series: FrameSeries, points: Mapping[int, NumberedPoints], indices: Sequence[int],
                       folder: Path) -> list[Path]:
    """Write frames as PNG, each eye on its own, with a labelme file of its points beside it; gives the labelme files.

    Raises UserError where there are no frames, or the folder is not empty or cannot be written.
    """
    if not indices:
        raise UserError("No frame is labelled: mark points in a frame, or tick that it is right as it is.")
    names: list[str] = []
    with new_folder(folder) as workplace:
        for index in indices:
            images = split_eyes(series.image(index), series.facts.layout)
            for eye, part in eyesOf(series, points[index]).items():
                stem = Path(series.facts.names[index]).stem + (f"_{eye}" if eye else "")
                stem = stem if stem not in names else f"{stem}_{index:06d}"
                names.append(stem)
                save_png(workplace / f"{stem}.png", np.ascontiguousarray(images[eye]))
                labels = Labels.of_points(part.points.positions, part.points.kinds, part.points.pair_ids)
                save_json(workplace / f"{stem}.json", labelme_content(labels, f"{stem}.png", images[eye].shape))
    return [folder / f"{name}.json" for name in names]
