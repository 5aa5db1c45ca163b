"""The inference engine answers as the plain network does, whatever it folds, compiles or batches."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks.engine import AGREEMENT, InferenceEngine, fold_batch_norm, make_backend
from VesselRegistrationLib.networks.frame_network import DEVICE, FULL_SIZES, VESSEL, FrameNetwork
from VesselRegistrationLib.networks.weights import ModelCard, build_network, save_weights

ARCHITECTURES = ("DRUNet", "LightUNet", "AmbrosiniNet", "FluoroNet", "MatchNet")
BACKENDS = ["torch", pytest.param("openvino", marks=pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed"))]


def lived_in(architecture: str) -> torch.nn.Module:
    """A network whose batch norms are far from the identity."""
    torch.manual_seed(1)
    network = build_network(architecture, {})
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.7, 1.3)
            torch.nn.init.normal_(layer.bias, 0.0, 0.2)
            torch.nn.init.normal_(layer.running_mean, 0.0, 0.2)
            torch.nn.init.uniform_(layer.running_var, 0.7, 1.5)
    return network.eval()


def images(architecture: str, count: int = 1) -> np.ndarray:
    channels, size = (2, 128) if architecture == "MatchNet" else (1, 64)
    return np.random.default_rng(0).random((count, channels, size, size), dtype=np.float32)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_agree_with_the_plain_network(architecture: str, backend: str) -> None:
    network, batch = lived_in(architecture), images(architecture, 2)
    with torch.inference_mode():
        plain = torch.sigmoid(network(torch.from_numpy(batch))).numpy()
    answer = make_backend(network, torch.device("cpu"), backend)(batch)
    assert answer.dtype == np.float32 and np.ptp(plain) > 1e-3
    np.testing.assert_allclose(1 / (1 + np.exp(-answer)), plain, atol=AGREEMENT)


@pytest.mark.parametrize("architecture", ["LightUNet", "AmbrosiniNet", "FluoroNet", "MatchNet"])
def test_every_batch_norm_of_a_network_that_allows_it_is_folded(architecture: str) -> None:
    network = lived_in(architecture)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded = fold_batch_norm(network)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def saved(folder: Path, architecture: str = "FluoroNet") -> ModelCard:
    empty = {field: "" for field in ModelCard.__dataclass_fields__ if field not in ("folder", "scores", "parameters")}
    card = ModelCard(**{**empty, "name": "tried", "architecture": architecture,  # type: ignore[arg-type]
                        "parameters": {}, "scores": {}, "trainable_parameters": 0, "bytes": 0})
    return save_weights(lived_in(architecture), card, folder)


def test_a_stream_gives_what_a_batch_gives(tmp_path: Path) -> None:
    engine = InferenceEngine(saved(tmp_path), "cpu")
    batch = images("FluoroNet", 3)
    np.testing.assert_allclose(np.stack(list(engine.stream(batch))), engine(batch), atol=1e-5)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    card = saved(tmp_path)
    content = bytearray(card.path.read_bytes())
    content[-1] ^= 1
    card.path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="SHA-256"):
        InferenceEngine(card, "cpu")


def test_wrong_wishes_are_one_sentence(tmp_path: Path) -> None:
    card = saved(tmp_path)
    with pytest.raises(UserError, match="backend 'tensorrt' is not known"):
        InferenceEngine(card, "cpu", "tensorrt")
    with pytest.raises(UserError, match="Half precision is for CUDA"):
        InferenceEngine(card, "cpu", half_precision=True)
    with pytest.raises(UserError, match="does not segment"):
        FrameNetwork(saved(tmp_path / "match", "MatchNet"), "cpu")


def test_a_frame_of_any_size_gets_probabilities_of_its_size(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).random((300, 420))
    usable = np.ones(frame.shape, dtype=bool)
    usable[:, :50] = False
    found = FrameNetwork(saved(tmp_path), "cpu", sizes=FULL_SIZES).probabilities(frame, usable)
    assert set(found) == {VESSEL, DEVICE}
    for probability in found.values():
        assert probability.shape == frame.shape
        assert probability.min() >= 0.0 and probability.max() <= 1.0
        assert not probability[:, :50].any()


def test_full_resolution_adds_a_look_only_where_the_frame_has_it(tmp_path: Path) -> None:
    card = saved(tmp_path)
    coarse, full = FrameNetwork(card, "cpu"), FrameNetwork(card, "cpu", sizes=FULL_SIZES)
    for side, alike in ((64, True), (256, True), (400, False)):
        frame = np.random.default_rng(1).random((side, side))
        usable = np.ones(frame.shape, dtype=bool)
        one, other = (network.probabilities(frame, usable)[DEVICE] for network in (coarse, full))
        assert np.allclose(one, other, atol=1e-6) == alike
