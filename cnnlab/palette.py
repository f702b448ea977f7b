"""The ten colours of charts and drawings, the same as in .streamlit/config.toml, and their names.

Each has a contrast of 3 to 1 or more on the light page and on the dark one.
"""

PALETTE = (
    "#2f6fde",
    "#e8710a",
    "#12a37b",
    "#c2386b",
    "#7b5cd6",
    "#b58900",
    "#0e9bb5",
    "#8d6e63",
    "#5f6b7a",
    "#5d9a45",
)
NAMES = dict(
    zip(
        PALETTE,
        ("Blue", "Orange", "Green", "Magenta", "Violet", "Ochre", "Teal", "Brown", "Slate", "Leaf green"),
        strict=True,
    )
)
