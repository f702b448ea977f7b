from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.analysis.blame import influence, without
from cnnlab.data.loading import load_test
from cnnlab.jobs.worker import completed
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from cnnlab.ui.views.view import Look, Picked
from tests.pages.driver import TIMEOUT, checked, texts
from tests.samples import TINY
from tests.trainings import copied, train


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what they compute: nothing ticks in AppTest."""
    monkeypatch.setattr("cnnlab.ui.widgets.awaited.AT_ONCE_SECONDS", TIMEOUT)


@pytest.fixture
def run() -> Run:
    return train(architecture=TINY, epochs=2, train_fraction=0.1)


def misread(run: Run) -> Picked:
    split = load_test("mnist-sample")
    number = int((load_trained(run).logits(split).argmax(1) != split.labels).nonzero()[0])
    return Picked(split.image(number)[None], "A test image", label=int(split.labels[number]))


def view(look: "Look") -> None:  # noqa: UP037, a script of its own, without this file's imports
    from cnnlab.ui.views import blame  # noqa: PLC0415

    blame.show(look)


def shown(run: Run, picked: Picked, epoch: int | None = None) -> AppTest:
    look = Look(run, load_trained(run, epoch), run.epochs(), picked)
    return checked(AppTest.from_function(view, default_timeout=TIMEOUT, args=(look,)).run())


def test_blamed_images_stand_beside_the_nearest_and_can_be_left_out(run: Run) -> None:
    page = shown(run, misread(run))
    assert len(page.get("plotly_chart")) == 2
    assert "Would it read the image right without the 10 images blamed?" in texts(page)
    assert next(button.label for button in page.button).startswith("Train again without the blamed ones")


def test_the_nearest_of_the_wrong_class_are_a_choice(run: Run) -> None:
    picked = misread(run)
    page = shown(run, picked)
    assert "Many of them speak for the right class" in texts(page)
    wrong = int(load_trained(run).logits(picked.pixels).argmax())
    assert set(nearest_classes(page)) > {str(wrong)}
    page.segmented_control[0].set_value(f"Wrong class: {wrong}").run()
    assert nearest_classes(checked(page)) == 10 * [str(wrong)]


def nearest_classes(page: AppTest) -> list[str]:
    """The classes above the tiles of the second figure."""
    figure = json.loads(page.get("plotly_chart")[1].proto.spec)
    return [title["text"].partition("<br>")[0] for title in figure["layout"]["annotations"]]


def test_a_run_without_them_is_compared(run: Run) -> None:
    picked = misread(run)
    assert picked.label is not None
    known = completed(influence(run))
    again = train(**dict(without(run.config, known.blamed(picked.pixels, picked.label))))
    assert "Without them it says" in texts(shown(run, picked))
    answer = int(load_trained(again).logits(picked.pixels).argmax())
    assert ("the answer turned" in texts(shown(run, picked))) == (answer == picked.label)


def test_nothing_is_blamed_for_a_right_answer_nor_before_training(run: Run) -> None:
    picked = misread(run)
    named = int(load_trained(run).logits(picked.pixels).argmax())
    right = Picked(picked.pixels, "A test image", label=named)
    assert "nothing is to blame" in texts(shown(run, right))
    assert "Before the first epoch" in texts(shown(run, right, epoch=0))


def test_the_class_of_ones_own_image_is_asked(run: Run) -> None:
    picked = misread(run)
    page = shown(run, Picked(picked.pixels, "Your drawing", is_own=True))
    assert not page.get("plotly_chart")
    checked(page.selectbox[0].select_index(picked.label).run())
    assert len(page.get("plotly_chart")) == 2


def test_a_branch_keeps_what_its_parent_learned(run: Run) -> None:
    branch = copied(run, RunStore(runs_folder()))
    config = run.config.model_dump(mode="json") | {"parent": f"{run.id}@1"}
    (branch.folder / "config.json").write_text(run.config.model_validate(config).model_dump_json(), encoding="utf-8")
    assert "They cannot be taken out" in texts(shown(branch, misread(branch)))
