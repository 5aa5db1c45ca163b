"""From a picture to its suture points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.weights import CARD_SUFFIX, load_card, load_network
from VesselRegistrationLib.resources import resource_directory

from .. import HEIGHT, WIDTH
from .clusters import THRESHOLD
from .points import SuturePoints
from .readout import LEAST_CONFIDENCE, read_clusters, read_stitches

if TYPE_CHECKING:
    from torch import nn

SHIPPED = "sutures"
_USUAL_THRESHOLD = 0.4


@dataclass(frozen=True)
class Origin:
    """Where a detector's weights come from: ``name``, SHA-256 of the file ("" for an unfinished training), and
    ``design``, what is said of the network in tables."""

    name: str
    sha256: str
    design: dict[str, Any]


class SutureDetector:
    """A trained network with its read-out: ours, or the paper's with threshold and centre of mass.

    ``threshold`` is the confidence from which points count by default; ``origin`` says what the network is.
    """

    def __init__(self, network: nn.Module, threshold: float, origin: Origin, device: str = "auto") -> None:
        """Take over a network in evaluation mode. Raises UserError for a device that is not there."""
        import torch
        from VesselRegistrationLib.networks.device import choose_device

        from ..networks.stitch_net import StitchNet, fold_normalisation

        self.threshold = threshold
        self.origin = origin
        self._device = choose_device(device)
        self._ours = isinstance(network, StitchNet)
        folded = fold_normalisation(network.eval()) if self._ours else network.eval()
        # The published network stays as published; with channels last it would be about a quarter faster.
        self._format = torch.channels_last if self._ours else torch.contiguous_format
        self._network = folded.to(self._device, memory_format=self._format)  # type: ignore[call-overload]

    @property
    def tells_kinds(self) -> bool:
        """Whether entries, exits and pairs are told apart."""
        return self._ours

    def detect(self, image: np.ndarray, threshold: float | None = None) -> SuturePoints:
        """Points of an image (height, width, 3) uint8, in its own pixels, 0-based.

        Without a ``threshold`` our network's points come with all their confidences from 0.1 on, to be cut by
        ``at_least`` without another run; the paper's read-out needs its threshold beforehand, 0.5 as published.
        """
        import torch

        with torch.inference_mode():
            return self._read(self._network(self._prepared(image)), threshold).scaled(
                (image.shape[1] / WIDTH, image.shape[0] / HEIGHT))

    def _prepared(self, image: np.ndarray) -> Any:
        import torch
        from torch.nn import functional

        pixels = torch.from_numpy(np.array(image)).to(self._device).permute(2, 0, 1)[None].float() / 255.0
        if image.shape[:2] != (HEIGHT, WIDTH):
            pixels = functional.interpolate(pixels, (HEIGHT, WIDTH), mode="bilinear", antialias=True,
                                            align_corners=False)
        return pixels.contiguous(memory_format=self._format)

    def _read(self, answer: Any, threshold: float | None) -> SuturePoints:
        if self._ours:
            from ..networks.stitch_net import stitch_arrays

            return read_stitches(stitch_arrays(answer)[0], LEAST_CONFIDENCE if threshold is None else threshold)
        return read_clusters(answer.stage_2[0, 0].float().cpu().numpy(), threshold or self.threshold)


@dataclass(frozen=True)
class LoadedNetwork:
    """A trained network in evaluation mode, the confidence from which its points count, and where it comes from."""

    network: nn.Module
    architecture: str
    threshold: float
    origin: Origin


def load_detector(source: Path | None = None, device: str = "auto") -> SutureDetector:
    """The shipped detector, that of a model card (JSON), or that of a training's folder, finished or not.

    Raises UserError where there is none or it cannot be used.
    """
    loaded = load_network_of(source)
    return SutureDetector(loaded.network, loaded.threshold, loaded.origin, device)


def load_network_of(source: Path | None) -> LoadedNetwork:
    """The network of ``load_detector`` alone, with the same errors."""
    from ..networks.architectures import build_network

    if source is not None and source.is_dir():
        return _of_training(source)
    if source is None:
        source = resource_directory(Path(__file__).parents[1]) / "Weights" / f"{SHIPPED}{CARD_SUFFIX}"
    elif source.suffix != CARD_SUFFIX:
        raise UserError(f"{source} is no trained network: give the folder of a training, or a model card (.json).")
    card = load_card(source)
    design = {"architecture": card.architecture, **card.parameters}
    return LoadedNetwork(load_network(card, build_network), card.architecture,
                         card.scores.get("threshold", _USUAL_THRESHOLD), Origin(card.name, card.sha256, design))


def _of_training(folder: Path) -> LoadedNetwork:
    from VesselRegistrationLib.training.checkpoint import BEST_FILE, CHECKPOINT_FILE, read_checkpoint

    from ..networks.architectures import STITCH_NET, build_network

    content = read_checkpoint(folder, BEST_FILE if (folder / BEST_FILE).exists() else CHECKPOINT_FILE)
    network = build_network(content["architecture"], content["parameters"])
    network.load_state_dict(content["network"])
    usual = content["scores"].get("threshold", _USUAL_THRESHOLD) if content["architecture"] == STITCH_NET else THRESHOLD
    design = {"architecture": content["architecture"], **content["parameters"], **content["origin"]}
    return LoadedNetwork(network.eval(), content["architecture"], usual, Origin(content["task"], "", design))
