"""From a training's checkpoint to weights and model card."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..networks.weights import ModelCard, build_network, save_weights
from .checkpoint import read_best
from .scores import HELD_OUT_CASES, score_network
from .settings import (
    BOTH,
    OUR_CATHETER,
    OUR_FLUOROSCOPY,
    OUR_MATCHING,
    OUR_VESSELS,
    PAPER,
    TrainingSettings,
    catheter_settings,
    matching_settings,
    vessel_settings,
)

_TRAINING_DOMAIN = ("Fluoroscopy simulated from parametric vessel anatomies, renderer domain 'training', "
                    "random similarity, gamma, contrast and noise on top.")
_WIDE_DOMAIN = ("Fluoroscopy simulated from parametric vessel anatomies, renderer domains 'training' and 'wide', "
                "random similarity, and changes of polarity, borders, tone, sharpness and noise on top.")
_WINDOWS = " Frames of 512x512 pixels, seen as a whole at half that size or through windows."
_TEST_DOMAIN = "Fluoroscopy simulated from other seeds with the renderer's domain 'test'."
_PAIRS_DOMAIN = "Pairs of silhouettes simulated from parametric vessel anatomies, both fields of view in turn."
_PAIRS_TEST = "Pairs simulated from other seeds."


def export_network(training: Path, out: Path, version: str, cases: int = HELD_OUT_CASES) -> ModelCard:
    """Write the best network of a training folder as safetensors with its model card to ``out``.

    The best is the one with the best validation score. The card carries scores on ``cases`` held-out simulated cases,
    which takes about a second per case.

    Raises UserError where the training cannot be read or ``out`` cannot be written.
    """
    checkpoint = read_best(training)
    name, origin = checkpoint["task"], checkpoint["origin"]
    network = build_network(checkpoint["architecture"], checkpoint["parameters"])
    network.load_state_dict(checkpoint["network"])
    network.eval()
    words = {**_WORDS[origin["task"]], **_many_looks(checkpoint), **_own_frames(origin)}
    scores = score_network(network, name, cases)
    if "data" in origin:
        scores["validation_dice"] = round(checkpoint["best_score"], 4)
    card = ModelCard(
        name=name, version=version, architecture=checkpoint["architecture"], parameters=checkpoint["parameters"],
        trainable_parameters=0, field_of_view=origin["field_of_view"].replace(BOTH, "any"), file="", sha256="",
        bytes=0, precision="",
        differences=_TRAINED_AS_PUBLISHED if _is_paper(checkpoint) else _differences(checkpoint),
        training_command=_training_command(checkpoint), scores=scores,
        score_command=f"python -m VesselRegistrationLib.training.scores {name} --cases {cases}", **words)
    return save_weights(network, card, out)


def _many_looks(checkpoint: Mapping[str, Any]) -> dict[str, str]:
    if not checkpoint["settings"].get("change_appearance"):
        return {}
    return {"training_domain": _WIDE_DOMAIN + (_WINDOWS if checkpoint["origin"]["task"] == "catheter" else "")}


def _own_frames(origin: Mapping[str, Any]) -> dict[str, str]:
    init = f" First weights: {origin['init']}." if "init" in origin else ""
    if "data" not in origin:
        return {"training_data": f"Synthetic data only: no image of a patient was used.{init}"}
    return {"training_data": f"REAL frames, given by the user: {origin['data']}.{init}",
            "training_domain": "The user's own frames, with random similarity, gamma, contrast and noise on top.",
            "limits": "Fine-tuned on the user's own frames; its scores on simulated frames do not tell how good it is "
                      "on real ones, validation_dice does, and that score chose the weights. Not a medical device."}


def _paper_settings(origin: Mapping[str, Any]) -> TrainingSettings | None:
    if origin["task"] == "matching":
        return matching_settings(PAPER)
    if origin["task"] == "catheter":
        return catheter_settings(PAPER)
    return None if origin["field_of_view"] == BOTH else vessel_settings(origin["field_of_view"], PAPER)


def _is_paper(checkpoint: Mapping[str, Any]) -> bool:
    paper = _paper_settings(checkpoint["origin"])
    used = TrainingSettings(**checkpoint["settings"])
    return (paper is not None and checkpoint["origin"]["network"] not in ("ours", "compact")
            and "data" not in checkpoint["origin"]
            and replace(paper, steps=used.steps, batch_size=used.batch_size, loss=used.loss) == used)


def _changed_settings(checkpoint: Mapping[str, Any]) -> str:
    """What a settings file must say for the same training of our recipe on simulated frames."""
    origin = checkpoint["origin"]
    if "data" in origin or origin["network"] not in _RECIPES[origin["task"]] or _is_paper(checkpoint):
        return ""
    recipe = asdict(_RECIPES[origin["task"]][origin["network"]])
    said = ("steps", "batch_size")
    changed = [f"{name} = {json.dumps(value)}" for name, value in checkpoint["settings"].items()
               if name not in said and value != recipe[name]]
    return f" --config FILE ([settings] {', '.join(changed)})" if changed else ""


def _training_command(checkpoint: Mapping[str, Any]) -> str:
    origin, settings = checkpoint["origin"], checkpoint["settings"]
    field_of_view = f" --field-of-view {origin['field_of_view']}" if origin["task"] == "vessels" else ""
    recipe = " --recipe paper" if _is_paper(checkpoint) else ""
    best = f" (the weights after {checkpoint['step']} steps)" if checkpoint["step"] < settings["steps"] else ""
    freeze = f" --freeze {origin['frozen']}" if "frozen" in origin else ""
    own = f"{' --data FOLDER' if 'data' in origin else ''}{' --init WEIGHTS' if 'init' in origin else ''}{freeze}"
    return (f"vessel-registration train {origin['task']} --network {origin['network']}{field_of_view}{recipe} "
            f"--steps {settings['steps']} --batch-size {settings['batch_size']} --seed {checkpoint['seed']} "
            f"--out DIR{own}{_changed_settings(checkpoint)}{best}")


def _differences(checkpoint: Mapping[str, Any]) -> str:
    network = checkpoint["origin"]["network"]
    return _NETWORK_DIFFERENCES.get(network, "The published architecture, trained as the settings of the training say.")


_RECIPES = {"vessels": {"ours": OUR_FLUOROSCOPY, "dru-net": OUR_VESSELS},
            "catheter": dict.fromkeys(("ours", "light", "ambrosini"), OUR_CATHETER),
            "matching": {"compact": OUR_MATCHING}}
_WORDS: dict[str, dict[str, Any]] = {
    "vessels": {
        "training_domain": _TRAINING_DOMAIN, "test_domain": _TEST_DOMAIN,
        "limits": "Never tested on patients and not validated on real fluoroscopy. Not a medical device. Expect worse "
                  "masks on real images than the scores say."},
    "matching": {
        "training_domain": _PAIRS_DOMAIN, "test_domain": _PAIRS_TEST,
        "limits": "Meant as the start of the refinement that follows it. Large motions, beyond about 25 degrees, a "
                  "scale of 1.3 or a third of the image, were not trained. Not a medical device."},
}
_WORDS["catheter"] = {
    **_WORDS["vessels"],
    "limits": "Misses or invents parts of devices in many frames; filled coronary arteries can be taken for devices. "
              + _WORDS["vessels"]["limits"]}
_TRAINED_AS_PUBLISHED = "The published architecture, loss, learning rate and batch size."
_NETWORK_DIFFERENCES = {
    "ours": "A network of our own.",
    "dru-net": "The published architecture. Trained with AdamW on Dice, where the paper used cross-entropy for the "
               "upper field of view; most steps at half the image size.",
    "light": "The published architecture. Trained with AdamW on the Dice of both outputs, with augmentation, "
             "where the paper used Adam on weighted Dice.",
    "ambrosini": "The published architecture on single frames. Trained with AdamW on the Dice of both outputs, with "
                 "augmentation.",
    "compact": "The published topology with a quarter of its widths and 64 instead of 1024 hidden neurons, so that the "
               "weights fit in 5 MB. The paper's unsupervised Dice loss, on blurred images, coarse to fine.",
}
