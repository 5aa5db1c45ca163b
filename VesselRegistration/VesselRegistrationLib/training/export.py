"""From a training's checkpoint to weights and model card."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..networks.affine_cnn import COMPACT, PUBLISHED
from ..networks.weights import ModelCard, build_network, save_weights
from .scores import HELD_OUT_CASES, score_network
from .settings import PAPER, TrainingSettings, matching_settings, vessel_settings
from .trainer import read_checkpoint

_TRAINING_DOMAIN = ("Fluoroscopy simulated from parametric vessel anatomies, renderer domain 'training', "
                    "random similarity, gamma, contrast and noise on top.")
_TEST_DOMAIN = "Fluoroscopy simulated from other seeds with the renderer's domain 'test'."
_PAIRS_DOMAIN = "Pairs of silhouettes simulated from parametric vessel anatomies, both fields of view in turn."
_PAIRS_TEST = "Pairs simulated from other seeds."


def export_network(training: Path, out: Path, version: str, cases: int = HELD_OUT_CASES) -> ModelCard:
    """Write the network of a training folder as safetensors with its model card to ``out``.

    The card carries scores on ``cases`` held-out simulated cases, which takes about a second per case.

    Raises UserError where the training cannot be read or ``out`` cannot be written.
    """
    checkpoint = read_checkpoint(training)
    name = checkpoint["task"]
    if name not in _CARDS:
        raise UserError(f"The training in {training} is of '{name}', which is not a network of this version.")
    words = _CARDS[name]
    network = build_network(words["architecture"], words["parameters"])
    network.load_state_dict(checkpoint["network"])
    network.eval()
    card = ModelCard(
        name=name, version=version, trainable_parameters=0, file="", sha256="", bytes=0, precision="",
        training_data="Synthetic data only: no image of a patient was used.",
        differences=_TRAINED_AS_PUBLISHED if _is_paper(name, checkpoint) else _DIFFERENCES[name],
        training_command=_training_command(name, checkpoint),
        scores=score_network(network, name, cases),
        score_command=f"python -m VesselRegistrationLib.training.scores {name} --cases {cases}", **words)
    return save_weights(network, card, out)


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _is_paper(name: str, checkpoint: dict[str, Any]) -> bool:
    paper = matching_settings(PAPER) if name.startswith("matching") else vessel_settings(name.split("_")[1], PAPER)
    used = TrainingSettings(**checkpoint["settings"])
    return replace(paper, steps=used.steps, batch_size=used.batch_size) == used


def _training_command(name: str, checkpoint: dict[str, Any]) -> str:
    what = f"vessels --field-of-view {name.split('_')[1]}" if name.startswith("vessels") else "matching"
    settings = checkpoint["settings"]
    what += " --recipe paper" if _is_paper(name, checkpoint) else ""
    done, planned = checkpoint["step"], settings["steps"]
    stopped = f" (stopped after {done} steps)" if done < planned else ""
    return (f"vessel-registration train {what} --steps {planned} --batch-size {settings['batch_size']} "
            f"--seed {checkpoint['seed']} --out DIR{stopped}")


_VESSELS: dict[str, Any] = {
    "architecture": "DRUNet", "parameters": {}, "training_domain": _TRAINING_DOMAIN, "test_domain": _TEST_DOMAIN,
    "limits": "Never tested on patients and not validated on real fluoroscopy. Not a medical device. Expect worse "
              "masks on real images than the scores say."}
_MATCHING: dict[str, Any] = {
    "architecture": "AffineCNN", "field_of_view": "any", "training_domain": _PAIRS_DOMAIN, "test_domain": _PAIRS_TEST,
    "limits": "Meant as the start of the refinement that follows it. Large motions, beyond about 25 degrees, a scale "
              "of 1.3 or a third of the image, were not trained. Not a medical device."}
_CARDS: dict[str, dict[str, Any]] = {
    "vessels_lower": {**_VESSELS, "field_of_view": "lower"},
    "vessels_upper": {**_VESSELS, "field_of_view": "upper"},
    "matching": {**_MATCHING, "parameters": {key: _listed(value) for key, value in COMPACT.items()}},
    "matching_published": {**_MATCHING, "parameters": {key: _listed(value) for key, value in PUBLISHED.items()}},
}
_TRAINED_AS_PUBLISHED = "The published architecture, loss, learning rate and batch size."
_DIFFERENCES = {
    "vessels_lower": "The published architecture. Trained with AdamW on the sum of Dice and cross-entropy, where the "
                     "paper used Dice alone for the lower field of view; most steps at half the image size.",
    "vessels_upper": "The published architecture. Trained with AdamW on the sum of Dice and cross-entropy, where the "
                     "paper used cross-entropy alone for the upper field of view; most steps at half the image size.",
    "matching": "The published topology with a quarter of its widths and 64 instead of 1024 hidden neurons, so that "
                "the weights fit in 5 MB. The paper's unsupervised Dice loss, on blurred images, coarse to fine.",
}
