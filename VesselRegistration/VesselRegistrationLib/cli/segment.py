"""vessel-registration segment: the vessel mask of one X-ray frame; needs no geometry."""

import argparse
from typing import TYPE_CHECKING

from .inputs import frames_of, runs_of
from .options import add_output_folder, add_segmentation_options, add_xray_options, new_command
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "segment", "Find the vessels in a frame of an XA file; no geometry is needed.", run)
    add_xray_options(parser)
    add_segmentation_options(parser)
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Read, segment, write."""
    from ..registration.masks import FrameSegmenter
    from ..rendering.files import write_segmentation
    from ..rendering.new_folder import check_new_folder

    check_new_folder(options.out)
    with progress_bar() as progress:
        progress(0.0, "reading")
        [frame] = frames_of(options, runs_of(options))
        progress(0.5, "finding vessels")
        found = FrameSegmenter(options.field_of_view, options.threshold, options.device).segment(frame)
        write_segmentation(frame, found, options.out)
    share = 100 * found.mask.sum() / max(1, frame.usable.sum())
    print(f"{frame.path.name}, frame {frame.frame_number}: vessels on {share:.1f} % of the image. {found.source}")
    print(f"Written to {options.out}")
