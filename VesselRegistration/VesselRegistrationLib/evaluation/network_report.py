"""Report of an evaluation of networks: a table per domain and one per patient, as Markdown and JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..registration.result_file import software_versions
from .outcomes import Measure, NetworkOutcome, grouped

SCHEMA_VERSION = 1
ALL = "all"


def markdown_of_networks(outcomes: Sequence[NetworkOutcome], measures: Sequence[Measure], command: str, notes: str,
                         patients: bool = True) -> str:
    """``notes`` says what was measured; the table per patient is left out where ``patients`` is False."""
    networks = list(grouped(outcomes, lambda one: one.network))
    domains = list(grouped(outcomes, lambda one: one.domain))
    count = len(grouped(outcomes, lambda one: (one.domain, one.number)))
    lines = [f"`{command}`", "", f"{count} cases, the same for every network. {notes}", "", "## Domains", ""]
    rows = [(domain, network) for domain in domains for network in networks]
    if len(domains) > 1:
        rows += [(ALL, network) for network in networks]
    cells = [(domain, network, [one for one in outcomes if one.network == network and domain in (ALL, one.domain)])
             for domain, network in rows]
    lines += _table(("domain", "network"), cells, measures)
    if patients:
        by_patient = grouped(outcomes, lambda one: (f"{one.domain}: {one.patient}", one.network))
        lines += ["", "## Patients", "", *_table(("patient", "network"), [(*key, group) for key, group in
                                                                          sorted(by_patient.items())], measures)]
    return "\n".join(lines) + "\n"


def networks_as_dict(outcomes: Sequence[NetworkOutcome], measures: Sequence[Measure], command: str,
                     weights: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """All outcomes and the summaries per domain, with command, versions and the SHA-256 of the weights.

    What is no number, or infinite, is null.
    """
    domains = grouped(outcomes, lambda one: (one.domain, one.network))
    return {"schema_version": SCHEMA_VERSION, "command": command, "software": software_versions(),
            "weights": {name: dict(one) for name, one in weights.items()},
            "summary": [{"domain": domain, "network": network, "cases": len(group),
                         **{measure.title: _plain(measure.of(group)) for measure in measures}}
                        for (domain, network), group in domains.items()],
            "cases": [{"network": one.network, "domain": one.domain, "patient": one.patient, "case": one.case,
                       **{key: _plain(value) for key, value in one.values.items()},
                       **{key: [_plain(value) for value in several] for key, several in one.lists.items()}}
                      for one in outcomes]}


def _table(titles: tuple[str, str], rows: Sequence[tuple[str, str, Sequence[NetworkOutcome]]],
           measures: Sequence[Measure]) -> list[str]:
    shown = [measure for measure in measures if any(measure.text(group) != "-" for _, _, group in rows)]
    lines = [f"| {' | '.join((*titles, 'cases', *(measure.title for measure in shown)))} |",
             f"|---|---|{'---:|' * (len(shown) + 1)}"]
    lines += [f"| {first} | {second} | {len(group)} | {' | '.join(measure.text(group) for measure in shown)} |"
              for first, second, group in rows]
    return lines


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
