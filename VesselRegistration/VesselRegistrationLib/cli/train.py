"""vessel-registration train: train the networks, on simulated or on own frames, and export what was trained."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import ignore_progress
from .options import FIELDS_OF_VIEW, add_device_option, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_RECIPES = ("ours", "paper")
_NETWORKS = {"vessels": ("ours", "dru-net"), "catheter": ("ours", "light", "ambrosini"),
             "matching": ("ours", "compact", "published")}
_TEXTS = {"vessels": "Train a network that finds vessels (dru-net), or vessels and devices (ours).",
          "catheter": "Train a network that finds catheters and guidewires.",
          "matching": "Train a network that matches silhouette and mask."}
_SEVERAL = ("Several GPUs or machines: start it with torchrun, e.g. 'torchrun --nproc-per-node 2 --no-python "
            "vessel-registration train catheter --out DIR'. The batch size counts all processes together.")
_PLANNED = ("network", "recipe", "field_of_view", "steps", "batch_size", "seed", "data", "init", "freeze")


def add_parser(commands: "Commands") -> None:
    """Add the command and its own commands to the command line."""
    text = "Train the networks on simulated or on own frames, or export a training as weights with a model card."
    kinds = commands.add_parser("train", help=text, description=text).add_subparsers(metavar="WHAT", required=True)
    for task, networks in _NETWORKS.items():
        parser = new_command(kinds, task, _TEXTS[task], train, epilog=_SEVERAL)
        parser.set_defaults(task=task, field_of_view=None, data=None)
        parser.add_argument("--network", choices=networks, help="the network (default ours)")
        if task == "vessels":
            parser.add_argument("--field-of-view", "--fov", choices=(*FIELDS_OF_VIEW, "both"),
                                help="lower: abdomen to legs; upper: chest; both: one network for all (default)")
        if task != "matching":
            parser.add_argument("--data", metavar="FOLDER",
                                help="annotated frames of your own instead of simulated ones: images/ beside masks/ or "
                                     "labels/, PixelAnnotationTool's or labelme's files; a sub-folder per patient")
        _add_training_options(parser)
    export = new_command(kinds, "export", "Write a training's weights with a model card that holds its scores.",
                         export_training)
    export.add_argument("--training", type=Path, required=True, metavar="DIR", help="folder of the training")
    export.add_argument("--version", required=True, help="version of the weights, for the model card")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for weights and card")


def train(options: argparse.Namespace) -> None:
    """Train a network as config file and options say."""
    from ..training.distributed import leads
    from ..training.plan import read_plan
    from ..training.run import run_plan
    from ..training.trainer import Place

    plan = read_plan(options.task, options.config, {name: getattr(options, name) for name in _PLANNED})
    with progress_bar() if leads() else nullcontext(ignore_progress) as progress:
        outcome = run_plan(plan, options.out, place=Place(options.device, options.threads, options.workers),
                           resume=options.resume, progress=progress)
    if leads():
        print(f"Trained: {outcome.checkpoint}\nReport: {outcome.report}")
        if not outcome.has_events:
            print("TensorBoard is not installed: the log is in log.csv alone.")


def export_training(options: argparse.Namespace) -> None:
    """Export a training."""
    from ..training.export import export_network

    card = export_network(options.training, options.out, options.version)
    print(f"Written: {card.path} ({card.bytes} bytes, SHA-256 {card.sha256})")
    for name, value in card.scores.items():
        print(f"  {name} {value:.4f}")


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint, log and report")
    parser.add_argument("--config", type=Path, metavar="FILE",
                        help="TOML file with these settings, those of --data and, under [settings], all others")
    parser.add_argument("--recipe", choices=_RECIPES, help="settings: ours (default) or the paper's")
    parser.add_argument("--init", metavar="WEIGHTS",
                        help="start from shipped weights by name, a model card, or a training's folder")
    parser.add_argument("--freeze", metavar="LAYERS",
                        help="leave the first N layers as they are, or all but the deepest: all-but-7, all-but-13, "
                             "all-but-19")
    parser.add_argument("--steps", type=positive_number, metavar="N", help="steps (default: the recipe's)")
    parser.add_argument("--batch-size", type=positive_number, metavar="N", help="batch size (default: the recipe's)")
    parser.add_argument("--seed", type=whole_number, metavar="N", help="seed (default 0)")
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    parser.add_argument("--workers", type=whole_number, default=1, metavar="N",
                        help="processes that make the samples ahead (default 1)")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    add_device_option(parser)
