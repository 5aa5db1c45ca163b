"""vessel-registration evaluate vessels, catheter and matching: the networks one by one, side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .options import (
    FIELDS_OF_VIEW,
    add_device_option,
    add_output_folder,
    new_command,
    positive_number,
    whole_number,
)
from .progress_bar import progress_bar

if TYPE_CHECKING:
    from .options import Commands

_SHIPPED = "shipped"
_BOTH = "both"
_ALL_HELD_OUT = "held-out"
_DEFAULT_CASES = 40
_MATCHING = "matching"
_TARGETS = {"vessels": "vessel", "catheter": "device"}


def add_network_parsers(kinds: "Commands") -> None:
    """Add the three commands."""
    for name, text in (("vessels", "Judge networks that find vessels on simulated frames or annotated ones."),
                       ("catheter", "Judge networks that find catheters and guidewires on simulated frames or "
                                    "annotated ones: masks, tips and single devices.")):
        parser = new_command(kinds, name, text, run_segmentation)
        parser.set_defaults(kind=name)
        _add_common(parser, _SHIPPED, "shipped")
        parser.add_argument("--threshold", type=float, default=0.5, metavar="P",
                            help="probability from which a pixel counts (default 0.5)")
        parser.add_argument("--full-resolution", action="store_true",
                            help="simulate 512x512 pixels in place of 256x256, and let the networks look at both sizes "
                                 "of a frame")
        parser.add_argument("--grad-cam", action="append", default=[], metavar="LAYER",
                            help="also write a Grad-CAM map of the median case for a layer, by its name or 'deepest'; "
                                 "may be given again")
        folder = parser.add_argument_group("annotated frames in place of simulated ones")
        folder.add_argument("--data", type=Path, metavar="FOLDER",
                            help="images/ with masks/ or labels/, PixelAnnotationTool's or labelme's files; a "
                                 "sub-folder per patient")
        folder.add_argument("--polarity", default="dark", choices=("dark", "bright"),
                            help="contrast in picture files (default dark)")
        folder.add_argument("--labels", default="", metavar="A,B", help="labelme labels that count (default all)")
        folder.add_argument("--class-ids", default="", metavar="1,2",
                            help="mask values, or classes of outlines, that count (default all)")
    parser = new_command(kinds, _MATCHING, "Judge networks that match silhouette and mask on pairs whose motion is "
                         "known.", run_matching)
    parser.set_defaults(kind=_MATCHING)
    _add_common(parser, "matching_ours", "matching_ours")
    parser.add_argument("--missing", type=float, default=0.25, metavar="SHARE",
                        help="share of the branches that X-rays do not show (default 0.25)")
    parser.add_argument("--faults", action="store_true",
                        help="give the X-rays' masks also rough edges, blobs, wires and holes")


def _add_common(parser: argparse.ArgumentParser, network: str, text: str) -> None:
    parser.add_argument("--network", "--weights", default=network, metavar="NAME|FILE",
                        help=f"name of shipped weights, or a weights or card file (default {text})")
    parser.add_argument("--compare", nargs="+", default=[], metavar="NAME|FILE",
                        help="other networks, judged on the same cases")
    parser.add_argument("--field-of-view", "--fov", default=_BOTH, choices=(*FIELDS_OF_VIEW, _BOTH),
                        help="lower: abdomen to legs; upper: chest; default both in turn")
    parser.add_argument("--domains", default="test", metavar="A,B",
                        help=f"domains of the simulator, or '{_ALL_HELD_OUT}' for all that no network learns from "
                             "(default test)")
    parser.add_argument("--cases", type=positive_number, metavar="N",
                        help=f"cases per domain (default {_DEFAULT_CASES}; all frames of a folder)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="first case (default 0)")
    add_device_option(parser)
    add_output_folder(parser, required=False)


def run_segmentation(options: argparse.Namespace) -> None:
    """Judge segmentation networks, print, write."""
    from ..evaluation.judged_network import JudgedNetwork
    from ..evaluation.network_folder import write_segmentation_folder
    from ..evaluation.network_report import markdown_of_networks, networks_as_dict
    from ..evaluation.outcomes import CATHETER_MEASURES, VESSEL_MEASURES
    from ..evaluation.segmentation import evaluate_segmentation
    from ..networks.frame_network import COARSE_SIZES, FULL_SIZES
    from ..rendering.new_folder import check_new_folder, new_folder

    if options.out is not None:
        check_new_folder(options.out)
    elif options.grad_cam:
        raise UserError("Grad-CAM maps are pictures: name a folder for them with --out.")
    what = _TARGETS[options.kind]
    names = _names(options)
    sizes = FULL_SIZES if options.full_resolution else COARSE_SIZES
    frames = _frames(options, what, max(sizes))
    networks = [JudgedNetwork(name, what, options.device, sizes) for name in names]
    with progress_bar() as progress:
        outcomes = evaluate_segmentation(networks, what, frames, options.threshold, progress=progress)
    measures = VESSEL_MEASURES if what == "vessel" else CATHETER_MEASURES
    command = _command(options)
    notes = ("Medians over cases, but means and shares where the column says so; all measures of a case come from the "
             f"same binary mask, probability above {options.threshold:g} and nothing removed; pixels at the frame's "
             "own size.")
    if what == "device":
        notes += (" Free tips lie 5 px or more from any other device and from the rest of their own; the others, in "
                  "loops or along other devices, no mask can show.")
    weights = {network.name: network.weights for network in networks}
    print(markdown_of_networks(outcomes, measures, command, notes, patients=False))
    if options.out is not None:
        with new_folder(options.out) as folder:
            write_segmentation_folder(folder, markdown_of_networks(outcomes, measures, command, notes),
                                      networks_as_dict(outcomes, measures, command, weights), outcomes, networks, what,
                                      frames, options.threshold, options.grad_cam)


def run_matching(options: argparse.Namespace) -> None:
    """Judge matching networks, print, write."""
    from ..evaluation.matching import evaluate_matching, load_matchers, pair_cases
    from ..evaluation.network_folder import write_matching_folder
    from ..evaluation.network_report import markdown_of_networks, networks_as_dict
    from ..evaluation.outcomes import MATCHING_MEASURES
    from ..rendering.new_folder import check_new_folder, new_folder

    if options.out is not None:
        check_new_folder(options.out)
    cases = pair_cases(_domains(options), _fields_of_view(options), options.cases or _DEFAULT_CASES, options.seed,
                       options.missing, options.faults)
    matchers = load_matchers(_names(options), options.device)
    with progress_bar() as progress:
        outcomes = evaluate_matching(matchers, cases, progress=progress)
    command = _command(options)
    notes = (f"{options.missing:.0%} of the branches are missing in the X-ray's mask. Corner errors are mean distances "
             "of the four corners of the 256x256 image, medians over cases; Dice, precision and recall compare the "
             "moved silhouette with the whole true one. Network alone: without the refinement that follows.")
    weights = {name: {matcher.card.name: matcher.card.sha256} for name, matcher in matchers.items()}
    print(markdown_of_networks(outcomes, MATCHING_MEASURES, command, notes, patients=False))
    if options.out is not None:
        with new_folder(options.out) as folder:
            write_matching_folder(folder, markdown_of_networks(outcomes, MATCHING_MEASURES, command, notes),
                                  networks_as_dict(outcomes, MATCHING_MEASURES, command, weights), outcomes, matchers,
                                  cases)


def _frames(options: argparse.Namespace, what: str, size: int) -> Sequence[Any]:
    from ..evaluation.frames import folder_frames, simulated_frames

    if options.data is None:
        return simulated_frames(what, _domains(options), _fields_of_view(options), options.cases or _DEFAULT_CASES,
                                options.seed, size)
    from ..training.frame_folder.options import FolderOptions

    try:
        class_ids = tuple(int(word) for word in options.class_ids.split(",") if word)
    except ValueError:
        raise UserError(f"'{options.class_ids}' are no class numbers: give whole numbers with commas "
                        "between.") from None
    labels = tuple(word.strip() for word in options.labels.split(",") if word.strip())
    return folder_frames(options.data, what, FolderOptions(options.polarity, labels, class_ids), options.cases,
                         options.seed, None if options.field_of_view == _BOTH else options.field_of_view)


def _domains(options: argparse.Namespace) -> tuple[str, ...]:
    from ..simulation.domains import HELD_OUT_DOMAINS

    if options.domains == _ALL_HELD_OUT:
        return HELD_OUT_DOMAINS
    domains = tuple(dict.fromkeys(word.strip() for word in options.domains.split(",") if word.strip()))
    if not domains:
        raise UserError("No domain is named: give --domains test, or several with commas between.")
    return domains


def _fields_of_view(options: argparse.Namespace) -> tuple[str, ...]:
    return FIELDS_OF_VIEW if options.field_of_view == _BOTH else (options.field_of_view,)


def _names(options: argparse.Namespace) -> list[str]:
    names = [options.network, *options.compare]
    if len({Path(name).stem for name in names}) < len(names):
        raise UserError("Two networks have the same name: rename one of the files, or name each network once.")
    return names


def _command(options: argparse.Namespace) -> str:
    """The command line that gives the same figures; folders by their last name only."""
    words = ["vessel-registration evaluate", options.kind, "--network", Path(options.network).name]
    words += ["--compare", *(Path(name).name for name in options.compare)] if options.compare else []
    words += ["--field-of-view", options.field_of_view]
    data = getattr(options, "data", None)
    words += ["--domains", ",".join(_domains(options))] if data is None else ["--data", data.name]
    words += [f"--cases {options.cases or _DEFAULT_CASES}"] if data is None or options.cases else []
    words += [f"--seed {options.seed}"]
    if options.kind == _MATCHING:
        return " ".join([*words, f"--missing {options.missing:g}", *(["--faults"] if options.faults else [])])
    words += [f"--threshold {options.threshold:g}", *(["--full-resolution"] if options.full_resolution else [])]
    if data is not None:
        words += [f"--polarity {options.polarity}"]
        words += [f"--{name} {value}" for name, value in (("labels", options.labels), ("class-ids", options.class_ids))
                  if value]
    return " ".join(words)
