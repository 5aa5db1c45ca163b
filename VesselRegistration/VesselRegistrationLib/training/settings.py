"""How the networks are trained: the paper's settings as far as they are printed, and the ones that work here."""

import math
from dataclasses import dataclass, replace

from ..errors import UserError

OURS = "ours"
PAPER = "paper"
RECIPES = (OURS, PAPER)
LOWER = "lower"
UPPER = "upper"
BOTH = "both"
FIELDS_OF_VIEW = (LOWER, UPPER)

DICE = "dice"
CROSS_ENTROPY = "cross_entropy"
DICE_AND_CROSS_ENTROPY = "dice_and_cross_entropy"
FINE_TUNING_EPOCHS = 50
FINE_TUNING_BATCH = 10
PYRAMID_DICE = "pyramid_dice"
WEIGHTED_DICE = "weighted_dice"
WEIGHTED_CROSS_ENTROPY = "weighted_cross_entropy"


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a training besides seed and data.

    ``optimiser`` is ``adamw`` or ``sgd`` (momentum 0.9). The learning rate grows linearly over ``warmup_steps`` and
    then falls as a cosine to a hundredth, or stays where ``cosine`` is False. ``half_size_fraction`` of the steps are
    done at half the image size, which costs a fourth or less. ``augment`` turns, scales and shifts,
    ``change_appearance`` also changes looks (see :mod:`.appearance`). Every simulated sample is used about ``reuse``
    times, changed by augmentation each time, out of a pool of the ``pool_size`` newest; where ``epoch_size`` is not 0
    there are that many samples in all, each seen once per epoch. ``batch_size`` counts the samples of all processes
    together. ``patience`` is the number of validations without a better score after which training ends, 0 for never.
    """

    loss: str
    learning_rate: float
    batch_size: int
    steps: int
    optimiser: str = "adamw"
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    cosine: bool = True
    gradient_clip: float = 1.0
    half_size_fraction: float = 0.0
    augment: bool = True
    change_appearance: bool = False
    reuse: int = 8
    pool_size: int = 1024
    first_fill: int = 96
    validation_cases: int = 24
    validate_every: int = 250
    checkpoint_every: int = 100
    epoch_size: int = 0
    patience: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a 0-based step."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        if not self.cosine:
            return self.learning_rate
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done))))


PAPER_LOWER = TrainingSettings(loss=DICE, learning_rate=1e-5, batch_size=8, steps=20000, weight_decay=0.0,
                               warmup_steps=0, cosine=False, gradient_clip=0.0, augment=False)
"""Li et al., II-D: Dice, 1e-5, batches of 8. The optimiser is not printed; Adam is taken."""

PAPER_UPPER = TrainingSettings(loss=CROSS_ENTROPY, learning_rate=0.1, batch_size=4, steps=20000, optimiser="sgd",
                               weight_decay=0.0, warmup_steps=1000, cosine=False, gradient_clip=0.0, augment=False)
"""Li et al., II-D: cross-entropy, 0.1, batches of 4. Added here: 1000 steps of warm-up and plain SGD with momentum,
since Adam at 0.1 diverges."""

PAPER_MATCHING = TrainingSettings(loss=DICE, learning_rate=1e-4, batch_size=4, steps=20000, weight_decay=0.0,
                                  warmup_steps=0, cosine=False, gradient_clip=0.0, augment=False)
"""Li et al., II-D: Dice through the spatial transformer, 1e-4, batches of 4. The optimiser is not printed; Adam is
taken."""

OUR_VESSELS = TrainingSettings(loss=DICE, learning_rate=2e-3, batch_size=8, steps=3000, half_size_fraction=0.7,
                               change_appearance=True)
"""For minutes on two CPU cores: AdamW with warm-up and cosine, Dice alone, with which the first hundreds of steps teach
more than with cross-entropy beside it, augmentation, many looks, and most of the steps at 128x128."""

OUR_FLUOROSCOPY = TrainingSettings(loss=DICE, learning_rate=2e-3, batch_size=8, steps=5000,
                                   half_size_fraction=0.3, change_appearance=True, reuse=10, pool_size=2048,
                                   validation_cases=32, validate_every=500)
"""For our network, which finds vessels and devices in both fields of view: many looks, longer."""

OUR_MATCHING = TrainingSettings(loss=PYRAMID_DICE, learning_rate=1e-3, batch_size=16, steps=2500, reuse=12,
                                validation_cases=40)
"""For minutes on two CPU cores: AdamW with warm-up and cosine, the paper's unsupervised loss on blurred images, coarse
to fine, ending in the plain one."""


PAPER_CATHETER = TrainingSettings(loss=WEIGHTED_DICE, learning_rate=1e-3, batch_size=30, steps=3600, weight_decay=0.0,
                                  warmup_steps=0, cosine=False, gradient_clip=0.0, augment=False, epoch_size=9000)
"""Gherardini et al., 3.3: Adam with 0.001, 12 epochs in batches of 30 on 9000 synthetic frames, Dice with the weights
1 (background) and 10 (catheter). Their other loss is ``weighted_cross_entropy``."""

OUR_CATHETER = TrainingSettings(loss=DICE, learning_rate=2e-3, batch_size=8, steps=8000, change_appearance=True,
                                reuse=24, pool_size=2048, validation_cases=32, validate_every=500)
"""Thin devices need full size and many looks, and Dice alone: with cross-entropy beside it, which a few thin pixels
hardly move, they are learnt several times as slowly. A frame is 512x512 and used often, through other windows."""


def vessel_settings(field_of_view: str, recipe: str = OURS) -> TrainingSettings:
    """Settings for "lower", "upper" or "both", ``ours`` or ``paper``. Raises UserError for unknown names.

    The paper has no recipe for both fields of view.
    """
    if field_of_view not in (*FIELDS_OF_VIEW, BOTH):
        raise UserError(f"The field of view '{field_of_view}' is not known: choose lower, upper or both.")
    _check_recipe(recipe)
    if recipe == OURS:
        return OUR_VESSELS
    if field_of_view == BOTH:
        raise UserError("The paper trains one network per field of view: choose lower or upper for its recipe.")
    return PAPER_LOWER if field_of_view == LOWER else PAPER_UPPER


def fine_tuning(recipe: TrainingSettings, frames: int, validation: int, name: str) -> TrainingSettings:
    """A recipe for a small set of frames: 50 epochs in batches of 10 (Gherardini et al., 4.1), validated each epoch.

    ``name`` is that of the recipe; ours starts at a fourth of its learning rate.
    """
    batch = min(FINE_TUNING_BATCH, frames)
    epoch = math.ceil(frames / batch)
    settings = replace(recipe, batch_size=batch, steps=FINE_TUNING_EPOCHS * epoch, epoch_size=frames,
                       half_size_fraction=0.0, validation_cases=validation, validate_every=epoch,
                       checkpoint_every=epoch)
    if name == PAPER:
        return settings
    return replace(settings, learning_rate=recipe.learning_rate / 4, warmup_steps=min(recipe.warmup_steps, epoch))


def fields_of(field_of_view: str) -> tuple[str, ...]:
    """The fields of view that "lower", "upper" or "both" stands for."""
    return FIELDS_OF_VIEW if field_of_view == BOTH else (field_of_view,)


def catheter_settings(recipe: str = OURS) -> TrainingSettings:
    """Settings of the catheter networks, ``ours`` or ``paper``. Raises UserError for an unknown name."""
    _check_recipe(recipe)
    return OUR_CATHETER if recipe == OURS else PAPER_CATHETER


def matching_settings(recipe: str = OURS) -> TrainingSettings:
    """Settings of the matching network, ``ours`` or ``paper``. Raises UserError for an unknown name."""
    _check_recipe(recipe)
    return OUR_MATCHING if recipe == OURS else PAPER_MATCHING


def _check_recipe(recipe: str) -> None:
    if recipe not in RECIPES:
        raise UserError(f"The training recipe '{recipe}' is not known: choose ours or paper.")
