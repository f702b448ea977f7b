"""Asks axe-core about every page and chapter, and writes docs/accessibility.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.browsing import every_place
from cnnlab.files import atomic_write
from tests.browser.axe import EVERYWHERE, Look, looked_at

DOCUMENT = Path(__file__).parents[1] / "docs" / "accessibility.md"
HEAD = """# Accessibility

What axe-core finds on each page and each chapter of Learn, with the network that comes with the app, on a run's page
for visitors and on Class with a board: serious and critical findings, at two widths of the window, light and dark.
Written by `python -m benchmarks.make_accessibility`; a test asks about every page again.

Not asked in the dark theme: the text of what is chosen in a row of buttons, and a slider's number. Streamlit gives
them the colour of its primary buttons; white on these has 4.7 to 1, and the same colour on dark comes to 3.5 to 1,
where 4.5 are asked.
"""


def main() -> None:
    """Look at all pages and write the document."""
    found = {}
    for name, page in every_place():
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
