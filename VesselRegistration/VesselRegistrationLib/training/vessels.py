"""Training of the vessel networks on simulated fluoroscopy or on the user's own frames."""

from torch.utils.data import Dataset

from ..errors import UserError
from ..networks.frame_network import VESSEL
from .architectures import DRU_NET, OURS, VESSEL_NETWORKS, design_of
from .frame_folder.dataset import FolderSplit
from .plan import VESSELS, TrainingPlan
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, Sample, VesselSamples, mixed_fluoroscopy, mixed_vessels
from .segmentation import SegmentationTask
from .settings import BOTH, OUR_FLUOROSCOPY, TrainingSettings, fields_of, vessel_settings
from .settings import OURS as OUR_RECIPE
from .split import TRAINING_SPLIT, VALIDATION_SPLIT


def vessel_settings_of(plan: TrainingPlan) -> TrainingSettings:
    """The recipe of a plan. Raises UserError where network, recipe and field of view do not go together."""
    if plan.network != OURS:
        return vessel_settings(plan.field_of_view, plan.recipe)
    if (plan.field_of_view, plan.recipe) != (BOTH, OUR_RECIPE):
        raise UserError("Our network learns both fields of view at once, by our recipe: choose the field of view both.")
    return OUR_FLUOROSCOPY


def vessel_task(plan: TrainingPlan, settings: TrainingSettings, folder: FolderSplit | None) -> "VesselTask":
    """The task of a plan, on the frames of ``folder`` or on simulated ones."""
    if folder is not None:
        return VesselTask(plan.field_of_view, settings, folder.training, folder.validation, plan.network, (VESSEL,))
    targets = design_of(plan.network, VESSEL_NETWORKS).targets
    fields = fields_of(plan.field_of_view)
    first = plan.seed * SEEDS_PER_TRAINING
    samples: Dataset[Sample]
    if plan.network == OURS:
        samples = mixed_fluoroscopy(TRAINING_SPLIT, first)
    elif settings.change_appearance:
        samples = mixed_vessels(fields, TRAINING_SPLIT, first, targets)
    else:
        samples = VesselSamples(fields, TRAINING_SPLIT, first, targets)
    return VesselTask(plan.field_of_view, settings, samples,
                      VesselSamples(fields, VALIDATION_SPLIT, HELD_OUT_SEED, targets), plan.network)


class VesselTask(SegmentationTask):
    """Vessels in one field of view, or in both; the name is that of the weights it will make."""

    def __init__(self, field_of_view: str, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample], network: str = DRU_NET, known: tuple[str, ...] | None = None) -> None:
        """Samples as in :class:`.segmentation.SegmentationTask`, with the targets ``known`` or all of the network's."""
        name = ("vessels" if network == OURS else f"vessels_{network.replace('-', '_')}")
        if field_of_view in ("lower", "upper"):
            name = f"vessels_{field_of_view}" if network == DRU_NET else f"{name}_{field_of_view}"
        super().__init__(name, design_of(network, VESSEL_NETWORKS), VESSEL, settings, samples, held_out,
                         {"task": VESSELS, "field_of_view": field_of_view, "network": network}, known)
