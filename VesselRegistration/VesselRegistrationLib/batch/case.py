"""One case of a batch: what to register, and how it went."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..dicom.overrides import GeometryOverrides
from ..errors import UserError
from ..networks.field_of_view import AUTO
from ..registration.masks import DEFAULT_THRESHOLD
from ..registration.methods import POSE
from ..registration.result import ROI, RegistrationResult

DONE = "done"
FAILED = "failed"


@dataclass(frozen=True)
class BatchDefaults:
    """What holds for the cases that do not say it themselves; see ``RegistrationRequest``."""

    method: str = POSE
    device: str = "auto"
    field_of_view: str = AUTO
    threshold: float = DEFAULT_THRESHOLD
    network: Path | None = None


@dataclass(frozen=True)
class CaseRequest:
    """What to register: files with whole paths, and settings as in ``RegistrationRequest``.

    ``frames`` (0-based, None for the one of strongest contrast) and ``geometry`` have an entry for each X-ray, as have
    ``masks`` where there are any. ``model_space`` is RAS, LPS or None for what the file says.
    """

    model: Path
    xrays: tuple[Path, ...]
    frames: tuple[int | None, ...]
    geometry: tuple[GeometryOverrides, ...]
    masks: tuple[Path, ...] = ()
    start: Path | None = None
    roi: ROI | None = None
    model_space: str | None = None
    model_unit: str = "mm"
    settings: BatchDefaults = BatchDefaults()

    def fingerprint(self) -> str:
        """SHA-256 of the files' content and of the settings, wherever the files lie and whatever computes.

        Raises UserError where a file cannot be read.
        """
        said = asdict(self)
        del said["settings"]["device"]
        del said["settings"]["network"]
        network = self.settings.network
        files = [self.model, *self.xrays, *self.masks, *([self.start] if self.start else []),
                 *([network] if network else [])]
        for name in ("model", "xrays", "masks", "start"):
            del said[name]
        said["files"] = [_content_hash(path) for path in files]
        said["counts"] = [len(self.xrays), len(self.masks)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class BatchCase:
    """A case by its name, which is also that of its folder; ``problem`` says in a sentence why it cannot be begun."""

    name: str
    request: CaseRequest | None
    problem: str = ""


@dataclass(frozen=True)
class CaseRow:
    """The line of a case in the results.

    ``status`` is done or failed; ``verdict`` accepted, check or rejected, empty where it failed. ``reason`` is one
    sentence. ``mrpd_mm`` is the expected in-plane error, which lies between ``mrpd_low_mm`` and ``mrpd_high_mm`` in 90
    of 100 cases; None where the method cannot tell. ``dice`` is that of the worst view. ``seconds`` are those of
    reading and registration.
    """

    case: str
    status: str
    verdict: str
    reason: str
    probability_within_2mm: float | None = None
    mrpd_mm: float | None = None
    mrpd_low_mm: float | None = None
    mrpd_high_mm: float | None = None
    depth_sd_mm: float | None = None
    dice: float | None = None
    views: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @classmethod
    def of_result(cls, name: str, result: RegistrationResult, notes: tuple[str, ...], seconds: float) -> "CaseRow":
        """The row of a registration, good or bad."""
        confidence = result.confidence if result.found else None
        low, high = confidence.mrpd_interval_mm if confidence else (None, None)
        return cls(
            case=name, status=DONE, verdict=result.status, reason=result.reason,
            probability_within_2mm=confidence.probability_within_2mm if confidence else None,
            mrpd_mm=confidence.mrpd_mm if confidence else None, mrpd_low_mm=low, mrpd_high_mm=high,
            depth_sd_mm=confidence.depth_sd_mm if confidence else None,
            dice=min(view.overlap.dice for view in result.views) if result.found else None,
            views=len(result.views), seconds=round(seconds, 2),
            notes=(*notes, *(confidence.notes if confidence else ())))

    @classmethod
    def of_failure(cls, name: str, reason: str, seconds: float = 0.0) -> "CaseRow":
        """The row of a case that could not be registered."""
        return cls(name, FAILED, "", reason, seconds=round(seconds, 2))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "CaseRow":
        """From ``dataclasses.asdict``. Raises KeyError or TypeError where something is missing."""
        values = {field.name: content[field.name] for field in fields(cls)}
        return cls(**values | {"notes": tuple(values["notes"])})


def _content_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise UserError(f"{path.name} cannot be read ({problem.strerror}): check its place in the table.") from None
