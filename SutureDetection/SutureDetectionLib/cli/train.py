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
    own = parser.add_argument_group("own labelled frames")
    own.add_argument("--labels", type=Path, metavar="DIR",
                     help="train on your frames: pictures with labelme files beside them, or AdaptOR's folders. Ours "
                          "is fine-tuned from trained weights, the paper's network starts from nothing")
    own.add_argument("--split", type=Path, metavar="FILE", help="AdaptOR split file: the frames to take of --labels")
    own.add_argument("--weights", type=Path, metavar="PATH",
                     help="what to fine-tune: model card (.json) or folder of a training (default: the shipped "
                          "network)")
    own.add_argument("--fold", type=_fold, metavar="K/N",
                     help="hold back the surgeries of fold K, counted from 0, of N (default: every fifth frame)")
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
    if options.labels is not None:
        _train_on_own(options)
        return
    if any(value is not None for value in (options.weights, options.fold, options.split)):
        raise UserError("--weights, --fold and --split are for training on your own frames: give them with --labels.")
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


def _train_on_own(options: argparse.Namespace) -> None:
    from VesselRegistrationLib.training.trainer import Place

    from ..evaluation.own_labels import read_labelled_frames
    from ..training.fine_tuning import fine_tune, train_paper_on_frames
    from ..training.own_frames import Fold
    from ..training.tasks import PaperDesign

    frames, problems = read_labelled_frames(options.labels, options.split)
    for problem in problems:
        print(f"Left out: {problem}")
    arguments = {"fold": Fold(*options.fold) if options.fold else None, "steps": options.steps,
                 "batch_size": options.batch_size, "seed": options.seed, "resume": options.resume,
                 "place": Place(options.device, options.threads, 0)}
    with progress_bar() as progress:
        if options.network == "paper":
            design = PaperDesign(options.variant, _distribution(options), options.sigma_2)
            print(f"Trained: {train_paper_on_frames(frames, options.out, design, progress=progress, **arguments)}")
            return
        tuned = fine_tune(frames, options.out, start=options.weights, progress=progress, **arguments)
    print(f"On {tuned.held_out} held-out frames: F1 {tuned.before['f1']:.3f} before, {tuned.after['f1']:.3f} after.")
    print(f"Trained: {tuned.checkpoint}; use it with --weights {options.out}")


def _fold(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form K/N, such as 0/4")
    return int(number), int(count)


def _distribution(options: argparse.Namespace) -> "Distribution":
    from ..networks.targets import GAUSS, TANH, Distribution

    spreads = [value for value in (options.sigma_1, options.tanh, options.sigma_2) if value is not None]
    if min(spreads) <= 0 or (options.sigma_1 is not None and options.tanh is not None):
        raise UserError("Targets are Gaussian or tanh: give either --sigma-1 or --tanh, and spreads larger than 0.")
    return Distribution(GAUSS, options.sigma_1 or 2.0) if options.tanh is None else Distribution(TANH, options.tanh)
