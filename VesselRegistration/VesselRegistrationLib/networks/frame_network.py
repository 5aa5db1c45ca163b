"""A trained segmentation network with everything around it, from attenuation to probabilities."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from ..errors import UserError
from .engine import TORCH, InferenceEngine
from .normalisation import FULL_SIZE, NETWORK_SIZE, normalise, resize
from .weights import ModelCard

VESSEL = "vessel"
DEVICE = "device"
BACKGROUND = "background"

OUTPUTS = {"DRUNet": (VESSEL,), "FluoroNet": (VESSEL, DEVICE), "LightUNet": (DEVICE, BACKGROUND),
           "AmbrosiniNet": (DEVICE, BACKGROUND)}
"""What the channels of an architecture's answer mean; devices are catheters and guidewires."""

COARSE_SIZES = (NETWORK_SIZE,)
FULL_SIZES = (NETWORK_SIZE, FULL_SIZE)
"""Sides in pixels at which a frame is looked at: as in the papers, or also at full resolution."""

_MOST_ENLARGED = 1.5


class FrameNetwork:
    """Probabilities of vessels and devices in X-ray frames of any size."""

    def __init__(self, card: ModelCard | str, device: str = "auto", backend: str = TORCH,
                 sizes: Sequence[int] = COARSE_SIZES) -> None:
        """Load a network by its card or the card's name; ``sizes`` are the sides at which it looks at a frame.

        Raises UserError where weights, device or backend cannot be used, or the network does not segment.
        """
        self._engine = InferenceEngine(card, device, backend)
        self.card = self._engine.card
        if self.card.architecture not in OUTPUTS:
            raise UserError(f"The network '{self.card.name}' does not segment X-rays: choose another one.")
        self.outputs = OUTPUTS[self.card.architecture]
        self._sizes = tuple(sizes)

    def probabilities(self, attenuation: np.ndarray, usable: np.ndarray) -> dict[str, np.ndarray]:
        """Probability of each output (rows, columns) float32, 0 to 1 and 0 where ``usable`` (rows, columns) is False.

        ``attenuation`` (rows, columns), any unit, larger where the X-ray is attenuated more. The network sees squares
        of its sizes, whose answers are averaged as logits and brought back linearly; sizes that would enlarge the frame
        much are left out but the smallest. Raises UserError for a blank or unusable image.
        """
        filled = np.where(usable, attenuation, np.median(attenuation[usable])) if usable.any() else attenuation
        rows, columns = attenuation.shape
        most = max(min(self._sizes), _MOST_ENLARGED * max(rows, columns))
        sizes = [size for size in self._sizes if size <= most]
        largest = max(sizes)
        logits = np.mean([_enlarged(self._ask(filled, usable, size), largest) for size in sizes], axis=0)
        answers = expit(logits)
        return {name: np.where(usable, np.clip(resize(answer, rows, columns), 0.0, 1.0), np.float32(0.0))
                for name, answer in zip(self.outputs, answers, strict=True)}

    def _ask(self, filled: np.ndarray, usable: np.ndarray, size: int) -> np.ndarray:
        """Logits (outputs, size, size)."""
        # The usable mask is shrunk too: whatever touches a shutter must not leak into the percentiles.
        small_usable = resize(usable, size, size) > 0.99
        return self._engine(normalise(resize(filled, size, size), small_usable)[None, None])[0]


def _enlarged(logits: np.ndarray, size: int) -> np.ndarray:
    return np.stack([resize(channel, size, size) for channel in logits])
