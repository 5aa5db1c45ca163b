"""Folds for cross-validation in which no surgery is on both sides (Sharan et al., Section 4.2)."""

from collections.abc import Sequence

from VesselRegistrationLib.errors import UserError


def surgery_folds(surgeries: Sequence[str], count: int) -> list[list[int]]:
    """Indices of the frames that each of ``count`` folds holds back, given each frame's surgery.

    Whole surgeries go to the fold with the fewest frames so far, the largest first, so that folds are of similar
    size; the same for the same surgeries. Raises UserError where there are fewer surgeries than folds.
    """
    frames: dict[str, list[int]] = {}
    for index, surgery in enumerate(surgeries):
        frames.setdefault(surgery, []).append(index)
    if not 2 <= count <= len(frames):
        raise UserError(f"{len(frames)} surgeries cannot be split into {count} folds: choose from 2 to the number of "
                        "surgeries.")
    folds: list[list[int]] = [[] for _ in range(count)]
    for surgery in sorted(frames, key=lambda name: (-len(frames[name]), name)):
        min(folds, key=len).extend(frames[surgery])
    return [sorted(fold) for fold in folds]
