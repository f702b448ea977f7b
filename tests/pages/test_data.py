"""Data as AppTest runs it: a set of the table, adding pictures, looking at them, changing them."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.archive import pack
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import Version
from cnnlab.jobs.job import running_jobs
from cnnlab.ui.shell.literal import literal
from tests.data.pictures.photos import added, folder_of, photos, saved, scene, striped, zip_of
from tests.pages.driver import PAGES, button, checked, metrics, new_session, open_page, settled, texts
from tests.trainings import train

pytestmark = pytest.mark.slow


@pytest.fixture
def version(tmp_path: Path) -> Version:
    files = photos(each=10) | {
        "cat/same.png": saved(scene(900)),
        "dog/same.png": saved(scene(900)),
        "cat/empty.png": b"",
    }
    return added(folder_of(files, tmp_path / "in"), own_pictures()).version


def latest() -> Version:
    return own_pictures().version("photos")


def seen(view: str, version: Version) -> AppTest:
    page = open_page("Data", dataset=version.key)
    page.segmented_control(key="data.view").set_value(view)
    return checked(page.run())


def test_without_own_pictures_the_sets_of_the_table_are_shown_and_one_is_told_how_to_add() -> None:
    page = open_page("Data")
    assert page.selectbox(key="data.chosen").value == "mnist-sample"  # which needs no download
    assert metrics(page)["Training pictures"] == "4,500"
    assert "CC BY" in texts(page)
    assert page.expander[0].label == "Add your own pictures"
    assert button(page, "Add").disabled
    page.selectbox(key="data.chosen").set_value("cifar10").run()
    assert "The first training downloads 170 MB" in texts(checked(page))


def test_a_zip_is_added_and_shown(tmp_path: Path) -> None:
    page = open_page("Data")
    page.file_uploader(key="data.zip").upload("pets.zip", zip_of(photos(), tmp_path / "x.zip").read_bytes()).run()
    page.text_input(key="data.name").set_value("My pets!").run()
    button(checked(page), "Add").click().run()
    settled(page)
    assert own_pictures().version("my-pets").title == "My pets!"
    assert page.selectbox(key="data.chosen").value == own_pictures().version("my-pets").key
    assert metrics(page)["Classes"] == "2"


def test_a_class_of_none_is_offered_once() -> None:
    page = open_page("Data")
    page.segmented_control(key="data.way").set_value("Class by class").run()
    button(checked(page), "A class “none”").click().run()
    assert [field.value for field in checked(page).text_input if field.label.startswith("Class")] == ["", "", "none"]
    assert "A class “none”" not in [each.label for each in page.button]


def test_what_is_still_missing_stands_beside_add() -> None:
    page = open_page("Data")
    assert "Missing: an archive, a name for the data set" in texts(page)
    page.text_input(key="data.name").set_value("Кошки").run()
    assert "a letter from a to z or a digit in the name" in texts(page)


def test_files_class_by_class_need_names_of_their_own_which_stay_when_the_page_is_left() -> None:
    page = open_page("Data")
    page.segmented_control(key="data.way").set_value("Class by class").run()
    for number in range(2):
        page.file_uploader(key=f"data.files.{number}").upload("x.png", saved(scene(number))).run()
    assert "a name for class 1, a name for class 2" in texts(page).replace("\\", "")
    for number, name in enumerate(("Mug", "mug ")):
        page.text_input(key=f"data.class.{number}").set_value(name).run()
    assert "Two classes are called “mug”" in page.error[0].value
    assert button(page, "Add").disabled
    page.text_input(key="data.class.1").set_value("plate").run()
    assert "Missing: a name for the data set" in texts(checked(page))
    page.switch_page(PAGES["Learn"]).run()
    page.switch_page(PAGES["Data"])
    page.run()
    assert page.segmented_control(key="data.way").value == "Class by class"
    assert [page.text_input(key=f"data.class.{number}").value for number in range(2)] == ["Mug", "plate"]


def test_a_folder_that_cannot_be_added_says_why(tmp_path: Path) -> None:
    page = open_page("Data")
    page.segmented_control(key="data.way").set_value("Folder on this machine").run()
    page.text_input(key="data.folder").set_value(str(folder_of(photos(("cat",)), tmp_path / "in"))).run()
    page.text_input(key="data.name").set_value("pets").run()
    button(checked(page), "Add").click().run()
    settled(page)
    assert "only one class" in page.error[0].value
    assert own_pictures().names() == []


def test_pictures_are_searched_by_class_and_name(version: Version) -> None:
    page = seen("Pictures", version)
    assert len(page.dataframe[-1].value) == 22
    page.selectbox(key="data.of").set_value("dog").run()
    page.text_input(key="data.words").set_value("SAME").run()
    assert list(checked(page).dataframe[-1].value["File"]) == ["dog/same.png"]
    page.text_input(key="data.words").set_value("nowhere").run()
    assert "No pictures match" in texts(checked(page))


def test_a_finding_is_opened_and_mended_and_taken_back(version: Version) -> None:
    page = seen("Findings", version)
    assert list(page.dataframe[-1].value["File"]) == ["cat/same.png", "dog/same.png"]
    page.session_state[f"data.rows.{version.key}.two classes.2.1"] = {"selection": {"rows": [1], "columns": []}}
    page.run()
    button(page, "Move 1").click().run()
    assert "1 moved, from version 1" in page.success[0].value
    assert [row.label for row in own_pictures().rows(latest()) if row.path == "dog/same.png"] == [0]
    page.session_state["data.view"] = "Versions"
    page.run()
    button(page, "Go back").click().run()
    assert latest().number == 3
    assert latest().digest == version.digest


def test_a_doubtful_label_is_called_right_or_moved_to_what_the_picture_looks_like(tmp_path: Path) -> None:
    files = {f"{name}/{at}x.png": saved(striped(name, at)) for name in ("lying", "up") for at in range(40)}
    files |= {"lying/wrong.png": saved(striped("up", 98)), "up/wrong.png": saved(striped("lying", 99))}
    version = added(folder_of(files, tmp_path / "in"), own_pictures()).version
    page = seen("Findings", version)
    page.button_group(key="data.finding").set_value("labels").run()
    table = checked(page).dataframe[-1].value
    assert {*table["File"][:2]} == {"lying/wrong.png", "up/wrong.png"}
    count = len(table)
    page.session_state[f"data.rows.{version.key}.labels.{count}.1"] = {"selection": {"rows": [0], "columns": []}}
    page.run()
    button(page, "Keep 1 as they are").click().run()
    assert table["File"][0] not in list(checked(page).dataframe[-1].value["File"])
    assert len(page.dataframe[-1].value) == count - 1
    page.session_state[f"data.rows.{version.key}.labels.{count - 1}.1"] = {"selection": {"rows": [0], "columns": []}}
    page.run()
    button(page, "Move 1").click().run()
    assert "1 moved" in checked(page).success[0].value
    moved = next(row for row in own_pictures().rows(latest()) if row.path == table["File"][1])
    assert latest().classes[moved.label] == table["Looks like"][1] != table["Class"][1]


def test_a_run_is_trained_again_on_the_next_version_and_compared(version: Version) -> None:
    old = train(dataset=version.key, architecture="quick")
    newer = change(own_pictures(), version, {0: "dog"})
    page = seen("Versions", newer)
    assert f"version 1: {old.title}" in page.selectbox(key=f"data.retrain.{newer.key}").options[0]
    button(page, "Train it on version 2").click().run()
    for job in running_jobs():
        job.join()
    looks = old.looks
    again = seen("Versions", newer)
    assert old.looks == looks + 1  # it was asked about test pictures
    assert {"Version 1", "Version 2"} <= set(metrics(again))
    assert f"Of {version.test} test pictures in both versions" in texts(again)
    assert "Labels are from version 2" in texts(again)


def test_a_link_to_an_older_version_leads_to_it_on_train_and_to_the_latest_on_data(
    version: Version, tmp_path: Path
) -> None:
    added(folder_of(photos(("zebra", "yak")), tmp_path / "zoo"), own_pictures(), "zoo")
    newer = change(own_pictures(), version, {0: "dog"})
    train_page = open_page("Train", dataset=version.key)
    assert train_page.selectbox(key="form.dataset").value == version.key
    assert "Photos (version 1)" in train_page.selectbox(key="form.dataset").options
    assert f"There is a newer one: {literal('Photos (version 2)')}" in texts(train_page)
    assert open_page("Data", dataset=version.key).selectbox(key="data.chosen").value == newer.key


def test_a_recipe_keeps_a_data_set_of_ones_own(version: Version) -> None:
    page = open_page("Train")
    page.selectbox(key="form.dataset").set_value(version.key).run()
    page.selectbox(key="form.recipe").set_value("best-colour").run()
    assert checked(page).selectbox(key="form.dataset").value == version.key
    assert page.number_input(key="form.mixup").value == 0.2


def test_a_class_of_none_is_added_from_another_set_and_then_offered_no_more(version: Version, tmp_path: Path) -> None:
    birds = added(folder_of(photos(("crow", "owl")), tmp_path / "birds"), own_pictures(), "birds")
    page = seen("Pictures", version)
    lender = page.selectbox(key=f"data.lender.{version.key}")
    assert lender.value == birds.version.key
    lender.set_value("mnist-sample").run()
    button(checked(page), "Add 11 pictures").click().run()
    settled(page)
    assert literal("Version 2: 11 of none added, from version 1.") in checked(page).success[0].value
    assert latest().classes == ("cat", "dog", "none")
    assert page.selectbox(key="data.chosen").value == latest().key
    assert "Add 11 pictures" not in [each.label for each in page.button]


def test_a_packed_set_is_taken_in(version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Download version 1, 1 MB" in str(seen("Versions", version).get("download_button")[0])
    pack(own_pictures(), version, tmp_path / "packed.zip")
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / "elsewhere"))
    page = open_page("Data")
    page.segmented_control(key="data.way").set_value("Packed data set").run()
    for said in ("is added", "already exists"):
        page.file_uploader(key="data.packed").upload("x.zip", (tmp_path / "packed.zip").read_bytes()).run()
        button(checked(page), "Add data set").click().run()
        assert said in page.success[0].value
    assert page.selectbox(key="data.chosen").value == version.key
    page.file_uploader(key="data.packed").upload("x.zip", b"none").run()
    button(page, "Add data set").click().run()
    assert "no whole archive of a data set" in page.error[0].value


def test_compare_downloads_runs_with_their_pictures(version: Version) -> None:
    run, other = train(dataset=version.key, architecture="quick"), train(train_fraction=0.05)
    for chosen, offered in ((run, ["With pictures"]), (other, [])):
        page = open_page("Compare")
        page.session_state["compare.chosen"] = {None: [chosen.id]}
        checked(page.run())
        assert [box.label for box in page.checkbox if box.key == "compare.pictures"] == offered


def test_compare_says_where_versions_are_compared(version: Version) -> None:
    newer = change(own_pictures(), version, {0: "dog"})
    runs = [train(dataset=one.key, architecture="quick") for one in (version, newer)]
    page = open_page("Compare")
    page.session_state["compare.chosen"] = {None: [run.id for run in runs]}
    page.segmented_control(key="compare.view").set_value("Which is better?").run()
    assert "tested on different versions" in texts(checked(page))
    assert literal(version.key) in texts(page)


def test_the_report_lists_what_was_not_used(version: Version) -> None:
    table = seen("Report", version).dataframe[-1].value
    assert table.values.tolist() == [["refused", "cat/empty.png", "the file is empty"]]


def test_a_set_is_removed_and_restored(version: Version, tmp_path: Path) -> None:
    page = seen("Versions", version)
    other = added(folder_of(photos(("red", "green")), tmp_path / "other"), own_pictures(), "other")
    button(page, "Remove this data set").click().run()
    assert own_pictures().names() == ["other"]
    page = seen("Versions", other.version)
    button(page, "Restore").click().run()
    assert own_pictures().names() == ["other", "photos"]


def test_a_damaged_set_says_so_and_the_others_stay(version: Version) -> None:
    (own_pictures().folder / "photos/version-1/pictures.csv").write_text("nonsense")
    page = new_session(dataset=version.key).switch_page(PAGES["Data"]).run()
    assert "does not fit it" in page.error[0].value
    page.selectbox(key="data.chosen").set_value("mnist-sample").run()
    checked(page)


@pytest.mark.parametrize("page", ["Train", "Inside", "Draw"])
def test_a_run_whose_pictures_are_gone_says_so(page: str, version: Version) -> None:
    run = train(dataset=version.key, architecture="quick")
    assert not open_page(page, run).warning
    key = own_pictures().remove("photos")
    warned = open_page(page, run).warning[0].value
    assert "there is no data set" in warned
    assert "restore removed data sets on Data" in warned
    own_pictures().restore(key)
    assert not open_page(page, run).warning
