"""The solver beside registration through a differentiable renderer (nanodrr, on PyPI), on a few easy cases.

The peer gets the easier task: a volume of the vessel's attenuation instead of a surface, the noiseless attenuation
picture at the true pose instead of a mask. It climbs the normalised cross-correlation over all six parameters with
Adam, coarse to fine, as such renderers are used for registration.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..pose.evidence import ViewEvidence
from ..pose.solver import PoseModel, solve_pose
from ..progress import ProgressCallback, StopCheck, raise_if_stopped
from ..projection.rasterizer import path_length
from .cases import Case, CaseSpec, build_case
from .measures import pose_errors
from .summary import SOLVER, Row
from .voxels import attenuation_volume

if TYPE_CHECKING:
    import torch

NANODRR = "nanodrr"
PEER_CASES = 4

_FIRST_INDEX = 900_000
_START_MM = (5.0, 10.0)
_SAMPLES = 200
_PATIENCE = 25
_LEAST_GAIN = 1e-5


@dataclass(frozen=True)
class _Level:
    """Image side in pixels, most steps, and step sizes of rotation (rad) and translation (mm)."""

    size: int
    steps: int
    turn: float
    move: float


_LEVELS = (_Level(64, 150, 0.01, 1.0), _Level(128, 100, 0.003, 0.3))


def require_peer() -> None:
    """Raise UserError, one sentence, where the peer is not installed."""
    try:
        import nanodrr.drr  # noqa: F401
    except ImportError:
        raise UserError("nanodrr is not installed: install it (pip install nanodrr), or leave --peer out.") from None


def compare_with_peer(sources: Sequence[str], seed: int, progress: ProgressCallback, should_stop: StopCheck) -> Row:
    """The report's part on the peer: ``text``, ``rows`` (one for each method and number of views) and ``cpu_ratio``.

    Clean masks, starts 5 to 10 mm off, one and two views by turns, both methods in this process with one thread.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs: dict[tuple[str, int], list[Row]] = {}
    try:
        for number in range(PEER_CASES):
            progress(number / PEER_CASES, "comparing with nanodrr")
            views = 1 + number % 2
            source = sources[number % len(sources)]
            case = build_case(CaseSpec(_FIRST_INDEX + number, seed, source, views, "1.00", _START_MM))
            for method, prepare in ((SOLVER, _solver), (NANODRR, _nanodrr)):
                raise_if_stopped(should_stop)
                runs.setdefault((method, views), []).append(_timed(case, prepare(case)))
    finally:
        torch.set_num_threads(threads)
    rows: list[Row] = [{"method": method, "views": views, "cases": len(found),
                        **{name: float(np.median([one[name] for one in found])) for name in found[0]}}
                       for (method, views), found in sorted(runs.items(), key=lambda run: run[0][1])]
    spent = {(row["method"], row["views"]): row["cpu_s"] for row in rows}
    ratios = [spent[NANODRR, views] / spent[SOLVER, views] for views in (1, 2)]
    text = (f"nanodrr on one CPU thread, starts {_START_MM[0]:g} to {_START_MM[1]:g} mm off: a volume and a noiseless "
            f"picture for nanodrr, a clean mask for the solver. nanodrr takes {ratios[0]:.0f} times the solver's CPU "
            f"seconds with one view and {ratios[1]:.0f} times with two. All values are medians.")
    return {"text": text, "rows": rows, "cpu_ratio": ratios}


def _timed(case: Case, register: Callable[[], np.ndarray]) -> Row:
    cpu, wall = time.process_time(), time.perf_counter()
    pose = register()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    errors = pose_errors(case.anatomy.model, case.geometry, pose)
    return {"mrpd_mm": errors.mrpd_mm, "mtre_mm": errors.mtre_mm, "cpu_s": cpu, "wall_s": wall}


def _solver(case: Case) -> Callable[[], np.ndarray]:
    model = PoseModel(case.anatomy.model)
    evidence = [ViewEvidence.from_mask(view, mask)
                for view, mask in zip(case.geometry.views, case.masks, strict=True)]
    return lambda: solve_pose(model, evidence, case.geometry.start).model_to_world


def _nanodrr(case: Case) -> Callable[[], np.ndarray]:
    """Registration with nanodrr; volume and pictures are made before the time counts."""
    import torch
    from nanodrr.data import Subject
    from torchio import ScalarImage

    values, affine = attenuation_volume(case.anatomy.model)
    subject = Subject.from_images(ScalarImage(tensor=torch.from_numpy(values)[None], affine=affine),
                                  convert_to_mu=False)
    pictures = {level.size: _pictures(case, level.size) for level in _LEVELS}
    return lambda: _climb(case, subject, pictures)


def _pictures(case: Case, size: int) -> "torch.Tensor":
    """Attenuation at the true pose, (views, 1, size, size)."""
    import torch

    pictures = []
    for view in case.geometry.views:
        small = view.resampled(size, size)
        pictures.append(path_length(case.anatomy.model, small.projection_matrix @ case.geometry.truth, (size, size)))
    return torch.from_numpy(np.array(pictures, dtype=np.float32))[:, None]


def _climb(case: Case, subject: Any, pictures: dict[int, "torch.Tensor"]) -> np.ndarray:
    """Adam on rotation vector and translation about the placed centre, in the world's axes; the best pose passed."""
    import torch
    from nanodrr.drr import render
    from nanodrr.geometry import convert
    from nanodrr.metrics import NormalizedCrossCorrelation2d

    def tensor(matrices: Any) -> "torch.Tensor":
        return torch.from_numpy(np.asarray(matrices, dtype=np.float32))

    start, views = case.geometry.start, case.geometry.views
    back = tensor(np.linalg.inv(start))
    to_world = tensor([np.linalg.inv(view.world_to_camera) for view in views])
    sid = tensor([view.sid_mm for view in views])
    similarity = NormalizedCrossCorrelation2d()
    turn, move = torch.zeros(1, 3, requires_grad=True), torch.zeros(1, 3, requires_grad=True)
    best = (-np.inf, start)
    for level in _LEVELS:
        # nanodrr counts pixels from their corners, half a pixel before their centres.
        corner = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
        unproject = tensor([np.linalg.inv(view.resampled(level.size, level.size).intrinsic_matrix + corner)
                            for view in views])
        optimiser = torch.optim.Adam([{"params": [turn], "lr": level.turn}, {"params": [move], "lr": level.move}])
        best, since = (-np.inf, best[1]), 0
        for _ in range(level.steps):
            motion = convert(turn, move, "so3_log")[0]
            cameras = back @ torch.linalg.inv(motion) @ to_world
            drawn = render(subject, unproject, cameras, sid, level.size, level.size, _SAMPLES)
            score = similarity(drawn, pictures[level.size]).mean()
            reached = float(score.detach())
            since = 0 if reached > best[0] + _LEAST_GAIN else since + 1
            if reached > best[0]:
                best = (reached, motion.detach().numpy().astype(float) @ start)
            if since >= _PATIENCE:
                break
            optimiser.zero_grad()
            (-score).backward()
            optimiser.step()
    return best[1]
