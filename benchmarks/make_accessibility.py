"""Asks axe-core about every page and chapter, and writes docs/accessibility.md."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from benchmarks.browsing import browser_page, own_server
from cnnlab.files import atomic_write
from cnnlab.learn.chapters import CHAPTERS
from cnnlab.runs.example import add_example
from tests.browser.axe import EVERYWHERE, Look, looked_at
from tests.pages.driver import PAGES

DOCUMENT = Path(__file__).parents[1] / "docs" / "accessibility.md"
HEAD = """# Accessibility

What axe-core finds on each page and each chapter of Learn, with the network that comes with the app: serious and
critical findings, at two widths of the window, light and dark. Written by `python -m benchmarks.make_accessibility`; a
test asks about every page again.

Not asked in the dark theme: the text of what is chosen in a row of buttons, and a slider's number. Streamlit gives
them the colour of its primary buttons; white on these has 4.7 to 1, and the same colour on dark comes to 3.5 to 1,
where 4.5 are asked.
"""


def main() -> None:
    """Look at all pages and write the document."""
    places = {name: "" if name == "Home" else name for name in PAGES}
    places |= {f"Learn: {chapter.title}": f"Learn?chapter={name}" for name, chapter in CHAPTERS.items()}
    places |= {"Learn: Glossary": "Learn?chapter=glossary"}
    with own_server() as (address, runs), browser_page() as page:
        add_example(runs)
        found = {}
        for name, path in places.items():
            page.goto(f"{address}/{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
            found[name] = looked_at(page)
            print(name, [look.findings for look in found[name]], flush=True)
    atomic_write(DOCUMENT, document(found))


def document(found: dict[str, list[Look]]) -> str:
    """Write a table with a row for each page, and below it what was found."""
    ways = [f"{width} px, {scheme}" for width, scheme in EVERYWHERE]
    lines = [f"| page | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(str(len(look.findings)) for look in looks)} |" for name, looks in found.items()]
    told = [
        f"- {name}, {look.width} px, {look.scheme}: `{finding.replace('`', '')}`"
        for name, looks in found.items()
        for look in looks
        for finding in look.findings
    ]
    return "\n".join([HEAD, *lines, *(["", *told] if told else [])]) + "\n"


if __name__ == "__main__":
    main()
