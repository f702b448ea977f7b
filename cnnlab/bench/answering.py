"""The time of one answer."""

from __future__ import annotations

from itertools import pairwise
from statistics import median, quantiles
from time import perf_counter

from cnnlab.bench.rounds import Report, Rows, Say, Terms, alone
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import load
from cnnlab.evaluation.evaluate import predict
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import network_for

WARM_UP = 20  # answers before the clock counts


def measure(terms: Terms, say: Say) -> Report:
    """Measure the milliseconds from one uint8 image to its probabilities."""
    say("inference")
    return alone(_answering, terms.effort.inferences)


def rows(report: Report) -> Rows:
    """Return the line of a table."""
    return [("one image, p50 and p95", f"{report['p50_ms']:.2f} ms", f"{report['p95_ms']:.2f} ms")]


def _answering(count: int) -> Report:
    config = RunConfig()  # of Compact, as in all earlier tables
    data = load(config.dataset)
    network, standardise = network_for(config, data.spec).eval(), Standardise(*scaling(data.spec, config.normalise))
    image = data.test.images[:1]
    times = [perf_counter()]
    for _ in range(count + WARM_UP):
        predict(network, image, standardise).softmax(1)
        times.append(perf_counter())
    milliseconds = [1e3 * (end - begin) for begin, end in pairwise(times[WARM_UP:])]
    return {"p50_ms": median(milliseconds), "p95_ms": quantiles(milliseconds, n=20)[-1]}
