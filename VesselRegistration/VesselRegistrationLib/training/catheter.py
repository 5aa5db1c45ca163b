"""Training of the catheter networks (Gherardini et al., and ours) on simulated frames or on the user's own."""

from torch.utils.data import Dataset

from ..errors import UserError
from ..networks.frame_network import BACKGROUND, DEVICE
from .architectures import CATHETER_NETWORKS, OURS, design_of
from .frame_folder.dataset import FolderSplit
from .plan import CATHETER, TrainingPlan
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, CatheterSamples, Sample, mixed_catheters
from .segmentation import SegmentationTask
from .settings import WEIGHTED_CROSS_ENTROPY, WEIGHTED_DICE, TrainingSettings, catheter_settings
from .split import TRAINING_SPLIT, VALIDATION_SPLIT


def catheter_settings_of(plan: TrainingPlan) -> TrainingSettings:
    """The recipe of a plan."""
    return catheter_settings(plan.recipe)


def catheter_task(plan: TrainingPlan, settings: TrainingSettings, folder: FolderSplit | None) -> "CatheterTask":
    """The task of a plan, on the frames of ``folder`` or on simulated ones."""
    if folder is not None:
        return CatheterTask(settings, folder.training, folder.validation, plan.network, (DEVICE,))
    targets = design_of(plan.network, CATHETER_NETWORKS).targets
    first = plan.seed * SEEDS_PER_TRAINING
    samples: Dataset[Sample] = (mixed_catheters(TRAINING_SPLIT, first, targets) if settings.change_appearance
                                else CatheterSamples(TRAINING_SPLIT, first, targets))
    return CatheterTask(settings, samples,
                        CatheterSamples(VALIDATION_SPLIT, HELD_OUT_SEED, targets), plan.network)


class CatheterTask(SegmentationTask):
    """Catheters and guidewires; the name is that of the weights it will make."""

    def __init__(self, settings: TrainingSettings, samples: Dataset[Sample], held_out: Dataset[Sample],
                 network: str = OURS, known: tuple[str, ...] | None = None) -> None:
        """Samples as in :class:`.segmentation.SegmentationTask`, with the targets ``known`` or all of the network's.

        Raises UserError for a loss that needs complementary outputs with a network that has none.
        """
        design = design_of(network, CATHETER_NETWORKS)
        if settings.loss in (WEIGHTED_DICE, WEIGHTED_CROSS_ENTROPY) and BACKGROUND not in design.outputs:
            raise UserError(f"The loss {settings.loss} is for the networks light and ambrosini, which have two "
                            "complementary outputs: choose one of them, or another recipe.")
        super().__init__("catheter" if network == OURS else f"catheter_{network}", design, DEVICE, settings, samples,
                         held_out, {"task": CATHETER, "field_of_view": "any", "network": network}, known)
