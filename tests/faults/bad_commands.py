"""Commands with runs, files and folders that are not there, or are something else."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.faults.ground import Case, Ground, command

IDS = st.one_of(
    st.sampled_from(
        ["../../etc", "/etc/passwd", "/", "..", "", "~", "nope", "con", "%2e%2e%2f", "\udcff\udcfe", "a\nb"]
    ),
    st.text(min_size=1, max_size=300),
    st.integers(1000, 100_000).map(lambda length: "x" * length),
    st.integers(5, 500).map(lambda levels: "../" * levels + "etc/passwd"),
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    run, missing = ground.run.folder, ground.scratch / "nowhere"
    named = st.sampled_from(
        [
            lambda name: ("evaluate", name),
            lambda name: ("predict", name, run / "config.json"),
            lambda name: ("export", name, "--tensorboard", ground.scratch),
            lambda name: ("pack", name, "--to", ground.scratch / "runs.zip"),
            lambda name: ("pack", run, name, "--to", ground.scratch / "runs.zip"),
            lambda name: ("resume", name),
            lambda name: ("teach", name, run / "config.json"),
            lambda name: ("train", "--parent", f"{name}@1", "--train-fraction", 0.1),
            lambda name: ("sweep", "--continue", name),
            lambda name: ("predict", run, name),
            lambda name: ("unpack", name),
            lambda name: ("train", "--recipe", f"no {name}"),
            lambda name: ("find-lr", "--architecture", f"no {name}"),
            lambda name: ("evaluate", run, "--dataset", f"no {name}"),
            lambda name: ("resume", run, "--epochs", f"no {name}"),
            lambda name: ("export", run, "--mlflow", "--tracking-uri", f"nowhere:{name}"),
            lambda name: (f"no {name}",),
        ]
    )
    fixed = st.sampled_from(
        [
            ("train", "--runs", run / "config.json", "--train-fraction", 0.1),
            ("train", "--runs", "/proc/nowhere", "--train-fraction", 0.1),
            ("train", "--lessons", run),
            ("train", "--lessons", missing),
            ("sweep", "--runs", run / "config.json"),
            ("sweep", "--runs", "/proc/nowhere"),
            ("sweep", "--minutes", "nan"),
            ("unpack", run),
            ("unpack", "/dev/zero"),
            ("unpack", run / "config.json", "--runs", run / "config.json"),
            ("pack", run, "--to", run),
            ("pack", run, "--to", missing / "runs.zip"),
            ("pack", run, run, "--to", ground.scratch / "runs.zip"),
            ("predict", run, run),
            ("predict", run, run / "history.jsonl"),
            ("evaluate", run, "--dataset", "usps"),
            ("evaluate", run / "weights"),
            ("evaluate", run, run),
            ("evaluate", "/dev/null"),
            ("export", run),
            ("export", run, "--tensorboard", run / "config.json"),
            ("export", run, "--tensorboard", "/proc/nowhere"),
            ("resume", run),
            ("resume", run, "--epochs", 1000),
            ("resume", run, "--learning-rate", 0.1),
            ("resume", run, "--epochs", 1, "--learning-rate", "nan"),
            ("resume", run, "--epochs", 1, "--learning-rate", "inf"),
            ("find-lr", "--parent", f"{ground.run.id}@1"),
            ("train", "--parent", f"{ground.run.id}@99", "--train-fraction", 0.1),
            ("train", "--parent", f"{ground.run.id}@1", "--train-fraction", 0.1),
            ("network", run / "config.json"),
            ("network", "quick", "--to", "net.txt"),
            ("network", "quick", "--to", "/proc/nowhere/net.py"),
            ("network", "quick", "--shape", 0, 28, 28),
            ("network", "quick", "--shape", 1, 4, 4),
            ("network", "quick", "--shape", 1, 10**9, 28),
            ("network", "quick", "--classes", 1),
            ("train", "--architecture", run / "config.json"),
            ("train", "--architecture", "nowhere.json"),
            ("--nothing",),
            ("train", "now"),
        ]
    )
    return st.one_of(st.builds(lambda make, name: make(_name(name)), named, IDS), fixed).map(_case)


def _name(text: str) -> str:
    """As a shell can hand it over, and no option."""
    return text.replace("\0", "?").lstrip("-") or "?"


def _case(arguments: tuple[object, ...]) -> Case:
    return Case(f"cnnlab {' '.join(map(str, arguments))!r:.120}", command(*arguments))
