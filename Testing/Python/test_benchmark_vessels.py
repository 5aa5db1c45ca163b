"""DRU-Net against our network: same samples, same minutes, steps kept over a kill, and a table that counts right."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import Dataset
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.errors import Cancelled, UserError
from VesselRegistrationLib.evaluation.frames import EvaluationFrame, FrameSource
from VesselRegistrationLib.networks.dru_net import DRUNet
from VesselRegistrationLib.networks.fluoro_net import FluoroNet
from VesselRegistrationLib.simulation.domains import HELD_OUT_DOMAINS
from VesselRegistrationLib.training.checkpoint import read_checkpoint
from VesselRegistrationLib.training.experiment import pace, vessel_comparison
from VesselRegistrationLib.training.experiment.vessel_comparison import (
    VesselBudget,
    compare_vessel_networks,
    simulated_samples,
)
from VesselRegistrationLib.training.settings import OUR_FLUOROSCOPY
from VesselRegistrationLib.training.trainer import Place

TOY = replace(OUR_FLUOROSCOPY, batch_size=2, first_fill=4, pool_size=16, validation_cases=2, checkpoint_every=1,
              warmup_steps=2)
BUDGET = VesselBudget(0.005, frames=2, timed=1, settings=TOY)
HERE = Place("cpu", 1, 0)
STEPS = {"dru-net": 45, "ours": 12}
DOMAINS = ("test", "borders", "coronary")


class Bars(Dataset[tuple[torch.Tensor, ...]]):
    """Noise with a dark upright bar as the vessel and a lying one as the device."""

    def __init__(self, split: str, targets: Sequence[str]) -> None:
        self.first = 0 if split == "training" else 1000
        self.targets = targets

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(self.first + index)
        masks = {name: torch.zeros(64, 64) for name in ("vessel", "device")}
        masks["vessel"][:, 6 + index % 40:16 + index % 40] = 1
        masks["device"][6 + index % 50:9 + index % 50] = 1
        image = 0.2 + 0.5 * masks["vessel"] + 0.3 * masks["device"] + 0.1 * torch.rand(64, 64, generator=generator)
        return image.clamp(0, 1)[None], torch.stack([masks[name] for name in self.targets]), torch.ones(1, 64, 64)


def frame(domain: str, field_of_view: str, number: int) -> EvaluationFrame:
    rng = np.random.default_rng([HELD_OUT_DOMAINS.index(domain), len(field_of_view), number, ord(field_of_view[0])])
    masks = {name: np.zeros((256, 256), dtype=bool) for name in ("vessel", "device")}
    left, top = rng.integers(40, 180, 2)
    masks["vessel"][:, left:left + 30] = True
    masks["device"][top:top + 9] = True
    image = 3.0 * masks["vessel"] + 1.5 * masks["device"] + rng.normal(0, 0.4, (256, 256))
    usable = np.ones((256, 256), dtype=bool)
    usable[:, :20 + 10 * number] = False
    return EvaluationFrame(f"{domain} {number}", domain, "someone", field_of_view, image.astype(np.float32), usable,
                           masks)


def frames(domain: str, field_of_view: str, count: int) -> Sequence[FrameSource]:
    return [partial(frame, domain, field_of_view, number) for number in range(count)]


def compare(out: Path, budget: VesselBudget = BUDGET, place: Place = HERE, **more: Any) -> str:
    return compare_vessel_networks(out, budget, place=place, samples=Bars, frames=frames, **more)


class Killed(BaseException):
    """As sudden as a kill: nobody catches it."""


def killed_at(words: str) -> Callable[[float, str], None]:
    def listen(share: float, text: str) -> None:
        if words in text:
            raise Killed
    return listen


def test_both_networks_see_the_same_pictures() -> None:
    for index in (0, 1):  # a vessel frame and a catheter frame
        one, other = (simulated_samples("training", targets)[index] for targets in (("vessel",), ("vessel", "device")))
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1][:1]) and torch.equal(one[2], other[2])
        assert len(other[1]) == 2 and other[1][1].any()
    seen: dict[str, torch.Tensor] = {}

    class Watching(nn.Module):
        def __init__(self, name: str, outputs: int) -> None:
            super().__init__()
            self.name, self.layer = name, nn.Conv2d(1, outputs, 1)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen[self.name] = image
            return self.layer(image)

    for name, outputs in (("dru-net", 1), ("ours", 2)):
        task = vessel_comparison._task(name, replace(TOY, half_size_fraction=0.0), Bars)
        batch = tuple(torch.stack(entries) for entries in zip(*(task.samples[index] for index in range(4)),
                                                              strict=True))
        task.loss(Watching(name, outputs), batch, 0, [torch.Generator().manual_seed(k) for k in range(4)])
    assert torch.equal(seen["dru-net"], seen["ours"]) and not torch.equal(seen["ours"], batch[0])


def test_all_held_out_domains_are_judged() -> None:
    asked: list[tuple[str, str, int]] = []
    vessel_comparison._judge([], BUDGET, lambda *place: asked.append(place) or [], lambda share, text: None,
                             lambda: False)
    domains = ("test", "dsa", "low-dose", "display", "borders", "inverted", "coronary")
    assert sorted(asked) == sorted((domain, field, 2) for domain in domains for field in ("lower", "upper"))


def test_minutes_become_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: clock[0])
    asked: list[str] = []

    def train(task: Any, settings: Any, out: Path, *, progress: Any, should_stop: Any, **_: Any) -> None:
        asked.append(task.name)
        seconds = {"vessels_dru_net": (1.0, 4.0), "vessels": (0.5, 1.0)}[task.name]
        for step in range(settings.steps):
            if should_stop():
                raise Cancelled("stopped")
            half = step < settings.steps // 2
            clock[0] += 60.0 if step % (settings.steps // 2) < 3 else seconds[0 if half else 1]
            progress(0.0, "")
        raise AssertionError("the measuring must not come to validate")

    monkeypatch.setattr(pace, "train", train)
    tasks = {name: partial(vessel_comparison._task, name, samples=Bars) for name in ("dru-net", "ours")}
    paces = pace.measure_paces(tasks, replace(TOY, half_size_fraction=0.25), HERE, lambda share, text: None,
                               lambda: False)
    assert paces == {"dru-net": pytest.approx(3.25), "ours": pytest.approx(0.875)}
    assert asked == ["vessels_dru_net", "vessels"] * (len(asked) // 2) and len(asked) >= 4
    assert pace.steps_in(20, 3.25) == 369 and pace.steps_in(20, 0.875) == 1371
    recurring = pace.Recurring(Bars("training", ("vessel",)), 3)
    assert torch.equal(recurring[7][0], recurring[1][0]) and not torch.equal(recurring[7][0], recurring[2][0])


def test_a_kill_keeps_the_measured_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TURNS", 1)
    out = tmp_path / "out"
    with pytest.raises(Killed):
        compare(out, progress=killed_at("pace of ours"))
    assert not (out / "steps.json").exists()
    with pytest.raises(Killed):
        compare(out, progress=killed_at("ours: step 1/"))
    measured = (out / "steps.json").read_bytes()
    steps = {name: entry["steps"] for name, entry in json.loads(measured).items()}
    for name, entry in json.loads(measured).items():
        assert abs(steps[name] * entry["seconds_per_step"] - 0.3) <= max(0.5, entry["seconds_per_step"])
    first = (out / "weights" / "dru-net.safetensors").stat().st_mtime_ns
    assert read_checkpoint(out / "trainings" / "ours")["step"] == 1
    with pytest.raises(Killed):
        compare(out, progress=killed_at("frame 0"))
    assert (out / "steps.json").read_bytes() == measured
    assert (out / "weights" / "dru-net.safetensors").stat().st_mtime_ns == first
    for name in ("dru-net", "ours"):
        checkpoint = read_checkpoint(out / "trainings" / name)
        assert checkpoint["step"] == checkpoint["settings"]["steps"] == steps[name]
        assert checkpoint["settings"]["loss"] == "dice"
        assert checkpoint["settings"]["change_appearance"]
    for budget, place in ((replace(BUDGET, minutes=7.0), HERE), (BUDGET, Place("cpu", 2, 0))):
        with pytest.raises(UserError, match="another budget") as refusal:
            compare(out, budget, place)
        assert "\n" not in str(refusal.value) and str(refusal.value).count(". ") == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A comparison of a few steps on three of the domains, and the text that it gave."""
    out = tmp_path_factory.mktemp("vessels") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vessel_comparison, "measure_paces",
                      lambda *_: {name: 60 * BUDGET.minutes / steps for name, steps in STEPS.items()})
        patch.setattr(vessel_comparison, "HELD_OUT_DOMAINS", DOMAINS)
        return out, compare(out)


def means(out: Path, network: str, chosen: Sequence[EvaluationFrame]) -> dict[str, float]:
    """Scores by counting pixels, of the network as it was written, not as the engine runs it."""
    model = {"dru-net": DRUNet(), "ours": FluoroNet()}[network].eval()
    model.load_state_dict(load_file(out / "weights" / f"{network}.safetensors"))
    scores = []
    for one in chosen:
        inside = one.attenuation[one.usable]
        low, high = np.percentile(inside, 0.5), np.percentile(inside, 99.5)
        image = np.where(one.usable, ((one.attenuation - low) / (high - low)).clip(0, 1), 0.5).astype(np.float32)
        with torch.no_grad():
            answer = torch.sigmoid(model(torch.from_numpy(image)[None, None]))[0, 0].numpy()
        found, truth = set(np.flatnonzero((answer > 0.5) & one.usable)), set(
            np.flatnonzero(one.masks["vessel"] & one.usable))
        devices = set(np.flatnonzero(one.masks["device"] & one.usable))
        hits = len(found & truth)
        scores.append((2 * hits / (len(found) + len(truth)), hits / max(1, len(found)), hits / len(truth),
                       len((found - truth) & devices) / len(devices)))
    return dict(zip(("dice", "precision", "recall", "on_devices"), np.mean(scores, axis=0), strict=True))


def test_the_table_counts_right(finished: tuple[Path, str]) -> None:
    out, text = finished
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    table = {(row["domain"], row["field_of_view"], row["network"]): row for row in content["table"]}
    plain = ("test", "borders")
    groups = {(domain, field): [(domain, field)] for domain in DOMAINS for field in ("lower", "upper")}
    groups |= {("all but coronary", field): [(domain, field) for domain in plain] for field in ("lower", "upper")}
    groups["all but coronary", "both"] = [(domain, field) for domain in plain for field in ("lower", "upper")]
    assert set(table) == {(*group, network) for group in groups for network in ("dru-net", "ours")}
    assert [row["domain"] for row in content["table"]][-4:] == ["coronary"] * 4
    expected = {(place, network): means(out, network, [frame(*place, number) for number in range(2)])
                for place in groups if place[0] in DOMAINS for network in ("dru-net", "ours")}
    for network in ("dru-net", "ours"):
        assert any(0.02 < value["dice"] < 0.9999 for (_, name), value in expected.items() if name == network)
    lines = {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in text.splitlines()
             if line.startswith("| ")}
    for (domain, field, network), row in table.items():
        places = groups[domain, field]
        assert row["frames"] == 2 * len(places)
        for key in ("dice", "precision", "recall", "on_devices"):
            assert row[key] == pytest.approx(np.mean([expected[place, network][key] for place in places]), abs=2e-3)
        assert (domain, field, network, str(row["frames"]), f"{row['dice']:.3f}", f"{row['precision']:.3f}",
                f"{row['recall']:.3f}", f"{100 * row['on_devices']:.1f}%") in lines
    whole = [table["all but coronary", "both", network]["dice"] for network in ("ours", "dru-net")]
    assert content["difference"]["dice"] == pytest.approx(whole[0] - whole[1], abs=2e-5)
    assert f"difference {whole[0] - whole[1]:+.3f}" in text and "of 8 frames" in text
    cases = {(one["network"], one["domain"]) for one in content["cases"]}
    assert len(content["cases"]) == 2 * 2 * 6 and len(cases) == 6


def test_the_report_says_how_it_came_about(finished: tuple[Path, str]) -> None:
    out, text = finished
    assert text == (out / "report.md").read_text(encoding="utf-8")
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {name: one["steps"] for name, one in content["trainings"].items()} == STEPS
    assert all(one["seconds"] > 0 for one in content["trainings"].values())
    assert {(one["network"], one["parameters"]) for one in content["milliseconds"]} >= {("DRU-Net", 588_833)}
    assert {one["network"] for one in content["milliseconds"]} == {"DRU-Net", "ours, fluoroscopy"}
    assert all(one["ms"] > 0 for one in content["milliseconds"])
    assert "2 CPU threads" in text and "| DRU-Net | 588,833 | plain PyTorch |" in text
    assert str(out.parent) not in text + json.dumps(content)


def test_a_folder_with_other_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert main(["benchmark", "vessels", "--out", str(tmp_path), "--device", "cpu"]) == 2
    error = capsys.readouterr().err.strip()
    assert "not empty" in error and len(error.splitlines()) == 1
    assert main(["benchmark", "vessels", "--out", str(tmp_path / "new"), "--minutes", "0"]) == 2
    assert "--minutes" in capsys.readouterr().err and not (tmp_path / "new").exists()
