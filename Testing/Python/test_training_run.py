"""Training as a user meets it: what goes wrong, several processes, early stopping, first weights, frozen layers."""

import copy
import csv
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import train_in_processes
import VesselRegistrationLib
from torch import nn
from train_in_processes import SETTINGS, PlainTask
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.weights import ModelCard, build_network, save_weights
from VesselRegistrationLib.training.architectures import CATHETER_NETWORKS, VESSEL_NETWORKS
from VesselRegistrationLib.training.checkpoint import read_checkpoint
from VesselRegistrationLib.training.first_weights import freeze, load_first_weights, rest_frozen
from VesselRegistrationLib.training.report import write_report
from VesselRegistrationLib.training.trainer import Place, train

HERE = Place("cpu", 1, 0)


def run(task: PlainTask, out: Path, *, settings: Any = SETTINGS, resume: bool = False, progress: Any = None) -> Any:
    train(task, settings, out, seed=0, place=HERE, resume=resume,
          progress=progress or (lambda fraction, text: None), should_stop=lambda: False)
    return read_checkpoint(out)


def test_two_processes_do_what_one_does_with_the_whole_batch(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
              "PYTHONPATH": str(Path(VesselRegistrationLib.__file__).parents[1])}
    started = [subprocess.Popen([sys.executable, train_in_processes.__file__, str(tmp_path / "two")],
                                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(2)]
    one = run(PlainTask(), tmp_path / "one")
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    two = read_checkpoint(tmp_path / "two")
    torch.manual_seed(0)
    fresh = PlainTask().build()
    for key, value in one["network"].items():
        torch.testing.assert_close(two["network"][key], value, rtol=0, atol=2e-6)
        assert not torch.allclose(value, fresh.state_dict()[key], atol=1e-3)
    assert two["scores"]["dice"] == pytest.approx(one["scores"]["dice"], abs=1e-3)


class Spoilt(PlainTask):
    """Its loss is no number from a step on."""

    def loss(self, network: nn.Module, batch: Any, step: int, generators: Any) -> torch.Tensor:
        loss = super().loss(network, batch, step, generators)
        return loss * float("nan") if step >= 4 else loss


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no number any more at step 4.*kept"):
        run(Spoilt(), tmp_path / "out")
    kept = read_checkpoint(tmp_path / "out")
    assert kept["step"] == 3
    assert all(torch.isfinite(value).all() for value in kept["network"].values())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def fill(fraction: float, text: str) -> None:
        if text.startswith("step 4/"):
            (out / ".checkpoint.pt.partial").symlink_to("/dev/full")

    with pytest.raises(UserError, match=r"cannot be written.*last checkpoint is kept"):
        run(PlainTask(), out, progress=fill)
    assert read_checkpoint(out)["step"] == 3
    resumed = run(PlainTask(), out, resume=True)
    whole = run(PlainTask(), tmp_path / "whole")
    assert all(torch.equal(resumed["network"][key], whole["network"][key]) for key in whole["network"])


def test_a_checkpoint_cut_short_is_refused(tmp_path: Path) -> None:
    run(PlainTask(), tmp_path)
    path = tmp_path / "checkpoint.pt"
    for length in (0, 10, path.stat().st_size // 2, path.stat().st_size - 30):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(UserError, match="cut short"):
            run(PlainTask(), tmp_path, resume=True)


class Worsening(PlainTask):
    """Its score rises until step 4 and falls from then on."""

    calls = 0

    def validate(self, network: nn.Module) -> dict[str, float]:
        self.calls += 1
        return {"dice": 0.5 - abs(self.calls - 2) / 10}


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=40, validate_every=2, checkpoint_every=1, patience=3)
    seen: dict[int, Any] = {}

    def look(fraction: float, text: str) -> None:
        step = int(text.split()[1].split("/", maxsplit=1)[0])
        seen[step] = read_checkpoint(tmp_path / "out")["network"]

    last = run(Worsening(settings), tmp_path / "out", settings=settings, progress=look)
    best = read_checkpoint(tmp_path / "out", "best.pt")
    assert last["step"] == 10 and best["step"] == last["best_step"] == 4
    assert all(torch.equal(best["network"][key], seen[4][key]) for key in best["network"])
    report = write_report(tmp_path / "out").read_text(encoding="utf-8")
    assert "10 of 40: 3 validations in a row" in report and "0.5000 after 4 steps" in report
    assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == [str(step) for step in range(1, 11)]


def card_of(network: nn.Module, folder: Path, architecture: str, parameters: dict[str, Any]) -> Path:
    card = ModelCard(name="some", version="3", architecture=architecture, parameters=parameters,
                     trainable_parameters=0, field_of_view="any", file="", sha256="", bytes=0, precision="",
                     training_data="", training_domain="", test_domain="", training_command="", scores={},
                     score_command="", differences="", limits="")
    save_weights(network, card, folder)
    return folder / "some.json"


def test_first_weights_come_from_a_card_or_a_training(tmp_path: Path) -> None:
    torch.manual_seed(5)
    design = CATHETER_NETWORKS["light"]
    trained = design.build()
    card = card_of(trained, tmp_path / "card", "LightUNet", {})
    fresh = design.build()
    assert load_first_weights(fresh, str(card), design).startswith("some 3 (SHA-256 ")
    assert all(torch.equal(value, trained.state_dict()[key]) for key, value in fresh.state_dict().items())
    with pytest.raises(UserError, match="of the network LightUNet, not of DRUNet"):
        load_first_weights(VESSEL_NETWORKS["dru-net"].build(), str(card), VESSEL_NETWORKS["dru-net"])
    with pytest.raises(UserError, match="no model card"):
        load_first_weights(fresh, "vessels_of_nowhere", design)
    task = PlainTask()
    run(task, tmp_path / "training")
    network = task.build()
    assert load_first_weights(network, str(tmp_path / "training"), task.design).startswith("vessels, step ")
    best = read_checkpoint(tmp_path / "training", "best.pt")["network"]
    assert all(torch.equal(value, best[key]) for key, value in network.state_dict().items())
    with pytest.raises(UserError, match="not of LightUNet"):
        load_first_weights(fresh, str(tmp_path / "training"), design)
    with pytest.raises(UserError, match="no training"):
        load_first_weights(fresh, str(tmp_path / "gone.pt"), design)


@pytest.mark.parametrize("architecture", ["LightUNet", "AmbrosiniNet", "DRUNet", "FluoroNet"])
def test_the_deepest_layers_train_and_the_others_stay(architecture: str) -> None:
    tuned = {}
    for what in ("all-but-7", "all-but-13", "all-but-19"):
        network = build_network(architecture, {"widths": (4, 4, 8, 8, 8)} if architecture == "AmbrosiniNet" else {})
        freeze(network, what)
        tuned[what] = {name for name, value in network.named_parameters() if value.requires_grad}
    assert tuned["all-but-7"] < tuned["all-but-13"] < tuned["all-but-19"]
    assert len(tuned["all-but-19"]) < len(list(network.parameters()))
    if architecture == "LightUNet":
        # Bottleneck (conv, BN) and first decoder block (conv, conv, BN): weight and bias of each.
        assert tuned["all-but-7"] == {f"{layer}.{kind}" for kind in ("weight", "bias") for layer in (
            "encoder.5.0", "encoder.5.1", "narrow.0.0", "decoder.0.0", "decoder.0.1")}
    before = copy.deepcopy(network.state_dict())
    optimiser = torch.optim.SGD([value for value in network.parameters() if value.requires_grad], lr=0.1)
    network.train()
    rest_frozen(network)
    network(torch.rand(2, 1, 64, 64)).square().mean().backward()
    optimiser.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert {name for name in changed if name.endswith(("weight", "bias"))} <= tuned["all-but-19"]
    layers = {name.rpartition(".")[0] for name in tuned["all-but-19"]}
    assert {name.rpartition(".")[0] for name in changed} <= layers


def test_what_cannot_be_frozen_is_refused() -> None:
    network = build_network("LightUNet", {})
    assert freeze(network, "5") == 5
    assert [value.requires_grad for value in network.parameters()][:11] == [False] * 10 + [True]
    for what, words in (("900", "fewer than that"), ("-1", "nothing that can"), ("half", "nothing that can")):
        with pytest.raises(UserError, match=words):
            freeze(network, what)
    with pytest.raises(UserError, match="make masks"):
        freeze(build_network("MatchNet", {}), "all-but-7")
