"""Simulated frames as samples: an image, and its points in numbers that survive half precision."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset
from VesselRegistrationLib.training.samples import Sample

from .. import HEIGHT, WIDTH
from ..formats.labels import Labels, visible_labels

MOST_POINTS = 96
TRAINING_DOMAINS = ("simulator", "or")
HELD_OUT_DOMAINS = ("simulator-heldout", "or-heldout")

SEEDS_PER_TRAINING = 1_000_000
VALIDATION_SEED = 800_000_000
TEST_SEED = 900_000_000


class FrameSamples(Dataset[Sample]):
    """Image (3, 288, 512) float32, 0 to 1, and points as ``pack_labels`` writes them; the domains take turns."""

    def __init__(self, domains: Sequence[str], first_seed: int) -> None:
        """``domains`` are names of the simulator; sample k has the seed first_seed + k."""
        self.domains = tuple(domains)
        self.first_seed = first_seed

    def __getitem__(self, index: int) -> Sample:
        """Render sample ``index``."""
        from ..simulation.streams import endoscopy_frame

        frame = endoscopy_frame(self.first_seed + index, self.domains[index % len(self.domains)], (HEIGHT, WIDTH))
        labels = visible_labels(frame.points, frame.kinds, frame.pair_ids, frame.visible)
        return image_tensor(frame.image), pack_labels(labels)


def image_tensor(image: np.ndarray) -> torch.Tensor:
    """(height, width, 3) uint8 to (3, height, width) float32, 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255.0


def pack_labels(labels: Labels) -> torch.Tensor:
    """(MOST_POINTS, 7): there is one, kind, partner, and column and row as whole number and fraction.

    Samples are kept in half precision, which knows whole numbers to 2048 and fractions to 0.0005 exactly enough, but
    not their sum. Raises ValueError where there are more points.
    """
    packed = torch.zeros(MOST_POINTS, 7)
    count = len(labels.points)
    if count > MOST_POINTS:
        raise ValueError(f"{count} points in one image, more than {MOST_POINTS}")
    whole = np.floor(labels.points)
    columns = [np.ones(count), labels.kinds, labels.partners, whole[:, 0], labels.points[:, 0] - whole[:, 0],
               whole[:, 1], labels.points[:, 1] - whole[:, 1]]
    packed[:count] = torch.from_numpy(np.column_stack(columns)).float()
    return packed


def unpack_labels(packed: torch.Tensor) -> Labels:
    """The inverse of ``pack_labels``."""
    values = packed.double().numpy()
    values = values[values[:, 0] > 0.5]
    points = np.column_stack([values[:, 3] + values[:, 4], values[:, 5] + values[:, 6]])
    return Labels(points, np.rint(values[:, 1]).astype(int), np.rint(values[:, 2]).astype(int))
