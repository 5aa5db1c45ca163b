"""Training of the vessel networks on simulated fluoroscopy."""

from dataclasses import replace
from pathlib import Path

from torch.utils.data import Dataset

from ..errors import UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .architectures import DRU_NET, OURS, VESSEL, VESSEL_NETWORKS, design_of
from .samples import HELD_OUT_SEED, SEEDS_PER_TRAINING, FluoroscopySamples, Sample, VesselSamples
from .segmentation import SegmentationTask
from .settings import BOTH, OUR_FLUOROSCOPY, TrainingSettings, fields_of, vessel_settings
from .settings import OURS as OUR_RECIPE
from .split import TRAINING_SPLIT, VALIDATION_SPLIT
from .trainer import Place, train


def train_vessels(field_of_view: str, out: Path, *, network: str = DRU_NET, recipe: str = OUR_RECIPE,
                  steps: int | None = None, batch_size: int | None = None, seed: int = 0, place: Place | None = None,
                  resume: bool = False, progress: ProgressCallback = ignore_progress,
                  should_stop: StopCheck = never_stop) -> Path:
    """Train a vessel network for the "lower" or "upper" field of view, or "both", into ``out``; gives the checkpoint.

    ``network`` is "ours" (vessels and devices) or "dru-net" (vessels), ``recipe`` "ours" or "paper"; ``steps`` and
    ``batch_size`` change it. ``place`` says where to compute. The folder must be empty or new, unless ``resume`` goes
    on with the training in it. Raises UserError for unusable arguments, Cancelled on request.
    """
    settings = OUR_FLUOROSCOPY if network == OURS else vessel_settings(field_of_view, recipe)
    settings = replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size)
    if network == OURS and (field_of_view, recipe) != (BOTH, OUR_RECIPE):
        raise UserError("Our network learns both fields of view at once, by our recipe: choose the field of view both.")
    targets = design_of(network, VESSEL_NETWORKS).targets
    fields = fields_of(field_of_view)
    samples: Dataset[Sample] = (
        FluoroscopySamples(TRAINING_SPLIT, seed * SEEDS_PER_TRAINING) if network == OURS
        else VesselSamples(fields, TRAINING_SPLIT, seed * SEEDS_PER_TRAINING, targets))
    task = VesselTask(field_of_view, settings, samples,
                      VesselSamples(fields, VALIDATION_SPLIT, HELD_OUT_SEED, targets), network)
    return train(task, settings, out, seed=seed, place=place or Place(), resume=resume, progress=progress,
                 should_stop=should_stop)


class VesselTask(SegmentationTask):
    """Vessels in one field of view, or in both; the name is that of the weights it will make."""

    def __init__(self, field_of_view: str, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample], network: str = DRU_NET) -> None:
        """Samples as in :class:`.segmentation.SegmentationTask`, with the targets of the network's design."""
        name = ("vessels" if network == OURS else f"vessels_{network.replace('-', '_')}")
        if field_of_view in ("lower", "upper"):
            name = f"vessels_{field_of_view}" if network == DRU_NET else f"{name}_{field_of_view}"
        super().__init__(name, design_of(network, VESSEL_NETWORKS), VESSEL, settings, samples, held_out,
                         {"task": "vessels", "field_of_view": field_of_view, "network": network})
