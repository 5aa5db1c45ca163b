"""Vessels in one X-ray frame."""

import numpy as np

from ..errors import UserError
from .frame_network import COARSE_SIZES, FULL_SIZES, VESSEL, FrameNetwork
from .weights import ModelCard, load_card

SMALLEST_SPECK = 0.001
"""Connected parts of a mask smaller than this share of the image are taken for specks and removed."""


class VesselSegmenter:
    """A trained vessel network, from attenuation to mask."""

    def __init__(self, card: ModelCard | str, device: str = "auto") -> None:
        """Load a network by its card or the card's name (vessels_lower, vessels_upper).

        DRU-Net sees frames as published, 256x256; a network of our design sees them at full resolution as well. Raises
        UserError where the weights or the device cannot be used, or the network does not find vessels.
        """
        card = card if isinstance(card, ModelCard) else load_card(card)
        self._network = FrameNetwork(card, device, sizes=COARSE_SIZES if card.architecture == "DRUNet" else FULL_SIZES)
        self.card = self._network.card
        if VESSEL not in self._network.outputs:
            raise UserError(f"The network '{self.card.name}' does not segment vessels: choose vessels_lower, "
                            "vessels_upper or one that was trained for vessels.")

    def probability(self, attenuation: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """Probability of vessel (rows, columns) float32; arguments and errors as ``FrameNetwork.probabilities``."""
        return self._network.probabilities(attenuation, usable)[VESSEL]

    def segment(self, attenuation: np.ndarray, usable: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """Vessel mask (rows, columns) bool: probability above ``threshold``, specks removed. Errors as above."""
        return threshold_mask(self.probability(attenuation, usable), threshold)


def threshold_mask(probability: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Mask (rows, columns) bool of a probability image, without parts of less than 0.1 % of the image.

    Raises UserError for a threshold that is not between 0 and 1.
    """
    from skimage.measure import label

    if not 0.0 < threshold < 1.0:
        raise UserError(f"The threshold {threshold:g} is impossible: give one between 0 and 1.")
    parts = label(probability > threshold, connectivity=2)
    large = np.bincount(parts.ravel()) >= SMALLEST_SPECK * probability.size
    large[0] = False
    return large[parts]


def expected_dice(probability: np.ndarray, threshold: float = 0.5) -> float:
    """Dice of the thresholded mask as the network itself expects it: 1 sure, 0 nothing found.

    With calibrated probabilities p the expected overlap of a mask M is sum of p over M, which gives
    2 sum_M p / (|M| + sum p).
    """
    mask = threshold_mask(probability, threshold)
    if not mask.any():
        return 0.0
    return float(2.0 * probability[mask].sum() / (mask.sum() + probability.sum()))
