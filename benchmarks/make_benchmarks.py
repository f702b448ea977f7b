"""Measures this machine and writes docs/benchmarks.md: make benchmarks, well over an hour on 2 cores.

Figures are stored in docs/benchmarks.json, with the machine of each section; those of an earlier machine are kept. Name
sections to measure only these again: ``python -m
benchmarks.make_benchmarks watching accuracy``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median, stdev
from time import perf_counter
from typing import Any

import torch

from benchmarks import (
    big_pictures,
    blaming,
    clustering,
    colour,
    comparing,
    crowding,
    designing,
    diagnosing,
    drawing,
    estimating,
    exporting,
    first_minute,
    forecasting,
    listing,
    looking,
    luck,
    memory,
    moving,
    pictures,
    programs,
    queueing,
    serving,
    surgery,
    sweeping,
    teaching,
    transfer,
    verifying,
    watching,
    wear,
)
from cnnlab.bench import side_by_side
from cnnlab.bench.machine import machine
from cnnlab.bench.rounds import alone
from cnnlab.files import atomic_write
from cnnlab.jobs.job import Job
from cnnlab.networks.build import build, seed_dropout
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import judge
from cnnlab.training.config import RunConfig
from cnnlab.training.device import choose_precision, keep_freed_memory, threads_each
from cnnlab.training.recipes import DEFAULT, RECIPES

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "benchmarks.json"
Figures = dict[str, Any]
MACHINES, EARLIER = "machines", "earlier"  # in the figures, beside the sections: where each was measured, and before

CPU = torch.device("cpu")
CHOICE_NETWORKS = {"basic-cnn": 64, "conv2d-tour": 32, "compact": 128}  # batch sizes
CHOICE_ROUNDS, CHOICE_STEPS = 9, 40
SEEDS = (0, 1, 2)
ACCURACIES = ((DEFAULT, "mnist-sample"), ("quick", "mnist"), ("best", "mnist"), ("best", "fashion-mnist"))


def main() -> None:
    """Measure the sections named on the command line, or all, and write the page from all figures."""
    figures: Figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    for name in sys.argv[1:] or list(SECTIONS):
        if (package := NEEDED.get(name)) and find_spec(package) is None:
            print(f"== {name} is left out: {package} is not installed", flush=True)
            continue
        print(f"== {name}", flush=True)
        measured = SECTIONS[name]()
        keep_earlier(figures, name)
        figures[name], figures[MACHINES][name] = measured, machine()
        atomic_write(FIGURES, json.dumps(figures, indent=1) + "\n")
    atomic_write(DOCS / "benchmarks.md", page(figures))


def keep_earlier(figures: Figures, name: str) -> None:
    """Put a section's figures aside where they are of another machine than this one."""
    before = figures[MACHINES].get(name)
    if before and before != machine():
        figures[EARLIER].append({"section": name, "machine": before, "figures": figures[name]})


def page(figures: Figures) -> str:
    """Return the text of docs/benchmarks.md for these figures."""
    text = (DOCS / "benchmarks.template.md").read_text(encoding="utf-8")
    for name, write in TABLES.items():
        text = text.replace(f"<!-- {name} -->", write(figures[name]) if name in figures else "Not measured yet.")
    return text.replace(f"<!-- {EARLIER} -->", _write_earlier(figures[EARLIER]))


def _choices() -> Figures:
    """Measure the speed of a step with all choices against all but one; memory last, because it cannot be undone."""
    torch.set_num_threads(threads_each())
    figures: Figures = {}
    kept = "freed memory kept"
    for name, batch in CHOICE_NETWORKS.items():
        figures[name] = {kept: _step_seconds(_step(name, batch))}
    keep_freed_memory()
    for name, batch in CHOICE_NETWORKS.items():
        steps = {
            "all": _step(name, batch),
            "channels-last": _step(name, batch, layout=torch.contiguous_format),
            "16 bits (bfloat16)": _step(name, batch, precision=torch.float32),
            "fused optimiser": _step(name, batch, fused=False),
            "all three": _step(name, batch, torch.contiguous_format, torch.float32, fused=False),
            "torch.compile": _step(name, batch, compiled=True),
        }
        start = perf_counter()
        steps["torch.compile"]()
        seconds_to_compile = perf_counter() - start
        rounds = [{what: _step_seconds(step) for what, step in steps.items()} for _ in range(CHOICE_ROUNDS)]
        everything = median(times["all"] for times in rounds)
        figures[name] = {kept: figures[name][kept] / everything} | {
            what: median(times[what] / times["all"] for times in rounds) for what in steps if what != "all"
        }
        figures[name]["compiling, s"] = seconds_to_compile
    return figures


def _step(
    name: str,
    batch: int,
    layout: torch.memory_format = torch.channels_last,
    precision: torch.dtype | None = None,
    fused: bool = True,
    compiled: bool = False,
) -> Callable[[], None]:
    network = build(PRESETS[name], (1, 28, 28), 10).to(memory_format=layout)  # type: ignore[call-overload]
    seed_dropout(network, 0, CPU)
    forward = torch.compile(network) if compiled else network
    optimizer = torch.optim.Adam(network.parameters(), fused=fused)
    inputs = torch.rand(batch, 1, 28, 28).contiguous(memory_format=layout)
    labels = torch.randint(0, 10, (batch,))
    kind = precision or choose_precision("auto", CPU)

    def step() -> None:
        with torch.autocast("cpu", kind, enabled=kind != torch.float32):
            loss = torch.nn.functional.cross_entropy(forward(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def _step_seconds(step: Callable[[], None]) -> float:
    for _ in range(5):
        step()
    start = perf_counter()
    for _ in range(CHOICE_STEPS):
        step()
    return (perf_counter() - start) / CHOICE_STEPS


def _accuracy() -> list[Figures]:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for recipe, dataset in ACCURACIES:
            config = RECIPES[recipe].config.model_copy(update={"dataset": dataset})
            results = [_trained(config.model_copy(update={"seed": seed}), RunStore(Path(folder))) for seed in SEEDS]
            figures.append({"recipe": recipe, "dataset": dataset, "epochs": config.epochs, "results": results})
            print(figures[-1], flush=True)
    return figures


def _trained(config: RunConfig, store: RunStore) -> Figures:
    job = Job.start(config, store)
    job.join()
    if job.state != "finished":
        raise SystemExit(job.error)
    # The sample's own test images are few: its network is tested on MNIST's.
    test = alone(judge, job.run, "mnist" if config.dataset == "mnist-sample" else None)
    return {"test_accuracy": test.accuracy, "seconds": job.summary.seconds}


def _bench() -> Figures:
    return side_by_side.measure(quick=False, say=lambda what: print(what, flush=True))


def _bench_in_float32() -> Figures:
    """Run the benchmark as on machines without units for 16 bits."""
    return side_by_side.measure(quick=False, say=lambda what: print(what, flush=True), precision="float32")


def _bench_busy() -> Figures:
    """Measure trainings beside other programs, in 32 bits as most laptops train."""
    sections = ("busy",)
    return side_by_side.measure(False, say=lambda what: print(what, flush=True), precision="float32", sections=sections)


def _write_busy(figures: Figures) -> str:
    rows = [
        [programs, f"{row['fixed']:,.0f}", f"{row['following']:,.0f}", f"{row['ratio']:.2f}"]
        for programs, row in figures["busy"].items()
    ]
    head = ["busy programs", "all threads, images/s", "following the load, images/s", "ratio"]
    return f"{_write_machine(figures['machine'])}\n\n{_table(head, rows)}"


def _write_earlier(kept: list[Figures]) -> str:
    """Write a table for each section that was measured on another machine before."""
    tables = []
    for each in kept:
        head, table = _write_machine(each["machine"]), TABLES[each["section"]](each["figures"])
        own = [] if table.startswith(head) else [head]  # some sections name their machine themselves
        tables.append("\n\n".join([f"### {each['section']}", *own, table]))
    return "\n\n".join(tables) or "None is kept."


def _write_machine(figures: Figures) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in figures.items())


def _write_choices(figures: Figures) -> str:
    kinds = [kind for kind in figures["compact"] if kind not in ("torch.compile", "compiling, s")]
    head = f"| without | {' | '.join(f'{name}, batch {batch}' for name, batch in CHOICE_NETWORKS.items())} |\n"
    rows = [f"| {kind} | {' | '.join(f'{figures[name][kind]:.2f}' for name in CHOICE_NETWORKS)} |" for kind in kinds]
    compiled = " | ".join(
        f"{figures[name]['torch.compile']:.2f} after {figures[name]['compiling, s']:.0f} s" for name in CHOICE_NETWORKS
    )
    return head + "|---" * 4 + "|\n" + "\n".join([*rows, f"| (with torch.compile) | {compiled} |"])


def _write_bench(figures: Figures) -> str:
    loop = "| network | ours / tutorial loop | ours / ceiling |\n|---|---|---|\n" + "\n".join(
        f"| {name} | {row['vs_tutorial']:.2f} | {row['vs_ceiling']:.3f} |" for name, row in figures["loop"].items()
    )
    races = _write_races(figures["time_to_accuracy"])
    inference = figures["inference"]
    rest = (
        f"- batch augmentation / per-image PIL: {figures['augmentation']['ratio']:.0f}\n"
        f"- training with its charts asked for every second / with nobody asking: {figures['live']['ratio']:.3f}\n"
        f"- one 28×28 image through Compact: p50 {inference['p50_ms']:.2f} ms, "
        f"p95 {inference['p95_ms']:.2f} ms"
    )
    return f"{loop}\n\n{races}\n\n{rest}"


def _write_races(races: Figures) -> str:
    """Return a table of the races: the recipe Quick unchanged, where that was measured, and shortened."""
    rows = []
    for name, row in races.items():
        if "quick_s" in row:
            rows.append(
                [name, f"{row['tutorial_s']:.1f}", "Quick", f"{row['quick_s']:.2f}", f"{row['quick_ratio']:.0f}"]
            )
        rows.append(
            [name, f"{row['tutorial_s']:.1f}", "Quick, shortened", f"{row['ours_s']:.2f}", f"{row['ratio']:.0f}"]
        )
    return _table(["to", "tutorial, s", "ours", "s", "ratio"], rows)


def _write_bench_in_float32(figures: Figures) -> str:
    return f"{_write_machine(figures['machine'])}\n\n{_write_bench(figures)}"


def _write_accuracy(figures: list[Figures]) -> str:
    rows = []
    for row in figures:
        accuracies = [result["test_accuracy"] for result in row["results"]]
        seconds = mean(result["seconds"] for result in row["results"])
        cells = (
            row["recipe"],
            row["dataset"],
            str(row["epochs"]),
            f"{mean(accuracies):.2%} ± {100 * stdev(accuracies):.2f}",
            ", ".join(f"{accuracy:.2%}" for accuracy in accuracies),
            f"{seconds:.1f}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = "| recipe | data set | epochs | test accuracy, mean ± deviation | seeds 0, 1, 2 | training, s |\n"
    return head + "|---" * 6 + "|\n" + "\n".join(rows)


def _write_designing(figures: Figures) -> str:
    rows = [[name, str(row["times"]), f"{row['p50_ms']:.0f}", f"{row['p95_ms']:.0f}"] for name, row in figures.items()]
    return _table(["what", "times", "p50, ms", "p95, ms"], rows)


def _write_moving(figures: Figures) -> str:
    rows = [
        [name, str(row["times"]), *(f"{row[figure]:.0f}" for figure in ("p50_ms", "p95_ms", "most_ms"))]
        for name, row in figures.items()
    ]
    return _table(["what", "times", "p50, ms", "p95, ms", "longest, ms"], rows)


def _write_programs(figures: Figures) -> str:
    rows = [
        [
            name,
            *(f"{row[way]['accuracy']:.2%} in {row[way]['seconds']:.0f} s" for way in programs.WAYS),
            "yes" if row["equal"] else "no",
        ]
        for name, row in figures.items()
    ]
    return _table(["recipe", *programs.WAYS, "equal"], rows)


def _write_watching(figures: Figures) -> str:
    return "\n".join(
        [
            f"- training watched / unwatched: {figures['watched_to_unwatched']:.2f}",
            f"- page switch while training: p50 {figures['page_switch_p50_ms']:.0f} ms, "
            f"p95 {figures['page_switch_p95_ms']:.0f} ms",
            f"- from pen-up to the answer in the page: p50 {figures['answer_p50_ms']:.0f} ms, "
            f"p95 {figures['answer_p95_ms']:.0f} ms; while training p50 "
            f"{figures['answer_while_training_p50_ms']:.0f} ms, p95 {figures['answer_while_training_p95_ms']:.0f} ms",
        ]
    )


def _write_looking(figures: Figures) -> str:
    rows = [
        f"| {name} | {row['paint_p50_ms']:.0f} | {row['paint_p95_ms']:.0f} | {row['step_p50_ms']:.0f} | "
        f"{row['step_p95_ms']:.0f} |"
        for name, row in figures.items()
    ]
    head = "| view | first paint p50, ms | p95 | step of the slider p50, ms | p95 |\n"
    return head + "|---" * 5 + "|\n" + "\n".join(rows)


def _write_comparing(figures: Figures) -> str:
    rows = [
        f"| {name} | {row['times']} | {row['p50_ms']:.0f} | {row['p95_ms']:.0f} |"
        for name, row in figures["actions"].items()
    ]
    head = "| what | times | p50, ms | p95, ms |\n" + "|---" * 4 + "|\n"
    first, again = (figures[name] / 1000 for name in ("first_ms", "again_ms"))
    listed = (
        f"{figures['runs']:,} runs are listed {first:.1f} s after the first click on Compare of a new server, and "
        f"{again:.1f} s after a later one. Streamlit itself waits 0.15 s before it tells of a ticked row."
        "\n\n"
    )
    return listed + head + "\n".join(rows)


def _write_drawing(figures: Figures) -> str:
    """Return three tables: drawings read right, the same with other seeds, and out-of-distribution drawings."""
    runs = list(figures.values())
    first = runs[0]
    counts = [f"{name}, {which}" for name in figures for which in (f"all {first['drawings']}", first["readable"])]
    read = [
        [f"{what}{unit}", *(_count(run[kind][what][which], run[size]) for run in runs for which, size in _COUNTED)]
        for kind, unit in (("widths", " px pen"), ("places", ""))
        for what in first[kind]
    ]
    doubted = [[what, *(f"{run['doubts'][what]:.1%}" for run in runs)] for what in first["doubts"]]
    seeds = [
        [f"{pen} px pen", *(", ".join(str(widths[pen][1]) for widths in run["seeds"]) for run in runs)]
        for pen in first["widths"]
    ]
    by_seed = _table([f"read right of {first['readable']}, by seed", *figures], seeds)
    return f"{_table(['read right', *counts], read)}\n\n{by_seed}\n\n{_table(['doubted', *figures], doubted)}"


_COUNTED = ((0, "drawings"), (1, "readable"))


def _count(hits: int, images: int) -> str:
    return f"{hits} ({hits / images:.1%})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _write_teaching(figures: Figures) -> str:
    def told(on: Figures) -> str:
        if not on["images"]:
            return "none"
        return f"{on['before'] / on['images']:.1%} → {on['after'] / on['images']:.1%} of {on['images']:,}"

    rows = [
        f"| {name} | {row['misread']} of {row['digits']} | {told(row['further'])} | {told(row['misread_hands'])} | "
        f"{told(row['taught'])} | {row['fall_mean']:.2f} | {row['fall_worst']:.2f} | {row['seconds']:.1f} |"
        for name, row in figures.items()
    ]
    head = "| network | misread before | further digits | of misread hands | taught digits | MNIST, points lost | "
    return head + "at worst | seconds |\n" + "|---" * 8 + "|\n" + "\n".join(rows)


SECTIONS: dict[str, Callable[[], Any]] = {
    "machine": machine,
    "choices": _choices,
    "bench": _bench,
    "float32": _bench_in_float32,
    "busy": _bench_busy,
    "first_minute": first_minute.measure,
    "accuracy": _accuracy,
    "designing": designing.measure,
    "estimating": estimating.measure,
    "moving": moving.measure,
    "programs": programs.measure,
    "watching": watching.measure,
    "queueing": queueing.measure,
    "crowding": crowding.measure,
    "sweeping": sweeping.measure,
    "listing": listing.measure,
    "looking": looking.measure,
    "blaming": blaming.measure,
    "surgery": surgery.measure,
    "comparing": comparing.measure,
    "luck": luck.measure,
    "wear": wear.measure,
    "forecasting": forecasting.measure,
    "drawing": drawing.measure,
    "teaching": teaching.measure,
    "pictures": pictures.measure,
    "colour": colour.measure,
    "transfer": transfer.measure,
    "exporting": exporting.measure,
    "serving": serving.measure,
    "big_pictures": big_pictures.measure,
    "memory": memory.measure,
    "verifying": verifying.measure,
    "diagnosing": diagnosing.measure,
    "clustering": clustering.measure,
}
NEEDED = {"clustering": "ray"}  # packages that the app does without: where one is missing, its section is left out
TABLES: dict[str, Callable[[Any], str]] = {
    "machine": _write_machine,
    "choices": _write_choices,
    "bench": _write_bench,
    "float32": _write_bench_in_float32,
    "busy": _write_busy,
    "first_minute": first_minute.table,
    "accuracy": _write_accuracy,
    "designing": _write_designing,
    "estimating": estimating.table,
    "moving": _write_moving,
    "programs": _write_programs,
    "watching": _write_watching,
    "queueing": queueing.table,
    "crowding": crowding.table,
    "sweeping": sweeping.table,
    "listing": listing.table,
    "looking": _write_looking,
    "blaming": blaming.table,
    "surgery": surgery.table,
    "comparing": _write_comparing,
    "luck": luck.table,
    "wear": wear.table,
    "forecasting": forecasting.table,
    "drawing": _write_drawing,
    "teaching": _write_teaching,
    "pictures": pictures.table,
    "colour": colour.table,
    "transfer": transfer.table,
    "exporting": exporting.table,
    "serving": serving.table,
    "big_pictures": big_pictures.table,
    "memory": memory.table,
    "verifying": verifying.table,
    "diagnosing": diagnosing.table,
    "clustering": clustering.table,
}


if __name__ == "__main__":
    main()
