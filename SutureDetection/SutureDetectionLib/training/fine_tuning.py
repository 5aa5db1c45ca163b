"""Training on the user's own labelled frames: fine-tuning of a trained network, or folds of the paper's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn
from torch.utils.data import Dataset
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from VesselRegistrationLib.training.samples import Sample
from VesselRegistrationLib.training.settings import TrainingSettings
from VesselRegistrationLib.training.trainer import Place, read_checkpoint, train

from ..detection.detector import load_network_of
from ..evaluation.domains import LabelledFrame
from ..networks.architectures import STITCH_NET
from .frames import SEEDS_PER_TRAINING, TRAINING_DOMAINS, FrameSamples
from .own_frames import Fold, OwnFrames, parted
from .settings import FINE_TUNING, PAPER_SETTINGS
from .tasks import OurTask, PaperDesign, PaperTask


@dataclass(frozen=True)
class FineTuned:
    """``checkpoint`` in a folder that serves as weights; scores on the held-out frames before and after."""

    checkpoint: Path
    held_out: int
    before: Mapping[str, float]
    after: Mapping[str, float]


def fine_tune(frames: Sequence[LabelledFrame], out: Path, *, start: Path | None = None, fold: Fold | None = None,
              steps: int | None = None, batch_size: int | None = None, seed: int = 0, place: Place | None = None,
              resume: bool = False, progress: ProgressCallback = ignore_progress,
              should_stop: StopCheck = never_stop) -> FineTuned:
    """Go on training our network on labelled frames, into the folder ``out``.

    ``start`` is a model card or the folder of a training, None for the shipped network; ``fold`` holds back whole
    surgeries, otherwise every fifth frame is held back. Raises UserError where frames or weights cannot be used,
    Cancelled on request.
    """
    training, held_out = parted(frames, fold)
    settings = _changed(FINE_TUNING, steps, batch_size, len(held_out))
    simulated = FrameSamples(TRAINING_DOMAINS, seed * SEEDS_PER_TRAINING)
    origin = _origin(training, fold) | {"start": start.name if start else "shipped"}
    task = FineTuningTask(start, settings, OwnFrames(training, simulated), OwnFrames(held_out), origin)
    before = _scores_of(task)
    checkpoint = train(task, settings, out, seed=seed, place=place or Place(workers=0), resume=resume,
                       progress=progress, should_stop=should_stop)
    return FineTuned(checkpoint, len(held_out), before, read_checkpoint(out)["scores"])


def train_paper_on_frames(frames: Sequence[LabelledFrame], out: Path, design: PaperDesign, *, fold: Fold | None = None,
                          steps: int | None = None, batch_size: int | None = None, seed: int = 0,
                          place: Place | None = None, resume: bool = False,
                          progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> Path:
    """Train the paper's network from nothing on labelled frames; arguments and errors as in ``fine_tune``."""
    training, held_out = parted(frames, fold)
    settings = _changed(PAPER_SETTINGS, steps, batch_size, len(held_out))
    task = PaperTask(design, settings, OwnFrames(training), OwnFrames(held_out), _origin(training, fold))
    return train(task, settings, out, seed=seed, place=place or Place(workers=0), resume=resume, progress=progress,
                 should_stop=should_stop)


class FineTuningTask(OurTask):
    """Our network, begun with trained weights."""

    def __init__(self, start: Path | None, settings: TrainingSettings, samples: Dataset[Sample],
                 held_out: Dataset[Sample], origin: Mapping[str, object]) -> None:
        """``start`` as in ``fine_tune``. Raises UserError where the weights are not of our network."""
        super().__init__(settings, samples, held_out, origin)
        self._start = load_network_of(start)
        if self._start.architecture != STITCH_NET:
            raise UserError("Only our network can be fine-tuned: give its weights, or leave --weights out.")

    def build(self) -> nn.Module:
        """The trained network."""
        network = super().build()
        network.load_state_dict(self._start.network.state_dict())
        return network


def _scores_of(task: FineTuningTask) -> Mapping[str, float]:
    import torch

    with torch.inference_mode():
        return task.validate(task.build().eval())


def _changed(settings: TrainingSettings, steps: int | None, batch_size: int | None, held_out: int) -> TrainingSettings:
    return replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size,
                   validation_cases=held_out)


def _origin(training: Sequence[LabelledFrame], fold: Fold | None) -> dict[str, object]:
    return {"domains": ["own frames"], "frames": len(training),
            "fold": [fold.number, fold.count] if fold is not None else []}
