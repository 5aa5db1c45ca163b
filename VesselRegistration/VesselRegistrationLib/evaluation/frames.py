"""Frames with known masks that networks are judged on: simulated ones, domain by domain, or a folder's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UserError
from ..networks.frame_network import DEVICE, VESSEL
from ..networks.normalisation import NETWORK_SIZE
from ..simulation.domains import DOMAINS, HELD_OUT_DOMAINS
from ..training.split import (
    CATHETER_ANATOMIES,
    CATHETER_FRAMES_PER_SHOT,
    TEST_SPLIT,
    VALIDATION_SPLIT,
    catheter_seed,
    vessel_seed,
)

if TYPE_CHECKING:
    from ..training.frame_folder.listing import AnnotatedFrame
    from ..training.frame_folder.options import FolderOptions

FIELDS_OF_VIEW = ("lower", "upper")
FIRST_SEED = 900_001_000
"""Test case 0; no training and no validation counts its seeds from here."""


@dataclass(frozen=True)
class EvaluationFrame:
    """An X-ray and what is known of it; images (rows, columns).

    ``attenuation`` float, any unit, larger = attenuated more; ``usable`` bool, False behind shutters. ``masks`` holds
    true masks, bool, under "vessel" and "device". ``curves`` are true devices, each (N, 2) px (col, row), and ``tips``
    (K, 2) px the true tips that can be seen; None where they are not known. ``patient`` names the anatomy or folder.
    """

    name: str
    domain: str
    patient: str
    field_of_view: str | None
    attenuation: np.ndarray
    usable: np.ndarray
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    curves: tuple[np.ndarray, ...] | None = None
    tips: np.ndarray | None = None


FrameSource = Callable[[], EvaluationFrame]
"""Makes or reads one frame, always the same one: frames are made again for the pictures instead of being kept."""


def simulated_frames(what: str, domains: Sequence[str], fields_of_view: Sequence[str], count: int, first: int = 0,
                     size: int = NETWORK_SIZE) -> list[FrameSource]:
    """``count`` frames of every domain for "vessel" or "device" networks, cases ``first`` on, the fields of view in
    turn, ``size`` pixels wide and high.

    In the domains that networks learn from, anatomies are those of the validation. Raises UserError for a domain that
    is not there.
    """
    for domain in domains:
        if domain not in DOMAINS:
            raise UserError(f"There is no domain '{domain}': choose from {', '.join(DOMAINS)}.")
    make = _vessel_frame if what == VESSEL else _catheter_frame
    return [partial(make, domain, fields_of_view[case % len(fields_of_view)], case // len(fields_of_view), size)
            for domain in domains for case in range(first, first + count)]


def split_of(domain: str) -> str:
    """Which anatomies an evaluation shows in a domain: those of the test, or of the validation where it was learnt."""
    return TEST_SPLIT if domain in HELD_OUT_DOMAINS else VALIDATION_SPLIT


def _vessel_frame(domain: str, field_of_view: str, case: int, size: int) -> EvaluationFrame:
    from ..simulation.streams import anatomy_seed, training_frame

    seed = vessel_seed(split_of(domain), FIRST_SEED + case)
    image, vessels, devices, usable = training_frame(field_of_view, seed, size=size, domain=domain)
    return EvaluationFrame(f"{domain} {field_of_view} {case}", domain, f"{field_of_view} {anatomy_seed(seed, domain)}",
                           field_of_view, image, usable, {VESSEL: vessels, DEVICE: devices})


def _catheter_frame(domain: str, field_of_view: str, case: int, size: int) -> EvaluationFrame:
    from ..simulation.catheter_frames import catheter_frame

    split = split_of(domain)
    seed = catheter_seed(split, FIRST_SEED + case)
    frame = catheter_frame(field_of_view, seed, size=size, domain=domain)
    shot = seed // CATHETER_FRAMES_PER_SHOT % CATHETER_ANATOMIES if split == VALIDATION_SPLIT else seed
    return EvaluationFrame(f"{domain} {field_of_view} {case}", domain, f"{field_of_view} {shot}", field_of_view,
                           frame.attenuation, frame.usable, {VESSEL: frame.vessel_mask, DEVICE: frame.device_mask},
                           frame.curves, frame.tips[frame.tip_visible])


def folder_frames(folder: Path, what: str, options: "FolderOptions", count: int | None = None, first: int = 0,
                  field_of_view: str | None = None) -> list[FrameSource]:
    """The annotated frames of a folder, ``first`` on, by name, all where no count is given; masks are of "vessel" or
    "device".

    The layouts are those of the training. The folder's name is the domain, sub-folders are patients. Raises UserError
    where the folder or its files cannot be used.
    """
    from ..training.frame_folder.listing import find_frames

    frames = find_frames(folder)
    chosen = frames[first:None if count is None else first + count]
    if not chosen:
        raise UserError(f"The folder {folder} holds {len(frames)} frames, none from number {first} on: start earlier.")
    return [partial(_annotated_frame, frame, what, options, folder.name, field_of_view) for frame in chosen]


def _annotated_frame(frame: "AnnotatedFrame", what: str, options: "FolderOptions", domain: str,
                     field_of_view: str | None) -> EvaluationFrame:
    from ..training.frame_folder.masks import read_mask
    from ..training.frame_folder.pictures import read_frame

    attenuation, usable = read_frame(frame.picture, frame.number, options.polarity)
    mask = read_mask(frame.annotation, (attenuation.shape[0], attenuation.shape[1]), options)
    return EvaluationFrame(f"{frame.picture.stem} {frame.number}", domain, frame.group or domain, field_of_view,
                           attenuation, usable, {what: mask})
