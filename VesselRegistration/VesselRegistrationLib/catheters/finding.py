"""Catheters and guidewires in an X-ray frame: the network's mask, and the devices in it as curves."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..networks.device_networks import device_network
from ..networks.frame_network import DEVICE, FULL_SIZES, FrameNetwork
from ..networks.weights import load_own_card
from .tracing import DeviceCurve, trace_devices


@dataclass(frozen=True)
class FoundDevices:
    """``mask`` (rows, columns) bool, the ``probability`` (rows, columns) float32 it was cut from at ``threshold``, and
    the devices in it, the longest first. ``weights`` maps the network to the SHA-256 of its weights."""

    mask: np.ndarray
    probability: np.ndarray
    threshold: float
    curves: tuple[DeviceCurve, ...]
    weights: Mapping[str, str]


class DeviceFinder:
    """A trained network that finds devices, with the tracing of their curves."""

    def __init__(self, threshold: float = 0.5, device: str = "auto", network: Path | str | None = None) -> None:
        """``network`` is a shipped network's name, or the file of a card or weights; None for the shipped one.

        It looks at a frame as a whole and at full resolution, where thin wires show. Raises UserError where it cannot
        be used.
        """
        self._threshold = threshold
        card = load_own_card(network) if isinstance(network, Path) else network or shipped_network()
        self._network = FrameNetwork(card, device, sizes=FULL_SIZES)
        if DEVICE not in self._network.outputs:
            raise UserError(f"The network '{self._network.card.name}' does not find catheters: choose another one.")

    def find(self, attenuation: np.ndarray, usable: np.ndarray) -> FoundDevices:
        """Devices of a frame (rows, columns); ``usable`` bool is False behind shutters.

        Raises UserError for a blank frame or a threshold that is not between 0 and 1.
        """
        probability = self._network.probabilities(attenuation, usable)[DEVICE]
        curves = trace_devices(probability, usable, threshold=self._threshold)
        card = self._network.card
        return FoundDevices(probability > self._threshold, probability, self._threshold, curves,
                            {card.name: card.sha256})


def shipped_network() -> str:
    """The name of the shipped network that finds devices. Raises UserError where none is shipped."""
    name = device_network()
    if name is not None:
        return name
    raise UserError("No weights for catheters are installed: train them (vessel-registration train catheter), or "
                    "install an extension that has them.")
