"""The catheter experiment: its plan is the paper's, its tables are complete, and it goes on after a stop."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.simulation import backgrounds, catheter_frames
from VesselRegistrationLib.simulation.domains import HELD_OUT_DOMAINS
from VesselRegistrationLib.training.experiment.budget import BUDGETS, PAPER, Budget
from VesselRegistrationLib.training.experiment.frames import PROCEDURES, Mixture, simulated
from VesselRegistrationLib.training.experiment.running import run_experiment
from VesselRegistrationLib.training.experiment.stages import settings_of, stages
from VesselRegistrationLib.training.trainer import Place

TINY = Budget("tiny", 4, 1, 2, (1,) * 6, (1,) * 6, 1, 3, 2, ("light",), timed=1)
HERE = Place("cpu", 1, 0)


class Bars(Dataset[tuple[torch.Tensor, ...]]):
    """Noise with a darker bar as the catheter; every source is noisier than the one before."""

    def __init__(self, source: str, targets: Sequence[str]) -> None:
        self.level = 0.02 * len(source)
        self.targets = targets

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(index)
        mask = torch.zeros(1, 32, 32)
        mask[:, :, 4 + index % 20:8 + index % 20] = 1
        image = 0.3 + 0.5 * mask + self.level * torch.rand(1, 32, 32, generator=generator)
        return image.clamp(0, 1), mask.expand(len(self.targets), 32, 32).clone(), torch.ones(1, 32, 32)


def test_the_papers_numbers() -> None:
    plan = {stage.name: stage for stage in stages(BUDGETS[PAPER])}
    frames = {name: sum(count for _, count in stage.parts) for name, stage in plan.items()}
    assert (frames["light"], frames["light S1"], frames["light S2"], frames["light S3"]) == (9000, 240, 714, 579)
    assert {frames[f"only others than {name}"] for name in PROCEDURES} == {921, 1057, 1007, 1064, 979}
    assert sum(BUDGETS[PAPER].tuning) + sum(BUDGETS[PAPER].testing) == 1207
    base, tuned = settings_of(plan["light"]), settings_of(plan["light S1"])
    assert (base.steps, base.batch_size, base.learning_rate, base.loss) == (3600, 30, 1e-3, "weighted_dice")
    assert (tuned.steps, tuned.batch_size, tuned.learning_rate) == (50 * 24, 10, 1e-3)
    assert [plan[name].epochs for name in ("ours", "ours S1")] == [36, 150]
    assert plan["light S1"].frozen == "all-but-7" and plan["19 layers"].frozen == "all-but-19"
    assert plan["light S2"].tests == ("T2", "T3", "T5") and plan["light S3"].tests == ("T3", "T4", "T6")
    for stage in plan.values():
        sources = {source for source, _ in stage.parts}
        assert not stage.init or list(plan).index(stage.init) < list(plan).index(stage.name)
        if stage.name.startswith(("without", "only", "light S2", "light S3")):
            assert not sources & set(stage.tests)
        assert settings_of(stage).steps == stage.epochs * math.ceil(frames[stage.name] / stage.batch)


def test_procedures_are_domains_and_patients_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).uniform(20, 230, (2, 256, 256)).astype(np.float32)
    monkeypatch.setattr(backgrounds, "_patches", lambda size, domain: noise)
    image, masks, usable = simulated("patches", ("vessel", "device"))[3]
    assert image.shape == usable.shape == (1, 256, 256) and masks.shape == (2, 256, 256)
    assert masks[1].any() and not masks[0].any()
    frame = backgrounds.patch_frame(0)
    asked: list[tuple[str, int, str]] = []

    def record(family: str, seed: int, size: int, domain: str) -> catheter_frames.CatheterFrame:
        asked.append((family, seed, domain))
        return frame

    monkeypatch.setattr(catheter_frames, "catheter_frame", record)
    patients: list[int] = []
    for name, domain in PROCEDURES.items():
        asked.clear()
        frames = simulated(name, ("device",))
        assert all(frames[index][1].any() for index in range(16))
        assert len(set(asked)) == 16 and {entry[2] for entry in asked} == {domain}
        patients += sorted({seed % catheter_frames._HELD_OUT_ANATOMIES for _, seed, _ in asked})
    assert patients == list(range(catheter_frames._HELD_OUT_ANATOMIES))
    assert set(PROCEDURES.values()) <= set(HELD_OUT_DOMAINS) and len(set(PROCEDURES.values())) == 6


def test_a_mixture_holds_every_frame_once() -> None:
    mixture = Mixture([(Bars("a", ("device",)), range(5)), (Bars("bbbb", ("device",)), range(2, 4))])
    assert len(mixture) == 7 and len(set(mixture._places)) == 7
    assert mixture._places != sorted(mixture._places)


def test_the_experiment_goes_on_after_a_stop_and_fills_every_table(tmp_path: Path) -> None:
    asked = iter(range(10**6))
    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        run_experiment(out, TINY, place=HERE, frames=Bars, should_stop=lambda: next(asked) == 5)
    first = (out / "trainings" / "light" / "scores.json").read_bytes()
    text = run_experiment(out, TINY, place=HERE, frames=Bars)
    assert (out / "trainings" / "light" / "scores.json").read_bytes() == first
    assert text == (out / "report.md").read_text(encoding="utf-8")
    for number in ("2", "4", "5", "6"):
        assert f"## Table {number}" in text
    assert "687,634" in text and "14,133,154" in text
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    whole = content["stages"]
    assert set(whole) == {stage.name for stage in stages(TINY)}
    rows = [line for line in text.splitlines() if line.startswith("| synthetic, fine-tuned on split S2")]
    cells = [cell.strip() for cell in rows[0].split("|")[2:-1]]
    values = [whole["light S2"]["tests"][name]["dice"] for name in ("T2", "T3", "T5")]
    assert [cells[0], cells[3], cells[5]] == ["-"] * 3
    assert float(cells[6]) == pytest.approx(np.mean(values), abs=0.006)
    with pytest.raises(UserError, match="another budget"):
        run_experiment(out, replace(TINY, frames=5), place=HERE, frames=Bars)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("")
    with pytest.raises(UserError, match="not empty"):
        run_experiment(tmp_path / "full", TINY, place=HERE, frames=Bars)
