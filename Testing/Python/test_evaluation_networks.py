"""Networks judged one by one: the measures against worked examples, frames, Grad-CAM, the command and its folder."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from catheter_shapes import drawn, line, pigtail
from PIL import Image
from scipy.ndimage import distance_transform_edt
from VesselRegistrationLib.catheters.tracing import trace_devices
from VesselRegistrationLib.cli.main import main
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.evaluation import segmentation
from VesselRegistrationLib.evaluation.curve_scores import assigned_distances, score_curves, stands_free
from VesselRegistrationLib.evaluation.figures import Overlay, extremes, gray_of, overlap_picture
from VesselRegistrationLib.evaluation.frames import folder_frames, simulated_frames
from VesselRegistrationLib.evaluation.grad_cam import deepest_layer, grad_cam, layer_names
from VesselRegistrationLib.evaluation.judged_network import JudgedNetwork
from VesselRegistrationLib.evaluation.mask_scores import centreline_dice, score_mask
from VesselRegistrationLib.evaluation.matching import PairCase, corner_error_px, evaluate_matching, moved, pair_cases
from VesselRegistrationLib.evaluation.network_report import markdown_of_networks, networks_as_dict
from VesselRegistrationLib.evaluation.outcomes import (
    CATHETER_MEASURES,
    MATCHING_MEASURES,
    VESSEL_MEASURES,
    Measure,
    NetworkOutcome,
    values_of,
)
from VesselRegistrationLib.matching.affine_matching import AffineMatch
from VesselRegistrationLib.networks.dru_net import DRUNet
from VesselRegistrationLib.networks.weights import load_card
from VesselRegistrationLib.simulation.domains import HELD_OUT_DOMAINS
from VesselRegistrationLib.training.frame_folder.options import FolderOptions

ALL = np.ones((64, 64), dtype=bool)


def box(top, bottom, left, right, size=64):
    mask = np.zeros((size, size), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def outcome(network="one", domain="test", patient="p", case="c", number=0, lists=None, **values):
    return NetworkOutcome(network, domain, patient, case, number, values, lists or {})


# Measures

def test_overlap_of_shifted_boxes():
    scores = score_mask(box(10, 30, 10, 30), box(10, 30, 20, 40), ALL)
    assert (scores.dice, scores.precision, scores.recall) == pytest.approx((0.5, 0.5, 0.5))
    assert scores.hd95_px == pytest.approx(10.0)
    assert np.isnan(scores.on_devices)


def test_hausdorff_is_the_one_of_distance_maps():
    found, truth = box(5, 40, 8, 20), box(12, 50, 10, 30)

    def outline(mask):
        return mask & (distance_transform_edt(mask) <= 1.0)

    way, back = (distance_transform_edt(~outline(b))[outline(a)] for a, b in ((found, truth), (truth, found)))
    expected = max(np.percentile(way, 95), np.percentile(back, 95))
    assert score_mask(found, truth, ALL).hd95_px == pytest.approx(expected, abs=0.6)


def test_nothing_behind_shutters_counts():
    usable = box(0, 64, 0, 32)
    scores = score_mask(box(10, 20, 5, 60), box(10, 20, 5, 32), usable)
    assert (scores.dice, scores.precision, scores.recall) == (1.0, 1.0, 1.0)


def test_empty_masks():
    empty = np.zeros((64, 64), dtype=bool)
    assert score_mask(empty, empty, ALL).dice == 1.0
    missed = score_mask(empty, box(5, 9, 5, 60), ALL)
    assert (missed.dice, missed.recall, missed.cl_dice) == (0.0, 0.0, 0.0)
    assert np.isnan(missed.hd95_px)


def test_device_pixels_taken_for_vessel_are_a_share_of_all_device_pixels():
    truth, devices = box(0, 64, 0, 10), box(20, 24, 0, 50)
    found = truth | box(20, 24, 10, 30)
    assert score_mask(found, truth, ALL, devices).on_devices == pytest.approx(20 / 50)


def test_centreline_dice_sees_a_break_that_dice_hardly_does():
    truth = drawn(64, line((4, 32), (60, 32)), width=7)
    wider = drawn(64, line((4, 32), (60, 32)), width=11)
    broken = truth & ~box(0, 64, 26, 38)
    assert centreline_dice(wider, truth) > 0.98
    assert centreline_dice(broken, truth) == pytest.approx(2 * 0.79 / 1.79, abs=0.05)


def test_tips_are_assigned_so_that_most_are_near():
    truth = np.array([[0.0, 0.0], [4.0, 0.0]])
    # The greedy way would take (2.5, 0) for the second tip and leave the first one without a near one.
    np.testing.assert_allclose(assigned_distances(np.array([[2.5, 0.0], [6.9, 0.0]]), truth), [2.5, 2.9])
    np.testing.assert_array_equal(assigned_distances(np.zeros((0, 2)), truth), [np.inf, np.inf])
    np.testing.assert_array_equal(np.isinf(assigned_distances(np.array([[4.0, 1.0]]), truth)), [True, False])


def test_curves_are_scored():
    curves = [line((0, 40), (150, 120)), line((0, 200), (100, 220))]
    found = trace_devices(drawn(256, curves[0], line((200, 0), (220, 90))))
    scores = score_curves(found, curves, np.array([curve[-1] for curve in curves]))
    assert scores.count_error == 0
    assert scores.tip_errors_px[0] < 2.0
    assert scores.tip_errors_px[1] > 100.0
    assert scores.false_tips == 0
    missed = score_curves((), curves, np.array([curve[-1] for curve in curves]))
    assert missed.count_error == -2 and missed.tip_errors_px == (np.inf, np.inf) and np.isnan(missed.centreline_px)


def test_tips_in_loops_and_on_other_devices_are_not_free():
    straight, crossing = line((150, 120), (0, 40)), line((0, 120), (152, 122))
    assert stands_free(straight[0], [straight])
    assert not stands_free(straight[0], [straight, crossing])
    loop = pigtail((128, 255), (128, 90), 8, 2 * np.pi)
    assert not stands_free(loop[-1], [loop])
    assert stands_free(loop[0], [loop])


def test_corner_errors_are_those_of_the_motion():
    identity = np.eye(2, 3)
    shifted = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]])
    assert corner_error_px(shifted, identity, (256, 256)) == pytest.approx(5.0)
    mask = box(10, 20, 30, 40)
    np.testing.assert_array_equal(moved(mask, np.array([[1.0, 0.0, 5.0], [0.0, 1.0, -4.0]])), box(6, 16, 35, 45))


# Summaries

def test_missed_tips_count_as_far_and_undefined_measures_not_at_all():
    group = [outcome(lists={"tip_px": (1.0, np.inf)}, dice=0.5, hd95_px=np.nan),
             outcome(lists={"tip_px": (2.5, 5.0)}, dice=0.7, hd95_px=4.0)]
    measures = {measure.title: measure.text(group) for measure in CATHETER_MEASURES}
    assert measures["tip < 3 px"] == "50%" and measures["tip < 2 px"] == "25%"
    assert measures["HD95 px"] == "4.0" and measures["Dice"] == "0.600" and measures["centreline px"] == "-"
    assert len(values_of([outcome(lists={"tip_px": ()})], "tip_px")) == 0


def test_accepted_wrong_fits_are_told():
    group = [outcome(corner_px=50.0, accepted_corner_px=50.0, refused=0.0),
             outcome(corner_px=60.0, accepted_corner_px=np.nan, refused=1.0),
             outcome(corner_px=1.0, accepted_corner_px=1.0, refused=0.0)]
    measures = {measure.title: measure.text(group) for measure in MATCHING_MEASURES}
    assert measures["refused"] == "33%" and measures["accepted but > 10 px off"] == "50%"


def test_report_has_domains_networks_and_patients():
    outcomes = [outcome(network, domain, f"{domain} patient", f"case {number}", number, dice=dice)
                for number, domain in enumerate(("test", "dsa")) for network, dice in (("ours", 0.9), ("theirs", 0.7))]
    measures = (Measure("dice", "Dice", np.median, ".3f"), Measure("recall", "recall", np.median, ".3f"))
    text = markdown_of_networks(outcomes, measures, "the command", "Notes.")
    assert "`the command`" in text and "2 cases" in text
    assert "| dsa | theirs | 1 | 0.700 |" in text and "| all | ours | 2 | 0.900 |" in text
    assert "| test: test patient | ours | 1 | 0.900 |" in text and "recall" not in text
    content = networks_as_dict([replace(outcomes[0], values={"dice": float("nan")}, lists={"tip_px": (np.inf, 1.0)})],
                               measures, "the command", {})
    assert content["cases"][0]["dice"] is None and content["cases"][0]["tip_px"] == [None, 1.0]
    json.dumps(content, allow_nan=False)


# Pictures

def test_overlay_colours_are_the_papers():
    gray = np.full((2, 2), 0.5)
    picture = overlap_picture(Overlay("", gray, np.array([[1, 1], [0, 0]], bool), np.array([[1, 0], [1, 0]], bool)))
    np.testing.assert_allclose(picture.reshape(4, 3)[:3], [[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    assert np.ptp(picture[1, 1]) == 0


def test_extremes_are_worst_median_and_best():
    outcomes = [outcome(number=number, dice=dice) for number, dice in enumerate((0.5, 0.1, 0.9, 0.6, 0.7))]
    assert [(name, one.number) for name, one in extremes(outcomes)] == [("worst", 1), ("median", 3), ("best", 2)]
    assert [name for name, _ in extremes(outcomes[:1])] == ["only"]


def test_attenuation_is_shown_dark():
    gray = gray_of(np.linspace(0.0, 1.0, 100).reshape(10, 10), np.ones((10, 10), dtype=bool))
    assert gray[0, 0] > 0.9 and gray[-1, -1] == 0.0


# Grad-CAM

@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return DRUNet(widths=(4, 6), bridge_width=8)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(3).random((32, 32)).astype(np.float32)


@pytest.mark.parametrize("layer", ["bridge", "encoder.1", "decoder.0.second"])
def test_grad_cam_is_monais(network, image, layer):
    from monai.visualize import GradCAM

    found_any = False
    for sign in (1.0, -1.0):  # what speaks for an output speaks against its negative: one of both has a map
        with torch.no_grad():
            network.head.weight.copy_(sign * network.head.weight.abs())
        expected = GradCAM(network.eval(), layer, postprocessing=lambda heat: heat)(
            torch.from_numpy(image)[None, None], class_idx=0)[0, 0].detach().numpy()
        found = grad_cam(network, image, layer, pixels=np.ones((32, 32), dtype=bool))
        assert found.shape == (32, 32) and np.any(found) == np.any(expected)
        if np.any(expected):
            found_any = True
            assert found.max() == pytest.approx(1.0, abs=1e-6)
            assert np.abs(found - expected / expected.max()).mean() < 0.02
    assert found_any


def test_grad_cam_looks_where_the_marked_pixels_are():
    convolution = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3, padding=1, bias=False), torch.nn.Conv2d(1, 1, 1))
    with torch.no_grad():
        for part in convolution:
            part.weight.fill_(1.0)
        convolution[1].bias.fill_(-3.0)
    image = np.zeros((16, 16), dtype=np.float32)
    image[3:6, 10:13] = 1.0
    heat = grad_cam(convolution, image, "0")
    assert np.unravel_index(heat.argmax(), heat.shape) == (4, 11)
    assert heat[10:, :8].max() == 0.0


def test_grad_cam_leaves_the_network_alone(network, image):
    network.train().zero_grad(set_to_none=True)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    grad_cam(network, image, "bridge")
    assert network.training and all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_layers_are_named(network, image):
    names = layer_names(network, image)
    assert names[0].startswith("encoder.0") and names[-1] == "head"
    assert deepest_layer(network, image) == "bridge"
    for layer, channel in (("nowhere", 0), ("bridge", 7), ("", 0)):
        with pytest.raises(UserError, match=r"layer|output"):
            grad_cam(network, image, layer, channel)


# Frames

def test_simulated_frames_repeat_and_know_their_patient():
    sources = simulated_frames("device", ("test",), ("lower", "upper"), 2)
    first, second = sources[0](), sources[1]()
    assert (first.field_of_view, second.field_of_view) == ("lower", "upper")
    np.testing.assert_array_equal(first.attenuation, sources[0]().attenuation)
    assert first.patient != second.patient and len(first.curves) >= 1 and len(first.tips) <= len(first.curves)
    assert set(first.masks) == {"vessel", "device"} and first.masks["device"].any()
    large = simulated_frames("device", ("test",), ("lower", "upper"), 2, size=512)[0]()
    assert large.attenuation.shape == large.masks["device"].shape == large.usable.shape == (512, 512)
    assert max(curve.max() for curve in large.curves) > 256
    with pytest.raises(UserError, match="no domain 'nowhere'"):
        simulated_frames("vessel", ("nowhere",), ("lower",), 1)


@pytest.fixture
def annotated(tmp_path):
    """Two pictures of a dark stripe with outlines as in ARCADE, one of them with a stenosis."""
    folder = tmp_path / "arcade"
    for number in (1, 2):
        gray = np.full((64, 64), 200, dtype=np.uint8)
        gray[28:36] = 60
        for part in ("images", "labels"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray).save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text("4 0 0.4375 1 0.4375 1 0.5625 0 0.5625\n"
                                                         "25 0 0 0.5 0 0.5 0.2 0 0.2\n")
    return folder


def test_annotated_frames_are_read(annotated):
    frames = [source() for source in folder_frames(annotated, "vessel", FolderOptions(class_ids=tuple(range(25))))]
    assert len(frames) == 2 and frames[0].domain == "arcade" and frames[0].field_of_view is None
    np.testing.assert_array_equal(frames[0].masks["vessel"], box(28, 36, 0, 64))
    assert frames[0].attenuation[32, 5] > frames[0].attenuation[5, 5]
    with pytest.raises(UserError, match="none from number 9 on"):
        folder_frames(annotated, "vessel", FolderOptions(), first=9)


# Evaluation

class _Knowing:
    """A network that knows a share of the truth."""

    name = "knowing"

    def __init__(self, level):
        self._level = level

    def probability(self, frame):
        return self._level * frame.masks["device"].astype(np.float32)


def test_a_network_that_knows_the_truth_scores_full(monkeypatch):
    frames = simulated_frames("device", ("test",), ("upper",), 3)
    outcomes = segmentation.evaluate_segmentation([_Knowing(1.0), _Knowing(0.4)], "device", frames)
    knowing, timid = outcomes[0::2], outcomes[1::2]
    assert all(one.values["dice"] == one.values["cl_dice"] == 1.0 for one in knowing)
    assert np.median(values_of(knowing, "tip_px")) < 3.0
    assert all(one.values["dice"] == 0.0 and one.values["count_error"] < 0 for one in timid)
    assert [one.number for one in knowing] == [0, 1, 2]
    with pytest.raises(UserError, match="threshold"):
        segmentation.evaluate_segmentation([], "device", frames, 1.0)


class _Matcher:
    """Answers with a given matrix."""

    def __init__(self, affine, warning=""):
        self._affine, self._warning = affine, warning

    def match(self, moving, fixed, **_):
        return AffineMatch(self._affine, np.eye(2, 3), 0.0, 0.0, 0.0, 0.0, 0.0, self._warning)


def test_the_true_motion_scores_no_error():
    [case] = pair_cases(("test",), ("lower",), 1)
    truth = case.make().affine
    right, lost = evaluate_matching({"right": _Matcher(truth), "lost": _Matcher(np.eye(2, 3), "It is lost.")}, [case])
    assert right.values["corner_px"] == pytest.approx(0.0, abs=1e-9) and right.values["dice"] == 1.0
    assert right.values["network_corner_px"] == lost.values["corner_px"] > 5.0
    assert lost.values["refused"] == 1.0 and np.isnan(lost.values["accepted_corner_px"])
    assert right.values["accepted_corner_px"] == right.values["corner_px"]


def test_missing_branches_are_missing():
    whole, partial = (PairCase("test", "lower", 1, share).make() for share in (0.0, 0.5))
    assert partial.fixed.sum() < whole.fixed.sum()
    with pytest.raises(UserError, match="missing branches"):
        pair_cases(("test",), ("lower",), 1, missing=1.5)


# The command

def test_vessels_command_writes_a_folder(untrained_networks, tmp_path, capsys):
    out = tmp_path / "out"
    card = str(untrained_networks / "vessels_lower.json")
    assert main(["evaluate", "vessels", "--compare", card, "--domains", "test,low-dose", "--cases", "1", "--fov",
                 "lower", "--out", str(out), "--grad-cam", "deepest", "--grad-cam", "decoder.0"]) == 0
    printed = capsys.readouterr().out
    names = {path.name for path in out.iterdir()}
    assert {"report.md", "report.json", "box_plots.png", "overlays.png", "grad_cam_shipped_bridge.png",
            "grad_cam_vessels_lower_decoder-0.png"} <= names and len(names) == 8
    text = (out / "report.md").read_text(encoding="utf-8")
    assert text.startswith(printed.rstrip()[:150]) and "## Patients" in text and "## Patients" not in printed
    assert "| low-dose | vessels_lower | 1 |" in printed
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert len(report["cases"]) == 4 and str(tmp_path) not in json.dumps(report)
    assert report["weights"]["shipped"]["vessels_lower"] == load_card(card).sha256
    assert report["command"].endswith("--domains test,low-dose --cases 1 --seed 0 --threshold 0.5")
    assert {"dice", "precision", "recall", "cl_dice", "hd95_px", "on_devices"} <= set(report["cases"][0])


def test_vessels_command_reads_a_folder(untrained_networks, annotated, capsys):
    ids = ",".join(str(number) for number in range(25))
    assert main(["evaluate", "vessels", "--data", str(annotated), "--class-ids", ids, "--field-of-view", "upper"]) == 0
    printed = capsys.readouterr().out
    assert "| arcade | shipped | 2 |" in printed and "--data arcade" in printed and "device pixels" not in printed
    assert main(["evaluate", "vessels", "--data", str(annotated)]) == 2
    assert "--field-of-view" in capsys.readouterr().err


def test_matching_command_prints_a_table(untrained_networks, capsys):
    assert main(["evaluate", "matching", "--cases", "1", "--field-of-view", "lower"]) == 0
    assert "| test | matching_ours | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [
    (["vessels", "--domains", "nowhere"], "no domain 'nowhere'"),
    (["vessels", "--domains", ","], "No domain is named"),
    (["vessels", "--network", "nothing"], "no model card"),
    (["vessels", "--network", "matching_ours"], "does not segment"),
    (["vessels", "--compare", "shipped"], "same name"),
    (["vessels", "--threshold", "2"], "threshold 2 is impossible"),
    (["vessels", "--grad-cam", "bridge"], "--out"),
    (["catheter"], "catheter"),
    (["catheter", "--network", "vessels_lower"], "does not find catheters"),
    (["matching", "--network", "vessels_lower"], "does not match"),
    (["matching", "--missing", "2"], "missing branches"),
    (["vessels", "--data", "nowhere_folder"], "no folder")])
def test_bad_input_is_one_sentence(arguments, words, untrained_networks, capsys):
    assert main(["evaluate", *arguments, "--cases", "1"]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and len(error.splitlines()) == 1


def test_a_full_folder_is_refused_before_any_work(untrained_networks, tmp_path, capsys):
    (tmp_path / "something").write_text("here")
    assert main(["evaluate", "vessels", "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_an_unknown_layer_leaves_no_folder(untrained_networks, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["evaluate", "vessels", "--cases", "1", "--fov", "lower", "--grad-cam", "no.such", "--out",
                 str(out)]) == 2
    assert "no layer 'no.such'" in capsys.readouterr().err and not out.exists() and not list(tmp_path.iterdir())


def test_held_out_domains_are_all_that_is_not_learnt_from():
    assert "training" not in HELD_OUT_DOMAINS and "test" in HELD_OUT_DOMAINS
    assert {measure.better for measure in VESSEL_MEASURES} == {"higher", "lower"}


def test_networks_are_named_by_weights_files_too(untrained_networks):
    network = JudgedNetwork(str(untrained_networks / "vessels_upper.safetensors"), "vessel")
    assert network.name == "vessels_upper" and network.parameters == 588_833
