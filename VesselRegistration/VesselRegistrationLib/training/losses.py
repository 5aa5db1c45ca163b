"""Losses of the catheter papers' networks with two complementary outputs, catheter and background.

Gherardini et al., Eq. 2 and 3, with 1 : 10 weights of background and catheter pixels. Every output is a sigmoid of its
own, as in their last layer; the background's truth is the complement of the catheter's.
"""

import torch
from monai.losses import DiceLoss
from torch.nn import functional

BACKGROUND_WEIGHT = 1.0
CATHETER_WEIGHT = 10.0
_SMOOTH = 1.0
_MEAN_WEIGHT = 0.5 * (CATHETER_WEIGHT + BACKGROUND_WEIGHT)
_weighted_overlap = DiceLoss(weight=torch.tensor([CATHETER_WEIGHT / _MEAN_WEIGHT, BACKGROUND_WEIGHT / _MEAN_WEIGHT]),
                             smooth_nr=_SMOOTH, smooth_dr=_SMOOTH)


def complementary_dice(logits: torch.Tensor, catheter: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Eq. 2 per image and output, averaged with the weights; a scalar between 0 and 1 (the paper's, plus 1).

    ``logits`` (batch, 2, h, w) of catheter and background, ``catheter`` and ``usable`` (batch, 1, h, w), 0..1.
    """
    truth = torch.cat([catheter, 1.0 - catheter], dim=1)
    return _weighted_overlap.to(logits.device)(torch.sigmoid(logits) * usable, truth * usable)


def complementary_cross_entropy(logits: torch.Tensor, catheter: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Eq. 3 for two sigmoids instead of a softmax: the weighted mean over usable pixels and outputs. As above."""
    truth = torch.cat([catheter, 1.0 - catheter], dim=1)
    weight = (BACKGROUND_WEIGHT + (CATHETER_WEIGHT - BACKGROUND_WEIGHT) * catheter) * usable
    per_pixel = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(dim=1, keepdim=True)
    return (per_pixel * weight).sum() / weight.sum().clamp(min=1.0)
