"""Step 7: what was noted → two charts side by side."""

from __future__ import annotations

from cnnlab.palette import PALETTE

SAVED = 'figure.write_html("curves.html")  # open it in a browser'
SHOWN = "figure.show()"  # in a notebook


def plot_code() -> str:
    """Write code that plots ``history``; a notebook replaces its last line, SAVED, by SHOWN."""
    return f'''figure = make_subplots(cols=2, subplot_titles=["Loss (cross-entropy)", "Accuracy"])
for column, quantity in enumerate(("loss", "accuracy"), start=1):
    for split, colour in (("train", "{PALETTE[0]}"), ("validation", "{PALETTE[1]}")):
        values = history[f"{{split}} {{quantity}}"]
        epochs = list(range(1, len(values) + 1))
        line = go.Scatter(x=epochs, y=values, name=split, line_color=colour, showlegend=column == 1)
        figure.add_trace(line, row=1, col=column)
figure.update_xaxes(title="epoch")
figure.update_yaxes(tickformat=".1%", col=2)
{SAVED}'''
