"""Model cards and weights files: round trip, refusal of what is broken, and the shipped ones."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.affine_cnn import COMPACT
from VesselRegistrationLib.networks.weights import (
    ModelCard,
    build_network,
    load_card,
    load_network,
    save_weights,
    weights_directory,
)


def a_card(**changes: object) -> ModelCard:
    values: dict[str, object] = {
        "name": "small", "version": "1", "architecture": "DRUNet",
        "parameters": {"widths": [4, 8], "bridge_width": 8}, "trainable_parameters": 0, "field_of_view": "lower",
        "file": "", "sha256": "", "bytes": 0, "precision": "", "training_data": "Synthetic data only.",
        "training_domain": "", "test_domain": "", "training_command": "", "scores": {"dice": 0.5},
        "score_command": "", "differences": "", "limits": ""}
    return ModelCard(**{**values, **changes})  # type: ignore[arg-type]


def saved(folder: Path, **changes: object) -> tuple[torch.nn.Module, ModelCard]:
    card = a_card(**changes)
    torch.manual_seed(3)
    network = build_network(card.architecture, card.parameters).eval()
    return network, save_weights(network, card, folder)


def test_round_trip(tmp_path: Path) -> None:
    network, card = saved(tmp_path / "weights")
    again = load_network(load_card(tmp_path / "weights" / "small.json"))
    image = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(again(image), network(image))
    assert not again.training
    assert card.precision == "float32"
    assert card.bytes == (tmp_path / "weights" / "small.safetensors").stat().st_size
    assert card.trainable_parameters == sum(entry.numel() for entry in network.parameters())
    assert load_card(tmp_path / "weights" / "small.json") == dataclasses.replace(card, folder=Path())
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == ["small.json", "small.safetensors"]


def test_large_networks_are_halved(tmp_path: Path) -> None:
    wide = {"channels": COMPACT["channels"], "hidden": 128}
    network, card = saved(tmp_path, architecture="AffineCNN", parameters=wide)
    assert card.precision == "float16"
    assert card.bytes < 5_000_000
    again = load_network(card)
    assert again.hidden.weight.dtype == torch.float32
    torch.testing.assert_close(again.hidden.weight, network.hidden.weight, atol=1e-4, rtol=1e-3)


def test_broken_weights_are_refused(tmp_path: Path) -> None:
    _, card = saved(tmp_path)
    content = bytearray(card.path.read_bytes())
    content[-1] ^= 1
    card.path.write_bytes(content)
    with pytest.raises(UserError, match="SHA-256"):
        load_network(card)
    card.path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load_network(card)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    _, card = saved(tmp_path)
    with pytest.raises(UserError, match="does not fit"):
        load_network(dataclasses.replace(card, parameters={"widths": [4, 16], "bridge_width": 8}))
    with pytest.raises(UserError, match="not known"):
        load_network(dataclasses.replace(card, architecture="ResNet"))


def test_broken_cards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model card"):
        load_card("no_such_network")
    for text in ("{", "[]", json.dumps({"name": "x"})):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(UserError, match="damaged"):
            load_card(tmp_path / "x.json")


def test_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        saved(tmp_path / "file" / "weights")


@pytest.mark.parametrize(("name", "parameters"), [
    ("vessels_lower", 588_833), ("vessels_upper", 588_833), ("matching", 1_141_326)])
def test_shipped_weights_load(name: str, parameters: int) -> None:
    card = load_card(name)
    network = load_network(card)
    assert sum(entry.numel() for entry in network.parameters()) == parameters == card.trainable_parameters
    assert card.bytes == card.path.stat().st_size <= 5_000_000
    assert "synthetic data only" in card.training_data.lower()
    assert card.scores["dice"] > 0.5
    assert card.path.parent == weights_directory()
