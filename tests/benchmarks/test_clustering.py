from __future__ import annotations

from benchmarks.clustering import table
from benchmarks.lost_nodes import gives
from cnnlab.runs.run import Run
from tests.trainings import train


def run_with(*kills: tuple[float, int], equal: bool) -> dict[str, object]:
    losses = [{"seconds": seconds, "rates_lost": rates} for seconds, rates in kills]
    return {"losses": losses, "equal": equal, "control_equal": False}


def test_figures_are_a_markdown_table_that_counts_kills() -> None:
    figures = {
        "equal": {"runs": 20, "same": 20, "same_with_another_seed": 0},
        "losses": {"0": run_with((3.0, 1), (9.04, 2), equal=True), "1": run_with((5.0, 0), (4.0, 1), equal=False)},
        "frozen": [28.4, 29.6],
        "starts": {"first": [0.7], "cluster": [0.4, 0.5, 0.6], "here": [0.3, 0.2, 0.1]},
        "server": {"epoch_s": 0.081, "epoch_lasts_s": 14.6, "idle_s_a_second": 0.0031},
        "travels": {"dataset_mb": 54.88, "first_mb": 166.2, "next_mb": 1.4},
        "memory": {"process_mb": 690.0, "ray_mb": 340.0},
    }
    lines = table(figures).splitlines()
    assert "| nodes killed without a changed bit | 2 of 4 |" in lines
    assert "| of these, with a rate set by hand in the epoch that was lost | 3 |" in lines
    assert "| from killing a node to the next step on another | 4.5 s, 9.0 s at most |" in lines
    assert "| processor time of the server while nothing trains | 3 ms a second |" in lines


def test_a_run_is_what_its_training_gives_with_its_rates_alone() -> None:
    run: Run = train(epochs=1, train_fraction=0.1)
    assert gives(run, ())
    assert not gives(run, ((2, 0.002),))
