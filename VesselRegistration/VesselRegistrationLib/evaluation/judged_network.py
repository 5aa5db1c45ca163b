"""Networks as an evaluation names them: one network, or the shipped pair of which each knows one field of view."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..catheters.finding import shipped_network
from ..errors import UserError
from ..networks.frame_network import COARSE_SIZES, DEVICE, VESSEL, FrameNetwork
from ..networks.weights import load_card
from .frames import FIELDS_OF_VIEW, EvaluationFrame

SHIPPED = "shipped"
_NAMES = {VESSEL: "vessels", DEVICE: "catheters"}


class JudgedNetwork:
    """A segmentation network with the name under which it is reported."""

    def __init__(self, name: str, what: str, device: str = "auto", sizes: Sequence[int] = COARSE_SIZES) -> None:
        """``name`` is that of a shipped network, the path of a card (JSON) or of the weights beside it, or "shipped":
        what the extension uses for "vessel" or "device". Raises UserError where it cannot be used."""
        self.name = Path(name).stem
        self._what = what
        self._cards = _cards(name, what)
        self._networks = {field_of_view: FrameNetwork(load_card(card), device, sizes=sizes)
                          for field_of_view, card in self._cards.items()}
        for network in self._networks.values():
            if what not in network.outputs:
                raise UserError(f"The network '{network.card.name}' does not find {_NAMES[what]}: choose another one.")

    @property
    def weights(self) -> dict[str, str]:
        """The networks' names and the SHA-256 of their weights."""
        return {network.card.name: network.card.sha256 for network in self._networks.values()}

    @property
    def parameters(self) -> int:
        """Trainable parameters of one network."""
        return max(network.card.trainable_parameters for network in self._networks.values())

    def probability(self, frame: EvaluationFrame) -> np.ndarray:
        """Probability (rows, columns) float32 of what is judged. Raises UserError for a frame that fits no network."""
        return self._for(frame).probabilities(frame.attenuation, frame.usable)[self._what]

    def card_path(self, frame: EvaluationFrame) -> str:
        """The card of the network that is used for a frame, as ``load_card`` takes it."""
        return self._cards[self._key(frame)]

    def channel(self, frame: EvaluationFrame) -> int:
        """Which output of the network is judged, counted from 0."""
        return self._for(frame).outputs.index(self._what)

    def _for(self, frame: EvaluationFrame) -> FrameNetwork:
        return self._networks[self._key(frame)]

    def _key(self, frame: EvaluationFrame) -> str | None:
        if None in self._networks:
            return None
        if frame.field_of_view not in self._networks:
            raise UserError(f"Nothing says which field of view {frame.name} shows: give --field-of-view lower or "
                            "upper, or name one network.")
        return frame.field_of_view


def _cards(name: str, what: str) -> dict[str | None, str]:
    if name != SHIPPED:
        return {None: name}
    if what == DEVICE:
        return {None: shipped_network()}
    return {field_of_view: f"vessels_{field_of_view}" for field_of_view in FIELDS_OF_VIEW}
