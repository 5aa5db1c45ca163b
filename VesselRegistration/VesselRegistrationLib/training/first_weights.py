"""Starting from trained weights, and leaving some layers as they are."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import UserError
from ..networks.ambrosini import AmbrosiniNet
from ..networks.dru_net import DRUNet
from ..networks.fluoro_net import FluoroNet
from ..networks.light_unet import LightUNet
from ..networks.weights import CARD_SUFFIX, ModelCard, load_card, load_network
from .architectures import NetworkDesign
from .checkpoint import read_best, read_checkpoint

DEEPEST = {"all-but-7": 1, "all-but-13": 2, "all-but-19": 3}
"""The fine-tunings of Gherardini et al., 4.1, by how many levels up and down from the bottom they reach.

Their 7 layers (22 to 29 of their Keras model) are the bottleneck and the first decoder block; 13 and 19 grow by one
level on each side, "symmetrically chosen with respect to the encoding and decoding part". Other networks are cut at the
same levels."""


def load_first_weights(network: nn.Module, source: str, design: NetworkDesign) -> str:
    """Put trained weights into a new network and give one line that names them.

    ``source`` is the name of shipped weights, a model card, a training's folder or one of its checkpoints. Raises
    UserError where there are none, or they are of another network.
    """
    path = Path(source)
    if path.is_dir() or path.suffix == ".pt":
        content = read_checkpoint(path.parent, path.name) if path.suffix == ".pt" else read_best(path)
        _check_design(source, content["architecture"], content["parameters"], design)
        _check_outputs(source, content["outputs"], design)
        state: dict[str, Any] = content["network"]
        name = f"{content['task']}, step {content['step']}"
        digest = hashlib.sha256(b"".join(value.cpu().numpy().tobytes() for value in state.values())).hexdigest()
    else:
        card: ModelCard = load_card(path if path.suffix == CARD_SUFFIX else source)
        _check_design(source, card.architecture, card.parameters, design)
        state = load_network(card).state_dict()
        name, digest = f"{card.name} {card.version}", card.sha256
    network.load_state_dict(state)
    return f"{name} (SHA-256 {digest[:12]})"


def _check_design(source: str, architecture: str, parameters: Any, design: NetworkDesign) -> None:
    if (architecture, dict(parameters)) != (design.architecture, dict(design.parameters)):
        other = "other widths" if architecture == design.architecture else f"the network {architecture}"
        raise UserError(f"The weights {source} are of {other}, not of {design.architecture} as this training: name "
                        "weights of the same network, or choose that network.")


def _check_outputs(source: str, outputs: Sequence[str], design: NetworkDesign) -> None:
    if tuple(outputs) != design.outputs:
        raise UserError(f"The weights {source} answer with {', '.join(outputs)}, this network with "
                        f"{', '.join(design.outputs)}: name weights of the same kind.")


def freeze(network: nn.Module, what: str) -> int:
    """Leave layers as they are and give how many of them; ``what`` as in :class:`.plan.TrainingPlan`.

    Only layers with weights count, in the order in which they stand in the network. Raises UserError where there are
    not as many, or the network has no such part.
    """
    layers = [layer for layer in network.modules() if any(True for _ in layer.parameters(recurse=False))]
    if what in DEEPEST:
        tuned = {layer for part in deepest(network, DEEPEST[what]) for layer in part.modules()}
        frozen = [layer for layer in layers if layer not in tuned]
    elif re.fullmatch(r"[0-9]+", what):
        if int(what) >= len(layers):
            raise UserError(f"The network has {len(layers)} layers with weights: freeze fewer than that, not {what}.")
        frozen = layers[:int(what)]
    else:
        raise UserError(f"'{what}' is nothing that can be frozen: give a number of layers or {', '.join(DEEPEST)}.")
    for layer in frozen:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
    return len(frozen)


def rest_frozen(network: nn.Module) -> None:
    """Keep the statistics of frozen batch norms while the others train."""
    for layer in network.modules():
        if isinstance(layer, _BatchNorm) and layer.weight is not None and not layer.weight.requires_grad:
            layer.eval()


def deepest(network: nn.Module, levels: int) -> list[nn.Module]:
    """The parts of a U-shaped network at its bottom and up to ``levels`` (1 to 3) decoder levels above it."""
    if isinstance(network, LightUNet):
        return [*list(network.encoder)[-levels:], *list(network.narrow)[:levels], *list(network.decoder)[:levels]]
    if isinstance(network, AmbrosiniNet):
        return [*list(network.encoder)[-levels:], *list(network.down)[-levels:], *list(network.up)[:levels],
                *list(network.decoder)[:levels]]
    if isinstance(network, DRUNet):
        upper = list(network.encoder)[len(network.encoder) - levels + 1:]
        return [*upper, network.bridge, *list(network.decoder)[:levels]]
    if isinstance(network, FluoroNet):
        return [*list(network.encoder)[-levels:], *list(network.lateral)[-levels - 1:],
                *list(network.smooth)[-levels:]]
    raise UserError("Only the networks that make masks have deepest layers: give a number of layers to freeze.")
