"""The glossary as AppTest runs it, and reached from a caption in a browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.learn.glossary import TERMS
from cnnlab.runs.run import Run
from tests.pages.driver import checked, open_chapter, open_page, texts


def opened(**query: str) -> AppTest:
    return open_chapter("glossary", **query)


def names(page: AppTest) -> list[str]:
    return [heading.value for heading in page.header]


def doors(page: AppTest) -> list[str]:
    return [link.proto.label for link in page.get("page_link")]


def test_all_terms_are_listed_in_order() -> None:
    page = opened()
    assert names(page) == [term.name for term in TERMS.values()]
    assert "[S](#saliency)" in texts(page)


def test_the_asked_term_comes_first_with_ways_on() -> None:
    page = opened(term="stride")
    assert page.header[0].value == "Stride"
    assert {"Try it in its chapter", "Filter", "Padding", "Pooling"} <= set(doors(page))
    assert "does not have this term" in texts(opened(term="<b>stroll"))


def test_a_search_leaves_what_has_its_words() -> None:
    page = opened()
    page.text_input(key="learn.glossary.search").set_value("kernel").run()
    assert names(checked(page)) == ["Filter"]
    page.text_input(key="learn.glossary.search").set_value("zzz").run()
    assert "No term contains these words" in texts(checked(page))


def test_every_chapter_and_the_contents_lead_to_it() -> None:
    page = open_page("Learn")
    assert "Glossary: the terms explained" in doors(page)
    page.query_params["chapter"] = list(CHAPTERS)[-1]
    page.switch_page("pages/Learn.py")
    assert "Glossary" in doors(checked(page.run()))


def test_captions_through_the_app_link_their_terms(listed_run: Run) -> None:
    assert '[filters](Learn?chapter=glossary&term=filter "' in texts(open_page("Inside", listed_run))
    helps = [metric.proto.help for metric in open_page("Design").metric]
    assert any('[convolutions](Learn?chapter=glossary&term=convolution "' in text for text in helps)


def test_a_term_is_looked_up_from_a_caption_by_keyboard(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(420)
    page.goto(f"{address}/Learn?chapter=flatten")
    page.get_by_role("button", name="Show", exact=True).press("Enter")  # the result, without a guess
    link = page.get_by_test_id("stMain").get_by_role("link", name="test images").first
    link.focus()
    with page.context.expect_page() as opening:
        link.press("Enter")
    glossary = opening.value
    expect(glossary.get_by_role("heading", name="Hyperparameter").first).to_be_visible()
    glossary.get_by_role("link", name="S", exact=True).press("Enter")
    expect(glossary.get_by_role("heading", name="Saliency")).to_be_in_viewport()
    assert glossary.evaluate("document.documentElement.scrollWidth <= innerWidth")
