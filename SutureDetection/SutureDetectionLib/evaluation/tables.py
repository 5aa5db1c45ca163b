"""Tables 1 to 4 of Sharan et al. from outcomes, with ours beside, as Markdown."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .experiments import DATASETS, HELD_OUT, OURS, Design, Outcome
from .scoring import RADII_PX, Scores

Measure = Callable[[Scores], float]

VARIANT_1 = "Variant 1"
_SIGMA_1 = (2.0, 3.0)
_SIGMA_2 = (1.0, 2.0, 3.0)
_PERCENT: tuple[tuple[str, Measure], ...] = (("PPV", lambda scores: 100 * scores.tally.ppv),
                                             ("TPR", lambda scores: 100 * scores.tally.tpr))


def all_tables(outcomes: Sequence[Outcome]) -> str:
    """The four tables and one of what is to be reached."""
    parts = [_summary(outcomes), _table_1(outcomes), _table_2(outcomes), _table_3(outcomes), _table_4(outcomes)]
    return "\n\n".join(part for part in parts if part)


def best_variant_1(outcomes: Sequence[Outcome], dataset: str) -> Outcome | None:
    """The variant 1 with the best mean F1 on a data set; None where none was trained."""
    candidates = [outcome for outcome in outcomes if outcome.design.experiment == VARIANT_1]
    return max(candidates, key=lambda outcome: _mean(outcome.folds[dataset], _f1), default=None)


def spread(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation over folds, without folds that have no value."""
    known = np.array([value for value in values if np.isfinite(value)])
    return f"{known.mean():.{digits}f} ± {known.std():.{digits}f}" if len(known) else "-"


def _f1(scores: Scores) -> float:
    return scores.tally.f1


def _mean(folds: Sequence[Scores], measure: Measure) -> float:
    return float(np.nanmean([measure(scores) for scores in folds]))


def _cell(folds: Sequence[Scores], measure: Measure, digits: int) -> str:
    return spread([measure(scores) for scores in folds], digits)


def _grid(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"**{title}**", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _summary(outcomes: Sequence[Outcome]) -> str:
    """Ours and the best variant 1 where it counts: looks that no training saw."""
    parts = []
    for dataset in HELD_OUT:
        peer = best_variant_1(outcomes, dataset)
        ours = next((outcome for outcome in outcomes if outcome.design.experiment == OURS), None)
        shown = [outcome for outcome in (peer, ours) if outcome is not None]
        rows = []
        for outcome in shown:
            scores = outcome.pooled[dataset]
            rows.append([_name(outcome.design), f"{scores.tally.f1:.3f}", f"{scores.tally.ppv:.3f}",
                         f"{scores.tally.tpr:.3f}", f"{scores.close.tpr:.3f}", f"{scores.apart.tpr:.3f}",
                         f"{scores.median_px:.2f}", f"{scores.rmse_px:.1f}",
                         "-" if np.isnan(scores.right_kind) else f"{scores.right_kind:.2f}"])
        header = ["", "F1 at 6 px", "PPV", "TPR", "TPR close", "TPR apart", "median px", "RMSE px", "right kind"]
        parts.append(_grid(f"Best variant 1 and ours: {DATASETS[dataset]}", header, rows))
    return "\n\n".join(parts)


def _table_1(outcomes: Sequence[Outcome]) -> str:
    parts = []
    for letter, (dataset, title) in zip("abcd", DATASETS.items(), strict=True):
        rows = [[_experiment(outcome.design), outcome.design.targets,
                 *(_cell(outcome.folds[dataset], measure, 2) for _, measure in _PERCENT),
                 _cell(outcome.folds[dataset], _f1, 4)] for outcome in outcomes]
        header = ["Experiment", "Mask distribution", "PPV", "TPR", "F1"]
        parts.append(_grid(f"Table 1 ({letter}): {title}", header, rows))
    return "\n\n".join(parts)


def _table_2(outcomes: Sequence[Outcome]) -> str:
    measures: tuple[tuple[str, Measure, int], ...] = (*((name, measure, 2) for name, measure in _PERCENT),
                                                      ("F1", _f1, 4))
    parts = []
    for letter, dataset in zip("ab", ("or", "simulator"), strict=True):
        rows = [[name, _targets(sigma_1), *(_of(outcomes, sigma_1, sigma_2, dataset, measure, digits)
                                            for sigma_2 in _SIGMA_2)]
                for name, measure, digits in measures for sigma_1 in _SIGMA_1]
        rows += [[name, OURS, value, value, value] for name, measure, digits in measures
                 for value in _ours(outcomes, dataset, measure, digits)]
        parts.append(_grid(f"Table 2 ({letter}): variant 1, {DATASETS[dataset]}",
                           ["Metric", "Mask distribution", *(f"σ₂ = {value:g}" for value in _SIGMA_2)], rows))
    return "\n\n".join(parts)


def _table_3(outcomes: Sequence[Outcome]) -> str:
    parts = []
    for letter, dataset in zip("abc", ("or", "or-heldout", "simulator"), strict=True):
        def measure(scores: Scores) -> float:
            return scores.rmse_px

        rows = [[_targets(sigma_1), *(_of(outcomes, sigma_1, sigma_2, dataset, measure, 2) for sigma_2 in _SIGMA_2)]
                for sigma_1 in _SIGMA_1]
        rows += [[OURS, value, value, value] for value in _ours(outcomes, dataset, measure, 2)]
        counts = ", ".join(f"{_name(outcome.design)}: {_computed(outcome.pooled[dataset])}" for outcome in outcomes
                           if outcome.design.experiment in (VARIANT_1, OURS))
        parts.append(_grid(f"Table 3 ({letter}): RMSE in px, {DATASETS[dataset]}",
                           ["Mask distribution", *(f"σ₂ = {value:g}" for value in _SIGMA_2)], rows)
                     + f"\n\nImages with found points: {counts or 'none'}.")
    return "\n\n".join(parts)


def _table_4(outcomes: Sequence[Outcome]) -> str:
    parts = []
    for letter, dataset in zip("abc", ("or", "or-heldout", "simulator"), strict=True):
        best = best_variant_1(outcomes, dataset)
        shown = [outcome for outcome in outcomes if outcome is best or outcome.design.experiment == OURS]
        rows = []
        for outcome in shown:
            for radius in RADII_PX:
                folds = [scores.by_radius[radius] for scores in outcome.folds[dataset]]
                rows.append([_experiment(outcome.design), outcome.design.targets, f"{radius:g} px",
                             spread([100 * tally.ppv for tally in folds], 2),
                             spread([100 * tally.tpr for tally in folds], 2), spread([tally.f1 for tally in folds], 4)])
        parts.append(_grid(f"Table 4 ({letter}): {DATASETS[dataset]}",
                           ["Experiment", "Mask distribution", "Radius", "PPV", "TPR", "F1"], rows))
    return "\n\n".join(parts)


def _of(outcomes: Sequence[Outcome], sigma_1: float, sigma_2: float, dataset: str, measure: Measure,
        digits: int) -> str:
    wanted = Design(VARIANT_1, "gauss", sigma_1, sigma_2)
    return next((_cell(outcome.folds[dataset], measure, digits) for outcome in outcomes if outcome.design == wanted),
                "not trained")


def _ours(outcomes: Sequence[Outcome], dataset: str, measure: Measure, digits: int) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.design.experiment == OURS:
            yield _cell(outcome.folds[dataset], measure, digits)


def _targets(sigma_1: float) -> str:
    return Design(VARIANT_1, "gauss", sigma_1).targets


def _experiment(design: Design) -> str:
    return f"{design.experiment}, σ₂ = {design.sigma_2:g}" if design.sigma_2 else design.experiment


def _name(design: Design) -> str:
    return OURS if design.experiment == OURS else f"{_experiment(design)}, {design.targets}"


def _computed(scores: Scores) -> str:
    return f"{scores.images - scores.images_without_points} of {scores.images}"
