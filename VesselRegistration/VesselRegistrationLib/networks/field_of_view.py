"""Which of the two vessel networks an X-ray is for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .segmentation import VesselSegmenter, expected_dice

AUTO = "auto"
LOWER = "lower"
UPPER = "upper"

_BODY_PARTS = {
    LOWER: ("ABDOMEN", "ABDOMENPELVIS", "ABDOMINALAORTA", "PELVIS", "ILIAC", "ILIACARTERY", "FEMORALARTERY", "HIP",
            "LEG", "THIGH", "GROIN", "LOWERLIMB", "LOWEREXTREMITY", "LSPINE"),
    UPPER: ("CHEST", "THORAX", "HEART", "AORTICARCH", "AORTICROOT", "ASCENDINGAORTA", "THORACICAORTA",
            "CORONARYARTERY", "CORONARY", "AORTICVALVE", "TSPINE"),
}


@dataclass(frozen=True)
class FieldOfViewChoice:
    """``field_of_view`` is "lower" or "upper"; ``reason`` one sentence why."""

    field_of_view: str
    reason: str


def field_of_view_of(body_part: str) -> str | None:
    """The field of view that a DICOM Body Part Examined (0018,0015) stands for, or None where it leaves that open."""
    word = "".join(letter for letter in body_part.upper() if letter.isalnum())
    return next((name for name, words in _BODY_PARTS.items() if word in words), None)


def choose_field_of_view(request: str, body_part: str, attenuation: np.ndarray, usable: np.ndarray,
                         segmenters: Mapping[str, VesselSegmenter]) -> FieldOfViewChoice:
    """Take the user's ``request`` ("lower", "upper"), else what the header says, else the more confident network.

    ``segmenters`` holds both networks under "lower" and "upper" and is used only for "auto" with a header that leaves
    it open. Images as in ``VesselSegmenter.probability``. Raises UserError for another request.
    """
    if request in (LOWER, UPPER):
        return FieldOfViewChoice(request, f"The {request} field of view was asked for.")
    if request != AUTO:
        raise UserError(f"The field of view '{request}' is not known: choose lower, upper or auto.")
    named = field_of_view_of(body_part)
    if named is not None:
        return FieldOfViewChoice(named, f"The header names the body part {body_part}, which is the {named} "
                                        "field of view.")
    sure = {name: expected_dice(segmenters[name].probability(attenuation, usable)) for name in (LOWER, UPPER)}
    best, other = (LOWER, UPPER) if sure[LOWER] >= sure[UPPER] else (UPPER, LOWER)
    return FieldOfViewChoice(best, f"The header leaves the field of view open; the {best} network is surer of its mask "
                                   f"({sure[best]:.2f} against {sure[other]:.2f} expected Dice).")
