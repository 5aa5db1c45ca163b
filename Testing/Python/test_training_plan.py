"""Settings of a training from a TOML file and the command line."""

from pathlib import Path

import pytest
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.training.catheter import catheter_settings_of
from VesselRegistrationLib.training.matching import matching_task
from VesselRegistrationLib.training.plan import read_plan
from VesselRegistrationLib.training.settings import OUR_CATHETER, PAPER_CATHETER, fine_tuning
from VesselRegistrationLib.training.vessels import vessel_settings_of


def test_the_file_says_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('network = "light"\nrecipe = "paper"\nseed = 4\nfreeze = 7\nclass_ids = [1, 3]\n'
                    "[settings]\nsteps = 90\nlearning_rate = 1\naugment = true\n", encoding="utf-8")
    plan = read_plan("catheter", path, {"seed": 5, "steps": None, "batch_size": 6, "init": "catheter"})
    assert (plan.network, plan.recipe, plan.seed, plan.freeze, plan.init) == ("light", "paper", 5, "7", "catheter")
    assert plan.folder_options.class_ids == (1, 3)
    settings = plan.applied(catheter_settings_of(plan))
    assert (settings.steps, settings.batch_size, settings.learning_rate, settings.augment) == (90, 6, 1.0, True)
    assert settings.loss == PAPER_CATHETER.loss
    assert read_plan("matching", None, {}).network == "ours"


@pytest.mark.parametrize(("text", "words"), [
    ("netwrok = 'ours'", "'netwrok'.*not known"),
    ("steps = 4", r"belongs under \[settings\]"),
    ("[settings]\nlr = 4", "'lr'.*not known"),
    ("settings = 4", "no table"),
    ("seed = 'one'", "a whole number"),
    ("seed = true", "a whole number"),
    ("seed = -1", "negative"),
    ("field_of_view = 'middle'", "lower, upper or both"),
    ("polarity = 'grey'", "dark"),
    ("class_ids = ['a']", "list"),
    ("[settings]\nsteps = 0", "more than 0"),
    ("[settings]\nsteps = 1.5", "a whole number"),
    ("[settings]\naugment = 1", "true or false"),
    ("seed 4", "not valid TOML"),
])
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        read_plan("vessels", path, {})


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_plan("vessels", tmp_path / "none.toml", {})
    with pytest.raises(UserError, match="simulated pairs alone"):
        read_plan("matching", None, {"data": "somewhere"})
    with pytest.raises(UserError, match="known motions"):
        matching_task(read_plan("matching", None, {"recipe": "paper"}))
    with pytest.raises(UserError, match="compact or published"):
        matching_task(read_plan("matching", None, {"network": "light"}))
    task, settings = matching_task(read_plan("matching", None, {"network": "published", "recipe": "paper", "steps": 9}))
    assert (task.name, settings.learning_rate, settings.steps) == ("matching_published", 1e-4, 9)
    assert matching_task(read_plan("matching", None, {}))[0].main_score == "corner_px"
    with pytest.raises(UserError, match="both fields of view"):
        vessel_settings_of(read_plan("vessels", None, {"field_of_view": "lower"}))
    with pytest.raises(UserError, match="one network per field of view"):
        vessel_settings_of(read_plan("vessels", None, {"network": "dru-net", "recipe": "paper"}))


def test_the_papers_schedules() -> None:
    assert PAPER_CATHETER.steps * PAPER_CATHETER.batch_size == 12 * 9000
    assert (PAPER_CATHETER.batch_size, PAPER_CATHETER.learning_rate) == (30, 1e-3)
    tuned = fine_tuning(PAPER_CATHETER, 240, 60, "paper")
    assert (tuned.steps, tuned.batch_size, tuned.learning_rate, tuned.epoch_size) == (50 * 24, 10, 1e-3, 240)
    few = fine_tuning(OUR_CATHETER, 7, 2, "ours")
    assert (few.steps, few.batch_size) == (50, 7) and few.learning_rate == OUR_CATHETER.learning_rate / 4
