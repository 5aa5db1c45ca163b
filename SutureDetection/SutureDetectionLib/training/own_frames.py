"""The user's labelled frames as samples, and how they are parted for training and validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.training.samples import Sample

from .. import HEIGHT, WIDTH
from ..evaluation.domains import LabelledFrame
from ..evaluation.folds import surgery_folds
from ..evaluation.own_labels import surgery_of
from .frames import MOST_POINTS, FrameSamples, image_tensor, pack_labels

LEAST_FRAMES = 5
_SIMULATED_EVERY = 4
_HELD_OUT_EVERY = 5


@dataclass(frozen=True)
class Fold:
    """Fold ``number``, counted from 0, of ``count``: its surgeries are held back from training."""

    number: int
    count: int


class OwnFrames(Dataset[Sample]):
    """Labelled frames shrunk to 288x512, over and over; every fourth sample may be a simulated one instead.

    The simulated ones keep a network from forgetting what a few dozen frames do not show.
    """

    def __init__(self, frames: Sequence[LabelledFrame], simulated: FrameSamples | None = None) -> None:
        """``simulated`` None takes the frames alone. Raises UserError for a frame with too many points."""
        self.simulated = simulated
        self._samples = [_sample(frame) for frame in frames]

    def __getitem__(self, index: int) -> Sample:
        """Sample ``index``."""
        if self.simulated is None:
            return self._samples[index % len(self._samples)]
        turn, place = divmod(index, _SIMULATED_EVERY)
        if place == _SIMULATED_EVERY - 1:
            return self.simulated[turn]
        return self._samples[(turn * (_SIMULATED_EVERY - 1) + place) % len(self._samples)]

    def __len__(self) -> int:
        return len(self._samples)


def parted(frames: Sequence[LabelledFrame], fold: Fold | None) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
    """Frames for training and for validation: by surgery in a ``fold``, else every fifth is held back.

    Raises UserError where there are too few.
    """
    if len(frames) < LEAST_FRAMES:
        raise UserError(f"There are {len(frames)} labelled frames: label at least {LEAST_FRAMES}, better 30 to 50.")
    if fold is None:
        held_out = set(range(_HELD_OUT_EVERY - 1, len(frames), _HELD_OUT_EVERY))
    else:
        if not 0 <= fold.number < fold.count:
            raise UserError(f"There is no fold {fold.number} of {fold.count}: folds are counted from 0.")
        held_out = set(surgery_folds([surgery_of(frame) for frame in frames], fold.count)[fold.number])
    return ([frame for index, frame in enumerate(frames) if index not in held_out],
            [frame for index, frame in enumerate(frames) if index in held_out])


def _sample(frame: LabelledFrame) -> Sample:
    import torch
    from torch.nn import functional

    if len(frame.labels.points) > MOST_POINTS:
        raise UserError(f"{frame.name} has {len(frame.labels.points)} points, more than {MOST_POINTS}: correct its "
                        "labels.")
    image = image_tensor(np.array(frame.image))
    if image.shape[1:] != torch.Size((HEIGHT, WIDTH)):
        image = functional.interpolate(image[None], (HEIGHT, WIDTH), mode="bilinear", antialias=True,
                                       align_corners=False)[0]
    scale = np.array([WIDTH / frame.image.shape[1], HEIGHT / frame.image.shape[0]])
    return image, pack_labels(frame.labels.moved((frame.labels.points + 0.5) * scale - 0.5))
