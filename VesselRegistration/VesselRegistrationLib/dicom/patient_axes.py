"""How the patient lies on the table, and the letters with which DICOM names the patient's directions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .lookup import FrameHeader, items_in, text_in

_LETTERS: Mapping[str, tuple[float, float, float]] = {
    "R": (1.0, 0.0, 0.0), "L": (-1.0, 0.0, 0.0), "A": (0.0, 1.0, 0.0), "P": (0.0, -1.0, 0.0),
    "H": (0.0, 0.0, 1.0), "F": (0.0, 0.0, -1.0),
}

# Patient direction that points up from the table, and the one that points to the table's head end (PS3.3 C.7.3.1.1.2).
_POSITIONS: Mapping[str, tuple[str, str]] = {
    "HFS": ("A", "H"), "FFS": ("A", "F"), "HFP": ("P", "H"), "FFP": ("P", "F"),
    "HFDR": ("L", "H"), "FFDR": ("L", "F"), "HFDL": ("R", "H"), "FFDL": ("R", "F"),
}

# Code values of CID 20 and CID 21 in SNOMED CT and the older SRT.
_MODIFIERS: Mapping[str, str] = {
    "40199007": "S", "F-10340": "S", "1240000": "P", "F-10310": "P",
    "102535000": "DR", "F-10317": "DR", "102536004": "DL", "F-10319": "DL",
}
_RELATIONSHIPS: Mapping[str, str] = {"102540001": "HF", "F-10470": "HF", "102541002": "FF", "F-10480": "FF"}


def direction_of(letter: str) -> np.ndarray:
    """Unit vector (3,), RAS, of one of the letters R L A P H F."""
    return np.array(_LETTERS[letter])


def letters_of(direction: np.ndarray) -> str:
    """The letters of a direction (3,), RAS, in order of weight, small parts (below 0.35 of the whole) left out."""
    direction = np.asarray(direction, dtype=float)
    names = [("R", "L"), ("A", "P"), ("H", "F")]
    found = ""
    for axis in np.argsort(-np.abs(direction), kind="stable"):
        if abs(direction[axis]) >= 0.35 * np.linalg.norm(direction):
            found += names[axis][0 if direction[axis] > 0 else 1]
    return found


def patient_position(header: FrameHeader) -> str | None:
    """The patient's position on the table, e.g. ``HFS``; None where the header does not say it.

    From Patient Position (0018,5100), or from the patient orientation codes of PS3.3 C.8.4.6 (0054,0410).
    """
    position = header.text("PatientPosition")
    if position in _POSITIONS:
        return position
    for orientation in items_in(header.dataset, "PatientOrientationCodeSequence"):
        for modifier in items_in(orientation, "PatientOrientationModifierCodeSequence"):
            side = _MODIFIERS.get(text_in(modifier, "CodeValue"))
            for relation in items_in(header.dataset, "PatientGantryRelationshipCodeSequence"):
                end = _RELATIONSHIPS.get(text_in(relation, "CodeValue"))
                if side and end:
                    return end + side
    return None


def patient_from_table(position: str | None) -> np.ndarray:
    """3x3 rotation from the table's axes (its right, up, its head end) to patient RAS; head first supine where None."""
    up, head = (direction_of(letter) for letter in _POSITIONS[position or "HFS"])
    return np.column_stack([np.cross(up, head), up, head])


def orientation_letters(values: list[Any]) -> list[str] | None:
    """The two directions of Patient Orientation (0020,0020), or None where they are no pair of known letters."""
    if len(values) != 2:
        return None
    words = [str(value) for value in values]
    if any(not word or any(letter not in _LETTERS for letter in word) for word in words):
        return None
    return words
