"""What axe-core finds wrong on a page for people who see it badly, hear it, or use the keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

SCRIPT = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
SCHEMES = ("light", "dark")
WIDTHS = (1440, 420)


@dataclass(frozen=True)
class Finding:
    """A rule that elements of a page break."""

    rule: str
    impact: str
    help: str
    elements: tuple[str, ...]  # their beginnings as HTML

    def __str__(self) -> str:
        return f"{self.impact}: {self.rule} ({self.help}): " + " | ".join(self.elements)


def findings(page: Page) -> list[Finding]:
    """Run axe-core on the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT)
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        Finding(
            rule=one["id"],
            impact=one["impact"],
            help=one["help"],
            elements=tuple(f"{node['html'][:160]} {node.get('failureSummary', '')[:160]}" for node in one["nodes"][:4]),
        )
        for one in violations
    ]


def grave_everywhere(page: Page) -> dict[str, list[Finding]]:
    """Find what is serious or critical in light and dark, on a wide and a narrow window, without loading anew."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_timeout(300)
            found[f"{width} px, {scheme}"] = [one for one in findings(page) if one.impact in GRAVE]
    return found
