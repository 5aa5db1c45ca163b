"""From a picture to its suture points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.device import choose_device
from VesselRegistrationLib.networks.engine import TORCH, Backend, make_backend
from VesselRegistrationLib.networks.weights import CARD_SUFFIX, load_card, load_network
from VesselRegistrationLib.resources import resource_directory

from .. import HEIGHT, WIDTH
from .clusters import THRESHOLD
from .points import SuturePoints
from .readout import LEAST_CONFIDENCE, StitchArrays, read_clusters, read_stitches

if TYPE_CHECKING:
    import torch
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

    def __init__(self, network: nn.Module, threshold: float, origin: Origin, device: str = "auto",
                 backend: str = TORCH) -> None:
        """Take over a network; ``backend`` "openvino" is for ours on the CPU.

        Raises UserError for a device or a backend that is not there.
        """
        from ..networks.stitch_net import StackedStitchNet, StitchNet

        self.network = network
        self.threshold = threshold
        self.origin = origin
        self.tells_kinds = isinstance(network, StitchNet)
        self._run: Backend
        where = choose_device(device)
        if isinstance(network, StitchNet):
            self._run = make_backend(StackedStitchNet(network).eval(), where, backend)
        elif backend == TORCH:
            self._run = _AsPublished(network.eval(), where)
        else:
            raise UserError(f"The backend {backend} is for our network: choose the backend torch for the paper's.")

    def detect(self, image: np.ndarray, threshold: float | None = None) -> SuturePoints:
        """Points of an image (height, width, 3) uint8, in its own pixels, 0-based.

        Without a ``threshold`` our network's points come with all their confidences from 0.1 on, to be cut by
        ``at_least`` without another run; the paper's read-out needs its threshold beforehand, 0.5 as published.
        """
        answer = self._run(_prepared(image))[0]
        points = (read_stitches(StitchArrays.of_stack(answer), LEAST_CONFIDENCE if threshold is None else threshold)
                  if self.tells_kinds else read_clusters(answer[0], threshold or self.threshold))
        return points.scaled((image.shape[1] / WIDTH, image.shape[0] / HEIGHT))


class _AsPublished:
    """The paper's network, plain: its second stage (batch, 1, height, width)."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._network = network.to(device)
        self._device = device

    def __call__(self, images: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            return self._network(torch.from_numpy(images).to(self._device)).stage_2.float().cpu().numpy()


def _prepared(image: np.ndarray) -> np.ndarray:
    """(1, 3, 288, 512) float32, 0 to 1."""
    import torch
    from torch.nn import functional

    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255.0
    if image.shape[:2] != (HEIGHT, WIDTH):
        pixels = functional.interpolate(pixels, (HEIGHT, WIDTH), mode="bilinear", antialias=True, align_corners=False)
    return pixels.contiguous().numpy()


@dataclass(frozen=True)
class LoadedNetwork:
    """A trained network in evaluation mode, the confidence from which its points count, and where it comes from."""

    network: nn.Module
    architecture: str
    threshold: float
    origin: Origin


def load_detector(source: Path | None = None, device: str = "auto", backend: str = TORCH) -> SutureDetector:
    """The shipped detector, that of a model card (JSON), or that of a training's folder, finished or not.

    Raises UserError where there is none or it cannot be used.
    """
    loaded = load_network_of(source)
    return SutureDetector(loaded.network, loaded.threshold, loaded.origin, device, backend)


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
    try:
        network = load_network(card, build_network)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"The model card {source} does not fit the suture networks of this version: "
                        "export the network again.") from None
    return LoadedNetwork(network, card.architecture,
                         card.scores.get("threshold", _USUAL_THRESHOLD), Origin(card.name, card.sha256, design))


def _of_training(folder: Path) -> LoadedNetwork:
    from VesselRegistrationLib.training.checkpoint import read_best

    from ..networks.architectures import STITCH_NET, build_network

    content = read_best(folder)
    try:
        network = build_network(content["architecture"], content["parameters"])
        network.load_state_dict(content["network"])
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError):
        raise UserError(f"The training in {folder} does not fit the suture networks of this version: "
                        "name the folder of another training, or train again.") from None
    usual = content["scores"].get("threshold", _USUAL_THRESHOLD) if content["architecture"] == STITCH_NET else THRESHOLD
    design = {"architecture": content["architecture"], **content["parameters"], **content["origin"]}
    return LoadedNetwork(network.eval(), content["architecture"], usual, Origin(content["task"], "", design))
