"""Matching of a projected model to a vessel mask: an affine network, then a search around its answer, then outlines."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..networks.device import choose_device
from ..networks.normalisation import NETWORK_SIZE, resize
from ..networks.weights import ModelCard, load_card, load_network
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..registration.result import Overlap
from .contour_polish import Outline, polish
from .coordinates import theta_to_affine
from .overlap import binary_overlap

ARCHITECTURES = ("AffineCNN", "MatchNet")
SCALE_RANGE = (0.5, 2.0)
LARGEST_STRETCH = 1.35
LARGEST_TURN_DEG = 45.0
LEAST_AGREEMENT = 0.4

_POLISHED = 3


@dataclass(frozen=True)
class AffineMatch:
    """What matching found in one view.

    ``affine`` and ``network_affine`` (2, 3) map moving to fixed pixels (col, row), after and before the refinement
    (the same where there was none). The Dice are those of the moving image as it was, where the network put it, and at
    the end; ``precision`` and ``recall`` are those at the end. All compare binary masks where both images are known.
    ``warning`` says in one sentence why the fit is not to be trusted, and is empty where nothing speaks against it.
    """

    affine: np.ndarray
    network_affine: np.ndarray
    dice_before: float
    dice_network: float
    dice: float
    precision: float
    recall: float
    warning: str = ""


class AffineMatcher:
    """The trained matching network with its refinement."""

    def __init__(self, card: ModelCard | str = "matching_ours", device: str = "auto") -> None:
        """Load a network by its card or the card's name. Raises UserError where weights or device cannot be used."""
        self.card = card if isinstance(card, ModelCard) else load_card(card)
        if self.card.architecture not in ARCHITECTURES:
            raise UserError(f"The network '{self.card.name}' does not match images: choose matching_ours or matching.")
        self._device = choose_device(device)
        self._network = load_network(self.card).to(self._device)

    def match(self, moving: np.ndarray, fixed: np.ndarray, usable: np.ndarray | None = None,
              moving_known: np.ndarray | None = None, *, refine: bool = True,
              progress: ProgressCallback = ignore_progress, should_stop: StopCheck = never_stop) -> AffineMatch:
        """Find the affine that brings the silhouette ``moving`` onto the vessel mask ``fixed``.

        Images are (rows, columns) of the same shape and pixel size, bool or 0..1. ``usable`` (rows, columns) bool is
        False behind shutters of the fixed image; ``moving_known`` is False where the moving image says nothing, for
        instance outside the region of interest: neither is held against a fit. ``refine=False`` is the method as
        published, the network's answer alone. Raises UserError where a mask is empty or shapes differ, Cancelled on
        request.
        """
        known = _mask_or_ones(moving_known, moving.shape)
        seen = _mask_or_ones(usable, moving.shape)
        _check(moving, fixed, known, seen)
        moving, fixed = np.where(known, moving, 0.0), np.where(seen, fixed, 0.0)
        progress(0.0, "matching network")
        small = [_to_network(image) for image in (moving, known, fixed, seen)]
        theta = self._ask(small[0], small[2])
        size = (moving.shape[0], moving.shape[1])
        try:
            network_affine = theta_to_affine(theta, size, size)
        except np.linalg.LinAlgError:
            theta, network_affine = np.eye(2, 3), np.eye(2, 3)
        affine, agreement = network_affine, 1.0
        if refine:
            progress(0.3, "refinement")
            outlines = (Outline(moving > 0.5, known), Outline(fixed > 0.5, seen))
            affine, agreement = _refined(small, theta, outlines, should_stop)
        before, by_network, after = (_overlap(moving, known, fixed, seen, entry)
                                     for entry in (np.eye(2, 3), network_affine, affine))
        progress(1.0, "matched")
        return AffineMatch(affine, network_affine, before.dice, by_network.dice, after.dice,
                           after.precision, after.recall,
                           implausibility(affine, size, moving, before.dice, after.dice) or _disagreement(agreement))

    def _ask(self, moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """theta (2, 3) of the network for images (256, 256)."""
        import torch

        pair = torch.from_numpy(np.stack([moving, fixed]))[None].to(self._device)
        with torch.inference_mode():
            return self._network(pair)[0].cpu().numpy().astype(float)


def implausibility(affine: np.ndarray, size: tuple[int, int], moving: np.ndarray, dice_before: float,
                   dice: float) -> str:
    """Why an affine (2, 3, pixels) cannot be right, in one sentence, or an empty string.

    ``size`` is (rows, columns) of the fixed image, ``moving`` (rows, columns) the silhouette it moves.
    """
    singular = np.linalg.svd(affine[:, :2], compute_uv=False)
    scale = float(np.sqrt(singular[0] * singular[1]))
    if np.linalg.det(affine[:, :2]) <= 0 or not SCALE_RANGE[0] <= scale <= SCALE_RANGE[1]:
        return f"The fit scales or mirrors the model implausibly (scale {scale:.2f})."
    if singular[0] / singular[1] > LARGEST_STRETCH**2:
        return f"The fit shears the model implausibly (axes {singular[0]:.2f} and {singular[1]:.2f})."
    turn = np.degrees(np.arctan2(affine[1, 0] - affine[0, 1], affine[0, 0] + affine[1, 1]))
    if abs(turn) > LARGEST_TURN_DEG:
        return f"The fit turns the model by {turn:.0f} deg, which is implausible."
    rows, columns = np.nonzero(moving > 0.5)
    col, row = affine @ [columns.mean(), rows.mean(), 1.0]
    if not (-0.5 <= col <= size[1] - 0.5 and -0.5 <= row <= size[0] - 0.5):
        return "The fit moves the middle of the model out of the image."
    if dice < dice_before:
        return f"The fit overlaps less (Dice {dice:.2f}) than the model did where it was ({dice_before:.2f})."
    return ""


def _refined(small: list[np.ndarray], theta: np.ndarray, outlines: tuple[Outline, Outline],
             should_stop: StopCheck) -> tuple[np.ndarray, float]:
    """Search around theta (2, 3) on the network's images, then sharpen on the outlines.

    Gives moving -> fixed pixels (2, 3) and the share of the outlines that agree.
    """
    import torch

    from .motion import invert
    from .refinement import Pair, refine

    size = (outlines[0].mask.shape[0], outlines[0].mask.shape[1])
    pair = Pair(*(torch.from_numpy(image)[None, None] for image in small))
    answer = invert(torch.from_numpy(theta).float()[None])[0]
    aspect = (max(size) / size[1], max(size) / size[0])
    found = invert(refine(pair, answer, aspect, should_stop)).double().numpy()
    polished = [polish(*outlines, theta_to_affine(one, size, size), should_stop) for one in found[:_POLISHED]]
    return max(polished, key=lambda one: one[1])


def _disagreement(agreement: float) -> str:
    """Why outlines that agree to a share of ``agreement`` cannot belong together, or an empty string."""
    if agreement >= LEAST_AGREEMENT:
        return ""
    return f"Only {100 * agreement:.0f} % of the outlines of model and vessel lie on each other after the fit."


def _overlap(moving: np.ndarray, known: np.ndarray, fixed: np.ndarray, seen: np.ndarray,
             affine: np.ndarray) -> Overlap:
    """Overlap of the moved silhouette, where both images are known."""
    from scipy.ndimage import affine_transform

    inverse = np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))
    swapped = inverse[:2, :2][::-1, ::-1]
    offset = inverse[:2, 2][::-1]
    moved, moved_known = (affine_transform(np.asarray(image, dtype=np.float32), swapped, offset, order=1) > 0.5
                          for image in (moving, known))
    counted = moved_known & seen
    found, truth = moved & counted, (fixed > 0.5) & counted
    return binary_overlap(found, truth)


def _to_network(image: np.ndarray) -> np.ndarray:
    return resize(image, NETWORK_SIZE, NETWORK_SIZE)


def _mask_or_ones(mask: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    return np.ones(shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)


def _check(moving: np.ndarray, fixed: np.ndarray, known: np.ndarray, seen: np.ndarray) -> None:
    if not moving.shape == fixed.shape == known.shape == seen.shape or moving.ndim != 2:
        raise UserError("The projection, the vessel mask and their regions differ in size: give images of one size.")
    if not np.any((moving > 0.5) & known):
        raise UserError("The projected model does not show in the region of interest: choose another region or check "
                        "the geometry.")
    if not np.any((fixed > 0.5) & seen):
        raise UserError("The vessel mask is empty, so there is nothing to match: choose a frame with contrast or give "
                        "a mask.")
