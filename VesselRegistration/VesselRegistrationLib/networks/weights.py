"""Weights files (safetensors) and the model cards (JSON beside them) that say what they are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..resources import resource_directory

if TYPE_CHECKING:
    import torch
    from torch import nn

FULL_PRECISION_LIMIT_BYTES = 5_000_000
CARD_SUFFIX = ".json"
WEIGHTS_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ModelCard:
    """Everything that must be known of a trained network before it is used.

    ``parameters`` are the arguments of the ``architecture``; ``field_of_view`` is ``lower``, ``upper`` or ``any``;
    ``scores`` maps a name to a value on held-out simulated cases that ``score_command`` prints; ``folder`` is where the
    card lies and is not written to it.
    """

    name: str
    version: str
    architecture: str
    parameters: Mapping[str, Any]
    trainable_parameters: int
    field_of_view: str
    file: str
    sha256: str
    bytes: int
    precision: str
    training_data: str
    training_domain: str
    test_domain: str
    training_command: str
    scores: Mapping[str, float]
    score_command: str
    differences: str
    limits: str
    folder: Path = field(default=Path(), compare=False)

    @property
    def path(self) -> Path:
        """The weights file."""
        return self.folder / self.file


def weights_directory() -> Path:
    """Where the shipped weights and their cards lie."""
    return resource_directory() / "Weights"


def load_card(name: str | Path) -> ModelCard:
    """Read the card of a shipped network by its name, or any card by its path or that of the weights beside it.

    Raises UserError where there is no such card or it cannot be read.
    """
    path = Path(name)
    if path.suffix == WEIGHTS_SUFFIX:
        path = path.with_suffix(CARD_SUFFIX)
    if path.suffix != CARD_SUFFIX:
        path = weights_directory() / f"{name}{CARD_SUFFIX}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {entry.name for entry in fields(ModelCard)} - {"folder"}
        return ModelCard(**{key: content[key] for key in known}, folder=path.parent)
    except OSError:
        raise UserError(f"There is no model card {path}: train the network, or reinstall the extension.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"The model card {path} is damaged: export the network again, "
                        "or reinstall the extension.") from None


def load_own_card(file: Path | str) -> ModelCard:
    """The card of a network that a user names by a file. Raises UserError where it is no such file."""
    path = Path(file)
    if path.suffix not in (CARD_SUFFIX, WEIGHTS_SUFFIX):
        raise UserError(f"{path} is no exported network: name the card ({CARD_SUFFIX}) or the weights "
                        f"({WEIGHTS_SUFFIX}) that 'vessel-registration train export' wrote.")
    return load_card(path)


def build_network(architecture: str, parameters: Mapping[str, Any]) -> nn.Module:
    """An untrained network of an architecture named in a card. Raises UserError for one that is not known."""
    from .affine_cnn import AffineCNN
    from .ambrosini import AmbrosiniNet
    from .dru_net import DRUNet
    from .fluoro_net import FluoroNet
    from .light_unet import LightUNet
    from .match_net import MatchNet

    known: dict[str, type[nn.Module]] = {
        "DRUNet": DRUNet, "AffineCNN": AffineCNN, "LightUNet": LightUNet, "AmbrosiniNet": AmbrosiniNet,
        "FluoroNet": FluoroNet, "MatchNet": MatchNet}
    if architecture not in known:
        raise UserError(f"The network architecture '{architecture}' is not known: update the extension.")
    return known[architecture](**parameters)


def load_network(card: ModelCard,
                 build: Callable[[str, Mapping[str, Any]], nn.Module] = build_network) -> nn.Module:
    """The trained network of a card, float32, in evaluation mode, on the CPU; ``build`` knows the architectures.

    Raises UserError where the file is missing, its SHA-256 is not the card's, or its content does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = card.path.read_bytes()
    except OSError:
        raise UserError(f"The weights file {card.path} cannot be read: reinstall the extension.") from None
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise UserError(f"The weights file {card.path} is corrupt, its SHA-256 is not the one of its model card: "
                        "reinstall the extension.")
    network = build(card.architecture, card.parameters)
    try:
        network.load_state_dict({key: value.float() if value.is_floating_point() else value
                                 for key, value in load(content).items()})
    except (SafetensorError, RuntimeError):
        raise UserError(f"The weights file {card.path} does not fit the network {card.architecture} of its card: "
                        "export the network again.") from None
    return network.eval()


def save_weights(network: nn.Module, card: ModelCard, folder: Path) -> ModelCard:
    """Write weights and card into a folder, each in one step, and give the card completed by what was written.

    Weights stay float32 while they fit in 5 MB and become float16 beyond. The card's ``file``, ``sha256``, ``bytes``,
    ``precision`` and ``trainable_parameters`` are filled in here. Raises UserError where the folder cannot be written.
    """
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    content = save(state)
    precision = "float32"
    if len(content) > FULL_PRECISION_LIMIT_BYTES:
        content = save({key: _halved(value) for key, value in state.items()})
        precision = "float16"
    file = f"{card.name}{WEIGHTS_SUFFIX}"
    trainable = sum(entry.numel() for entry in network.parameters() if entry.requires_grad)
    complete = replace(card, file=file, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
                       precision=precision, trainable_parameters=trainable, folder=folder)
    text = {key: value for key, value in asdict(complete).items() if key != "folder"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / file, content)
        _write(folder / f"{card.name}{CARD_SUFFIX}", (json.dumps(text, indent=2) + "\n").encode())
    except OSError as problem:
        raise UserError(f"The folder {folder} cannot be written ({problem.strerror}): choose another.") from None
    return complete


def _halved(values: torch.Tensor) -> torch.Tensor:
    return values.half() if values.is_floating_point() else values


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(content)
    os.replace(temporary, path)
