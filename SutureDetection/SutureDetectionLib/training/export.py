"""From a training of our network to the weights that are shipped, with their model card."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from VesselRegistrationLib.networks.weights import ModelCard, save_weights
from VesselRegistrationLib.training.checkpoint import CHECKPOINT_FILE, read_best, read_checkpoint

from ..detection.detector import SHIPPED, Origin, SutureDetector
from ..evaluation.domains import labelled_frames, score_detector
from ..evaluation.scoring import match_points
from ..networks.architectures import build_network
from ..networks.stitch_net import StitchNet
from .frames import HELD_OUT_DOMAINS, TRAINING_DOMAINS, VALIDATION_SEED

CASES = 100
_CALIBRATION_FRAMES = 120
_BEYOND_VALIDATION = 1000
_LEAST = 1e-4
_PUBLISHED_THRESHOLD = 0.5
_SYNTHETIC = "Synthetic data only: no image of a patient or of a surgical simulator was used."


def export_network(training: Path, out: Path, version: str, cases: int = CASES) -> ModelCard:
    """Write the better of a training's best and last network as safetensors with its model card to ``out``.

    The confidences of ours are calibrated on frames of the training's domains that it never saw, and that is written
    into its last layer: of points with a confidence of 0.8, about 80 % are right. The card carries scores on ``cases``
    frames of each held-out domain. Raises UserError where the training cannot be read or ``out`` cannot be written.
    """
    network, content, threshold = _chosen(training)
    scores = _scores(network, threshold, cases)
    settings = content["settings"]
    stopped = f" (the weights after {content['step']} steps)" if content["step"] < settings["steps"] else ""
    name = SHIPPED if isinstance(network, StitchNet) else content["task"]
    domains = ", ".join(content["origin"]["domains"])
    own = content["origin"].get("frames")
    card = ModelCard(
        name=name, version=version, architecture=content["architecture"], parameters=content["parameters"],
        trainable_parameters=0, field_of_view="any", file="", sha256="", bytes=0, precision="",
        training_data=_SYNTHETIC if own is None else f"{own} labelled frames of the user, and simulated ones.",
        training_domain=f"Endoscopy rendered by SutureDetectionLib.simulation, domains {domains}.",
        test_domain=f"Other seeds of the domains {', '.join(HELD_OUT_DOMAINS)}: looks that no training saw.",
        training_command=f"suture-detection train --network {'ours' if name == SHIPPED else 'paper'} "
                         f"--steps {settings['steps']} --batch-size {settings['batch_size']} --seed {content['seed']} "
                         f"--out DIR{stopped}",
        scores={"threshold": threshold, **scores},
        score_command=f"suture-detection evaluate --trained DIR --frames {cases}",
        differences="An own network, not that of Sharan et al.: stride-2 stem, sub-pixel offsets, kinds, pairs."
        if name == SHIPPED else "The published architecture, targets and losses; the rate falls as a cosine.",
        limits="Never tested on real endoscopy, because no labelled frames can be had: expect it to fail there until "
               "it is fine-tuned on 30 to 50 labelled frames of the same kind. Not a medical device.")
    return save_weights(network, card, out)


def _chosen(training: Path) -> tuple[nn.Module, dict[str, Any], float]:
    """A network, its checkpoint and threshold: of ours the one with the better F1 on the frames of the calibration,
    which are more than those of the validations; of the paper's the one that was best there."""
    contents = [read_best(training)]
    if (training / CHECKPOINT_FILE).exists():
        last = read_checkpoint(training)
        contents += [last] if last["step"] != contents[0]["step"] else []
    calibrated = []
    for content in contents:
        network = _network(content)
        if not isinstance(network, StitchNet):
            return network, content, _PUBLISHED_THRESHOLD
        calibrated.append((*calibrate(network), network, content))
    threshold, _, network, content = max(calibrated, key=lambda one: one[1])
    return network, content, threshold


def _network(content: dict[str, Any]) -> nn.Module:
    network = build_network(content["architecture"], content["parameters"])
    network.load_state_dict(content["network"])
    return network.eval()


def calibrate(network: StitchNet, frames: int = _CALIBRATION_FRAMES) -> tuple[float, float]:
    """Scale the network's heat so that its confidences are shares of right points; gives the threshold of best F1, and
    that F1.

    Logistic regression of right against wrong on the logit of the confidence (Platt scaling), on unseen frames of the
    training domains. The order of the confidences stays.
    """
    before, labels = _found(network, frames)
    scale, shift = _logistic(_logit(before[:, 0]), before[:, 1])
    with torch.no_grad():
        network.heat.weight.mul_(scale)
        network.heat.bias.mul_(scale).add_(shift)  # type: ignore[union-attr]
    confidence = 1.0 / (1.0 + np.exp(-(scale * _logit(before[:, 0]) + shift)))
    order = np.argsort(-confidence)
    right = np.cumsum(before[order, 1])
    f1 = 2.0 * right / (np.arange(1, len(order) + 1) + labels)
    return round(float(np.clip(confidence[order][int(np.argmax(f1))], 0.15, 0.8)), 3), float(f1.max())


def _found(network: StitchNet, frames: int) -> tuple[np.ndarray, int]:
    """Confidence and whether it was right (N, 2) of all points down to a low confidence; and how many labels."""
    detector = SutureDetector(network, 0.0, Origin("", "", {}))
    rows, labels = [], 0
    for frame in labelled_frames(TRAINING_DOMAINS, frames, VALIDATION_SEED + _BEYOND_VALIDATION):
        labels += len(frame.labels.points)
        points = detector.detect(frame.image, threshold=0.03)
        hit = np.zeros(len(points))
        hit[match_points(points.positions, frame.labels.points).pairs[:, 0]] = 1.0
        rows.append(np.column_stack([points.confidence, hit]))
    return np.concatenate(rows), labels


def _logistic(logit: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import minimize

    def loss(parameters: np.ndarray) -> float:
        value = np.exp(parameters[0]) * logit + parameters[1]
        return float(np.mean(np.logaddexp(0.0, value) - right * value))

    best = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(best[1])


def _logit(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability, _LEAST, 1.0 - _LEAST)
    return np.log(clipped / (1.0 - clipped))


def _scores(network: nn.Module, threshold: float, cases: int) -> dict[str, float]:
    detector = SutureDetector(network, threshold, Origin("", "", {}))
    scores: dict[str, float] = {}
    for domain in HELD_OUT_DOMAINS:
        found = score_detector(detector, labelled_frames((domain,), cases))
        name = domain.replace("-", "_")
        scores |= {f"f1_{name}": found.tally.f1, f"ppv_{name}": found.tally.ppv, f"tpr_{name}": found.tally.tpr,
                   f"tpr_close_{name}": found.close.tpr, f"median_px_{name}": found.median_px}
    return {key: round(float(np.nan_to_num(value)), 4) for key, value in scores.items()}
