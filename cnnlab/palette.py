"""The ten colours of charts and drawings, the same as in .streamlit/config.toml."""

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
    "#6aa84f",
)
