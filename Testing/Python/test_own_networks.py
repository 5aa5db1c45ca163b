"""Networks that users trained and exported themselves, used in place of the shipped ones."""

import json
from pathlib import Path

import numpy as np
import pytest
from constant_network import save_constant
from VesselRegistrationLib.batch.case import BatchDefaults, CaseRequest
from VesselRegistrationLib.catheters.finding import DeviceFinder
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.dicom.reading import open_xa
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.networks import weights
from VesselRegistrationLib.registration.masks import FrameSegmenter


def exported(folder: Path, untrained: Path, vessel: float) -> Path:
    """The card of the user's network "mine"."""
    return save_constant(folder, "mine", untrained, vessel)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_the_users_network_finds_the_vessels(untrained_networks: Path, lower_case: Path, tmp_path: Path,
                                             suffix: str) -> None:
    card = exported(tmp_path, untrained_networks, 3.0)
    frame = open_xa(lower_case / "view_0.dcm").frame(1)
    found = FrameSegmenter(network=card.with_suffix(suffix)).segment(frame)
    np.testing.assert_array_equal(found.mask, frame.usable)
    assert found.weights == {"mine": weights.load_card(card).sha256}
    assert "mine" in found.source and "your own" in found.source
    assert found.network is not None and weights.load_card(found.network).name == "mine"
    by_text = FrameSegmenter(network=str(card.with_suffix(suffix))).segment(frame)
    np.testing.assert_array_equal(by_text.mask, found.mask)
    assert by_text.network == found.network


def test_the_users_network_finds_devices(untrained_networks: Path, tmp_path: Path) -> None:
    image, usable = np.random.default_rng(0).random((80, 80)), np.ones((80, 80), dtype=bool)
    for vessel, everywhere in ((-3.0, True), (3.0, False)):
        finder = DeviceFinder(network=exported(tmp_path / str(vessel), untrained_networks, vessel))
        assert finder.find(image, usable).mask.all() == everywhere


def test_commands_take_it(untrained_networks: Path, lower_case: Path, tmp_path: Path) -> None:
    card, view = str(exported(tmp_path, untrained_networks, 3.0)), str(lower_case / "view_0.dcm")
    assert main(["segment", "--xa", view, "--what", "both", "--vessel-network", card, "--catheter-network", card,
                 "--out", str(tmp_path / "found")]) == 0
    content = json.loads((tmp_path / "found" / "segmentation.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in content["weights"]] == ["mine"]
    assert content["device_pixels"] == 0 and content["mask_pixels"] > 30_000
    assert main(["register", "--model", str(lower_case / "model.vtp"), "--xa", view, "--method", "affine",
                 "--vessel-network", card, "--out", str(tmp_path / "result")]) == 0
    result = json.loads((tmp_path / "result" / "result.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in result["weights"]] == ["mine", "matching_ours"]


def test_what_is_no_network_is_said_in_a_sentence(untrained_networks: Path, lower_case: Path, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    card = exported(tmp_path, untrained_networks, 3.0)
    cases = {tmp_path / "best.pt": "no exported network", tmp_path / "other.json": "no model card"}
    card.with_suffix(".safetensors").write_bytes(b"cut short")
    for path, words in (*cases.items(), (card, "SHA-256")):
        assert main(["segment", "--xa", str(lower_case / "view_0.dcm"), "--vessel-network", str(path), "--out",
                     str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err.strip()
        assert words in error and "Traceback" not in error and len(error.splitlines()) == 1
        assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="does not find catheters"):
        DeviceFinder(network=untrained_networks / "vessels_lower.json")


def test_a_batch_is_another_one_with_another_network(untrained_networks: Path, lower_case: Path,
                                                     tmp_path: Path) -> None:
    one, same, other = (exported(tmp_path / name, untrained_networks, level)
                        for name, level in (("a", 3.0), ("b", 3.0), ("c", 2.0)))

    def fingerprint(network: Path | None) -> str:
        request = CaseRequest(lower_case / "model.vtp", (lower_case / "view_0.dcm",), (None,), (),
                              settings=BatchDefaults(network=network))
        return request.fingerprint()

    assert fingerprint(one) == fingerprint(same)
    assert len({fingerprint(one), fingerprint(other), fingerprint(None)}) == 3
