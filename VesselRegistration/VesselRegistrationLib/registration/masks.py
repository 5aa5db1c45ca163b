"""The vessel masks that a registration is made to: given, or segmented by the network for the field of view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ..dicom.frame import XAFrame
from ..errors import UserError
from ..networks.field_of_view import AUTO, FieldOfViewChoice, choose_field_of_view
from ..networks.segmentation import VesselSegmenter, threshold_mask
from ..networks.weights import load_own_card
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped

DEFAULT_THRESHOLD = 0.5
GIVEN = "given by the user"


@dataclass(frozen=True)
class VesselMask:
    """A mask (rows, columns) bool and one sentence that says where it came from.

    ``probability`` (rows, columns) float32 is what the network said; None where the mask was given. ``weights`` maps
    the network to the SHA-256 of its weights; ``network`` is what ``load_card`` finds it by.
    """

    mask: np.ndarray
    source: str
    probability: np.ndarray | None = None
    field_of_view: str | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None


class FrameSegmenter:
    """Segments frames of one study; networks are loaded when they are first needed."""

    def __init__(self, field_of_view: str = AUTO, threshold: float = DEFAULT_THRESHOLD, device: str = "auto",
                 network: Path | str | None = None) -> None:
        """``field_of_view`` is lower, upper or auto: then the first frame decides for all of the study.

        ``network`` is the card or the weights file of a network of the user's, which is used for both fields of view in
        place of the shipped ones. Raises UserError where it cannot be used.
        """
        self._request = field_of_view
        self._threshold = threshold
        self._networks = _Networks(device)
        self._device = device
        self._own_file = network
        self._own_card = None if network is None else load_own_card(network)

    def segment(self, frame: XAFrame) -> VesselMask:
        """The vessels of a frame. Raises UserError for a blank frame, a wrong option or unusable weights."""
        if self._own_card is not None:
            return self._segmented(frame, self._own, "A network of your own.", None, str(self._own_file))
        choice = self._choice(frame)
        network = self._networks[choice.field_of_view]
        return self._segmented(frame, network, choice.reason, choice.field_of_view, network.card.name)

    @cached_property
    def _own(self) -> VesselSegmenter:
        assert self._own_card is not None
        return VesselSegmenter(self._own_card, self._device)

    def _segmented(self, frame: XAFrame, network: VesselSegmenter, reason: str, field_of_view: str | None,
                   found_by: str) -> VesselMask:
        probability = network.probability(frame.attenuation, frame.usable)
        return VesselMask(threshold_mask(probability, self._threshold), f"Segmented by {network.card.name}. {reason}",
                          probability, field_of_view, {network.card.name: network.card.sha256}, found_by)

    def _choice(self, frame: XAFrame) -> FieldOfViewChoice:
        choice = choose_field_of_view(self._request, frame.body_part, frame.attenuation, frame.usable, self._networks)
        self._request = choice.field_of_view
        return choice


class _Networks(dict[str, VesselSegmenter]):
    """The vessel networks by field of view, loaded on first use."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __missing__(self, field_of_view: str) -> VesselSegmenter:
        network = VesselSegmenter(f"vessels_{field_of_view}", self._device)
        self[field_of_view] = network
        return network


def vessel_masks(frames: Sequence[XAFrame], given: Sequence[np.ndarray | None], segmenter: FrameSegmenter,
                 progress: ProgressCallback = ignore_progress,
                 should_stop: StopCheck = never_stop) -> tuple[VesselMask, ...]:
    """A mask for every frame: the given one, (rows, columns) bool, where there is one, else the segmented one.

    Raises UserError where a given mask has another size than its frame, and as ``FrameSegmenter`` does.
    """
    for frame, mask in zip(frames, given, strict=True):
        if mask is not None and mask.shape != frame.attenuation.shape:
            (rows, columns), (mask_rows, mask_columns) = frame.attenuation.shape, mask.shape
            raise UserError(f"The mask for {frame.path.name} has {mask_columns} x {mask_rows} pixels and the X-ray "
                            f"{columns} x {rows}: give a mask of the X-ray's size.")
    masks = []
    for number, (frame, mask) in enumerate(zip(frames, given, strict=True)):
        raise_if_stopped(should_stop)
        progress(number / len(frames), "finding vessels")
        masks.append(segmenter.segment(frame) if mask is None else VesselMask(mask.astype(bool), GIVEN))
    return tuple(masks)
