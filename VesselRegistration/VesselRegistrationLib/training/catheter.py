"""Training of the catheter networks on simulated fluoroscopy (Gherardini et al., and ours)."""

from dataclasses import replace
from pathlib import Path

from torch.utils.data import Dataset

from ..errors import UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .architectures import BACKGROUND, CATHETER_NETWORKS, DEVICE, OURS, design_of
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, CatheterSamples, Sample
from .segmentation import SegmentationTask
from .settings import OURS as OUR_RECIPE
from .settings import WEIGHTED_CROSS_ENTROPY, WEIGHTED_DICE, TrainingSettings, catheter_settings
from .split import TRAINING_SPLIT, VALIDATION_SPLIT
from .trainer import Place, train


def train_catheter(out: Path, *, network: str = OURS, recipe: str = OUR_RECIPE, loss: str | None = None,
                   steps: int | None = None, batch_size: int | None = None, seed: int = 0, place: Place | None = None,
                   resume: bool = False, progress: ProgressCallback = ignore_progress,
                   should_stop: StopCheck = never_stop) -> Path:
    """Train a catheter network into the folder ``out``; gives the checkpoint.

    ``network`` is "ours" (vessels and devices), or "light" or "ambrosini" (catheter and background, complementary);
    ``loss`` changes the recipe's. The other arguments and errors are those of ``train_vessels``.
    """
    settings = catheter_settings(recipe)
    settings = replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size,
                       loss=loss or settings.loss)
    design = design_of(network, CATHETER_NETWORKS)
    if settings.loss in (WEIGHTED_DICE, WEIGHTED_CROSS_ENTROPY) and BACKGROUND not in design.outputs:
        raise UserError(f"The loss {settings.loss} is for the networks light and ambrosini, which have two "
                        "complementary outputs: choose one of them, or another recipe.")
    targets = design.targets
    task = CatheterTask(settings, CatheterSamples(TRAINING_SPLIT, seed * SEEDS_PER_TRAINING, targets),
                        CatheterSamples(VALIDATION_SPLIT, HELD_OUT_SEED, targets), network)
    return train(task, settings, out, seed=seed, place=place or Place(), resume=resume, progress=progress,
                 should_stop=should_stop)


class CatheterTask(SegmentationTask):
    """Catheters and guidewires; the name is that of the weights it will make."""

    def __init__(self, settings: TrainingSettings, samples: Dataset[Sample], held_out: Dataset[Sample],
                 network: str = OURS) -> None:
        """Samples as in :class:`.segmentation.SegmentationTask`, with the targets of the network's design."""
        super().__init__("catheter" if network == OURS else f"catheter_{network}",
                         design_of(network, CATHETER_NETWORKS), DEVICE, settings, samples, held_out,
                         {"task": "catheter", "field_of_view": "any", "network": network})
