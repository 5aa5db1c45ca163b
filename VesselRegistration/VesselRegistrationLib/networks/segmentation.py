"""Vessels in one X-ray frame by the DRU-Net."""

import numpy as np

from ..errors import UserError
from .device import choose_device
from .normalisation import NETWORK_SIZE, normalise, resize
from .weights import ModelCard, load_card, load_network

SMALLEST_SPECK = 0.001
"""Connected parts of a mask smaller than this share of the image are taken for specks and removed."""


class VesselSegmenter:
    """A trained vessel network with everything around it, from attenuation to mask."""

    def __init__(self, card: ModelCard | str, device: str = "auto") -> None:
        """Load a network by its card or the card's name (vessels_lower, vessels_upper).

        Raises UserError where the weights or the device cannot be used.
        """
        self.card = card if isinstance(card, ModelCard) else load_card(card)
        if self.card.architecture != "DRUNet":
            raise UserError(f"The network '{self.card.name}' does not segment vessels: choose vessels_lower or "
                            "vessels_upper.")
        self._device = choose_device(device)
        self._network = load_network(self.card).to(self._device)

    def probability(self, attenuation: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """Probability of vessel (rows, columns) float32, 0 to 1 and 0 where ``usable`` (rows, columns) is False.

        ``attenuation`` (rows, columns), any unit, larger where the X-ray is attenuated more. The network sees
        256x256; its answer is brought back linearly. Raises UserError for a blank or unusable image.
        """
        import torch

        rows, columns = attenuation.shape
        # The usable mask is shrunk too: whatever touches a shutter must not leak into the percentiles.
        small_usable = resize(usable, NETWORK_SIZE, NETWORK_SIZE) > 0.99
        filled = np.where(usable, attenuation, np.median(attenuation[usable])) if usable.any() else attenuation
        image = normalise(resize(filled, NETWORK_SIZE, NETWORK_SIZE), small_usable)
        with torch.inference_mode():
            logits = self._network(torch.from_numpy(image)[None, None].to(self._device))
            answer = torch.sigmoid(logits)[0, 0].cpu().numpy()
        return np.where(usable, np.clip(resize(answer, rows, columns), 0.0, 1.0), np.float32(0.0))

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
