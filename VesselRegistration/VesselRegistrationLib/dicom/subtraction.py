"""Digital subtraction as the file asks for it (PS3.3 C.7.6.10, C.8.19.6.9).

The difference is taken in the logarithmic domain. The MASK is shifted, by rows down and columns to the right for
positive values, not the contrast frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from .lookup import FrameHeader, items_in, numbers_in, tag_of, text_in
from .sanity import SanityRow

_OPERATIONS = ("AVG_SUB", "TID", "REV_TID")


@dataclass(frozen=True)
class MaskOperation:
    """One item of the Mask Subtraction Sequence; frames are 0-based, ``frames`` is None where none are named."""

    operation: str
    frames: tuple[int, ...] | None
    mask_frames: tuple[int, ...]
    averaged: int
    shift: tuple[float, float]
    offset: int
    item_id: int | None


@dataclass(frozen=True)
class SubtractionRecipe:
    """Which frames to average, which mask frames to take off, and the mask's shift as (rows down, columns right)."""

    contrast_frames: tuple[int, ...]
    mask_frames: tuple[int, ...]
    shift: tuple[float, float]
    operation: str


def _whole(values: list[float] | None) -> list[int]:
    return [] if values is None or not np.all(np.isfinite(values)) else [int(value) for value in values]


def _operation(item: Any) -> MaskOperation:
    pairs = _whole(numbers_in(item, "ApplicableFrameRange"))
    frames = None
    if pairs:
        frames = tuple(frame - 1 for first, last in zip(pairs[::2], pairs[1::2], strict=False)
                       for frame in range(first, last + 1))
    shift = numbers_in(item, "MaskSubPixelShift") or [0.0, 0.0]
    offsets = _whole(numbers_in(item, "TIDOffset"))
    averaged = _whole(numbers_in(item, "ContrastFrameAveraging"))
    identity = _whole(numbers_in(item, "SubtractionItemID"))
    mask_frames = tuple(number - 1 for number in _whole(numbers_in(item, "MaskFrameNumbers")))
    return MaskOperation(
        operation=text_in(item, "MaskOperation"),
        frames=frames,
        mask_frames=mask_frames,
        averaged=max(1, averaged[0] if averaged else 1),
        shift=(shift[0], shift[1]) if len(shift) == 2 else (0.0, 0.0),
        offset=offsets[0] if offsets else 1,
        item_id=identity[0] if identity else None,
    )


@dataclass(frozen=True)
class SubtractionPlan:
    """Every mask operation of a run that can be done, and what the report says about them."""

    operations: tuple[MaskOperation, ...]
    frame_count: int
    rows: tuple[SanityRow, ...]

    def recipe(self, frame: int, header: FrameHeader | None = None) -> SubtractionRecipe | None:
        """How to subtract a frame (0-based), or None where no operation applies; the first one that applies counts."""
        for operation in self.operations:
            mask = _mask_frames(operation, frame, self.frame_count)
            last = frame + operation.averaged - 1
            if mask is not None and last < self.frame_count:
                return SubtractionRecipe(tuple(range(frame, last + 1)), mask, _shift(operation, header),
                                         operation.operation)
        return None


def _mask_frames(operation: MaskOperation, frame: int, count: int) -> tuple[int, ...] | None:
    """The mask frames of a frame, or None where the operation does not apply to it."""
    if operation.frames is not None and frame not in operation.frames:
        return None
    if operation.operation == "AVG_SUB":
        return operation.mask_frames
    offset = operation.offset
    if operation.operation == "REV_TID":
        # The offset grows by two from frame to frame, so that the mask runs backwards.
        offset += 2 * (operation.frames or ()).index(frame)
    mask = frame - offset
    return (mask,) if 0 <= mask < count else None


def _shift(operation: MaskOperation, header: FrameHeader | None) -> tuple[float, float]:
    """The mask's shift, the frame's own where an enhanced object gives one for this operation."""
    if header is not None and operation.item_id is not None:
        for item in header.group_items("FramePixelShiftSequence"):
            own = numbers_in(item, "MaskSubPixelShift")
            if own is not None and len(own) == 2 and numbers_in(item, "SubtractionItemID") == [operation.item_id]:
                return own[0], own[1]
    return operation.shift


def _problem(operation: MaskOperation, count: int) -> str:
    """Why an operation cannot be done, or an empty text."""
    if operation.operation not in _OPERATIONS:
        return f"the operation {operation.operation or '(none named)'} is not supported"
    if operation.operation == "AVG_SUB" and not operation.mask_frames:
        return "no mask frames are named"
    if any(not 0 <= frame < count for frame in operation.mask_frames):
        return "its mask frames lie outside the run"
    if operation.operation == "REV_TID" and operation.frames is None:
        return "no range of frames is named"
    if not np.all(np.isfinite(operation.shift)):
        return "the shift of its mask is not a number"
    return ""


def read_plan(dataset: Any, frame_count: int, already_subtracted: bool, relationship: str,
              wanted: bool | None) -> SubtractionPlan:
    """The subtraction of a run.

    ``wanted`` True does every operation the file holds, False none; None follows Recommended Viewing Mode (0028,1090):
    none where it is NAT. Never subtracts twice.
    """
    item, source = "Subtraction", tag_of("MaskSubtractionSequence")
    operations = [_operation(entry) for entry in items_in(dataset, "MaskSubtractionSequence")]
    operations = [operation for operation in operations if operation.operation != "NONE"]
    mode = text_in(dataset, "RecommendedViewingMode")
    if already_subtracted:
        return SubtractionPlan((), frame_count, (SanityRow("ok", item, "the stored images are already subtracted"),))
    if not operations:
        return SubtractionPlan((), frame_count, (SanityRow("ok", item, "none asked for"),))
    if wanted is False or (wanted is None and mode == "NAT"):
        why = "left out on request" if wanted is False else "the file recommends the images as they are"
        return SubtractionPlan((), frame_count, (SanityRow("ok", item, f"a mask is given, but {why}", source),))
    rows, kept = [], []
    for operation in operations:
        problem = _problem(operation, frame_count)
        if problem:
            rows.append(SanityRow("red", item, f"not done: {problem}", source))
        else:
            kept.append(operation)
            rows.append(SanityRow("ok", item, _words(operation), source))
    if kept and relationship == "DISP":
        rows.append(SanityRow("amber", item, "on display values the difference is not one of attenuation", source))
    return SubtractionPlan(tuple(kept), frame_count, tuple(rows))


def _words(operation: MaskOperation) -> str:
    which = "all frames" if operation.frames is None else f"{len(operation.frames)} frames"
    if operation.operation == "AVG_SUB":
        words = f"AVG_SUB: mask from frame {', '.join(map(str, operation.mask_frames))}"
    else:
        words = f"{operation.operation}: mask {operation.offset} frame(s) before"
    return f"{words}, taken off {which} where it can be"


def subtract(recipe: SubtractionRecipe, levels_of: Callable[[int], np.ndarray],
             to_attenuation: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The subtracted image (rows, columns) float32 and where the shifted mask covers it (bool).

    ``levels_of`` gives the stored values of a frame; frames are averaged as stored, then the difference of the
    attenuations is taken. Pixels that the mask does not cover are 0.
    """
    def averaged(frames: tuple[int, ...]) -> np.ndarray:
        total = levels_of(frames[0]).astype(np.float64)
        for frame in frames[1:]:
            total += levels_of(frame)
        return to_attenuation((total / len(frames)).astype(np.float32))

    contrast, mask = averaged(recipe.contrast_frames), averaged(recipe.mask_frames)
    covered = np.ones(mask.shape, dtype=bool)
    if any(recipe.shift):
        mask = ndimage.shift(mask, recipe.shift, order=1, mode="nearest")
        for axis, moved in enumerate(recipe.shift):
            place = np.arange(mask.shape[axis]) - moved
            inside = (place >= 0) & (place <= mask.shape[axis] - 1)
            covered &= inside[:, None] if axis == 0 else inside[None, :]
    difference = np.where(covered, contrast - mask, np.float32(0))
    return difference.astype(np.float32), covered
