"""Suture points of all frames as text nodes that the frames' browser keeps: detections, corrections, labels.

Each stands apart from the others. Detections hold all peaks down to a low confidence, so that a threshold can be moved
without the network; corrections hold frames as a person left them; labels hold what others marked. Positions are
pixels (col, row) of the whole picture, both eyes in it where it has two.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from VesselRegistrationLib.scene.nodeRoles import nodeInRole, ownNode

from .. import UNKNOWN_KIND
from ..detection.points import UNPAIRED, SuturePoints, no_points
from ..tracking.tracker import NO_TRACK
from .frameSeries import FrameSeries

DETECTIONS, CORRECTIONS, LABELS = "detections", "corrections", "labels"
_NAMES = {DETECTIONS: "Suture detections", CORRECTIONS: "Suture corrections", LABELS: "Suture labels"}
_VERSION = 1


@dataclass(frozen=True)
class NumberedPoints:
    """Points of a frame with their track numbers (N,), ``NO_TRACK`` where there are none."""

    points: SuturePoints
    trackIds: np.ndarray

    @classmethod
    def of(cls, points: SuturePoints) -> "NumberedPoints":
        """Points without tracks."""
        return cls(points, np.full(len(points), NO_TRACK))

    def shifted(self, shift: np.ndarray) -> "NumberedPoints":
        """The same points moved by (2,) pixels."""
        return NumberedPoints(replace(self.points, positions=self.points.positions + shift), self.trackIds)

    def chosen(self, which: np.ndarray) -> "NumberedPoints":
        """The points at these indices, or where a boolean (N,) is true."""
        return NumberedPoints(self.points.chosen(which), self.trackIds[which])


@dataclass(frozen=True)
class PointRecord:
    """``frames`` by their index; ``about`` says in plain values where the points come from."""

    frames: Mapping[int, NumberedPoints]
    about: Mapping[str, Any]


def together(parts: list[NumberedPoints]) -> NumberedPoints:
    """The points of several lists as one; equal pair numbers mean the same stitch."""
    if not parts:
        return NumberedPoints.of(no_points())
    every = [part.points for part in parts]
    points = SuturePoints(*(np.concatenate([getattr(each, field.name) for each in every])
                            for field in fields(SuturePoints)))
    return NumberedPoints(points, np.concatenate([part.trackIds for part in parts]))


def joined(parts: list[NumberedPoints]) -> NumberedPoints:
    """The points of several eyes as those of one picture; stitches of different eyes stay apart."""
    shift, apart = 0, []
    for part in parts:
        own = part.points.pair_ids
        pairIds = np.where(own == UNPAIRED, UNPAIRED, own + shift)
        apart.append(NumberedPoints(replace(part.points, pair_ids=pairIds), part.trackIds))
        shift += int(own.max(initial=-1)) + 1
    return together(apart)


def labelPoints(positions: np.ndarray, kinds: np.ndarray | None = None,
                pairIds: np.ndarray | None = None) -> NumberedPoints:
    """Points (N, 2) that a person marked, of confidence 1."""
    count = len(positions)
    return NumberedPoints.of(SuturePoints(
        np.asarray(positions, float).reshape(-1, 2), np.ones(count),
        np.full(count, UNKNOWN_KIND) if kinds is None else kinds,
        np.full(count, UNPAIRED) if pairIds is None else pairIds))


def readRecord(series: FrameSeries, role: str) -> PointRecord | None:
    """A record of a series, None where there is none."""
    node = nodeInRole(series.browser, role)
    if node is None or not node.GetText():
        return None
    content = json.loads(node.GetText())
    return PointRecord({int(index): _fromRows(rows) for index, rows in content["frames"].items()}, content["about"])


def writeRecord(series: FrameSeries, role: str, record: PointRecord) -> None:
    """Keep a record with a series, in place of the one before."""
    node = ownNode(series.browser, role, "vtkMRMLTextNode", f"{_NAMES[role]} of {series.volume.GetName()}")
    frames = {str(index): _toRows(points) for index, points in sorted(record.frames.items())}
    node.SetText(json.dumps({"schema_version": _VERSION, "about": dict(record.about), "frames": frames}))


def forgetRecord(series: FrameSeries, role: str) -> None:
    """Remove a record from the scene."""
    node = nodeInRole(series.browser, role)
    if node is not None:
        series.scene.RemoveNode(node)


def _toRows(numbered: NumberedPoints) -> list[list[float]]:
    points = numbered.points
    return [[round(float(col), 4), round(float(row), 4), round(float(confidence), 4), int(kind), int(pair), int(track)]
            for (col, row), confidence, kind, pair, track in zip(
                points.positions, points.confidence, points.kinds, points.pair_ids, numbered.trackIds, strict=True)]


def _fromRows(rows: list[list[float]]) -> NumberedPoints:
    table = np.array(rows, dtype=float).reshape(-1, 6)
    points = SuturePoints(table[:, :2], table[:, 2], table[:, 3].astype(int), table[:, 4].astype(int))
    return NumberedPoints(points, table[:, 5].astype(int))
