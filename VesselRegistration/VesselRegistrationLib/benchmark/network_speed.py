"""Seconds of every network for one 256x256 image, as published and as the inference engine runs it, in one run.

The networks carry random weights: speed does not depend on them. Only ratios mean something on another machine.
"""

import statistics
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

import numpy as np

PLAIN = "plain PyTorch"
ENGINE_TORCH = "our engine, PyTorch"
ENGINE_OPENVINO = "our engine, OpenVINO"
DRU_NET = "DRU-Net"
OUR_FLUOROSCOPY = "ours, fluoroscopy"

_SIZE = 256
_WARM_UP = 2
_IN_A_ROW = 3
_CATHETER_PEER, _LARGE_CATHETER_PEER, _MATCHING_PEER = "light U-Net", "Ambrosini", "affine CNN as published"
_OUR_MATCHING = "ours, matching"
VESSEL_NETWORKS = (DRU_NET, OUR_FLUOROSCOPY)
COMPARISONS = ((_CATHETER_PEER, OUR_FLUOROSCOPY), VESSEL_NETWORKS, (_LARGE_CATHETER_PEER, OUR_FLUOROSCOPY),
               (_MATCHING_PEER, _OUR_MATCHING))
"""Networks that do the same task, the published one first."""

_TARGETS = (
    ("light U-Net itself", "light U-Net", ENGINE_TORCH, _CATHETER_PEER, 1.5),
    ("our fluoroscopy network", OUR_FLUOROSCOPY, ENGINE_TORCH, _CATHETER_PEER, 4.0),
    ("our fluoroscopy network", OUR_FLUOROSCOPY, ENGINE_OPENVINO, _CATHETER_PEER, 6.5),
    ("our fluoroscopy network against DRU-Net", OUR_FLUOROSCOPY, ENGINE_TORCH, DRU_NET, 2.0),
    ("our matching network", _OUR_MATCHING, ENGINE_TORCH, _MATCHING_PEER, 10.0),
)


@dataclass(frozen=True)
class SpeedRow:
    """A network run in one way in a comparison: median milliseconds per image and its trainable parameters."""

    comparison: str
    network: str
    way: str
    parameters: int
    milliseconds: float


@dataclass(frozen=True)
class SpeedTarget:
    """How many times faster ``what`` is, run in ``way``, than ``against`` in plain PyTorch, and how much is asked."""

    what: str
    way: str
    against: str
    ratio: float
    at_least: float


def measure_speed(threads: int = 2, repeats: int = 15,
                  comparisons: Sequence[Collection[str]] = COMPARISONS) -> tuple[list[SpeedRow], list[SpeedTarget]]:
    """Time the networks of each of the ``comparisons`` on ``threads`` CPU threads, in batches of 1.

    Every comparison has a process of its own, as its networks have where they are used: the memory that a larger
    network has taken there would otherwise serve the smaller ones, or their peers.
    """
    rows: list[SpeedRow] = []
    targets: list[SpeedTarget] = []
    for names in comparisons:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            timed = alone.submit(_time_in_turn, names, threads, repeats).result()
        rows += timed
        taken = {(row.network, row.way): row.milliseconds for row in timed}
        targets += [SpeedTarget(what, way, against, taken[against, PLAIN] / taken[network, way], least)
                    for what, network, way, against, least in _TARGETS
                    if (network, way) in taken and (against, PLAIN) in taken]
    return rows, targets


def _time_in_turn(names: Collection[str], threads: int, repeats: int) -> list[SpeedRow]:
    """Run networks in turn, so that a busy machine slows all of them.

    In each turn a network answers for a few images in a row, as for the frames of a cine.
    """
    import torch

    torch.set_num_threads(threads)
    runners = _runners(names)
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runners}
    for turn in range(_WARM_UP + repeats):
        for key, (run, image, _) in runners.items():
            run(image)  # what ran before has emptied the caches, as no frame of a cine does
            for _again in range(_IN_A_ROW):
                begin = time.perf_counter()
                run(image)
                if turn >= _WARM_UP:
                    seconds[key].append(time.perf_counter() - begin)
    comparison = " / ".join(names)
    return [SpeedRow(comparison, network, way, runners[network, way][2], 1000 * statistics.median(taken))
            for (network, way), taken in seconds.items()]


def _runners(names: Collection[str]) -> dict[tuple[str, str], tuple[Callable[[np.ndarray], Any], np.ndarray, int]]:
    """By network and way: what to call, its image, the network's trainable parameters."""
    import torch

    from ..networks.affine_cnn import PUBLISHED
    from ..networks.engine import OPENVINO, TORCH, make_backend
    from ..networks.weights import build_network

    known: dict[str, tuple[str, dict[str, Any], int]] = {
        DRU_NET: ("DRUNet", {}, 1), _CATHETER_PEER: ("LightUNet", {}, 1),
        _LARGE_CATHETER_PEER: ("AmbrosiniNet", {}, 1), OUR_FLUOROSCOPY: ("FluoroNet", {}, 1),
        _MATCHING_PEER: ("AffineCNN", dict(PUBLISHED), 2), _OUR_MATCHING: ("MatchNet", {}, 2)}
    runners: dict[tuple[str, str], tuple[Callable[[np.ndarray], Any], np.ndarray, int]] = {}
    cpu = torch.device("cpu")
    for name in names:
        architecture, parameters, channels = known[name]
        torch.manual_seed(0)
        network = build_network(architecture, parameters).eval()
        count = sum(entry.numel() for entry in network.parameters())
        image = np.random.default_rng(0).random((1, channels, _SIZE, _SIZE), dtype=np.float32)
        runners[name, PLAIN] = (_plain(network), image, count)
        runners[name, ENGINE_TORCH] = (make_backend(network, cpu, TORCH), image, count)
        if find_spec("openvino") is not None:
            runners[name, ENGINE_OPENVINO] = (make_backend(network, cpu, OPENVINO), image, count)
    return runners


def _plain(network: Any) -> Callable[[np.ndarray], Any]:
    import torch

    def run(image: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(image)).numpy()

    return run


def speed_as_markdown(rows: list[SpeedRow], targets: list[SpeedTarget]) -> str:
    """Two tables: milliseconds, and the ratios that are asked for."""
    lines = ["| in one process | network | parameters | run by | ms |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {row.comparison} | {row.network} | {row.parameters:,} | {row.way} | {row.milliseconds:.1f} |"
              for row in rows]
    lines += ["", "| what | run by | against, in plain PyTorch | asked | measured |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {one.what} | {one.way} | {one.against} | {one.at_least:g} | {one.ratio:.1f} |" for one in targets]
    return "\n".join(lines)
