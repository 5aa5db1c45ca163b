"""suture-detection export: a training's weights with a model card."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from VesselRegistrationLib.cli.options import new_command, positive_number

if TYPE_CHECKING:
    from VesselRegistrationLib.cli.options import Commands


def add_parser(commands: "Commands") -> None:
    """Add the command to the command line."""
    parser = new_command(commands, "export", "Calibrate the confidences of a trained network, and write its weights "
                         "with a model card that holds its scores.", run)
    parser.add_argument("--training", type=Path, required=True, metavar="DIR", help="folder of the training")
    parser.add_argument("--version", required=True, help="version of the weights, for the model card")
    parser.add_argument("--frames", type=positive_number, default=100, metavar="N",
                        help="simulated frames of each held-out look to score on (default 100)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for weights and card")


def run(options: argparse.Namespace) -> None:
    """Export."""
    from ..training.export import export_network

    card = export_network(options.training, options.out, options.version, options.frames)
    print(f"Written: {card.path} ({card.bytes} bytes, SHA-256 {card.sha256})")
    for name, value in card.scores.items():
        print(f"  {name} {value:.4f}")
