"""suture-detection demo: a simulated frame and a short video of looks that no training saw, compared with the truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import add_device_option, add_output_folder, new_command
from VesselRegistrationLib.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands

DEFAULT_FOLDER = "suture-demo"


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "demo", "Find sutures in simulated frames and a short video, and compare them with "
                         "the truth.", run)
    parser.add_argument("--weights", type=Path, metavar="PATH",
                        help="model card (.json) or folder of a training (default: the shipped network)")
    add_device_option(parser)
    add_output_folder(parser, required=False)


def run(options: argparse.Namespace) -> None:
    """Detect, compare, write, and print a summary."""
    from VesselRegistrationLib.rendering.new_folder import check_new_folder, free_folder, new_folder

    from ..detection.detector import load_detector
    from ..evaluation.demonstration import demonstrate

    out = options.out or free_folder(DEFAULT_FOLDER)
    check_new_folder(out)
    detector = load_detector(options.weights, options.device)
    with progress_bar() as progress, new_folder(out) as folder:
        lines = demonstrate(detector, folder, progress)
    print("\n".join(lines))
    print("Look at:")
    for path in sorted([*out.glob("*.png"), *out.glob("*.mp4")]):
        print(f"  {path}")
