"""Whether a registration is to be believed. All thresholds stand here."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..pose.confidence import PoseConfidence
from .result import CHECK, REJECTED, ViewResult

SMALLEST_MASK_SHARE = 0.004
"""A vessel mask of less than this share of the usable pixels shows no vessel to register."""

REJECTED_BELOW_DICE = 0.45
"""Overlap of registered silhouette and mask in the worst view, for methods that cannot tell their errors in mm.

Overlap is not accuracy: good overlap hides errors of a centimetre (see ``evaluate registration --method affine``), so
such a method is never accepted without a look."""


@dataclass(frozen=True)
class Verdict:
    """``status`` is accepted, check or rejected; ``reason`` one sentence."""

    status: str
    reason: str


def judge(views: Sequence[ViewResult], warnings: Sequence[str], confidence: PoseConfidence | None = None) -> Verdict:
    """Judge by mask size and the method's warnings (sentences, any of which rejects).

    Then by the method's own confidence, or by overlap where it has none.
    """
    for view in views:
        usable = view.frame.usable
        share = (view.mask & usable).sum() / max(1, usable.sum())
        if share < SMALLEST_MASK_SHARE:
            return Verdict(REJECTED, f"The vessel mask of {_name(view)} covers only {100 * share:.2f} % of the image, "
                                     "so there is nothing to register: choose a frame with contrast or give a mask.")
    if warnings:
        return Verdict(REJECTED, warnings[0])
    if confidence is not None:
        return Verdict(confidence.status, confidence.reason)
    worst = min(views, key=lambda view: view.overlap.dice)
    dice = worst.overlap.dice
    if dice < REJECTED_BELOW_DICE:
        return Verdict(REJECTED, f"Model and vessel mask overlap too little in {_name(worst)} (Dice {dice:.2f}, below "
                                 f"{REJECTED_BELOW_DICE:g}).")
    return Verdict(CHECK, f"Model and vessel mask overlap (Dice {dice:.2f} in the worst view), but this method cannot "
                          "tell its error in mm: look at the overlay, or use the method pose.")


def _name(view: ViewResult) -> str:
    return f"{view.frame.path.name}, frame {view.frame.frame_number}"
