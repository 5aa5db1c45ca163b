"""Fixtures that several test files share."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from VesselRegistrationLib.networks import weights
from VesselRegistrationLib.simulation.case import CaseSettings, write_case


def _card(name, architecture, parameters, field_of_view):
    return weights.ModelCard(
        name=name, version="0", architecture=architecture, parameters=parameters, trainable_parameters=0,
        field_of_view=field_of_view, file="", sha256="", bytes=0, precision="", training_data="none",
        training_domain="none", test_domain="none", training_command="none", scores={}, score_command="none",
        differences="untrained", limits="for tests")


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory) -> Path:
    """A folder with untrained networks under the names of the shipped ones; the matching one answers the identity."""
    import torch

    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("weights")
    for name, architecture, parameters, field_of_view in (("matching_ours", "MatchNet", {}, "any"),
                                                          ("vessels_lower", "DRUNet", {}, "lower"),
                                                          ("vessels_upper", "DRUNet", {}, "upper")):
        network = weights.build_network(architecture, parameters)
        weights.save_weights(network, _card(name, architecture, parameters, field_of_view), folder)
    return folder


@pytest.fixture
def untrained_networks(untrained_weights, monkeypatch) -> Path:
    """Let the program find the untrained networks instead of the shipped ones."""
    monkeypatch.setattr(weights, "weights_directory", lambda: untrained_weights)
    return untrained_weights


@pytest.fixture(scope="session")
def lower_case(tmp_path_factory) -> Path:
    """A small simulated case of the lower field of view, as files: two views of 192 x 192 pixels."""
    folder = tmp_path_factory.mktemp("simulated") / "case"
    write_case(folder, "lower", 11, CaseSettings(frames=(3, 2), size=192))
    return folder


@pytest.fixture(scope="session")
def true_pose(lower_case) -> np.ndarray:
    """The true model_to_world (4, 4) of ``lower_case``."""
    return np.array(json.loads((lower_case / "truth.json").read_text(encoding="utf-8"))["model_to_world"])


@pytest.fixture
def scene(monkeypatch):
    """An empty scene as Slicer sets it up; the test must end without an exception in an observer."""
    from view_cases import new_scene

    errors: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(repr(error)))
    scene, logics = new_scene()
    yield scene
    del logics
    assert errors == []


@pytest.fixture
def layout_logic(scene):
    """Makes view nodes from layouts, as Slicer does; without widgets."""
    import slicer

    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)
    yield logic
    logic.SetMRMLScene(None)
