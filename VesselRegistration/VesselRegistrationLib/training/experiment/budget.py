"""How much of the experiment is done."""

from dataclasses import dataclass

from ..architectures import AMBROSINI, LIGHT, OURS

SMALL = "small"
PAPER = "paper"
LAYERS = ("19", "13", "7")
"""The fine-tunings that Table 2 compares; the smallest is the one of all other tables."""


@dataclass(frozen=True)
class Budget:
    """``frames`` and ``epochs`` of the training on synthetic frames and of the fine-tunings, and their batches.

    ``tuning`` and ``testing`` are the frames of the six procedures (Table 3), ``phantom`` those of the second
    dataset, for Table 2. ``networks`` are compared; the first one is the paper's and goes through all splits.
    ``timed`` pictures give the times of Table 6. Ours goes through its frames ``our_epochs`` times as often: about as
    long as the light U-Net, of whose time a step of ours takes a third.
    """

    name: str
    frames: int
    epochs: int
    batch: int
    tuning: tuple[int, ...]
    testing: tuple[int, ...]
    tuning_epochs: int
    tuning_batch: int
    phantom: int
    networks: tuple[str, ...]
    timed: int = 20
    our_epochs: int = 3


BUDGETS = {
    PAPER: Budget(PAPER, 9000, 12, 30, (55, 30, 40, 40, 30, 45), (231, 120, 160, 160, 113, 183), 50, 10, 2000,
                  (LIGHT, AMBROSINI, OURS)),
    SMALL: Budget(SMALL, 480, 4, 10, (8, 5, 6, 6, 5, 7), (10, 10, 10, 10, 10, 10), 8, 10, 40, (LIGHT, OURS)),
}
"""The paper's numbers, for a GPU; and a small one, without the slow peer, for an hour of two CPU cores."""
