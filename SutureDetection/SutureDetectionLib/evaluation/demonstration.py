"""What the demo shows: frames with hits and misses, and a followed video."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.progress import ProgressCallback
from VesselRegistrationLib.rendering.files import save_png

from ..inputs.video import can_write_video, write_video
from ..rendering.overlay import comparison_picture, overlay_picture
from .domains import compare, labelled_frames, score_detector
from .identity import IdentifiedPoints, identity_f1
from .scoring import RADII_PX, match_points

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

DOMAINS = ("or-heldout", "simulator-heldout")
_FRAMES = 4
_VIDEO_FRAMES = 75
_VIDEO_SEED = 12


def demonstrate(detector: "SutureDetector", folder: Path, progress: ProgressCallback) -> Sequence[str]:
    """Write comparison pictures and an overlay video into a folder; gives the lines of a summary."""
    frames = list(labelled_frames(DOMAINS, _FRAMES))
    for number, frame in enumerate(frames):
        image = compare(detector, frame)
        matches = match_points(image.found, image.labels)
        save_png(folder / f"comparison_{number}.png",
                 comparison_picture(frame.image, image.found, image.labels, matches, frame.name))
    scores = score_detector(detector, frames)
    identity = follow_video(detector, _VIDEO_SEED, DOMAINS[0], _VIDEO_FRAMES, progress, folder)
    tally = scores.tally
    return [f"{len(frames)} frames of looks that no training saw: {tally.tp} points found, {tally.fn} missed, "
            f"{tally.fp} false; F1 {tally.f1:.2f} within {RADII_PX[0]:g} px, median error {scores.median_px:.1f} px.",
            f"Video of {_VIDEO_FRAMES} frames with passing instruments: identity F1 {identity:.2f}."]


def follow_video(detector: "SutureDetector", seed: int, domain: str, count: int, progress: ProgressCallback,
                 folder: Path | None = None) -> float:
    """Track a simulated video; gives IDF1 within 6 px, and writes its overlay where there is a ``folder``."""
    from ..simulation.streams import FRAMES_PER_SECOND, video
    from ..tracking.tracker import SutureTracker

    tracker: SutureTracker | None = None
    found, truth, pictures = [], [], []
    for number, frame in enumerate(video(seed, count, domain)):
        progress(number / count, f"frame {number}")
        tracker = tracker or SutureTracker(frame.image.shape[1], detector.threshold)
        points, numbers = tracker.update(detector.detect(frame.image))
        found.append(IdentifiedPoints(points.positions, numbers))
        truth.append(IdentifiedPoints(frame.points[frame.visible], frame.ids[frame.visible]))
        if folder is not None:
            pictures.append(overlay_picture(frame.image, points, numbers, f"frame {number}"))
    if folder is not None and can_write_video():
        write_video(folder / "overlay.mp4", pictures, FRAMES_PER_SECOND)
    elif folder is not None:
        save_png(folder / "overlay_last.png", pictures[-1])
    return identity_f1(found, truth, RADII_PX[0])
