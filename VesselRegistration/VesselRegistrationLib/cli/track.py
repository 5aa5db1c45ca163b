"""vessel-registration track: the model followed through a run, one pose per frame."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import model_of, runs_of
from .options import add_model_options, add_output_folder, add_segmentation_options, add_xray_options, new_command
from .progress_bar import progress_bar
from .summary import print_concerns

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "track", "Register a vessel model in one frame of a run and follow it through all "
                         "frames; one pose per frame.", run)
    add_model_options(parser)
    add_xray_options(parser)
    parser.add_argument("--init", type=Path, metavar="FILE",
                        help="pose in the frame named by --frame, instead of registering there: result.json of an "
                             "earlier run, text 4x4 (RAS), .tfm or .h5 transform")
    add_segmentation_options(parser)
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Read, register, follow, write, and print a summary."""
    from ..pose.pose_file import read_initial_pose
    from ..progress import part_of
    from ..registration.cine import CineRequest, follow_cine
    from ..rendering.cine import write_cine
    from ..rendering.new_folder import check_new_folder

    check_new_folder(options.out)
    with progress_bar() as progress:
        progress(0.0, "reading")
        [opened] = runs_of(options)
        model = model_of(options)
        start = None if options.init is None else read_initial_pose(options.init)
        number = options.frame[0] if options.frame else opened.strongest_contrast_frame()
        opened.frame(number).view()  # complains now, not after the networks have been loaded
        request = CineRequest(model, opened, number, start, None, options.device, options.field_of_view,
                              options.threshold, options.vessel_network)
        result = follow_cine(request, part_of(progress, 0.05, 0.8))
        write_cine(result, opened, model, options.out, part_of(progress, 0.8, 1.0))
    print(f"{result.status}: {result.reason}")
    for frame in result.frames:
        if frame.reason:
            print(f"  {frame.reason}")
    for note in result.notes:
        print(f"  {note}")
    if result.frames:
        rate = len(result.frames) / max(result.timings_s["tracking"], 1e-6)
        print(f"  tracking without segmentation: {rate:.0f} frames/s")
    print_concerns(opened.path.name, opened.sanity)
    print(f"Written to {options.out}")
