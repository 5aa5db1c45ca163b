"""suture-detection simulate: endoscopy with known truth, as files."""

import argparse
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import add_output_folder, new_command, positive_number, whole_number
from VesselRegistrationLib.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands

DOMAINS = ("simulator", "or", "simulator-heldout", "or-heldout")


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "simulate", "Simulate labelled endoscopy of the mitral valve: stereo frames laid "
                         "out as AdaptOR's with calibration and truth, or a video.", run)
    parser.add_argument("--seed", type=whole_number, required=True, metavar="N", help="same seed, same frames")
    parser.add_argument("--domain", default="or", choices=DOMAINS,
                        help="silicone simulator or operating room; heldout: looks that no training saw")
    parser.add_argument("--frames", type=positive_number, default=10, metavar="N", help="how many (default 10)")
    parser.add_argument("--video", action="store_true", help="one moving scene with passing instruments, one eye")
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Simulate and write."""
    from VesselRegistrationLib.rendering.new_folder import check_new_folder, new_folder

    from ..formats.simulated import write_stereo_frames, write_video_case

    check_new_folder(options.out)
    with progress_bar() as progress, new_folder(options.out) as folder:
        if options.video:
            write_video_case(folder, options.seed, options.domain, options.frames, progress)
        else:
            write_stereo_frames(folder, options.seed, options.domain, options.frames, progress)
    print(f"Written to {options.out}")
