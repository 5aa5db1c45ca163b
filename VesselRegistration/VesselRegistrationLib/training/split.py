"""Training, validation and test by patient, as in Table I of Li et al.

There nine patients serve for training and validation, and a tenth, who was never seen, for the test. A simulated
anatomy stands for a patient: nine in ten of the anatomies that may be learnt from are shown in training, the others in
validation (which decides on early stopping and on the best checkpoint), and test frames show anatomies of their own in
a domain of their own. No anatomy is in two of the three.
"""

TRAINING_SPLIT = "training"
VALIDATION_SPLIT = "validation"
TEST_SPLIT = "test"

VESSEL_ANATOMIES = 150
CATHETER_ANATOMIES = 40
CATHETER_FRAMES_PER_SHOT = 4
_VALIDATION_SHARE = 10


def vessel_seed(split: str, index: int) -> int:
    """Seed of the simulator's vessel frame or pair that is number ``index`` of a split.

    The simulator takes anatomy ``seed % VESSEL_ANATOMIES`` in the domains to learn from, so seeds choose the patient.
    """
    return _number(split, index, VESSEL_ANATOMIES)


def catheter_seed(split: str, index: int) -> int:
    """As ``vessel_seed``, for catheter frames: there neighbouring seeds share a patient and a view."""
    if split == TEST_SPLIT:
        return index
    shot, frame = divmod(index, CATHETER_FRAMES_PER_SHOT)
    return _number(split, shot, CATHETER_ANATOMIES) * CATHETER_FRAMES_PER_SHOT + frame


def _number(split: str, index: int, anatomies: int) -> int:
    validation = anatomies // _VALIDATION_SHARE
    training = anatomies - validation
    if split == TRAINING_SPLIT:
        turn, anatomy = divmod(index, training)
        return turn * anatomies + anatomy
    if split == VALIDATION_SPLIT:
        turn, anatomy = divmod(index, validation)
        return turn * anatomies + training + anatomy
    return index
