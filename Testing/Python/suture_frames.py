"""Frames with drawn sutures: a stand-in for the simulator where time matters."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from SutureDetectionLib.formats.labels import visible_labels
from SutureDetectionLib.training.frames import image_tensor, pack_labels
from torch.utils.data import Dataset


def drawn_frame(seed: int, shape: tuple[int, int] = (96, 160), pairs: int = 5):
    """Image (height, width, 3) uint8, points (N, 2), kinds (N,), pair ids (N,): entries bluish, exits yellowish."""
    rng = np.random.default_rng(seed)
    image = 110 + 25 * gaussian_filter(rng.normal(size=(*shape, 3)), (3, 3, 0)) / 0.1
    cells = np.stack(np.mgrid[16:shape[1] - 32:28, 14:shape[0] - 22:20], axis=-1).reshape(-1, 2)
    entries = rng.permutation(cells)[:pairs] + rng.uniform(0, 6, (pairs, 2))
    points = np.concatenate([entries, entries + rng.uniform(-1, 1, (pairs, 2)) + [9, 3]])
    kinds = np.repeat([0, 1], pairs)
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    for (col, row), kind in zip(points, kinds, strict=True):
        blob = np.exp(-0.5 * ((columns - col) ** 2 + (rows - row) ** 2) / 1.5**2)[..., None]
        image = image * (1 - blob) + blob * np.array([[40, 40, 250], [250, 250, 40]][kind])
    return np.clip(image, 0, 255).astype(np.uint8), points, kinds, np.tile(np.arange(pairs), 2)


class DrawnFrames(Dataset[tuple[torch.Tensor, ...]]):
    """Drawn frames as the samples of a training."""

    def __init__(self, first_seed: int = 0) -> None:
        self.first_seed = first_seed

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        image, points, kinds, pair_ids = drawn_frame(self.first_seed + index)
        return image_tensor(image), pack_labels(visible_labels(points, kinds, pair_ids, np.ones(len(kinds), bool)))


def trained_on_drawn_frames(folder):
    """A training of our network on drawn frames, good enough to find them; gives its folder."""
    from dataclasses import replace

    from SutureDetectionLib.training.settings import OUR_SETTINGS
    from SutureDetectionLib.training.tasks import OurTask
    from VesselRegistrationLib.training.trainer import Place, train

    settings = replace(OUR_SETTINGS, steps=70, validate_every=70, learning_rate=5e-3, batch_size=4, first_fill=16,
                       pool_size=32, validation_cases=8, checkpoint_every=70, half_size_fraction=0.0, warmup_steps=2)
    task = OurTask(settings, DrawnFrames(), DrawnFrames(10**6), {"domains": ["or"]})
    train(task, settings, folder, seed=0, place=Place("cpu", 1, 0), resume=False,
          progress=lambda fraction, text: None, should_stop=lambda: False)
    return folder
