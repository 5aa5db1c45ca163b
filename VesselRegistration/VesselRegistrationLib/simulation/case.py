"""Whole simulated cases as files: vessel mesh, XA study, truth."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from ..mesh.writing import write_model
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from ..rendering.new_folder import check_new_folder, new_folder
from .anatomy import LOWER, UPPER, Anatomy, build_anatomy
from .contrast import Filling, contrast_shadow
from .domains import DOMAINS
from .exposure import MOST_VIEWS, CaseGeometry, sample_case
from .fluoroscopy import SimulatedFrame, picture, set_scene
from .looks import Look, sample_look
from .tubes import arc_lengths
from .xa_writer import PixelStorage, RunLabels, write_xa

CLEAR = "clear"
MODEL_FILE = "model.vtp"
TRUTH_FILE = "truth.json"

_BODY_PARTS = {UPPER: "CHEST", LOWER: "PELVIS"}


@dataclass(frozen=True)
class CaseSettings:
    """What a case is made of. Frames per view, pixels per side, appearance ("clear" or a domain), storage."""

    frames: tuple[int, ...] = (10, 4)
    size: int = 512
    appearance: str = CLEAR
    storage: PixelStorage = field(default_factory=lambda: PixelStorage("LOG", 8))


DEFAULT_SETTINGS = CaseSettings()


Renderer = Callable[[int, CArmView, int], list[SimulatedFrame]]
"""Called with the number of a view, the view and the number of frames; the bolus runs in from the first to the last."""


def write_case(
    directory: Path,
    family: str,
    seed: int,
    settings: CaseSettings = DEFAULT_SETTINGS,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> CaseGeometry:
    """Write a simulated case into the new folder ``directory``, which appears whole or not at all.

    It holds model.vtp (LPS), view_K.dcm with a short contrast cine each, vessel_mask_K.png of the last frame and
    truth.json. ``family`` is "upper" or "lower"; the same seed gives the same case. Raises UserError where the folder
    is not empty or cannot be written, and for settings that are not known.
    """
    check_new_folder(directory)
    check_settings(settings)
    anatomy = build_anatomy(family, seed)
    geometry = sample_case(anatomy, seed, len(settings.frames), settings.size)
    look = case_look(anatomy, seed, settings.appearance)

    def render(number: int, view: CArmView, frames: int) -> list[SimulatedFrame]:
        return _cine(anatomy, view, geometry.model_to_world, look, frames, np.random.default_rng([seed, 31, number]))

    details = {"family": family, "seed": seed, "appearance": settings.appearance}
    write_study(directory, anatomy.model, geometry, render, settings, details, progress, should_stop)
    return geometry


def check_settings(settings: CaseSettings) -> None:
    """Refuse settings that no case can have (UserError)."""
    if not 1 <= len(settings.frames) <= MOST_VIEWS:
        raise UserError(f"A simulated case cannot have {len(settings.frames)} views: ask for 1, 2 or 3.")
    if min(settings.frames) < 1 or not 64 <= settings.size <= 2048:
        raise UserError("A simulated case needs at least one frame for every view, of 64 to 2048 pixels a side.")
    if settings.appearance not in (CLEAR, *DOMAINS):
        raise UserError(f"There is no appearance {settings.appearance!r}: choose one of "
                        f"{', '.join((CLEAR, *DOMAINS))}.")


def case_look(anatomy: Anatomy, seed: int, appearance: str) -> Look:
    """The look of a case: "clear" is a well exposed one with a pigtail catheter, others are drawn from their domain."""
    rng = np.random.default_rng([seed, 32])
    if appearance != CLEAR:
        drawn = sample_look(rng, appearance, anatomy)
        per_mm = drawn.filling.per_mm or 0.05
        filling = replace(drawn.filling, per_mm=per_mm, start_mm=-1000.0, front_mm=10000.0)
        # A case is about its own vessel, and its header says which way round the grey values go.
        return replace(drawn, filling=filling, thin_vessels=False, inverted=False, roadmap=False)
    upper = anatomy.family == UPPER
    filling = Filling(0.045 if upper else 0.06, softness_mm=25.0, streaming=0.06, streaming_seed=seed)
    return Look(filling, scene_seed=seed, body_gain=0.9, texture_amount=0.8, gas_amount=0.7, photons=5000.0,
                tools=("pigtail", "guidewire"), fixtures=("ecg lead",), scatter=0.3, blur_px=0.6, electronic=2.0,
                compression=0.25)


def bolus_fronts(anatomy: Anatomy, frames: int) -> np.ndarray:
    """How far contrast has run, mm from the inlet, in every frame of a cine: none in the first, all in the last."""
    longest = max(branch.inlet_distance_mm + arc_lengths(branch.centreline)[-1] for branch in anatomy.branches)
    return np.append(np.linspace(-0.1, 1.0, max(frames - 1, 1))[: frames - 1], 2.0) * longest


def _cine(
    anatomy: Anatomy, view: CArmView, model_to_world: np.ndarray, look: Look, frames: int, rng: np.random.Generator
) -> list[SimulatedFrame]:
    """Frames of a bolus running in."""
    scene = set_scene(anatomy, view, model_to_world, look)
    projection = view.projection_matrix @ model_to_world
    shown: list[SimulatedFrame] = []
    before: np.ndarray | None = None
    for front in bolus_fronts(anatomy, frames):
        filling = replace(look.filling, front_mm=float(front))
        contrast, mask = contrast_shadow(anatomy, filling, projection, scene.length)
        shown.append(picture(scene, contrast, mask, rng, look, before))
        before = contrast
    return shown


def write_study(
    directory: Path,
    model: SurfaceModel,
    geometry: CaseGeometry,
    render: Renderer,
    settings: CaseSettings,
    details: dict[str, Any],
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> None:
    """Write mesh, views and truth of a case as :func:`write_case` does; ``render`` makes the pictures.

    ``details`` go into the truth file as they are; its "seed" and "family" name the study.
    """
    from PIL import Image

    truth: dict[str, Any] = {
        "schema_version": 1, **details, "model": MODEL_FILE, "model_coordinates": "LPS",
        "model_to_world": geometry.model_to_world.tolist(), "views": [],
    }
    with new_folder(directory) as folder:
        write_model(folder / MODEL_FILE, model)
        for number, (view, frames) in enumerate(zip(geometry.views, settings.frames, strict=True)):
            raise_if_stopped(should_stop)
            progress(number / len(geometry.views), f"simulating view {number}")
            shown = render(number, view, frames)
            labels = RunLabels(int(details["seed"]), number + 1, _BODY_PARTS.get(details["family"], "ABDOMEN"), 133.0)
            write_xa(folder / f"view_{number}.dcm", np.stack([frame.attenuation for frame in shown]), [view], labels,
                     shown[0].usable, settings.storage)
            mask = shown[-1].vessel_mask
            Image.fromarray(mask.astype(np.uint8) * 255).convert("1").save(folder / f"vessel_mask_{number}.png")
            truth["views"].append({
                "file": f"view_{number}.dcm", "frames": frames, "contrast_frame": frames - 1,
                "vessel_mask": f"vessel_mask_{number}.png",
                "primary_angle_deg": view.primary_angle_deg, "secondary_angle_deg": view.secondary_angle_deg,
                "sid_mm": view.sid_mm, "sod_mm": view.sod_mm, "row_spacing_mm": view.row_spacing_mm,
                "column_spacing_mm": view.column_spacing_mm, "rows": view.rows, "columns": view.columns,
                "projection": (view.projection_matrix @ geometry.model_to_world).tolist(),
            })
        (folder / TRUTH_FILE).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    progress(1.0, "written")
