"""vessel-registration train: train the networks on simulated images, and export what was trained."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import FIELDS_OF_VIEW, add_device_option, new_command, positive_number, whole_number
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_RECIPES = ("ours", "paper")
_VESSEL_NETWORKS = ("ours", "dru-net")
_CATHETER_NETWORKS = ("ours", "light", "ambrosini")
_MATCHING_NETWORKS = ("compact", "published")


def add_parser(commands: "Commands") -> None:
    """Add the command and its own commands to the command line."""
    text = "Train the networks on simulated images, or export a training as weights with a model card."
    kinds = commands.add_parser("train", help=text, description=text).add_subparsers(metavar="WHAT", required=True)
    vessels = new_command(kinds, "vessels", "Train a network that finds vessels.", train_vessels)
    vessels.add_argument("--field-of-view", "--fov", required=True, choices=(*FIELDS_OF_VIEW, "both"),
                         help="lower: abdomen to legs; upper: chest; both: one network for all")
    vessels.add_argument("--network", default="dru-net", choices=_VESSEL_NETWORKS,
                         help="ours: vessels and devices; dru-net: vessels (default)")
    _add_training_options(vessels)
    catheter = new_command(kinds, "catheter", "Train a network that finds catheters and guidewires.", train_catheter)
    catheter.add_argument("--network", default="ours", choices=_CATHETER_NETWORKS,
                          help="ours (default), the light U-Net, or the one of Ambrosini et al.")
    _add_training_options(catheter)
    matching = new_command(kinds, "matching", "Train the network that matches silhouette and mask.", train_matching)
    matching.add_argument("--network", choices=_MATCHING_NETWORKS,
                          help="compact or published size (default: the recipe's)")
    _add_training_options(matching)
    export = new_command(kinds, "export", "Write a training's weights with a model card that holds its scores.",
                         export_training)
    export.add_argument("--training", type=Path, required=True, metavar="DIR", help="folder of the training")
    export.add_argument("--version", required=True, help="version of the weights, for the model card")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for weights and card")


def train_vessels(options: argparse.Namespace) -> None:
    """Train a vessel network."""
    from ..training.vessels import train_vessels as train

    with progress_bar() as progress:
        print(f"Trained: {train(options.field_of_view, progress=progress, **_training_arguments(options))}")


def train_catheter(options: argparse.Namespace) -> None:
    """Train a catheter network."""
    from ..training.catheter import train_catheter as train

    with progress_bar() as progress:
        print(f"Trained: {train(progress=progress, **_training_arguments(options))}")


def train_matching(options: argparse.Namespace) -> None:
    """Train the matching network."""
    from ..training.matching import train_matching as train

    with progress_bar() as progress:
        print(f"Trained: {train(progress=progress, **_training_arguments(options))}")


def export_training(options: argparse.Namespace) -> None:
    """Export a training."""
    from ..training.export import export_network

    card = export_network(options.training, options.out, options.version)
    print(f"Written: {card.path} ({card.bytes} bytes, SHA-256 {card.sha256})")
    for name, value in card.scores.items():
        print(f"  {name} {value:.4f}")


def _training_arguments(options: argparse.Namespace) -> dict[str, Any]:
    from ..training.trainer import Place

    return {"out": options.out, "network": options.network, "recipe": options.recipe, "steps": options.steps,
            "batch_size": options.batch_size, "seed": options.seed, "resume": options.resume,
            "place": Place(options.device, options.threads, options.workers)}


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint and log")
    parser.add_argument("--recipe", default="ours", choices=_RECIPES, help="settings: ours (default) or the paper's")
    parser.add_argument("--steps", type=positive_number, metavar="N", help="steps (default: the recipe's)")
    parser.add_argument("--batch-size", type=positive_number, metavar="N", help="batch size (default: the recipe's)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="seed (default 0)")
    parser.add_argument("--threads", type=positive_number, default=2, metavar="N", help="CPU threads (default 2)")
    parser.add_argument("--workers", type=whole_number, default=1, metavar="N",
                        help="processes that make the samples ahead (default 1)")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    add_device_option(parser)
