"""Networks that find vessels or devices, judged on frames with known masks."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from ..catheters.tracing import trace_devices
from ..errors import UserError
from ..networks.frame_network import DEVICE, VESSEL
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .curve_scores import score_curves
from .frames import EvaluationFrame, FrameSource
from .judged_network import JudgedNetwork
from .mask_scores import score_mask
from .outcomes import NetworkOutcome


def evaluate_segmentation(networks: Sequence[JudgedNetwork], what: str, frames: Sequence[FrameSource],
                          threshold: float = 0.5, *, progress: ProgressCallback = ignore_progress,
                          should_stop: StopCheck = never_stop) -> list[NetworkOutcome]:
    """Every network on every frame, the same ones for all. ``what`` is "vessel" or "device".

    Raises UserError for a threshold that is not between 0 and 1 or a frame that cannot be used, Cancelled on request.
    """
    if not 0.0 < threshold < 1.0:
        raise UserError(f"The threshold {threshold:g} is impossible: give one between 0 and 1.")
    outcomes = []
    for number, source in enumerate(frames):
        raise_if_stopped(should_stop)
        progress(number / len(frames), f"frame {number}")
        frame = source()
        outcomes += [_judged(network, what, frame, number, threshold) for network in networks]
    progress(1.0, "evaluated")
    return outcomes


def _judged(network: JudgedNetwork, what: str, frame: EvaluationFrame, number: int,
            threshold: float) -> NetworkOutcome:
    probability = network.probability(frame)
    devices = frame.masks.get(DEVICE) if what == VESSEL else None
    scores = score_mask(probability > threshold, frame.masks[what], frame.usable, devices)
    values = {key: float(value) for key, value in asdict(scores).items()}
    if what == DEVICE:
        del values["on_devices"]
    lists = {}
    if what == DEVICE and frame.curves is not None and frame.tips is not None:
        found = trace_devices(probability, frame.usable, threshold=threshold)
        curves = score_curves(found, frame.curves, frame.tips)
        values |= {"false_tips": float(curves.false_tips), "count_error": float(curves.count_error),
                   "centreline_px": curves.centreline_px}
        lists = {"tip_px": curves.tip_errors_px, "free_tip_px": curves.free_tip_errors_px}
    return NetworkOutcome(network.name, frame.domain, frame.patient, frame.name, number, values, lists)


def true_and_found(network: JudgedNetwork, what: str, frame: EvaluationFrame,
                   threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """True and found mask (rows, columns) bool of a frame, inside its usable region."""
    return frame.masks[what] & frame.usable, (network.probability(frame) > threshold) & frame.usable
