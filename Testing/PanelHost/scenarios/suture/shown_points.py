"""What the panel of Suture Detection shows of points, and a check of it."""

from __future__ import annotations

import numpy as np
import slicer


def series(panel):
    return panel.session.series


def nodeOf(panel, role: str):
    """The point node of a role: entries, exits, sutures, found, missed, false."""
    browser = series(panel).browser
    return browser.GetProxyNode(browser.GetNodeReference(f"HybridOR.{role}"))


def pixels(panel, role: str) -> np.ndarray:
    """Where the points of a role are shown, (N, 2) (col, row): pixel (col, row) lies at RAS (-col, -row, 0)."""
    return -slicer.util.arrayFromMarkupsControlPoints(nodeOf(panel, role))[:, :2]


def textOf(panel, role: str) -> str:
    return series(panel).browser.GetNodeReference(f"HybridOR.{role}").GetText()


def assertSamePoints(found: np.ndarray, expected: np.ndarray, tolerance: float = 0.3) -> None:
    """Each expected point has a found one of its own."""
    assert len(found) == len(expected)
    distance = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert (distance.min(axis=0) < tolerance).all() and (distance.min(axis=1) < tolerance).all()
