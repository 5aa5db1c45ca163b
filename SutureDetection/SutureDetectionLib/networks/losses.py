"""Losses of the paper (Sharan et al., Section 3.2) and of our network."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..detection.readout import PAIRING_UNIT_PX
from .stitch_net import StitchMaps
from .suture_unet import BASELINE, VARIANT_1, HeatMaps

BETA = 2.0
"""Weight of recall against precision in F_beta, as published."""

_SMOOTH = 1e-5
_FOCUS = 2.0
_NEAR_POWER = 4.0
_OFFSET_WEIGHT = 1.0
_PAIRING_WEIGHT = 0.2
_KIND_WEIGHT = 0.2


def similarity_loss(found: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 of the paper: mean squared error + 1 - Sorensen-Dice, over the whole batch (batch, 1, height, width).

    Over the batch rather than per image, so that a part of an image without points does no harm.
    """
    overlap = (2.0 * (found * target).sum() + _SMOOTH) / (found.sum() + target.sum() + _SMOOTH)
    return functional.mse_loss(found, target) + 1.0 - overlap


def f_beta_loss(found: torch.Tensor, marks: torch.Tensor, beta: float = BETA) -> torch.Tensor:
    """1 - F_beta of Eq. 1, over the whole batch; ``marks`` are 0 or 1, both (batch, 1, height, width)."""
    both = (1.0 + beta**2) * (found * marks).sum()
    missed = beta**2 * ((1.0 - found) * marks).sum()
    invented = (found * (1.0 - marks)).sum()
    return 1.0 - (both + _SMOOTH) / (both + missed + invented + _SMOOTH)


def paper_loss(variant: str, found: HeatMaps, heat: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """Eq. 2 for a variant: L1 at stage 1 plus, for the variants, L2 at stage 2.

    ``heat`` is the heat map, ``marks`` the binary map, both (batch, 1, height, width).
    """
    first = similarity_loss(found.stage_1, heat)
    if variant == BASELINE:
        return first
    if variant == VARIANT_1:
        return first + similarity_loss(found.stage_2, heat)
    return first + f_beta_loss(found.stage_2, marks)


@dataclass(frozen=True)
class StitchBatch:
    """Targets of our network for a batch: ``StitchTargets`` with a batch dimension in front, as tensors."""

    heat: torch.Tensor
    exit: torch.Tensor
    known: torch.Tensor
    offset: torch.Tensor
    near: torch.Tensor
    pairing: torch.Tensor
    paired: torch.Tensor


def stitch_loss(found: StitchMaps, target: StitchBatch) -> torch.Tensor:
    """Focal loss of the heat map + L1 of offsets + cross-entropy of kinds + L1 of pairings; a scalar.

    The focal loss forgives heat beside a point the more, the nearer it is (Law and Deng 2018, CornerNet, Eq. 1).
    """
    logits = found.heat_logits.float()
    hit = target.heat >= 1.0
    likely, unlikely = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    share = torch.sigmoid(logits)
    right = (1.0 - share) ** _FOCUS * likely
    wrong = (1.0 - target.heat) ** _NEAR_POWER * share**_FOCUS * unlikely
    heat_loss = -torch.where(hit, right, wrong).sum() / hit.sum().clamp(min=1)
    offset_loss = _masked_l1(found.offset.float(), target.offset, target.near)
    pairing_loss = _masked_l1(found.pairing.float(), target.pairing / PAIRING_UNIT_PX, target.paired)
    kind_loss = functional.binary_cross_entropy_with_logits(found.exit_logits.float(), target.exit, reduction="none")
    kind_loss = (kind_loss[:, 0] * target.known).sum() / target.known.sum().clamp(min=1.0)
    return heat_loss + _OFFSET_WEIGHT * offset_loss + _KIND_WEIGHT * kind_loss + _PAIRING_WEIGHT * pairing_loss


def _masked_l1(found: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    difference = (found - target).abs().sum(dim=1) * mask
    return difference.sum() / mask.sum().clamp(min=1.0)
