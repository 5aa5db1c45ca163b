"""vessel-registration benchmark catheter: the catheter networks on domains they were and were not trained on."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_device_option, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands


def add_catheter(kinds: "Commands") -> None:
    """Add the command to the benchmarks."""
    parser = new_command(kinds, "catheter", "Train the catheter networks on synthetic frames, fine-tune them on other "
                         "domains and make the tables of Gherardini et al. 2020; run it again to go on.", run)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                        help="folder for trainings and report; the same one again to go on")
    parser.add_argument("--budget", default="small", choices=("small", "paper"),
                        help="small: about an hour on two cores (default); paper: the paper's numbers, for a GPU")
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    parser.add_argument("--workers", type=whole_number, default=1, metavar="N",
                        help="processes that make the frames ahead (default 1)")
    add_device_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run, print, write."""
    from ..training.experiment.budget import BUDGETS
    from ..training.experiment.running import run_experiment
    from ..training.trainer import Place

    with progress_bar() as progress:
        text = run_experiment(options.out, BUDGETS[options.budget],
                              place=Place(options.device, options.threads, options.workers), progress=progress)
    print(text)
