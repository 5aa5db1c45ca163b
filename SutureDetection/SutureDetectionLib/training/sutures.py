"""Training of the suture networks."""

from dataclasses import replace
from pathlib import Path

from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from VesselRegistrationLib.training.settings import TrainingSettings
from VesselRegistrationLib.training.trainer import Place, train

from .frames import SEEDS_PER_TRAINING, TRAINING_DOMAINS, VALIDATION_SEED, FrameSamples
from .settings import OUR_SETTINGS, PAPER_SETTINGS
from .tasks import OurTask, PaperDesign, PaperTask


def train_ours(out: Path, *, domains: tuple[str, ...] = TRAINING_DOMAINS, steps: int | None = None,
               batch_size: int | None = None, seed: int = 0, place: Place | None = None, resume: bool = False,
               progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> Path:
    """Train our network on simulated frames of ``domains`` into ``out``; gives the checkpoint.

    ``steps`` and ``batch_size`` change the settings; ``place`` says where to compute. The folder must be empty or new,
    unless ``resume`` goes on with the training in it. Raises UserError for unusable arguments, Cancelled on request.
    """
    settings = _changed(OUR_SETTINGS, steps, batch_size)
    task = OurTask(settings, *_samples(domains, seed), {"domains": list(domains)})
    return train(task, settings, out, seed=seed, place=place or Place(), resume=resume, progress=progress,
                 should_stop=should_stop)


def train_paper(out: Path, design: PaperDesign, *, domains: tuple[str, ...] = TRAINING_DOMAINS,
                steps: int | None = None, batch_size: int | None = None, seed: int = 0, place: Place | None = None,
                resume: bool = False, progress: ProgressCallback = ignore_progress,
                should_stop: StopCheck = never_stop) -> Path:
    """Train the paper's network as ``design`` says; the other arguments are those of ``train_ours``."""
    settings = _changed(PAPER_SETTINGS, steps, batch_size)
    task = PaperTask(design, settings, *_samples(domains, seed), {"domains": list(domains)})
    return train(task, settings, out, seed=seed, place=place or Place(), resume=resume, progress=progress,
                 should_stop=should_stop)


def _changed(settings: TrainingSettings, steps: int | None, batch_size: int | None) -> TrainingSettings:
    return replace(settings, steps=steps or settings.steps, batch_size=batch_size or settings.batch_size)


def _samples(domains: tuple[str, ...], seed: int) -> tuple[FrameSamples, FrameSamples]:
    return (FrameSamples(domains, seed * SEEDS_PER_TRAINING), FrameSamples(domains, VALIDATION_SEED))
