"""Masks that our own networks find on simulated X-ray frames."""

from functools import lru_cache

from ..errors import UserError
from ..networks.segmentation import VesselSegmenter
from ..simulation.anatomy import FAMILIES
from ..simulation.domains import TEST
from ..simulation.fluoroscopy import SimulatedFrame, simulate_frame
from ..simulation.looks import sample_look
from .anatomies import load_anatomy
from .cases import Case, CaseSpec, sample_geometry
from .renderer import fill_triangles, project_model

LEAST_FILLED = 0.5
_ATTEMPTS = 50


def networks_missing() -> str | None:
    """Why the networks cannot be run, in one sentence; None where they can."""
    try:
        for family in FAMILIES:
            _segmenter(family)
    except UserError as problem:
        return str(problem)
    return None


def build_network_case(spec: CaseSpec) -> Case:
    """A case whose masks come from the network of the anatomy's family, on frames of the simulator's test domain.

    The frames are of one injection, at a moment at which contrast shows in at least half of the vessel's silhouette in
    every view, as a user would choose them. Raises UserError where the network's weights cannot be used.
    """
    anatomy = load_anatomy(spec.source)
    if anatomy.simulated is None:
        raise UserError("Frames are simulated of the simulator's own anatomies only, not of a mesh.")
    geometry = sample_geometry(anatomy, spec)
    rng = spec.random(1)
    clean = []
    for view in geometry.views:
        pixels = project_model(anatomy.model.vertices, geometry.truth, view)
        clean.append(fill_triangles(pixels, anatomy.model.triangles, (view.rows, view.columns)))
    frames: list[SimulatedFrame] = []
    for _ in range(_ATTEMPTS):
        look = sample_look(rng, TEST, anatomy.simulated)
        frames = []
        for view, true in zip(geometry.views, clean, strict=True):
            frame = simulate_frame(anatomy.simulated, view, geometry.truth, rng, look)
            if frame.vessel_mask.sum() < LEAST_FILLED * true.sum():
                break
            frames.append(frame)
        if len(frames) == len(clean):
            break
    segmenter = _segmenter(anatomy.simulated.family)
    masks = tuple(segmenter.segment(frame.attenuation, frame.usable) for frame in frames)
    return Case(spec, anatomy, geometry, masks, tuple(clean), tuple(frame.usable for frame in frames))


@lru_cache(maxsize=2)
def _segmenter(family: str) -> VesselSegmenter:
    import torch

    torch.set_num_threads(1)
    return VesselSegmenter(f"vessels_{family}", device="cpu")
