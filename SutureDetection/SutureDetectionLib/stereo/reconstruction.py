"""From detections in both eyes to stitches in millimetres: matching, triangulation, annulus, distances."""

from dataclasses import dataclass

import numpy as np
from VesselRegistrationLib.errors import UserError

from .annulus import AnnulusCurve, StitchSpacing, fit_annulus, stitch_spacing
from .camera import StereoCalibration
from .correspondence import USUAL, EyeMatches, MatchSettings, match_eyes
from .depth_prior import steadied
from .triangulation import Triangulated, triangulate


@dataclass(frozen=True)
class Reconstruction:
    """Points in the left camera's frame; row i of ``found`` belongs to ``matches.left[i]``, ``matches.right[i]``.

    ``measured`` are the points as triangulated one by one, ``found`` after they steadied each other (the same where
    that was not asked for). ``curve`` and ``spacing`` are None, and ``why_no_curve`` says why, where no ring can be
    fitted.
    """

    matches: EyeMatches
    measured: Triangulated
    found: Triangulated
    curve: AnnulusCurve | None
    spacing: StitchSpacing | None
    why_no_curve: str


def reconstruct(left: np.ndarray, right: np.ndarray, calibration: StereoCalibration,
                left_kinds: np.ndarray | None = None, right_kinds: np.ndarray | None = None,
                left_pairs: np.ndarray | None = None, sigma_px: float = 0.5, steady: bool = True,
                settings: MatchSettings = USUAL) -> Reconstruction:
    """Stitches in space from detections ``left`` (n, 2) and ``right`` (m, 2) in pixels of the calibrated pictures.

    Kinds as in :func:`.correspondence.match_eyes`; ``left_pairs`` (n,) are stitch numbers, negative for none;
    ``sigma_px`` the expected error of a detection in these pixels; ``steady`` draws depths towards a smooth ring.
    """
    left, right = np.asarray(left, dtype=float).reshape(-1, 2), np.asarray(right, dtype=float).reshape(-1, 2)
    matches = match_eyes(left, right, calibration, left_kinds, right_kinds, settings)
    measured = triangulate(left[matches.left], right[matches.right], calibration, sigma_px)
    found = steadied(measured, calibration) if steady else measured
    try:
        curve = fit_annulus(found.points, found.error_mm)
    except UserError as error:
        return Reconstruction(matches, measured, found, None, None, str(error))
    pairs = None if left_pairs is None else np.asarray(left_pairs)[matches.left]
    return Reconstruction(matches, measured, found, curve, stitch_spacing(curve, found.points, pairs), "")
