"""A folder of annotated frames as samples for training and validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from ...errors import UserError
from ...networks.normalisation import NETWORK_SIZE, normalise, resize
from ..samples import Sample
from .listing import AnnotatedFrame, find_frames
from .masks import labels_in, read_mask
from .options import FolderOptions
from .pictures import read_frame

VALIDATION_SHARE = 0.2


class FrameSamples(Dataset[Sample]):
    """Image, mask and usable mask of each frame, each (1, size, size) float32; read once, at the start."""

    def __init__(self, frames: Sequence[AnnotatedFrame], options: FolderOptions, size: int = NETWORK_SIZE) -> None:
        """Read the frames. Raises UserError naming the file that cannot be used."""
        self._samples = [_read(frame, options, size) for frame in frames]

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        """Frame ``index`` of the list."""
        image, mask, usable = self._samples[index]
        return image.float(), mask.float(), usable.float()


@dataclass(frozen=True)
class FolderSplit:
    """A folder's frames for training and for validation, and one sentence on how they were told apart."""

    training: FrameSamples
    validation: FrameSamples
    how: str


def load_folder(folder: Path, options: FolderOptions, seed: int, size: int = NETWORK_SIZE) -> FolderSplit:
    """Read a folder and split it: a fifth of the frames, by patients (sub-folders) or runs where there are several.

    The frames become ``size`` pixels wide and high.

    Raises UserError where files cannot be used, or nothing at all is marked in them.
    """
    frames = find_frames(folder)
    known = set().union(*(labels_in(frame.annotation) for frame in frames))
    missing = sorted(set(options.labels) - known)
    if missing:
        raise UserError(f"No frame has the label {missing[0]!r}: the labels used are "
                        f"{', '.join(sorted(known)) or 'none'}.")
    training, validation = divide(frames, seed)
    samples = FrameSamples(training, options, size), FrameSamples(validation, options, size)
    for part, name in zip(samples, ("training", "validation"), strict=True):
        if not any(part[index][1].any() for index in range(len(part))):
            raise UserError(f"In none of the {len(part)} frames for {name} is anything marked: check the masks, or "
                            "the class_ids and labels that count.")
    groups = len({frame.group for frame in frames})
    how = (f"{len(validation)} of {len(frames)} frames validate, all of groups that are not trained on "
           f"({groups} groups: sub-folders or runs)" if groups > 1 else
           f"{len(validation)} of {len(frames)} frames validate, drawn at random from ONE group: the score is "
           "optimistic for new patients; put the frames of each patient in a sub-folder")
    return FolderSplit(*samples, how)


def divide(frames: Sequence[AnnotatedFrame], seed: int) -> tuple[list[AnnotatedFrame], list[AnnotatedFrame]]:
    """Training and validation frames, both shuffled: whole groups where there are several, else single frames.

    At least a fifth of the frames validate as far as groups allow; both parts have at least one frame.
    """
    rng = np.random.default_rng([seed, 41])
    shuffled = [frames[int(number)] for number in rng.permutation(len(frames))]
    groups = sorted({frame.group for frame in frames})
    wanted = max(1, round(VALIDATION_SHARE * len(frames)))
    if len(groups) == 1:
        return shuffled[wanted:], shuffled[:wanted]
    chosen: set[str] = set()
    for number in rng.permutation(len(groups))[:-1]:
        chosen.add(groups[int(number)])
        if sum(frame.group in chosen for frame in frames) >= wanted:
            break
    return ([frame for frame in shuffled if frame.group not in chosen],
            [frame for frame in shuffled if frame.group in chosen])


def _read(frame: AnnotatedFrame, options: FolderOptions, side: int) -> tuple[torch.Tensor, ...]:
    attenuation, usable = read_frame(frame.picture, frame.number, options.polarity)
    mask = read_mask(frame.annotation, (attenuation.shape[0], attenuation.shape[1]), options)
    size = (side, side)
    small_usable = resize(usable, *size) > 0.99
    filled = np.where(usable, attenuation, np.median(attenuation[usable])) if usable.any() else attenuation
    try:
        image = normalise(resize(filled, *size), small_usable)
    except UserError as problem:
        raise UserError(f"{frame.picture.name}, frame {frame.number}: {problem}") from None
    return (torch.from_numpy(image)[None].half(), torch.from_numpy(resize(mask, *size) > 0.5)[None],
            torch.from_numpy(small_usable)[None])
