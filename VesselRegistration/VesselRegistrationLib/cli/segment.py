"""vessel-registration segment: vessels and catheters of one X-ray frame; needs no geometry."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .inputs import frames_of, runs_of
from .options import add_output_folder, add_segmentation_options, add_xray_options, new_command
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_VESSELS, _CATHETERS, _BOTH = "vessels", "catheters", "both"


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "segment", "Find vessels, or catheters and guidewires, in a frame of an XA file; no "
                         "geometry is needed.", run)
    add_xray_options(parser)
    parser.add_argument("--what", default=_VESSELS, choices=(_VESSELS, _CATHETERS, _BOTH),
                        help="what to find; catheters also as curves with tips, in segmentation.json (default vessels)")
    add_segmentation_options(parser)
    parser.add_argument("--catheter-network", type=Path, metavar="FILE",
                        help="card or weights of a catheter network of your own, in place of the shipped one")
    add_output_folder(parser)


def run(options: argparse.Namespace) -> None:
    """Read, segment, write."""
    from ..catheters.finding import DeviceFinder
    from ..registration.masks import FrameSegmenter
    from ..rendering.new_folder import check_new_folder
    from ..rendering.segmentation_files import write_segmentation

    check_new_folder(options.out)
    vessels = devices = None
    with progress_bar() as progress:
        finder = None if options.what == _VESSELS else DeviceFinder(
            options.threshold, options.device, options.catheter_network)
        progress(0.0, "reading")
        [frame] = frames_of(options, runs_of(options))
        progress(0.5, f"finding {options.what}")
        if options.what != _CATHETERS:
            segmenter = FrameSegmenter(options.field_of_view, options.threshold, options.device, options.vessel_network)
            vessels = segmenter.segment(frame)
        if finder is not None:
            devices = finder.find(frame.attenuation, frame.usable)
        write_segmentation(frame, vessels, devices, options.out)
    place = f"{frame.path.name}, frame {frame.frame_number}"
    if vessels is not None:
        share = 100 * vessels.mask.sum() / max(1, frame.usable.sum())
        print(f"{place}: vessels on {share:.1f} % of the image. {vessels.source}")
    if devices is not None:
        tips = sum(curve.tip is not None for curve in devices.curves)
        print(f"{place}: {len(devices.curves)} devices, {tips} with a tip.")
    print(f"Written to {options.out}")
