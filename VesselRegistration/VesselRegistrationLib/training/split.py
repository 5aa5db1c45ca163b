"""Training, validation and test by patient, as in Table I of Li et al.

There nine patients serve for training and validation, and a tenth, who was never seen, for the test. A simulated
anatomy stands for a patient: training frames show the first 135 anatomies of the simulator's training domain,
validation frames (which decide on early stopping and on the best checkpoint) the other 15, and test frames show
anatomies of their own in a domain of their own. No anatomy is in two of the three.
"""

from ..simulation.streams import TRAINING_POOL

VALIDATION_ANATOMIES = 15
TRAINING_ANATOMIES = TRAINING_POOL - VALIDATION_ANATOMIES

TRAINING_SPLIT = "training"
VALIDATION_SPLIT = "validation"
TEST_SPLIT = "test"


def seed_of(split: str, index: int) -> int:
    """Seed of the simulator's example that is number ``index`` of a split.

    The simulator takes anatomy ``seed % TRAINING_POOL`` in its training domain, so seeds choose the patient.
    """
    if split == TRAINING_SPLIT:
        turn, anatomy = divmod(index, TRAINING_ANATOMIES)
        return turn * TRAINING_POOL + anatomy
    if split == VALIDATION_SPLIT:
        turn, anatomy = divmod(index, VALIDATION_ANATOMIES)
        return turn * TRAINING_POOL + TRAINING_ANATOMIES + anatomy
    return index


def domain_of(split: str) -> str:
    """The simulator's domain of a split."""
    return "test" if split == TEST_SPLIT else "training"
