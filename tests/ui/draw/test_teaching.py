from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.data.spec import DatasetError
from cnnlab.drawings.strokes import LabelledDrawing, write_labelled_drawings
from cnnlab.jobs.finetuning import Change, changes, fine_tuning
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import MAX_LESSONS, RunConfig
from tests.pages.driver import TIMEOUT, button, checked, metrics, texts
from tests.samples import SEVEN, TINY, lesson

pytestmark = pytest.mark.slow

KEPT = "teaching.kept"


@pytest.fixture
def run(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A copy of the finished run among this server's; its branches replay fewer images than others."""
    monkeypatch.setattr("cnnlab.jobs.finetuning.REPLAYED", 300)
    return Run(Path(copytree(finished_run.folder, runs_folder() / finished_run.id)))


def page(strokes: str, pen: float) -> None:
    """As Draw shows them: a drawing, what it was, and all that were kept."""
    import json  # noqa: PLC0415 - the function is a script of its own

    from cnnlab.drawings.strokes import Drawing  # noqa: PLC0415
    from cnnlab.runs.trained import load_trained  # noqa: PLC0415
    from cnnlab.ui.draw.teaching import my_drawings, teach_this  # noqa: PLC0415
    from cnnlab.ui.widgets.run_picker import pick_run  # noqa: PLC0415

    run = pick_run("draw.run")
    assert run
    trained = load_trained(run)
    if strokes:
        teach_this(Drawing(strokes=json.loads(strokes), pen=pen), run, trained.classes)
    my_drawings(run, trained)


def opened(run: Run, drawn: bool = True, kept: list[LabelledDrawing] | None = None) -> AppTest:
    strokes = json.dumps(SEVEN.strokes) if drawn else ""
    assert run.epochs()
    app = AppTest.from_function(page, default_timeout=TIMEOUT, args=(strokes, SEVEN.pen))
    app.session_state[KEPT] = {one.model_dump_json(exclude={"label"}): one.label for one in kept or []}
    return checked(app.run())


def ask(app: AppTest, label: str | None) -> AppTest:
    """A click on a class below the drawing."""
    (control,) = [found for found in app.segmented_control if found.label == "Which digit did you draw?"]
    control.set_value(label)
    return checked(app.run())


def collected(app: AppTest) -> list[str]:
    return list(app.session_state[KEPT].values())


def said(app: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in app.toast]


def badges(app: AppTest) -> list[str]:
    return [text.value for text in app.markdown if "read as" in text.value or "read right" in text.value]


def test_a_click_keeps_the_drawing_another_corrects_it_and_the_same_lets_it_go(run: Run) -> None:
    app = ask(opened(run), "1")
    assert collected(app) == ["1"]
    assert said(app) == ["Saved as 1: 1 drawing so far."]
    ask(app, "7")
    assert collected(app) == ["7"]
    assert "Saved as 7, one of 1 drawing" in texts(app)
    ask(app, None)
    assert collected(app) == []
    assert said(app) == ["Removed: 1 drawing."]


def test_a_drawing_that_is_kept_shows_its_label_again(run: Run) -> None:
    app = ask(opened(run), "4")
    app.run()
    assert app.segmented_control[0].value == "4"
    assert not said(app)


def test_the_gallery_shows_each_drawing_and_marks_those_read_wrong(run: Run) -> None:
    drawings = [lesson("7"), lesson("2", 0.1), lesson("7", 0.2)]
    answer = load_trained(run).classes
    app = opened(run, drawn=False, kept=drawings)
    assert len(app.image) == 3
    assert len(badges(app)) == 3
    right = sum("read right" in badge for badge in badges(app))
    assert f"**{right} of 3 drawings**" in texts(app)
    assert "read right" not in badges(app)[1]
    assert any(f"read as {name}" in badges(app)[1] for name in answer)


def test_removed_drawings_come_back_where_they_were(run: Run) -> None:
    app = opened(run, drawn=False, kept=[lesson("7"), lesson("2", 0.1), lesson("3", 0.2)])
    second = [found for found in app.button if found.label == "Remove"][1]
    second.click().run()
    assert collected(checked(app)) == ["7", "3"]
    app.button(key="teaching.undo").click().run()
    assert collected(checked(app)) == ["7", "2", "3"]
    button(app, "Remove all").click().run()
    assert collected(checked(app)) == []
    assert "label the drawing" in texts(app)
    app.button(key="teaching.undo").click().run()
    assert collected(checked(app)) == ["7", "2", "3"]


def test_many_drawings_are_shown_page_by_page(run: Run) -> None:
    app = opened(run, drawn=False, kept=[lesson("7", number / 100) for number in range(30)])
    assert len(badges(app)) == 24
    app.pagination[0].set_value(2).run()
    assert len(badges(checked(app))) == 6


def upload(app: AppTest, content: bytes) -> AppTest:
    app.file_uploader(key="teaching.import").set_value(("drawings.json", content, "application/json"))
    return app.run()


def test_what_was_downloaded_is_imported_once(run: Run) -> None:
    drawings = [lesson("7"), lesson("2", 0.1)]
    app = upload(opened(run, kept=drawings[:1]), write_labelled_drawings(drawings))
    assert collected(checked(app)) == ["7", "2"]
    assert said(app) == ["Added: 1 drawing. Already here: 1."]
    app.file_uploader(key="teaching.import").set_value(None)
    assert collected(checked(app.run())) == ["7", "2"]


@pytest.mark.parametrize("content", [b"hello", b'[{"label": "7"}]', b"[" * 10_000])
def test_a_file_without_labelled_drawings_is_refused_with_its_reason(content: bytes, run: Run) -> None:
    app = upload(opened(run), content)
    assert not app.exception
    assert "No JSON list of drawings" in app.error[0].value
    assert collected(app) == []
    assert not app.run().error


def test_no_more_are_kept_than_can_be_taught(run: Run) -> None:
    many = [lesson("7", (number + 1) / 1000) for number in range(MAX_LESSONS + 5)]
    app = upload(opened(run, kept=many[:2]), write_labelled_drawings(many))
    assert len(collected(checked(app))) == MAX_LESSONS
    assert f"Left out: 5; you can keep at most {MAX_LESSONS}" in said(app)[0]
    ask(app, "7")
    assert len(collected(app)) == MAX_LESSONS
    assert said(app) == [f"You can keep at most {MAX_LESSONS} drawings: remove one first."]


def test_drawings_of_other_characters_are_left_out(run: Run) -> None:
    app = opened(run, drawn=False, kept=[lesson("7"), lesson("<b>", 0.1)])
    assert len(badges(app)) == 1
    assert "Left out: 1 drawing" in texts(app)
    assert button(app, "Fine-tune on 1 drawing")


def ended(app: AppTest) -> Run:
    """The run that the page's fine-tuning came to."""
    (job,) = running_jobs()
    app.run()  # a look at it while it runs
    job.join()
    checked(app.run())
    return job.run


def test_a_branch_is_taught_and_its_learning_and_forgetting_shown(run: Run) -> None:
    drawings = [lesson("2", number / 10) for number in range(4)]  # a hand whose twos are others' sevens
    app = opened(run, drawn=False, kept=drawings)
    button(app, "Fine-tune on 3 drawings").click().run()
    branch = ended(app)
    assert branch.config.lessons == (drawings[0], drawings[1], drawings[3])
    found = changes(branch, RunStore(runs_folder()), others=[drawings[2]])
    shown = metrics(app)
    assert shown["Drawings trained on"] == f"{found['taught'].after} of 3"
    assert shown["Your other drawings"] == f"{found['others'].after} of 1"
    assert shown["Test images"] == f"{found['test'].after / 500:.1%}"
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas["Drawings trained on"] == f"{found['taught'].after - found['taught'].before:+d}"
    assert "no fair test" in texts(app)


@pytest.mark.parametrize(("after", "warned"), [(480, True), (489, False)])
def test_much_forgetting_is_warned_of(after: int, warned: bool, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.draw.fine_tuning.changes", lambda *_: {"test": Change(500, before=490, after=after)})
    app = opened(run, drawn=False, kept=[lesson("2")])
    button(app, "Fine-tune on 1 drawing").click().run()
    ended(app)
    assert [block.value.startswith("It forgot a lot") for block in app.warning] == [True] * warned


def test_all_drawings_are_taught_where_none_is_kept_aside(run: Run) -> None:
    drawings = [lesson("2", number / 10) for number in range(3)]
    app = opened(run, drawn=False, kept=drawings)
    app.toggle(key="teaching.aside").set_value(False).run()
    button(app, "Fine-tune on 3 drawings").click().run()
    assert ended(app).config.lessons == tuple(drawings)
    assert "Your other drawings" not in metrics(app)


def test_a_fine_tuning_that_fails_says_why(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise DatasetError("MNIST is not here")

    app = opened(run, drawn=False, kept=[lesson("7")])
    monkeypatch.setattr("cnnlab.jobs.execution.data_of", refuse)
    button(app, "Fine-tune on 1 drawing").click().run()
    app.run()
    assert "MNIST is not here" in app.error[0].value
    assert button(app, "Fine-tune on 1 drawing")


def test_what_cannot_be_taught_is_told_before_it_starts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.config.MAX_POINTS", 3)
    app = opened(run, drawn=False, kept=[lesson("7")])
    button(app, "Fine-tune on 1 drawing").click().run()
    assert "more than 3 points" in app.error[0].value
    assert not running_jobs()


def test_another_training_is_waited_for(run: Run) -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1000), RunStore(runs_folder()))
    app = opened(run, drawn=False, kept=[lesson("7")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnnlab.ui.shell.session.current_job", lambda: job)
        assert "A training of yours still runs" in texts(checked(app.run()))
    assert not [found for found in app.button if found.label.startswith("Fine-tune")]


def test_what_a_run_was_taught_can_be_taken_in(run: Run) -> None:
    config = run.config.model_copy(update={"lessons": (lesson("7"), lesson("2", 0.1))})
    (run.folder / "config.json").write_text(config.model_dump_json())
    app = opened(run, drawn=False, kept=[lesson("1", 0.1)])
    button(app, "Add this run's drawings").click().run()
    assert collected(checked(app)) == ["1", "7"]
    assert said(app) == ["Added: 1 drawing. Already here: 1."]
    assert not [found for found in app.button if found.label.startswith("Add data set")]


def test_a_branch_whose_parent_is_gone_is_shown_without_a_comparison(run: Run) -> None:
    config = fine_tuning(run, [lesson("7")])
    store = RunStore(runs_folder())
    branch = Run(Path(copytree(run.folder, runs_folder() / "branch")))
    (branch.folder / "config.json").write_text(config.model_dump_json())
    branch.write_summary(branch.summary.model_copy(update={"id": branch.id}))
    store.delete(run.id)
    app = opened(branch, drawn=False, kept=[lesson("7")])
    assert f"there is no run '{run.id}'" in texts(app).replace("\\", "")
    assert "Test images" not in metrics(app)
