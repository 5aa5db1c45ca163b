"""suture-detection detect: suture points in pictures, folders, DICOM files and videos."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import add_device_option, add_output_folder, new_command
from VesselRegistrationLib.cli.progress_bar import progress_bar
from VesselRegistrationLib.errors import UserError

from ..inputs.opening import LAYOUTS, MONO

_SHOWN = 5  # reasons printed; all are in result.json

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands

    from ..inputs.frame import FrameSource
    from ..stereo.camera import StereoCalibration


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "detect", "Find suture points in a picture, a folder of pictures, a DICOM file or a "
                         "video; write result.json, points.csv, labelme files and pictures.", run)
    parser.add_argument("input", type=Path, metavar="INPUT", help="PNG, JPEG, TIFF, DICOM, video, or a folder")
    add_output_folder(parser)
    parser.add_argument("--stereo", default=MONO, choices=LAYOUTS,
                        help="how both eyes lie in a frame; top and left side are the left eye (default: one eye)")
    parser.add_argument("--calibration", type=Path, metavar="YAML",
                        help="stereo calibration (OpenCV); adds points in mm, the annulus and distances along it")
    parser.add_argument("--threshold", type=float, metavar="P",
                        help="confidence from which points count (default: the network's)")
    parser.add_argument("--weights", type=Path, metavar="PATH",
                        help="model card (.json) or folder of a training (default: the shipped network)")
    tracking = parser.add_mutually_exclusive_group()
    tracking.add_argument("--track", action="store_true", default=None,
                          help="the pictures of the folder follow each other: number points through them")
    tracking.add_argument("--no-track", dest="track", action="store_false", help="treat every frame on its own")
    parser.add_argument("--adaptor", default="", metavar="OP/VIDEO",
                        help="also write frames and labels as AdaptOR lays them out, under this operation and video")
    parser.add_argument("--no-pictures", action="store_true", help="write no overlays")
    parser.add_argument("--backend", default="torch", choices=("torch", "openvino"),
                        help="what runs our network: torch (default), or OpenVINO where it is installed")
    add_device_option(parser)


def run(options: argparse.Namespace) -> None:
    """Detect and write."""
    from VesselRegistrationLib.rendering.new_folder import check_new_folder, new_folder

    from ..detection.detector import load_detector
    from ..detection.session import SessionSettings, detect_frames
    from ..inputs.opening import open_source
    from ..rendering.result_writer import OutputSettings, ResultWriter

    check_options(options)
    check_new_folder(options.out)
    source = open_source(options.input, follows=bool(options.track))
    detector = load_detector(options.weights, options.device, options.backend)
    threshold = detector.threshold if options.threshold is None else options.threshold
    settings = SessionSettings(threshold, options.stereo, options.track)
    with progress_bar() as progress, new_folder(options.out) as folder:
        calibration = _calibration(options, source)
        writer = ResultWriter(folder, OutputSettings(not options.no_pictures, options.adaptor),
                              follows=source.follows, rate=source.rate, calibration=calibration)
        for item in detect_frames(source, detector, settings, progress):
            writer.add(item)
        frames, points = writer.counts
        if not frames:
            raise UserError(f"No frame of {options.input.name} could be used: {writer.reasons[0]}")
        writer.finish(options.input.name, detector, threshold, options.stereo)
    print(f"{frames} frames, {points} points")
    for reason in writer.reasons[:_SHOWN]:
        print(f"Left out: {reason}")
    if len(writer.reasons) > _SHOWN:
        print(f"and {len(writer.reasons) - _SHOWN} more, see result.json")
    print(f"Written to {options.out}")


def check_options(options: argparse.Namespace) -> None:
    """Refuse values that cannot be meant (UserError)."""
    if options.threshold is not None and not 0.1 <= options.threshold < 1.0:
        raise UserError(f"The threshold {options.threshold:g} is impossible: give one from 0.1 to below 1.")
    if options.calibration is not None and options.stereo == MONO:
        raise UserError("A calibration is of two eyes: say with --stereo how they lie in a frame.")
    parts = options.adaptor.split("/")
    if options.adaptor and (len(parts) != 2 or not all(parts) or any(part.startswith(".") for part in parts)):
        raise UserError(f"'{options.adaptor}' is not of the form OP/VIDEO, such as op1/video1: correct --adaptor.")


def _calibration(options: argparse.Namespace, source: "FrameSource") -> "StereoCalibration | None":
    from ..inputs.frame import Frame
    from ..inputs.opening import split_eyes
    from ..stereo.calibration_file import read_calibration

    if options.calibration is None:
        return None
    first = next((frame for frame in source.frames() if isinstance(frame, Frame)), None)
    if first is None:
        return None
    left = split_eyes(first.image, options.stereo)["left"]
    return read_calibration(options.calibration, (left.shape[0], left.shape[1]))
