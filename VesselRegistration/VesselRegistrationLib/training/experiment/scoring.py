"""Scores of a trained stage on frames that it was not trained on, and times of the networks."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...matching.overlap import binary_overlap
from ...networks.device import choose_device
from ...networks.frame_network import DEVICE
from ...networks.normalisation import NETWORK_SIZE
from ..architectures import CATHETER_NETWORKS
from ..checkpoint import read_checkpoint
from .budget import Budget
from .frames import PROCEDURES, Frames
from .stages import Stage

PAPERS_THRESHOLD = 0.01
_WARM_UP = 3


def score_stage(stage: Stage, folder: Path, budget: Budget, frames: Frames, device: str) -> dict[str, Any]:
    """Training Dice, and per tested procedure the mean Dice at 0.5 and at the paper's 0.01 and the false positives.

    False positives are a percentage of all pixels, as in Table 5.
    """
    checkpoint = read_checkpoint(folder)
    design = CATHETER_NETWORKS[stage.network]
    network = design.build()
    network.load_state_dict(checkpoint["network"])
    network = network.eval().to(choose_device(device))
    channel = design.outputs.index(DEVICE)
    tests = {name: _mean(network, channel, frames, name, range(tuned, tuned + tested))
             for name, tuned, tested in zip(PROCEDURES, budget.tuning, budget.testing, strict=True)
             if name in stage.tests}
    source, count = stage.parts[0]
    seen = _mean(network, channel, frames, source, range(min(count, max(budget.testing))))
    return {"stage": stage.name, "network": stage.network, "steps": checkpoint["step"],
            "seconds": round(checkpoint["seconds"], 1), "training_dice": seen["dice"], "tests": tests}


def _mean(network: nn.Module, channel: int, frames: Frames, source: str, numbers: range) -> dict[str, float]:
    samples = frames(source, (DEVICE,))
    device = next(network.parameters()).device
    rows = []
    with torch.inference_mode():
        for number in numbers:
            image, target, usable = samples[number]
            probability = torch.sigmoid(network(image[None].to(device)))[0, channel].float().cpu().numpy()
            seen, truth = usable[0].numpy() > 0, target[0].numpy() > 0.5
            found = (probability > 0.5) & seen
            rows.append((binary_overlap(found, truth & seen).dice,
                         binary_overlap((probability > PAPERS_THRESHOLD) & seen, truth & seen).dice,
                         100.0 * float((found & ~truth).mean())))
    names = ("dice", "dice_at_0.01", "false_positives_percent")
    return {name: round(float(value), 4) for name, value in zip(names, np.mean(rows, axis=0), strict=True)}


def time_networks(budget: Budget) -> dict[str, Mapping[str, float]]:
    """Parameters, and mean and spread of the time per 256x256 picture on the CPU, of all catheter networks.

    The networks take turns, so that a busy machine is as hard on all of them.
    """
    networks = {name: design.build().eval() for name, design in CATHETER_NETWORKS.items()}
    picture = torch.rand(1, 1, NETWORK_SIZE, NETWORK_SIZE, generator=torch.Generator().manual_seed(0))
    times: dict[str, list[float]] = {name: [] for name in networks}
    with torch.inference_mode():
        for _ in range(_WARM_UP + budget.timed):
            for name, network in networks.items():
                begin = time.perf_counter()
                network(picture)
                times[name].append(1000.0 * (time.perf_counter() - begin))
    return {name: {"parameters": sum(value.numel() for value in network.parameters()),
                   "mean_ms": round(float(np.mean(times[name][_WARM_UP:])), 2),
                   "spread_ms": round(float(np.std(times[name][_WARM_UP:])), 2)}
            for name, network in networks.items()}
