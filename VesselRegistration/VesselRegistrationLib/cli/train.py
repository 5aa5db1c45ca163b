"""vessel-registration train: train the networks on simulated images, and export what was trained."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import FIELDS_OF_VIEW, add_device_option, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_RECIPES = ("ours", "paper")


def add_parser(commands: "Commands") -> None:
    """Add the command and its own commands to the command line."""
    text = "Train the networks on simulated images, or export a training as weights with a model card."
    kinds = commands.add_parser("train", help=text, description=text).add_subparsers(metavar="WHAT", required=True)
    vessels = new_command(kinds, "vessels", "Train the network that finds vessels (DRU-Net).", train_vessels)
    vessels.add_argument("--field-of-view", "--fov", required=True, choices=FIELDS_OF_VIEW,
                         help="lower: abdomen to legs; upper: chest")
    _add_training_options(vessels)
    matching = new_command(kinds, "matching", "Train the network that matches silhouette and mask.", train_matching)
    _add_training_options(matching)
    export = new_command(kinds, "export", "Write a training's weights with a model card that holds its scores.",
                         export_training)
    export.add_argument("--training", type=Path, required=True, metavar="DIR", help="folder of the training")
    export.add_argument("--version", required=True, help="version of the weights, for the model card")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for weights and card")


def train_vessels(options: argparse.Namespace) -> None:
    """Train the vessel network."""
    from ..training.vessels import train_vessels as train

    with progress_bar() as progress:
        checkpoint = train(options.field_of_view, options.out, recipe=options.recipe, steps=options.steps,
                           batch_size=options.batch_size, seed=options.seed, threads=options.threads,
                           device=options.device, resume=options.resume, progress=progress)
    print(f"Trained: {checkpoint}")


def train_matching(options: argparse.Namespace) -> None:
    """Train the matching network."""
    from ..training.matching import train_matching as train

    with progress_bar() as progress:
        checkpoint = train(options.out, recipe=options.recipe, steps=options.steps, batch_size=options.batch_size,
                           seed=options.seed, threads=options.threads, device=options.device, resume=options.resume,
                           progress=progress)
    print(f"Trained: {checkpoint}")


def export_training(options: argparse.Namespace) -> None:
    """Export a training."""
    from ..training.export import export_network

    card = export_network(options.training, options.out, options.version)
    print(f"Written: {card.path} ({card.bytes} bytes, SHA-256 {card.sha256})")
    for name, value in card.scores.items():
        print(f"  {name} {value:.4f}")


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint and log")
    parser.add_argument("--recipe", default="ours", choices=_RECIPES, help="settings: ours (default) or the paper's")
    parser.add_argument("--steps", type=positive_number, metavar="N", help="steps (default: the recipe's)")
    parser.add_argument("--batch-size", type=positive_number, metavar="N", help="batch size (default: the recipe's)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="seed (default 0)")
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    add_device_option(parser)
