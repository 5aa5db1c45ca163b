"""vessel-registration benchmark vessels: DRU-Net and our network, trained alike for the same minutes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_device_option, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands


def add_vessels(kinds: "Commands") -> None:
    """Add the command to the benchmarks."""
    parser = new_command(kinds, "vessels", "Train DRU-Net and our network from nothing on the same simulated frames "
                         "for the same minutes, and compare them on held-out domains; run it again to go on.", run)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                        help="folder for trainings and report; the same one again to go on")
    parser.add_argument("--minutes", type=positive_number, default=20, metavar="N",
                        help="minutes of training for each network (default 20); the test takes a few more")
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N",
                        help="CPU threads of the trainings (default 2)")
    parser.add_argument("--workers", type=whole_number, default=1, metavar="N",
                        help="processes that make the frames ahead (default 1)")
    add_device_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run, print, write."""
    from ..training.experiment.vessel_comparison import VesselBudget, compare_vessel_networks
    from ..training.trainer import Place

    with progress_bar() as progress:
        text = compare_vessel_networks(options.out, VesselBudget(options.minutes),
                                       place=Place(options.device, options.threads, options.workers),
                                       progress=progress)
    print(text)
