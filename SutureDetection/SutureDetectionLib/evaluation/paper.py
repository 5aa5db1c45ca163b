"""One report: the paper's tables and figure on simulated domains, ours beside, speed, tracks and space."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from VesselRegistrationLib.progress import ProgressCallback, part_of
from VesselRegistrationLib.registration.result_file import software_versions
from VesselRegistrationLib.rendering.files import save_json, save_png

from ..rendering.overlay import comparison_picture
from .demonstration import follow_video
from .domains import compare, labelled_frames
from .experiments import DATASETS, HELD_OUT, Outcome, run_experiments
from .figure import write_figure_4
from .scoring import Scores, match_points
from .space import triangulation_errors
from .speed import compare_speed, untrained_peer
from .tables import all_tables

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

_VIDEO_SEEDS = (101, 102, 103, 104)
_VIDEO_FRAMES = 100
_SAMPLES = 2


@dataclass(frozen=True)
class EvaluationSettings:
    """``frames`` per data set, in ``surgeries`` groups; ``more`` adds speed, tracks and space of our network."""

    frames: int = 100
    surgeries: int = 4
    more: bool = True


def evaluate(detectors: Sequence["SutureDetector"], settings: EvaluationSettings, folder: Path, command: str,
             progress: ProgressCallback) -> str:
    """Write report.md, report.json, figure_4.png and sample pictures into a folder; gives the report's text."""
    outcomes = run_experiments(detectors, settings.frames, settings.surgeries, part_of(progress, 0.0, 0.75))
    parts = [f"`{command}`", f"{settings.frames} simulated frames per data set. Standard deviations are over folds: "
             "trainings of one design, or, where there is one training, groups of frames.", all_tables(outcomes)]
    content: dict[str, Any] = {"schema_version": 1, "command": command, "software": software_versions(),
                               "outcomes": [_outcome_as_dict(outcome) for outcome in outcomes]}
    if write_figure_4(folder / "figure_4.png", outcomes):
        parts.append("![Fig. 4](figure_4.png)")
    ours = next((detector for detector in detectors if detector.tells_kinds), None)
    if ours is not None and settings.more:
        text, figures = _more(ours, detectors, part_of(progress, 0.75, 1.0))
        parts.append(text)
        content |= figures
    for number, frame in enumerate(labelled_frames(HELD_OUT, _SAMPLES)):
        for detector in (detectors[0], detectors[-1]):
            image = compare(detector, frame)
            matches = match_points(image.found, image.labels)
            picture = comparison_picture(frame.image, image.found, image.labels, matches,
                                         f"{detector.origin.name} {frame.name}")
            save_png(folder / f"sample_{number}_{detector.origin.name}.png", picture)
    report = "\n\n".join(parts) + "\n"
    (folder / "report.md").write_text(report, encoding="utf-8")
    save_json(folder / "report.json", content)
    return report


def _more(ours: "SutureDetector", detectors: Sequence["SutureDetector"],
          progress: ProgressCallback) -> tuple[str, dict[str, Any]]:
    paper = next((detector for detector in detectors if not detector.tells_kinds), None) or untrained_peer()
    frame = next(iter(labelled_frames(HELD_OUT, 1)))
    speed = compare_speed(ours, paper, frame.image)
    progress(0.2, "tracks")
    identities = [follow_video(ours, seed, HELD_OUT[index % 2], _VIDEO_FRAMES, lambda fraction, text: None)
                  for index, seed in enumerate(_VIDEO_SEEDS)]
    progress(0.7, "space")
    errors = triangulation_errors(ours, HELD_OUT, 40)
    lines = [speed.as_text(),
             f"Tracks through passing instruments, {len(identities)} held-out videos of {_VIDEO_FRAMES} frames: IDF1 "
             f"{np.mean(identities):.3f} (least {min(identities):.3f}).",
             f"Points in space at 50 to 70 mm depth, held-out looks: median error {np.median(errors):.2f} mm, 90 % "
             f"within {np.percentile(errors, 90):.2f} mm ({len(errors)} points)." if len(errors) else ""]
    return "\n\n".join(line for line in lines if line), {
        "speed": {**asdict(speed), "ratio": speed.ratio}, "idf1": identities,
        "triangulation_median_mm": float(np.median(errors)) if len(errors) else None}


def _outcome_as_dict(outcome: Outcome) -> dict[str, Any]:
    return {"design": asdict(outcome.design), "datasets": {
        DATASETS[dataset]: {"pooled": _scores_as_dict(outcome.pooled[dataset]),
                            "folds": [_scores_as_dict(scores) for scores in outcome.folds[dataset]]}
        for dataset in outcome.folds}}


def _scores_as_dict(scores: Scores) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return round(float(value), 5) if np.isfinite(value) else None

    return {"images": scores.images, "images_without_points": scores.images_without_points,
            "by_radius": {f"{radius:g}": {**asdict(tally), "ppv": number(tally.ppv), "tpr": number(tally.tpr),
                                          "f1": number(tally.f1)} for radius, tally in scores.by_radius.items()},
            "tpr_close": number(scores.close.tpr), "tpr_apart": number(scores.apart.tpr),
            "rmse_px": number(scores.rmse_px), "median_px": number(scores.median_px),
            "right_kind": number(scores.right_kind)}
