"""What the trainer needs of the two networks: how to build them, their losses, their scores."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from VesselRegistrationLib.networks.device import autocast
from VesselRegistrationLib.training.architectures import NetworkDesign
from VesselRegistrationLib.training.distributed import whole_batch
from VesselRegistrationLib.training.held_out import HeldOut
from VesselRegistrationLib.training.samples import Sample
from VesselRegistrationLib.training.settings import TrainingSettings

from ..detection.points import SuturePoints
from ..detection.readout import LEAST_CONFIDENCE, STRIDE, StitchArrays, read_clusters, read_stitches
from ..evaluation.scoring import ScoredImage, score_images
from ..formats.labels import Labels
from ..networks.architectures import STITCH_NET, SUTURE_UNET, build_network
from ..networks.losses import StitchBatch, paper_loss, stitch_loss
from ..networks.stitch_net import StitchMaps, stacked
from ..networks.suture_unet import HeatMaps
from ..networks.targets import GAUSS, Distribution, binary_map, heat_map, stitch_targets
from .augmentation import OUR_RANGES, PAPER_RANGES, augment
from .frames import unpack_labels
from .settings import PARTS_FRACTION

_VALIDATION_BATCH = 4
_THRESHOLDS = np.arange(0.15, 0.75, 0.05)


@dataclass(frozen=True)
class PaperDesign:
    """One row of the paper's Table 1: variant, distribution of the targets, spread of the Gaussian layer."""

    variant: str
    distribution: Distribution
    sigma_2: float = 1.0

    @property
    def name(self) -> str:
        """Name of trainings and weights."""
        spread = f"{'gauss' if self.distribution.shape == GAUSS else 'tanh'}_{self.distribution.spread:g}"
        return f"sutures_{self.variant}_{spread}_{self.sigma_2:g}".replace("-", "").replace(".", "p")


class SutureTask(ABC):
    """What both tasks share: samples, and scoring on labelled frames at 6 px."""

    main_score = "f1"
    smaller_is_better = False

    def __init__(self, name: str, design: NetworkDesign, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample], origin: Mapping[str, Any]) -> None:
        """``samples`` and ``held_out`` give images and packed points as ``FrameSamples`` does.

        ``origin`` says in plain values where samples, targets and first weights come from.
        """
        self.name = name
        self.design = design
        self.samples = samples
        self.origin = dict(origin)
        self._settings = settings
        self._held_out = HeldOut(held_out, settings.validation_cases)

    def build(self) -> nn.Module:
        """A new network."""
        return build_network(self.design.architecture, self.design.parameters)

    def _part(self, step: int) -> int:
        return PARTS_FRACTION if step < self._settings.half_size_fraction * self._settings.steps else 1

    @abstractmethod
    def _found(self, network: nn.Module, image: torch.Tensor) -> list[SuturePoints]:
        """Points in images (n, 3, height, width)."""

    @abstractmethod
    def _scores(self, found: Sequence[SuturePoints], truth: Sequence[Labels]) -> dict[str, float]:
        """Pooled scores of found points."""

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Pooled scores on held-out frames."""
        images, packed = self._held_out.cases
        device = next(network.parameters()).device
        with autocast(device):
            found = [points for part in images.split(_VALIDATION_BATCH)
                     for points in self._found(network, part.to(device))]
        return self._scores(found, [unpack_labels(entry) for entry in packed])


class PaperTask(SutureTask):
    """The published network with the published loss, targets, augmentation and read-out."""

    def __init__(self, design: PaperDesign, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample], origin: Mapping[str, Any] | None = None) -> None:
        """See ``SutureTask``."""
        parameters = {"variant": design.variant, "sigma_2": design.sigma_2}
        super().__init__(design.name, NetworkDesign(SUTURE_UNET, parameters), settings, samples, held_out,
                         {**(origin or {}), "distribution": asdict(design.distribution)})
        self._variant = design.variant
        self._distribution = design.distribution

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """Eq. 2 of an augmented batch. Labels count as the whole pixels that hold them, as published."""
        device = next(network.parameters()).device
        images, labels = augment(batch[0].to(device), batch[1], generators, PAPER_RANGES, self._part(step))
        shape = (images.shape[2], images.shape[3])
        pixels = [np.rint(entry.points) for entry in labels]
        heat = _stacked([heat_map(entry, shape, self._distribution)[None] for entry in pixels], device)
        marks = _stacked([binary_map(entry, shape)[None] for entry in pixels], device)
        with autocast(device):
            found = network(images.contiguous(memory_format=torch.channels_last))
        found = HeatMaps(whole_batch(found.stage_1), whole_batch(found.stage_2))
        return paper_loss(self._variant, found, whole_batch(heat), whole_batch(marks))

    def _found(self, network: nn.Module, image: torch.Tensor) -> list[SuturePoints]:
        return [read_clusters(heat[0], 0.5) for heat in network(image).stage_2.float().cpu().numpy()]

    def _scores(self, found: Sequence[SuturePoints], truth: Sequence[Labels]) -> dict[str, float]:
        scores = score_images([ScoredImage(points.positions, labels.points)
                               for points, labels in zip(found, truth, strict=True)])
        return {"f1": _number(scores.tally.f1), "ppv": _number(scores.tally.ppv), "tpr": _number(scores.tally.tpr)}


class OurTask(SutureTask):
    """Our network; judged at the threshold that is best on the held-out frames, which it also tells."""

    def __init__(self, settings: TrainingSettings, samples: Dataset[Sample], held_out: Dataset[Sample],
                 origin: Mapping[str, Any] | None = None) -> None:
        """See ``SutureTask``."""
        super().__init__("sutures", NetworkDesign(STITCH_NET), settings, samples, held_out, origin or {})

    def loss(self, network: nn.Module, batch: Sample, step: int, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """The stitch loss of an augmented batch."""
        device = next(network.parameters()).device
        images, labels = augment(batch[0].to(device), batch[1], generators, OUR_RANGES, self._part(step))
        shape = (images.shape[2], images.shape[3])
        targets = [stitch_targets(entry.points, entry.kinds, entry.partners, shape, STRIDE) for entry in labels]
        target = StitchBatch(*(whole_batch(_stacked([getattr(entry, name) for entry in targets], device))
                               for name in (field.name for field in fields(StitchBatch))))
        with autocast(device):
            found = network(images.contiguous(memory_format=torch.channels_last))
        return stitch_loss(StitchMaps(*(whole_batch(entry) for entry in found)), target)

    def _found(self, network: nn.Module, image: torch.Tensor) -> list[SuturePoints]:
        answer = stacked(network(image)).float().cpu().numpy()
        return [read_stitches(StitchArrays.of_stack(entry), LEAST_CONFIDENCE) for entry in answer]

    def _scores(self, found: Sequence[SuturePoints], truth: Sequence[Labels]) -> dict[str, float]:
        best = {"f1": -1.0}
        for threshold in _THRESHOLDS:
            kept = [points.at_least(threshold) for points in found]
            scores = score_images([ScoredImage(points.positions, labels.points, points.kinds, labels.kinds)
                                   for points, labels in zip(kept, truth, strict=True)])
            if _number(scores.tally.f1) > best["f1"]:
                best = {"f1": _number(scores.tally.f1), "ppv": _number(scores.tally.ppv),
                        "tpr": _number(scores.tally.tpr), "median_px": _number(scores.median_px),
                        "right_kind": _number(scores.right_kind), "threshold": round(float(threshold), 2)}
        return best


def _stacked(arrays: Sequence[np.ndarray], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays)).float().to(device)


def _number(value: float) -> float:
    """0 for what could not be computed."""
    return float(np.nan_to_num(value))
