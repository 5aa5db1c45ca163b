"""suture-detection train: train the networks on simulated frames."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import add_device_option, new_command, positive_number, whole_number
from VesselRegistrationLib.cli.progress_bar import progress_bar
from VesselRegistrationLib.errors import UserError

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands

    from ..networks.targets import Distribution

_VARIANTS = ("baseline", "variant-1", "variant-2")
_DOMAINS = ("simulator", "or")


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "train", "Train a network on simulated endoscopy frames.", run)
    parser.add_argument("--network", default="ours", choices=("ours", "paper"),
                        help="ours (default), or the U-Net of Sharan et al.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint and log")
    paper = parser.add_argument_group("network of the paper")
    paper.add_argument("--variant", default="variant-1", choices=_VARIANTS, help="default: variant-1")
    paper.add_argument("--sigma-1", type=float, metavar="PX", help="spread of the Gaussian targets (default 2)")
    paper.add_argument("--tanh", type=float, metavar="ALPHA", help="tanh targets with this alpha (7, 10.5) instead")
    paper.add_argument("--sigma-2", type=float, default=1.0, metavar="PX",
                       help="spread of the Gaussian layer of the variants (default 1)")
    group = parser.add_argument_group("training")
    group.add_argument("--domain", choices=_DOMAINS, help="one kind of frames only (default: both in turn)")
    group.add_argument("--steps", type=positive_number, metavar="N", help="steps (default: the network's)")
    group.add_argument("--batch-size", type=positive_number, metavar="N", help="batch size (default 8)")
    group.add_argument("--seed", type=whole_number, default=0, metavar="N", help="seed (default 0)")
    group.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    group.add_argument("--workers", type=whole_number, default=1, metavar="N",
                       help="processes that make the frames ahead (default 1)")
    group.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    add_device_option(group)


def run(options: argparse.Namespace) -> None:
    """Train."""
    from VesselRegistrationLib.training.trainer import Place

    from ..training.frames import TRAINING_DOMAINS
    from ..training.sutures import train_ours, train_paper
    from ..training.tasks import PaperDesign

    arguments = {"domains": (options.domain,) if options.domain else TRAINING_DOMAINS, "steps": options.steps,
                 "batch_size": options.batch_size, "seed": options.seed, "resume": options.resume,
                 "place": Place(options.device, options.threads, options.workers)}
    with progress_bar() as progress:
        if options.network == "ours":
            checkpoint = train_ours(options.out, progress=progress, **arguments)
        else:
            design = PaperDesign(options.variant, _distribution(options), options.sigma_2)
            checkpoint = train_paper(options.out, design, progress=progress, **arguments)
    print(f"Trained: {checkpoint}")


def _distribution(options: argparse.Namespace) -> "Distribution":
    from ..networks.targets import GAUSS, TANH, Distribution

    spreads = [value for value in (options.sigma_1, options.tanh, options.sigma_2) if value is not None]
    if min(spreads) <= 0 or (options.sigma_1 is not None and options.tanh is not None):
        raise UserError("Targets are Gaussian or tanh: give either --sigma-1 or --tanh, and spreads larger than 0.")
    return Distribution(GAUSS, options.sigma_1 or 2.0) if options.tanh is None else Distribution(TANH, options.tanh)
