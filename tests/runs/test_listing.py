from __future__ import annotations

from pathlib import Path
from random import Random

from cnnlab.runs.entry import Entry, read_entry
from cnnlab.runs.listing import Lists
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from tests.runs.made import made


def test_lists_hold_what_was_put_last_in_the_order_of_ids(tmp_path: Path) -> None:
    entry = read_entry(made(RunStore(tmp_path)))
    lists, kept, draws = Lists(), dict[str, Entry](), Random(0)
    for number in range(400):
        run_id = f"20260101-000000-{draws.randrange(40):06d}"
        if draws.random() < 0.4:
            lists.put(run_id, None)
            kept.pop(run_id, None)
        else:
            state = "running" if draws.random() < 0.5 else "finished"
            kept[run_id] = Entry(
                **vars(entry) | {"run": Run(tmp_path / run_id), "row": {"State": state}, "is_trained": bool(number % 3)}
            )
            lists.put(run_id, kept[run_id])
    listing, ordered = lists.listing(), sorted(kept, reverse=True)
    assert listing.ids == tuple(ordered)
    assert list(listing) == [kept[run_id] for run_id in ordered]
    assert listing.viewed == tuple(kept[run_id].dataset if kept[run_id].is_trained else "" for run_id in ordered)
    assert listing.running == {run_id for run_id, entry in kept.items() if entry.status == "running"}
    shown = listing.viewable({entry.dataset}, None)
    assert list(shown) == [
        kept[run_id] for run_id in ordered if kept[run_id].is_trained and run_id not in listing.running
    ]
    assert shown.by_id.keys() == set(shown.ids)
