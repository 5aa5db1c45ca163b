"""A network of our design that says the same everywhere, saved with a card."""

from dataclasses import replace
from pathlib import Path

import torch
from VesselRegistrationLib.networks import weights


def save_constant(folder: Path, name: str, untrained: Path, vessel: float = 0.0) -> Path:
    """Save a network of the logit ``vessel`` for vessels and its opposite for devices, and give its card's path.

    The rest of the card is that of a network in the folder ``untrained``.
    """
    network = weights.build_network("FluoroNet", {})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.head[-1].bias[:4], network.head[-1].bias[4:] = vessel, -vessel
    card = replace(weights.load_card(untrained / "vessels_lower.json"), name=name, architecture="FluoroNet",
                   field_of_view="any")
    weights.save_weights(network, card, folder)
    return folder / f"{name}.json"
