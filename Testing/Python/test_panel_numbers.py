"""The numbers behind the panel: poses by hand, the error in space to expect, the report's page."""

from html.parser import HTMLParser

import numpy as np
import pytest
from registration_example import example_frame, example_model, example_result
from scipy.stats import chi
from VesselRegistrationLib.pose.expected import mtre_interval_mm
from VesselRegistrationLib.pose.nudge import Nudge, nudge_of_pose, pose_of_nudge
from VesselRegistrationLib.rendering.report_page import report_page

MIDDLE = np.array([12.0, -40.0, 700.0])


def test_a_shift_moves_the_middle_of_the_model_from_the_isocentre():
    pose = pose_of_nudge(Nudge(shift_mm=(1.0, 2.0, 3.0)), MIDDLE)
    np.testing.assert_allclose(pose @ [*MIDDLE, 1.0], [1.0, 2.0, 3.0, 1.0])


@pytest.mark.parametrize(("turn", "moved"), [
    ((90, 0, 0), (0, 0, 1)), ((0, 90, 0), (0, 1, 0)), ((0, 0, 90), (-1, 0, 0))])
def test_a_turn_is_about_a_patient_axis_through_the_middle(turn, moved):
    pose, beside = pose_of_nudge(Nudge(turn_deg=turn), MIDDLE), MIDDLE + np.array([0, 1, 0])
    np.testing.assert_allclose((pose @ [*beside, 1.0])[:3], moved, atol=1e-12)


def test_numbers_and_pose_are_one():
    nudge = Nudge((10.0, -35.0, 60.0), (4.0, -5.0, 6.0))
    back = nudge_of_pose(pose_of_nudge(nudge, MIDDLE), MIDDLE)
    np.testing.assert_allclose([*back.turn_deg, *back.shift_mm], [*nudge.turn_deg, *nudge.shift_mm])


def test_error_of_a_loose_shift_is_that_of_three_normal_numbers():
    covariance = np.diag([0.0, 0.0, 0.0, 4.0, 4.0, 4.0])
    points = np.random.default_rng(3).normal(size=(500, 3)) * 50
    np.testing.assert_allclose(mtre_interval_mm(covariance, points), 2.0 * chi(3).ppf([0.05, 0.95]), rtol=0.1)


def test_error_of_a_loose_turn_grows_with_the_arm():
    covariance = np.diag([0.0, 0.0, np.radians(2.0) ** 2, 0.0, 0.0, 0.0])
    points = np.array([[-100.0, 0.0, 0.0], [100.0, 0.0, 0.0]])
    expected = 100 * np.radians(2.0) * chi(1).ppf([0.05, 0.95])
    np.testing.assert_allclose(mtre_interval_mm(covariance, points), expected, rtol=0.15, atol=0.05)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.pictures, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_shows_every_view_and_names_no_patient():
    page = _Page()
    text = report_page(example_result(example_model(), [example_frame(), example_frame()]), "today")
    page.feed(text)
    assert page.open == []
    assert page.pictures == ["overlay_0.png", "comparison_0.png", "overlay_1.png", "comparison_1.png"]
    words = " ".join(page.words)
    for expected in ("Check", "The mask covers half of the model.", "LAO 30.5 / CAU 12.2", "1105 mm", "(0018,1110)",
                     "not a medical device"):
        assert expected in words
    assert "Doe" not in text
