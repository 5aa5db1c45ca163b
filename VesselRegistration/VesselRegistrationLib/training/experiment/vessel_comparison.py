"""DRU-Net and our network for vessels: the same samples, the same minutes of training, the same held-out frames."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from ...benchmark.network_speed import VESSEL_NETWORKS as TIMED
from ...benchmark.network_speed import measure_speed
from ...evaluation.frames import FIELDS_OF_VIEW, FrameSource, simulated_frames
from ...evaluation.judged_network import JudgedNetwork
from ...evaluation.segmentation import evaluate_segmentation
from ...networks.device import choose_device
from ...networks.frame_network import VESSEL
from ...networks.weights import CARD_SUFFIX, ModelCard, save_weights
from ...progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from ...simulation.domains import HELD_OUT_DOMAINS
from ..architectures import DRU_NET, OURS, VESSEL_NETWORKS
from ..checkpoint import CHECKPOINT_FILE, read_checkpoint
from ..samples import HELD_OUT_SEED, Sample, VesselSamples, mixed_fluoroscopy
from ..settings import BOTH, OUR_FLUOROSCOPY, TrainingSettings
from ..split import TRAINING_SPLIT, VALIDATION_SPLIT
from ..trainer import Place, train
from ..vessels import VesselTask
from .folder import REPORT_FILE, RESULT_FILE, claim, write
from .pace import measure_paces, steps_in
from .vessel_tables import TIMING_THREADS, Cells, comparison_as_dict, comparison_as_markdown

NETWORKS = (DRU_NET, OURS)
STEPS_FILE = "steps.json"
_WEIGHTS, _TRAININGS = "weights", "trainings"
_VALIDATION_FRAMES = 4  # the last weights count whatever the validation says
_PACE_SHARE, _TRAINED_SHARE = 0.04, 0.94

Samples = Callable[[str, Sequence[str]], Dataset[Sample]]
"""Gives the endless samples of a split with masks of the given targets."""

TestFrames = Callable[[str, str, int], Sequence[FrameSource]]
"""Gives so many frames of a domain and a field of view."""


@dataclass(frozen=True)
class VesselBudget:
    """``minutes`` of training for each network by ``settings``, whose number of steps does not count.

    ``frames`` are judged per domain and field of view; ``timed`` turns give the milliseconds per image.
    """

    minutes: float
    frames: int = 30
    timed: int = 15
    settings: TrainingSettings = OUR_FLUOROSCOPY


def simulated_samples(split: str, targets: Sequence[str]) -> Dataset[Sample]:
    """Vessel and catheter frames to learn from, and vessel frames of other patients for the validation."""
    if split == TRAINING_SPLIT:
        return mixed_fluoroscopy(TRAINING_SPLIT, 0, targets)
    return VesselSamples(FIELDS_OF_VIEW, VALIDATION_SPLIT, HELD_OUT_SEED, targets)


def held_out_frames(domain: str, field_of_view: str, count: int) -> Sequence[FrameSource]:
    """Vessel frames as ``evaluate vessels`` shows them."""
    return simulated_frames(VESSEL, (domain,), (field_of_view,), count)


def compare_vessel_networks(out: Path, budget: VesselBudget, *, place: Place | None = None,
                            samples: Samples = simulated_samples, frames: TestFrames = held_out_frames,
                            progress: ProgressCallback = ignore_progress,
                            should_stop: StopCheck = never_stop) -> str:
    """Do what is still to be done of the comparison in ``out`` and give the report, which is also written there.

    The folder keeps the measured steps of both networks, so that a comparison that goes on trains for the same ones.
    Raises UserError where ``out`` cannot be used or holds a comparison of another budget, device or number of threads
    or workers, Cancelled on request; run it again to go on.
    """
    place = place or Place()
    command = (f"vessel-registration benchmark vessels --minutes {budget.minutes:g} --threads {place.threads} "
               f"--workers {place.workers} --device {place.device} --out DIR")
    claim(out, {**asdict(budget), **asdict(place), "device": choose_device(place.device).type})
    plan = _planned(out, budget, place, samples, part_of(progress, 0.0, _PACE_SHARE), should_stop)
    training_share = (_TRAINED_SHARE - _PACE_SHARE) / len(NETWORKS)
    trainings = {}
    for number, network in enumerate(NETWORKS):
        first = _PACE_SHARE + number * training_share
        trainings[network] = {**plan[network], "seconds": _train(
            network, plan[network]["steps"], out, budget, place, samples, command,
            part_of(progress, first, first + training_share), should_stop)}
    networks = [JudgedNetwork(str(out / _WEIGHTS / f"{network}{CARD_SUFFIX}"), VESSEL, place.device)
                for network in NETWORKS]
    cells = _judge(networks, budget, frames, part_of(progress, _TRAINED_SHARE, 1.0), should_stop)
    speed = measure_speed(TIMING_THREADS, budget.timed, (TIMED,))
    content = comparison_as_dict(cells, speed, command, {network.name: network.weights for network in networks})
    content |= {"budget": asdict(budget), "trainings": trainings}
    text = comparison_as_markdown(content, speed)
    write(out / RESULT_FILE, content)
    write(out / REPORT_FILE, text)
    return text


def _planned(out: Path, budget: VesselBudget, place: Place, samples: Samples, progress: ProgressCallback,
             should_stop: StopCheck) -> dict[str, dict[str, Any]]:
    path = out / STEPS_FILE
    if not path.exists():
        tasks = {network: partial(_task, network, samples=samples) for network in NETWORKS}
        paces = measure_paces(tasks, budget.settings, place, progress, should_stop)
        write(path, {network: {"seconds_per_step": pace, "steps": steps_in(budget.minutes, pace)}
                     for network, pace in paces.items()})
    return json.loads(path.read_text(encoding="utf-8"))


def _task(network: str, settings: TrainingSettings, samples: Samples) -> VesselTask:
    targets = VESSEL_NETWORKS[network].targets
    return VesselTask(BOTH, settings, samples(TRAINING_SPLIT, targets), samples(VALIDATION_SPLIT, targets), network)


def _train(network: str, steps: int, out: Path, budget: VesselBudget, place: Place, samples: Samples, command: str,
           progress: ProgressCallback, should_stop: StopCheck) -> float:
    """Do or finish a training, write its last weights with a card, and give the seconds it took."""
    folder = out / _TRAININGS / network
    if not (out / _WEIGHTS / f"{network}{CARD_SUFFIX}").exists():
        settings = replace(budget.settings, steps=steps, validate_every=steps, validation_cases=_VALIDATION_FRAMES,
                           warmup_steps=min(budget.settings.warmup_steps, steps // 10))
        train(_task(network, settings, samples), settings, folder, seed=0, place=place,
              resume=(folder / CHECKPOINT_FILE).exists(),
              progress=lambda share, text: progress(share, f"{network}: {text}"), should_stop=should_stop)
        trained = VESSEL_NETWORKS[network].build()
        trained.load_state_dict(read_checkpoint(folder)["network"])
        save_weights(trained, _card(network, command), out / _WEIGHTS)
    return round(read_checkpoint(folder)["seconds"], 1)


def _card(network: str, command: str) -> ModelCard:
    design = VESSEL_NETWORKS[network]
    return ModelCard(
        name=network, version="comparison", architecture=design.architecture, parameters=design.parameters,
        trainable_parameters=0, field_of_view="any", file="", sha256="", bytes=0, precision="",
        training_data="Synthetic data only: no image of a patient was used.",
        training_domain="Simulated vessel and catheter frames of the domains to learn from, with changes of looks.",
        test_domain="Simulated vessel frames of the held-out domains.", training_command=command, scores={},
        score_command=command, differences="Trained for minutes, to compare two networks under the same budget.",
        limits="For the comparison only. Not a medical device.")


def _judge(networks: Sequence[JudgedNetwork], budget: VesselBudget, frames: TestFrames, progress: ProgressCallback,
           should_stop: StopCheck) -> Cells:
    places = [(domain, field_of_view) for domain in HELD_OUT_DOMAINS for field_of_view in FIELDS_OF_VIEW]
    return {key: evaluate_segmentation(networks, VESSEL, frames(*key, budget.frames),
                                       progress=part_of(progress, number / len(places), (number + 1) / len(places)),
                                       should_stop=should_stop)
            for number, key in enumerate(places)}
