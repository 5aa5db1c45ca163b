"""Fig. 4 of Sharan et al.: true positives among close and other points, fold by fold, as a picture."""

from collections.abc import Sequence
from pathlib import Path

from .experiments import DATASETS, OURS, Design, Outcome
from .tables import VARIANT_1

_DATASET = "simulator"
_BARS = ((Design(VARIANT_1, "gauss", 2.0, 1.0), "lightskyblue", "σ₁ = 2, σ₂ = 1"),
         (Design(VARIANT_1, "gauss", 3.0, 1.0), "orange", "σ₁ = 3, σ₂ = 1"), (Design(OURS), "seagreen", "ours"))


def write_figure_4(path: Path, outcomes: Sequence[Outcome]) -> bool:
    """Draw the bars of the networks that were trained; gives False, and draws nothing, where none of them was."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(outcome, colour, label) for wanted, colour, label in _BARS for outcome in outcomes
             if outcome.design == wanted]
    if not shown:
        return False
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, subset, title in zip(figure.subplots(1, 2, sharey=True), ("close", "apart"),
                                   ("(a) closer than 15 px", "(b) not close"), strict=True):
        width = 0.8 / len(shown)
        for number, (outcome, colour, label) in enumerate(shown):
            share = [100 * getattr(scores, subset).tpr for scores in outcome.folds[_DATASET]]
            places = [fold + 1 + (number - (len(shown) - 1) / 2) * width for fold in range(len(share))]
            axes.bar(places, share, width, color=colour, label=label)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(1, 1 + max(len(outcome.folds[_DATASET]) for outcome, _, _ in shown)))
        axes.set_xlabel("fold")
        axes.set_ylim(0, 100)
    figure.axes[0].set_ylabel("true positives (%)")
    figure.axes[0].legend(fontsize=8, loc="lower left")
    figure.suptitle(f"True positives, {DATASETS[_DATASET]}", fontsize=11)
    figure.savefig(path, dpi=130)
    return True
