"""suture-detection evaluate: the paper's tables and figure on simulated frames; or scores on own labels."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import add_device_option, add_output_folder, new_command, positive_number
from VesselRegistrationLib.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands

    from ..detection.detector import SutureDetector


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "evaluate", "Score trained networks: make Tables 1 to 4 and Fig. 4 of Sharan et al. "
                         "on simulated frames, with our network beside, and compare speed.", run)
    parser.add_argument("--trained", type=Path, action="append", metavar="PATH",
                        help="folder of a training, or model card; give it again for each network, several of one "
                             "design are its folds (default: the shipped network)")
    parser.add_argument("--frames", type=positive_number, default=100, metavar="N",
                        help="frames of each simulated data set (default 100)")
    parser.add_argument("--surgeries", type=positive_number, default=4, metavar="N",
                        help="groups of frames for the spread of designs that were trained once (default 4)")
    parser.add_argument("--labels", type=Path, metavar="DIR",
                        help="score on your own labelled frames instead: pictures with labelme files, or AdaptOR's "
                             "folders")
    parser.add_argument("--split", type=Path, metavar="FILE", help="AdaptOR split file: the frames to take of --labels")
    parser.add_argument("--quick", action="store_true", help="leave out speed, tracks and points in space")
    add_device_option(parser)
    add_output_folder(parser, required=False)


def run(options: argparse.Namespace) -> None:
    """Evaluate, print, write."""
    from VesselRegistrationLib.rendering.new_folder import check_new_folder

    from ..detection.detector import load_detector

    if options.out is not None:
        check_new_folder(options.out)
    detectors = [load_detector(source, options.device) for source in options.trained or [None]]
    if options.labels is not None:
        _score_own(options, detectors)
        return
    import tempfile

    from VesselRegistrationLib.rendering.new_folder import new_folder

    from ..evaluation.paper import EvaluationSettings, evaluate

    settings = EvaluationSettings(options.frames, options.surgeries, not options.quick)
    folder = new_folder(options.out) if options.out is not None else tempfile.TemporaryDirectory()
    with progress_bar() as progress, folder as place:
        print(evaluate(detectors, settings, Path(place), _command(options), progress))


def _command(options: argparse.Namespace) -> str:
    trained = "".join(f" --trained {path}" for path in options.trained or ())
    return (f"suture-detection evaluate{trained} --frames {options.frames} --surgeries {options.surgeries}"
            f"{' --quick' if options.quick else ''}")


def _score_own(options: argparse.Namespace, detectors: "Sequence[SutureDetector]") -> None:
    from VesselRegistrationLib.rendering.files import save_json, save_png
    from VesselRegistrationLib.rendering.new_folder import new_folder

    from ..evaluation.domains import compare, in_frame
    from ..evaluation.own_labels import read_labelled_frames, scores_as_text
    from ..evaluation.scoring import match_points, score_images
    from ..rendering.overlay import comparison_picture

    frames, problems = read_labelled_frames(options.labels, options.split)
    images = {detector.origin.name: [compare(detector, frame) for frame in frames] for detector in detectors}
    text = "\n".join(scores_as_text(name, score_images(found)) for name, found in images.items())
    print(text)
    for problem in problems:
        print(f"Left out: {problem}")
    if options.out is None:
        return
    with new_folder(options.out) as folder:
        save_json(folder / "scores.json", {"schema_version": 1, "scores": text.splitlines(), "left_out": problems})
        for frame, found in zip(frames, images[detectors[0].origin.name], strict=True):
            matches = match_points(found.found, found.labels)
            picture = comparison_picture(frame.image, in_frame(found.found, frame), frame.labels.points, matches,
                                         frame.name)
            save_png(folder / f"{frame.name}.png", picture)
