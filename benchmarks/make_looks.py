"""Takes each page and chapter on a wide screen and a phone, light and dark, into docs/looks.md."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from benchmarks.browsing import every_place
from cnnlab.files import atomic_write
from tests.browser.axe import EVERYWHERE

DOCS = Path(__file__).parents[1] / "docs"
FADED = 1_500  # ms, until pictures and fonts have faded in
HEIGHT = 900  # pixels
SCALE = 0.6
QUALITY = 70  # of WebP
HEAD = """# How every page looks

Each page and each chapter of Learn as it opens, with the network that comes with the app; then a run's page for
visitors, and Class with a board: 1,440 pixels wide and 420, light and dark. Written by
`python -m benchmarks.make_looks`.
"""


def main() -> None:
    """Take all of them and write the document."""
    lines = [HEAD]
    for name, page in every_place():
        path = f"images/looks/{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.webp"
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_bytes(_sheet(page))
        lines.append(f"## {name}\n\n![{name}]({path})\n")
        print(path, flush=True)
    atomic_write(DOCS / "looks.md", "\n".join(lines))


def _sheet(page: Page) -> bytes:
    """Take the page in all ways and put the pictures side by side."""
    pictures = []
    for width, scheme in EVERYWHERE:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(FADED)
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        pictures.append(picture.resize((round(width * SCALE), round(HEIGHT * SCALE)), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height))
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width
    content = BytesIO()
    sheet.save(content, "WEBP", quality=QUALITY)
    return content.getvalue()


if __name__ == "__main__":
    main()
