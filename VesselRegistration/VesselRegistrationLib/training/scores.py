"""Scores of the networks on held-out simulated cases: ``python -m VesselRegistrationLib.training.scores NAME``."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import nn

from ..errors import UserError
from ..matching.overlap import binary_overlap
from ..networks.affine_cnn import warp
from ..networks.frame_network import DEVICE, VESSEL
from ..networks.weights import load_card, load_network
from ..simulation.domains import TEST
from .architectures import CATHETER_NETWORKS, VESSEL_NETWORKS
from .samples import HELD_OUT_SEED, CatheterSamples, MatchingSamples, VesselSamples
from .settings import FIELDS_OF_VIEW
from .split import TEST_SPLIT

HELD_OUT_CASES = 40
_FIRST_SCORED = 1000
_Measure = Callable[[nn.Module, int], Mapping[str, float]]


def score_network(network: nn.Module, name: str, cases: int) -> dict[str, float]:
    """Median Dice, precision and recall, from the same binary masks, over held-out cases none of which chose weights.

    ``name`` is the one of the network's card and says what is scored. For matching they compare the warped silhouette
    with the TRUE one in the X-ray, and ``dice_before`` tells the Dice of the silhouette where it was.
    """
    measure = _matching_measure() if name.startswith("matching") else _mask_measure(name)
    with torch.inference_mode():
        measured = [measure(network, case) for case in range(cases)]
    return {key: round(float(np.median([entry[key] for entry in measured])), 4) for key in measured[0]}


def outputs_of(name: str) -> tuple[str, ...]:
    """What the channels of a network's answer are, by the name of its card."""
    kind, _, rest = name.partition("_")
    known = CATHETER_NETWORKS if kind == "catheter" else VESSEL_NETWORKS
    network = rest.removesuffix("lower").removesuffix("upper").strip("_").replace("_", "-")
    if network in known:
        return known[network].outputs
    return (VESSEL,) if kind == "vessels" and rest else known["ours"].outputs


def _mask_measure(name: str) -> _Measure:
    fields = tuple(entry for entry in FIELDS_OF_VIEW if name.endswith(f"_{entry}")) or FIELDS_OF_VIEW
    judged = DEVICE if name.startswith("catheter") else VESSEL
    channel = outputs_of(name).index(judged)
    first = HELD_OUT_SEED + _FIRST_SCORED
    samples = (CatheterSamples(TEST_SPLIT, first, (judged,), TEST) if judged == DEVICE
               else VesselSamples(fields, TEST_SPLIT, first, (judged,), TEST))

    def measure(network: nn.Module, case: int) -> Mapping[str, float]:
        image, target, usable = samples[case]
        found = network(image[None])[0, channel, None] > 0
        return asdict(binary_overlap((found & (usable > 0)).numpy(), ((target * usable) > 0.5).numpy()))

    return measure


def _matching_measure() -> _Measure:
    pairs = MatchingSamples(TEST_SPLIT, HELD_OUT_SEED + _FIRST_SCORED, TEST)

    def measure(network: nn.Module, case: int) -> Mapping[str, float]:
        moving, fixed, truth = pairs[case]
        theta = network(torch.cat([moving, fixed])[None])
        true_mask = (truth > 0.5).numpy()
        return {**asdict(binary_overlap((warp(moving[None], theta)[0] > 0.5).numpy(), true_mask)),
                "dice_before": binary_overlap((moving > 0.5).numpy(), true_mask).dice}

    return measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores of a network by the name or the path of its card; 0 when done, 2 with a sentence when not."""
    parser = argparse.ArgumentParser(description="Median scores of a network on held-out simulated cases.")
    parser.add_argument("card", help="name of a shipped network (vessels_lower, vessels_upper, matching) or its card")
    parser.add_argument("--cases", type=int, default=HELD_OUT_CASES)
    options = parser.parse_args(arguments)
    try:
        card = load_card(options.card)
        for name, value in score_network(load_network(card), card.name, options.cases).items():
            print(f"{name}: {value:.4f}")
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
