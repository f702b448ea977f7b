"""A reader's way through all of Learn in a real browser: each chapter opened from the one before, and touched."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from cnnlab.learn.chapters import CHAPTERS


def guess(page: Page, answer: str) -> None:
    """Choose an answer by keyboard."""
    choice = page.get_by_test_id("stRadio").get_by_role("radio", name=answer, exact=True)
    choice.focus()
    choice.press("Space")
    expect(choice).to_be_checked()


def touch_convolution(page: Page) -> None:
    guess(page, "Blur")
    expect(page.get_by_text("Not quite: Horizontal edge.")).to_be_visible()
    page.get_by_role("button", name="Mark as read").press("Enter")
    expect(page.get_by_role("button", name="✓ Read")).to_be_visible()
    page.locator(".window-stage").focus()
    page.keyboard.press("Control+End")
    expect(page.locator(".window-told")).to_contain_text("row 26 of 26, column 26 of 26")


def touch_conv2d(page: Page) -> None:
    guess(page, "4 pixels")  # which closes the chapter
    expect(page.get_by_role("button", name="✓ Read")).to_be_visible()
    page.get_by_label("out_channels", exact=True).fill("5")
    page.get_by_label("out_channels", exact=True).press("Enter")
    expect(page.get_by_text("32×5×26×26")).to_be_visible()


def touch_machines(page: Page) -> None:
    page.get_by_role("radiogroup", name="Layer", exact=True).get_by_text("Dropout", exact=True).click()
    expect(page.get_by_text(re.compile(r"nn\.Dropout|Dropout\("))).not_to_have_count(0)


def touch_flatten(page: Page) -> None:
    expect(page.get_by_text("Shift the test images")).to_have_count(0)  # the first result waits for a guess
    page.get_by_role("button", name="Show", exact=True).click()  # all results of all chapters
    expect(page.get_by_text("Shift the test images")).to_be_visible()
    page.get_by_text("pooled at the end", exact=True).click()
    expect(page.get_by_role("radio", name="pooled at the end")).to_be_checked()


def touch_step(page: Page) -> None:
    page.get_by_role("button", name="Next: loss").click()
    expect(page.get_by_role("heading", name="Step 1: loss")).to_be_visible()


def touch_program(page: Page) -> None:
    expect(page.get_by_role("heading", name="7. Plot")).to_be_visible()


def touch_traps(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Next pitfall")).click()
    expect(page).to_have_url(re.compile("trap=flatten"))


def touch_ablation(page: Page) -> None:
    page.get_by_text("transfer", exact=True).click()
    expect(page.get_by_role("radio", name="transfer")).to_be_checked()


def touch_transfer(page: Page) -> None:
    page.get_by_role("button", name="fine-tuned").click()
    expect(page.get_by_text("18 trainings")).to_be_visible()


def touch_cost(page: Page) -> None:
    slider = page.get_by_role("slider", name="Batch size, images")
    slider.focus()
    slider.press("ArrowRight")
    expect(page.get_by_text("bytes × 256 images", exact=False)).to_be_visible()


def touch_knockout(page: Page) -> None:
    expect(page.get_by_text("Without 1 filter of conv3")).to_be_visible()
    slider = page.get_by_role("slider", name="Filters off, first those that this class needs most")
    slider.press("ArrowRight")
    expect(page.get_by_text("Without 2 filters of conv3")).to_be_visible()


TOUCHES: dict[str, Callable[[Page], None]] = {
    "convolution": touch_convolution,
    "conv2d": touch_conv2d,
    "machines": touch_machines,
    "flatten": touch_flatten,
    "step": touch_step,
    "program": touch_program,
    "traps": touch_traps,
    "ablation": touch_ablation,
    "transfer": touch_transfer,
    "knockout": touch_knockout,
    "cost": touch_cost,
}


def test_a_reader_goes_through_all_chapters_and_ends_in_the_glossary(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{address}/Learn")
    first = next(iter(CHAPTERS.values()))
    page.get_by_role("link", name=f"1. {first.title}").click()
    for number, (name, chapter) in enumerate(CHAPTERS.items(), start=1):
        expect(page.get_by_role("heading", name=chapter.title, exact=True)).to_be_visible()
        TOUCHES[name](page)
        expect(page.get_by_role("radiogroup", name=chapter.questions[-1].asks)).to_be_visible()  # of this chapter
        page.get_by_text("Sources", exact=True).click()
        expect(page.get_by_role("link", name=chapter.sources[0].what)).to_be_visible()
        if number < len(CHAPTERS):
            page.get_by_role("link", name=re.compile("^Next: ")).click()
    page.goto(f"{address}/Learn")  # a new session, in the same browser
    expect(page.get_by_text("2 of 11 read")).to_be_visible()
    expect(page.get_by_text("check read")).to_have_count(2)
    page.get_by_role("link", name="Glossary: the terms explained").click()
    page.get_by_label("Search", exact=True).fill("stride")
    page.get_by_label("Search", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Stride", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Accuracy", exact=True)).to_have_count(0)


def test_a_guess_is_scored_and_its_record_stays_in_the_browser_until_it_is_cleared(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(420)
    chapter = f"{address}/Learn?chapter=flatten"
    page.goto(chapter)
    page.get_by_role("button", name="Guess first").press("Enter")
    page.get_by_role("radio", name="convolutional", exact=True).press("Space")
    amount = page.get_by_label("By how many points?")
    amount.fill("20")
    amount.press("Enter")  # by keyboard alone, as at a projector
    expect(page.get_by_text("Right: convolutional.")).to_be_visible()
    expect(page.get_by_text("You guessed 20, it was 28.2 points: 8.2 too low.")).to_be_visible()
    expect(page.get_by_text("Shift the test images")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto(f"{address}/Learn")  # a new session
    expect(page.get_by_text("Your record: 1 guess, 1 of 1 right, off by 8.2 points")).to_be_visible()
    page.get_by_role("button", name="Clear my record").click()
    expect(page.get_by_text("Your record")).to_have_count(0)
    page.goto(chapter)
    expect(page.get_by_role("radio", name="convolutional", exact=True)).to_be_visible()  # who guesses still does
    assert page.evaluate("JSON.parse(localStorage.getItem('cnnlab.guesses'))") == {"habit": "guess", "scored": []}
    page.evaluate("localStorage.setItem('cnnlab.guesses', '['.repeat(20000))")  # more than is ever read
    page.goto(f"{address}/Learn")
    page.wait_for_function('localStorage.getItem(\'cnnlab.guesses\') === \'{"habit":"","scored":[]}\'')
