"""Losses: the paper's Dice (Eq. 1 and 5) and cross-entropy (Eq. 2), and a blurred pyramid of Dice for matching.

Every loss takes ``usable``, 1 where the X-ray shows something and 0 behind shutters: pixels that are not usable are
neither true nor false positives nor negatives.
"""

import torch
from monai.losses import DiceLoss
from torch.nn import functional

PYRAMID_SIZES = (64, 128, 256)
_SMOOTH = 1e-5
_overlap_of_batch = DiceLoss(batch=True, smooth_nr=_SMOOTH, smooth_dr=_SMOOTH)
_overlap_of_pairs = DiceLoss(smooth_nr=_SMOOTH, smooth_dr=_SMOOTH)
_blurred_overlap = DiceLoss(squared_pred=True, smooth_nr=_SMOOTH, smooth_dr=_SMOOTH)


def dice_loss(logits: torch.Tensor, target: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Eq. 1 with probabilities for counts, over the whole batch, so that an image without vessels does no harm.

    All arguments (batch, 1, height, width); gives a scalar between 0 and 1.
    """
    return _overlap_of_batch(torch.sigmoid(logits) * usable, target * usable)


def cross_entropy_loss(logits: torch.Tensor, target: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Eq. 2, the mean over usable pixels. All arguments (batch, 1, height, width); gives a scalar."""
    per_pixel = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (per_pixel * usable).sum() / usable.sum().clamp(min=1.0)


def matching_loss(warped: torch.Tensor, fixed: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Eq. 5: Dice between warped moving and fixed images, mean over the pairs. All (batch, 1, height, width)."""
    return _overlap_of_pairs(warped * usable, fixed * usable)


def pyramid_matching_loss(moving: torch.Tensor, fixed: torch.Tensor, usable: torch.Tensor, theta: torch.Tensor,
                          weights: tuple[float, ...]) -> torch.Tensor:
    """Dice of blurred images on grids of 64, 128 and 256 pixels, averaged with ``weights`` (one per size).

    The blur lets pairs that do not touch yet still pull at each other. Squares stand in the denominator, since
    two equal blurred images then reach a loss of 0. ``moving``, ``fixed``, ``usable`` (batch, 1, 256, 256), ``theta``
    (batch, 2, 3) fixed to moving as in ``affine_grid``; gives a scalar.
    """
    from .affine_cnn import warp

    total = moving.new_zeros(())
    for size, weight in zip(PYRAMID_SIZES, weights, strict=True):
        if weight == 0.0:
            continue
        mask = functional.adaptive_avg_pool2d(usable, size)
        warped = warp(blur_to(moving, size), theta)
        total = total + weight * _blurred_overlap(warped * mask, blur_to(fixed, size) * mask)
    return total / sum(weights)


def blur_to(image: torch.Tensor, size: int, sigma: float = 1.5) -> torch.Tensor:
    """Shrink (batch, channels, height, width) to size x size by area, then blur by ``sigma`` of the new pixels.

    Beyond the edge the image goes on as it is there: vessels do not end where the image does.
    """
    channels = image.shape[1]
    radius = round(2.5 * sigma)
    positions = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-0.5 * (positions / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(channels, 1, 1, -1)
    small = functional.adaptive_avg_pool2d(image, size)
    padded = functional.pad(small, (radius, radius, radius, radius), mode="replicate")
    along_rows = functional.conv2d(padded, kernel, groups=channels)
    return functional.conv2d(along_rows, kernel.transpose(2, 3), groups=channels)
