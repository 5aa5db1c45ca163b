"""Simulated endoscopy as files: frames, labels laid out as AdaptOR's, calibration, truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from VesselRegistrationLib.progress import ProgressCallback
from VesselRegistrationLib.rendering.files import save_json, save_png

from .. import KIND_NAMES
from ..inputs.video import can_write_video, write_video
from .adaptor import EYES, LABELS_FOLDER, LEFT, RIGHT, find_frames, split_text, top_bottom_content

if TYPE_CHECKING:
    from ..simulation.frames import EndoscopyFrame

TRUTH_FILE = "truth.json"
SPLIT_FILE = "split.txt"
RECORDED_FOLDER = "top_bottom"
CALIBRATION_FOLDER = "calibration"
FRAMES_FOLDER = "frames"


def write_stereo_frames(folder: Path, seed: int, domain: str, count: int, progress: ProgressCallback) -> None:
    """``count`` stereo frames of different scenes, each with its own stereo endoscope, into an existing folder.

    ``simulated/<domain>_<seed>`` holds them as AdaptOR does, split.txt names them, top_bottom as they were recorded,
    calibration one file per frame, and truth.json everything that is known.
    """
    from ..simulation.streams import stereo_frame
    from ..stereo.calibration_file import write_calibration

    video = folder / "simulated" / f"{domain}_{seed}"
    for name in (*EYES.values(), LABELS_FOLDER):
        (video / name).mkdir(parents=True)
    for name in (RECORDED_FOLDER, CALIBRATION_FOLDER):
        (folder / name).mkdir()
    truth = []
    for number in range(count):
        progress(number / count, f"frame {number}")
        frame = stereo_frame(seed + number, domain)
        name = f"{number:06d}"
        for eye, picture in ((LEFT, frame.left), (RIGHT, frame.right)):
            save_png(video / EYES[eye] / f"{name}.png", picture.image)
        save_png(folder / RECORDED_FOLDER / f"{name}.png", frame.top_bottom)
        write_calibration(folder / CALIBRATION_FOLDER / f"{name}.yml", frame.calibration)
        left, right = np.flatnonzero(frame.left.visible), np.flatnonzero(frame.right.visible)
        both = np.intersect1d(left, right)
        matches = np.column_stack([np.searchsorted(left, both), np.searchsorted(right, both)])
        save_json(video / LABELS_FOLDER / f"{name}.json", top_bottom_content(
            frame.left.points[left], frame.right.points[right], matches, f"{name}.png", frame.left.image.shape))
        truth.append({"frame": number, "seed": seed + number, "left": _points(frame.left),
                      "right": _points(frame.right), "mm": np.round(frame.points_mm, 4).tolist()})
    save_json(folder / TRUTH_FILE, {"schema_version": 1, "domain": domain, "frames": truth})
    (folder / SPLIT_FILE).write_text(split_text(find_frames(folder)), encoding="utf-8")
    progress(1.0, "written")


def write_video_case(folder: Path, seed: int, domain: str, count: int, progress: ProgressCallback) -> None:
    """``count`` frames of one moving scene into an existing folder: pictures, a video where PyAV is there, truth.json.

    ``id`` in truth.json is the same for the same point in all frames.
    """
    from ..simulation.streams import FRAMES_PER_SECOND, video

    (folder / FRAMES_FOLDER).mkdir()
    truth, pictures = [], []
    for number, frame in enumerate(video(seed, count, domain)):
        progress(number / count, f"frame {number}")
        save_png(folder / FRAMES_FOLDER / f"{number:06d}.png", frame.image)
        pictures.append(frame.image)
        truth.append({"frame": number, "points": _points(frame)})
    if can_write_video():
        write_video(folder / "video.mp4", pictures, FRAMES_PER_SECOND)
    save_json(folder / TRUTH_FILE, {"schema_version": 1, "domain": domain, "seed": seed,
                                    "frames_per_second": FRAMES_PER_SECOND, "frames": truth})
    progress(1.0, "written")


def _points(frame: "EndoscopyFrame") -> list[dict[str, Any]]:
    return [{"x": round(float(place[0]), 4), "y": round(float(place[1]), 4), "class": KIND_NAMES[int(kind)],
             "pair_id": int(pair), "id": int(number), "visible": bool(visible)}
            for place, kind, pair, number, visible in zip(frame.points, frame.kinds, frame.pair_ids, frame.ids,
                                                          frame.visible, strict=True)]
