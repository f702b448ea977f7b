"""Train as AppTest runs it: a run that is paused, changed, resumed, trained on, branched, and one that waits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import DATASETS
from cnnlab.data.splits import few_of_each
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.quantities import duration
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Trial
from cnnlab.training.config import Parent
from cnnlab.training.epoch_time import Cost, Stopwatch
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.train.diagnosis import watch_of
from tests.pages.driver import button, checked, metrics, new_session, open_page, texts
from tests.samples import TINY
from tests.trainings import expects_one_thread, interrupted, start, train, wait_for, wait_for_epoch, wait_until

pytestmark = pytest.mark.slow


def test_a_training_is_paused_and_continued(training: tuple[AppTest, Job]) -> None:
    page, job = training
    wait_for(job, "training")
    page.run()
    page.button(key="pause").click().run()
    wait_for(job, "paused")
    assert "Paused: Epoch" in texts(checked(page.run())) + page.get("progress")[0].proto.text
    page.button(key="continue").click().run()
    wait_for(job, "training")
    assert page.button(key="pause")


def test_a_learning_rate_is_set_while_it_trains(training: tuple[AppTest, Job]) -> None:
    page, job = training
    wait_for(job, "training")
    page.run()
    page.session_state["live.rate.open"] = True
    page.run()
    page.number_input(key="live.rate").set_value(0.0005)  # the click may come before the page is drawn again
    page.button(key="live.set").click().run()
    wait_until(job, lambda: job.history.rates)
    assert job.history.rates[0]["learning_rate"] == 0.0005
    checked(page.run())


def test_a_run_that_cannot_be_written_is_told_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    page = open_page("Train")
    monkeypatch.setenv("CNNLAB_RUNS", str(tmp_path / "file"))
    button(page, "Train").click().run()
    assert not page.exception
    assert page.error[0].value.startswith("This training could not start") or "cannot be written" in page.error[0].value
    assert not running_jobs()


def test_classes_of_unequal_size_are_judged_alike_on_every_page(listed_run: Run) -> None:
    balanced = metrics(open_page("Train", listed_run))
    assert "Balanced accuracy" not in balanced
    assert "Balanced" not in open_page("Compare").dataframe[0].value.columns
    summary = listed_run.summary
    support = {name: images if name == "0" else images // 2 for name, images in summary.support.items()}
    listed_run.write_summary(summary.model_copy(update={"support": support}))
    shown = metrics(open_page("Train", listed_run))
    assert shown["Balanced accuracy"] == f"{sum(summary.per_class.values()) / 10:.1%}"
    assert shown["Macro F1"] == f"{summary.macro_f1:.1%}"
    (row,) = open_page("Compare").dataframe[0].value[["Balanced", "Macro F1"]].to_numpy()
    assert row.tolist() == pytest.approx([100 * (summary.balanced_accuracy or 0), 100 * (summary.macro_f1 or 0)])


def test_evaluate_counts_all_classes_alike_where_they_differ_in_size(
    listed_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Balanced accuracy" not in metrics(open_page("Evaluate", listed_run))
    monkeypatch.setattr("cnnlab.evaluation.balance.IMBALANCED", 1.0)  # so that every data set is
    shown, summary = metrics(open_page("Evaluate", listed_run)), listed_run.summary
    assert shown["Balanced accuracy"] == f"{summary.balanced_accuracy:.1%}"
    assert shown["Macro F1"] == f"{summary.macro_f1:.1%}"


def test_a_network_too_large_for_the_memory_is_refused_with_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.memory.free_bytes", lambda device: 400 * 10**6)
    page = open_page("Train")
    page.number_input(key="form.batch_size").set_value(4096).run()
    told = page.error[0].value.replace("\\", "")
    found = re.search(r"\d+\.\d GB are free: set it to (\d+) images at once", told)
    assert found
    assert told.startswith("Micro-batch, under More settings: this needs about")
    assert button(page, "Train").disabled
    page.number_input(key="form.micro_batch").set_value(int(found[1])).run()
    assert not page.error
    assert not button(page, "Train").disabled


def refusals(page: AppTest) -> list[str]:
    return [error.value.replace("\\", "") for error in page.error]


def test_settings_that_cannot_run_are_told_below_the_button_and_their_fold_opens_once() -> None:
    page = open_page("Train")
    fold = page.session_state
    assert "Press **Train**" in texts(page)
    assert "Memory: up to 0." in texts(page)
    page.number_input(key="form.batch_size").set_value(100_000).run()
    assert refusals(page) == ["Batch size: at most 10,000."]
    assert not fold["form.more"]
    assert "Press **Train**" not in texts(page)
    page.number_input(key="form.batch_size").set_value(64).run()
    page.number_input(key="form.weight_decay").set_value(7.0).run()
    assert refusals(page) == ["Weight decay, under More settings: at most 1."]
    assert fold["form.more"]
    fold["form.more"] = False
    page.run()
    assert not fold["form.more"]  # who closed it wants it closed
    page.number_input(key="form.weight_decay").set_value(0.01).run()
    assert "Press **Train**" in texts(checked(page))


def test_an_error_nobody_expected_has_its_details_folded_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("<b>oops</b>")

    monkeypatch.setattr("cnnlab.jobs.execution.last_network", broken)
    page = open_page("Train")
    button(page, "Train").click().run()
    for job in running_jobs():
        job.join()
    page.run()
    assert not page.exception
    assert "oops" in page.error[0].value
    assert "<b>" not in page.error[0].value
    assert "in broken" in page.expander[0].code[0].value


def test_the_rate_offered_is_the_one_it_has(training: tuple[AppTest, Job]) -> None:
    page, job = training
    wait_for(job, "training")
    page.run()
    assert not [field for field in page.number_input if field.key == "live.rate"]
    wait_for_epoch(job)
    job.pause()
    wait_for(job, "paused")
    page.session_state["live.rate.open"] = True
    page.run()
    assert page.number_input(key="live.rate").value == pytest.approx(job.history.steps[-1]["learning_rate"])


def test_a_rate_set_while_paused_is_shown_at_once(training: tuple[AppTest, Job]) -> None:
    page, job = training
    job.pause()
    wait_for(job, "paused")
    page.run()
    page.session_state["live.rate.open"] = True
    page.run()
    page.number_input(key="live.rate").set_value(0.0005).run()
    page.button(key="live.set").click().run()
    assert {metric.label: metric.value for metric in checked(page).metric}["Learning rate"] == "0.0005"


def test_what_ails_a_run_is_named_and_its_remedy_tried_and_judged() -> None:
    run = train(learning_rate=1e-6)
    page = open_page("Train", run)
    examined(run)
    page.run()
    assert "Rate too low" in texts(page)
    assert r"At the learning rate 1e\-06 a step changes" in texts(page)
    page.button(key="diagnosis.try.rate-too-low").click().run()
    (job,) = running_jobs()
    assert job.run.about.trial == Trial(run=run.id, fault="rate-too-low", change="Raise the learning rate to 0.0007")
    assert "Once both trainings have ended" in texts(checked(page))
    job.join()
    told = texts(checked(page.run()))
    assert re.search(r"It helped\] .* validation images were right before, .* now \(McNemar: p [<=] 0", told)
    page.button(key="verdict.before").click().run()
    assert run.id in page.query_params["run"]


def test_a_healthy_run_is_left_alone(listed_run: Run) -> None:
    page = open_page("Train", listed_run)
    examined(listed_run)
    assert "badge[:material/stethoscope" not in texts(page.run())


def test_a_trial_of_a_run_that_is_gone_says_so(listed_run: Run) -> None:
    gone = Trial(run="20260101-000000-nothing", fault="rate-too-low", change="Raise *it*")
    listed_run.change_about(trial=gone)
    assert r"Tries a change (raise \*it\*) for a run that is no longer here" in texts(open_page("Train", listed_run))


def examined(run: Run) -> None:
    """Wait for the examination that the page has begun."""
    watch_of(str(run.folder), run).join()


def test_an_address_without_a_run_is_told() -> None:
    page = new_session(run="20260101-000000-nothing")
    assert "does not exist here" in checked(page.run()).warning[0].value


def test_an_interrupted_run_is_resumed_with_one_click() -> None:
    run = interrupted(epochs=3).run
    page = open_page("Train", run)
    assert re.search(r"interrupted after \d of 3 epochs", page.warning[0].value)
    page.button(key="resume").click().run()
    for job in running_jobs():
        job.join()
    checked(page.run())
    assert run.summary.status == "finished"
    assert len(run.history().epochs) == 3
    assert not [found for found in page.button if found.key == "resume"]


def test_resuming_on_another_kind_of_machine_is_told_and_works() -> None:
    run = interrupted(epochs=3).run
    assert "another kind of machine" not in texts(open_page("Train", run))
    other = run.summary.machines[0].model_copy(update={"torch": "1.13_1"})
    run.write_summary(run.summary.model_copy(update={"machines": (other,)}))
    page = open_page("Train", run)
    assert f"numbers will differ (PyTorch 1.13_1, here {torch.__version__}" in texts(page).replace("\\", "")
    assert "same as without the stop" not in page.button(key="resume").help
    page.button(key="resume").click().run()
    for job in running_jobs():
        job.join()
    assert [kind.torch for kind in run.summary.machines] == ["1.13_1", torch.__version__]
    assert "numbers will differ" in texts(checked(page.run()))  # where it is trained for more epochs


def test_a_run_that_keeps_every_checkpoint_says_what_that_takes() -> None:
    page = open_page("Train", architecture="lenet-5", epochs="1", train_fraction="0.1")
    before = texts(page)
    page.checkbox(key="form.provable").set_value(True).run()
    assert texts(checked(page)) != before
    button(page, "Train").click().run()
    (job,) = running_jobs()
    job.join()
    assert job.run.checkpoints.read(1)


def test_a_rate_below_what_the_page_offers_does_not_break_it() -> None:
    assert open_page("Train", train(learning_rate=1e-7, train_fraction=0.1)).number_input(key="more.epochs")


def test_a_finished_run_is_trained_on() -> None:
    run = train(train_fraction=0.1)
    page = open_page("Train", run)
    page.number_input(key="more.epochs").set_value(2).run()
    page.button(key="more.go").click().run()
    for job in running_jobs():
        job.join()
    checked(page.run())
    assert [record["epoch"] for record in run.history().epochs] == [1, 2, 3]


def test_a_branch_begins_with_the_chosen_epochs_weights_and_the_forms_settings() -> None:
    run = train(epochs=2, architecture="lenet-5", train_fraction=0.1)
    page = open_page("Train", run)
    page.select_slider(key=f"branch.epoch.{run.id}").set_value(1)
    page.button(key="branch.go").click().run()
    assert "from epoch 1 on" in texts(checked(page))
    page.number_input(key="form.learning_rate").set_value(0.002).run()
    button(page, "Train").click().run()
    (job,) = running_jobs()
    job.join()
    assert job.state == "finished"
    assert job.config.parent == Parent(run=run.id, epoch=1)
    assert job.config.learning_rate == 0.002
    assert job.config.architecture == run.config.architecture
    checked(page.run())
    again = open_page("Train", job.run)
    assert "from epoch 1 on" in texts(again)
    assert again.number_input(key="form.learning_rate").value == 0.002
    page.button(key="form.anew").click().run()
    assert page.selectbox(key="form.architecture").value == "lenet-5"


def test_a_branch_may_keep_fewer_filters() -> None:
    run = train(architecture="lenet-5", train_fraction=0.1)
    page = open_page("Train", run)
    page.button(key="branch.go").click().run()
    share = page.number_input(key="form.filters_kept")
    assert share.value == 1
    share.set_value(0.999).run()
    assert "no filter to remove" in texts(page)
    page.number_input(key="form.filters_kept").set_value(0.5).run()
    button(checked(page), "Train").click().run()
    (job,) = running_jobs()
    job.join()
    assert job.state == "finished"
    assert (job.config.filters_kept, job.config.architecture.name) == (0.5, "lenet-5-pruned")
    again = open_page("Train", job.run)
    assert again.number_input(key="form.filters_kept").value == 0.5
    again.button(key="branch.go").click().run()
    assert again.number_input(key="form.filters_kept").value == 1


def test_a_training_that_waits_says_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(1))
    first = start(epochs=1000)
    wait_for_epoch(first)
    page = open_page("Train")
    button(page, "Train").click().run()
    (second,) = [job for job in running_jobs() if job is not first]
    wait_for(second, "queued")
    checked(page.run())
    assert "number 1 in the queue" in page.get("progress")[0].proto.text
    page.button(key="stop").click().run()
    second.join()
    checked(page.run())
    assert "nothing to test" in texts(page)
    first.stop()
    first.join()


def test_the_form_says_what_auto_is_for_the_data_set() -> None:
    page = open_page("Train")
    assert "Auto is handwriting for this data set." in texts(page)
    page.selectbox(key="form.dataset").set_value("cifar10").run()
    assert "Auto is flip for this data set." in texts(checked(page))


def test_settings_without_effect_are_not_shown() -> None:
    page = open_page("Train")
    fields = {"momentum", "nesterov", "step_epochs", "step_factor", "warmup_epochs"}
    assert not shown_of(page, fields)
    page.selectbox(key="form.optimizer").set_value("rmsprop").run()
    page.selectbox(key="form.schedule").set_value("step").run()
    assert shown_of(checked(page), fields) == fields - {"nesterov"}
    page.selectbox(key="form.optimizer").set_value("sgd").run()
    assert shown_of(checked(page), fields) == fields


def shown_of(page: AppTest, fields: set[str]) -> set[str]:
    inputs = [*page.number_input, *page.checkbox]
    return fields & {(field.key or "").removeprefix("form.") for field in inputs}


def test_a_sweep_over_optimisers_shows_the_settings_of_each() -> None:
    page = open_page("Sweep")
    assert not shown_of(page, {"momentum", "nesterov"})
    page.multiselect(key="sweep.search").set_value(["optimizer"]).run()
    assert shown_of(checked(page), {"momentum", "nesterov"}) == {"momentum", "nesterov"}


def test_what_differs_from_the_recipe_is_told_and_reset_with_a_click() -> None:
    page = open_page("Train")
    assert "Changed:" not in texts(page)
    page.number_input(key="form.epochs").set_value(7).run()
    assert "Changed: Epochs." in texts(checked(page))
    page.button(key="form.reset").click().run()
    assert page.number_input(key="form.epochs").value == 38
    assert "Changed:" not in texts(checked(page))


def test_a_run_without_some_images_leads_back_to_blame() -> None:
    def doors(**fields: object) -> list[str]:
        links = open_page("Train", train(architecture=TINY, **fields)).get("page_link")
        return [link.proto.query_string for link in links if "Did an answer turn" in link.proto.label]

    (door,) = doors(excluded="3,5")
    assert "view=Blame" in door
    assert not doors()


def test_the_time_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    stopwatch = Stopwatch(measure=lambda piece: Cost(step=0.001, judged=0.0))
    monkeypatch.setattr("cnnlab.ui.widgets.epoch_timing._stopwatch", lambda: stopwatch)
    expects_one_thread(monkeypatch)
    page = open_page("Train")
    assert "Estimating the time" in texts(page)
    config = RECIPES[DEFAULT].config
    stopwatch.want("test", config.architecture, config, DATASETS["mnist-sample"])
    pieces = list(stopwatch.measurements())
    page.run()
    seconds = len(pieces) * 0.001 * 4050 / 128
    assert f"38 epochs of {duration(seconds)}, an estimate" in texts(checked(page))
    train(architecture="lean", epochs=2, train_fraction=0.1, weight_average=0.98)
    st.cache_data.clear()
    page.number_input(key="form.train_fraction").set_value(0.1).run()
    assert "as earlier runs took" in texts(checked(page))


def test_what_is_kept_and_takes_room_is_told_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train")
    assert "Keeps up to 32 of 38 epochs: 9.9 MB on disk." in texts(page)
    page.number_input(key="form.epochs").set_value(3).run()
    assert "Keeps every epoch:" in texts(checked(page))
    monkeypatch.setattr("cnnlab.runs.disk.disk_usage", lambda folder: shutil.disk_usage(folder)._replace(free=10**6))
    st.cache_data.clear()
    assert "Only 1 MB of disk are free" in texts(checked(page.run()))
    assert "Only 1 MB of disk are free" in texts(open_page("Sweep"))


def test_beyond_the_servers_limit_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_RUNS_GB", "0.001")
    st.cache_data.clear()
    page = open_page("Train")
    assert "that this server allows " in texts(page)
    button(page, "Train").click().run()
    assert "delete runs on Compare" in page.error[0].value
    page = open_page("Sweep")
    button(page, "Start sweep").click().run()
    assert "delete runs on Compare" in page.error[0].value
    assert not running_jobs()


def test_a_training_shows_its_answers_to_a_few_images(training: tuple[AppTest, Job]) -> None:
    page, job = training
    wait_for_epoch(job)
    page.run()  # which asks for them
    wait_until(job, lambda: job._execution.readings is not None)
    assert "Live answers to validation images" in texts(checked(page.run()))
    job.stop()
    job.join()
    page.run()
    shown = texts(checked(page.run()))
    assert "**Answers to validation images**" in shown
    assert "Stopped]" in shown
    known = data_of(job.run).validation
    assert job.samples is not None
    assert torch.equal(known.part(few_of_each(known.labels)).images, job.samples.images)


def test_validation_images_are_counted_and_too_few_are_warned_of() -> None:
    page = open_page("Train")
    page.number_input(key="form.validation_fraction").set_value(0.2).run()
    shown = texts(checked(page))
    count = round(DATASETS["mnist-sample"].sizes[0] * 0.2)
    assert f"About {count:,} of the training images (20%) are held out" in shown
    assert "per class: validation" not in shown
    page.number_input(key="form.validation_fraction").set_value(0.01).run()
    assert "fewer than 5 per class" in texts(checked(page))
