"""The paper's tables, from the scores of the stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from .budget import LAYERS, Budget
from .frames import PATCHES, PROCEDURES

_NAMES = tuple(PROCEDURES)


def experiment_as_markdown(content: Mapping[str, Any], budget: Budget) -> str:
    """The report: Tables 2, 4, 5 and 6, before and after fine-tuning, the networks compared, the patch ablation."""
    scores, first = content["stages"], budget.networks[0]
    domains = ", ".join(f"{name} {domain}" for name, domain in PROCEDURES.items())
    parts = [
        "# Catheter networks: train on synthetic frames, fine-tune on others",
        f"Experiment 1 of Gherardini et al. 2020 on simulated frames; budget {budget.name}: {budget.frames} synthetic "
        f"frames for {budget.epochs} epochs in batches of {budget.batch}, then {sum(budget.tuning)} frames of other "
        f"domains for {budget.tuning_epochs} epochs in batches of {budget.tuning_batch}. In place of six procedures: "
        f"{domains}; each with patients of its own. Dice is the mean over frames, of masks at the threshold 0.5; at "
        "the paper's 0.01 it is in the JSON file. No image of a patient is in it.",
        f"The networks of the paper are trained by its recipe, ours by ours and with {budget.our_epochs} times as many "
        "epochs, which take about the time of the light U-Net. "
        f"Command: `{content['command']}`.",
        "## Table 2: layers that are fine-tuned, on a second dataset (domain wide)",
        table(("layers", "training Dice"),
              [(f"{layers} layers", f"{scores[f'{layers} layers']['training_dice']:.3f}") for layers in LAYERS]),
        "## Table 4: unseen procedures",
        table(("trained on", *_NAMES, "mean"), [
            ("the others only, without synthetic frames",
             *_row({name: scores[f"only others than {name}"]["tests"][name] for name in _NAMES})),
            ("synthetic, fine-tuned on the others",
             *_row({name: scores[f"without {name}"]["tests"][name] for name in _NAMES})),
            *((f"synthetic, fine-tuned on split {split}", *_row(scores[f"{first} {split}"]["tests"]))
              for split in ("S2", "S3"))]),
        "## Table 5: seen procedures (split S1)",
        table(("", *_NAMES, "mean"), [
            ("Dice", *_row(scores[f"{first} S1"]["tests"])),
            ("false positives, % of pixels", *_row(scores[f"{first} S1"]["tests"], "false_positives_percent"))]),
        "## Before and after fine-tuning (split S1), all networks",
        table(("network", *_NAMES, "mean"), [
            row for network in budget.networks
            for row in ((f"{network}, before", *_row(scores[network]["tests"])),
                        (f"{network}, after", *_row(scores[f"{network} S1"]["tests"])))]),
        "## Table 6: size and time",
        table(("network", "parameters", "time per picture, ms"), [
            (name, f"{entry['parameters']:,}", f"{entry['mean_ms']:.1f} ± {entry['spread_ms']:.1f}")
            for name, entry in content["times"].items()]),
        "## Ablation: the paper's patch recipe in place of simulated X-rays",
        table(("synthetic frames", *_NAMES, "mean"), [
            ("simulated X-rays, before fine-tuning", *_row(scores[first]["tests"])),
            ("patches, before fine-tuning", *_row(scores[PATCHES]["tests"])),
            ("simulated X-rays, after", *_row(scores[f"{first} S1"]["tests"])),
            ("patches, after", *_row(scores[f"{PATCHES} S1"]["tests"]))]),
    ]
    return "\n\n".join(parts) + "\n"


def _row(tests: Mapping[str, Mapping[str, float]], score: str = "dice") -> list[str]:
    values = [tests[name][score] for name in _NAMES if name in tests]
    cells = [f"{tests[name][score]:.2f}" if name in tests else "-" for name in _NAMES]
    return [*cells, f"{sum(values) / len(values):.2f}"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))
