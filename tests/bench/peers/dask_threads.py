"""dask_threads: the benchmarks' graphs in Dask, run by its threaded scheduler.
Usage: dask_threads.py WHAT [ARGUMENTS]; prints lines "name number"; ends with 3 without Dask.

The tree is built twice: with dask.delayed, as a user of our tm.delayed would, and as plain data.
Everything else is plain data, which Dask runs with the least overhead that it has.
SPDX-License-Identifier: MIT"""
import sys

import spin

try:
    import dask
    import dask.threaded
except ImportError as error:
    spin.absent(error)

dask.config.set(scheduler="threads", num_workers=spin.WORKERS)


def inc(x):
    return x + 1


def add(a, b):
    return a + b


def count_of(results):
    return len(results)


def get(graph, key):
    return dask.threaded.get(graph, key, num_workers=spin.WORKERS)


def pairs(level, join):
    """Joins neighbours until one is left; an odd one moves up as it is."""
    while len(level) > 1:
        above = [join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = above + level[len(level) - len(level) % 2 :]
    return level[0]


def grow_delayed_tree(leaves):
    lazy_inc, lazy_add = dask.delayed(inc, pure=False), dask.delayed(add, pure=False)
    return pairs([lazy_inc(i) for i in range(leaves)], lazy_add)


def run_delayed_tree(leaves):
    assert grow_delayed_tree(leaves).compute() == leaves * (leaves + 1) // 2


def run_tree(leaves):
    graph = {("node", i): (inc, i) for i in range(leaves)}

    def join(left, right):
        key = ("node", len(graph))
        graph[key] = (add, left, right)
        return key

    assert get(graph, pairs(list(graph), join)) == leaves * (leaves + 1) // 2


def run_chain(length):
    graph = {("node", 0): (inc, 0)}
    for i in range(1, length):
        graph["node", i] = (inc, ("node", i - 1))
    assert get(graph, ("node", length - 1)) == length


def run_wavefront(side):
    graph = {}
    for i in range(side):
        for j in range(side):
            above = ("node", i - 1, j) if i > 0 else 0
            left = ("node", i, j - 1) if j > 0 else 1
            graph["node", i, j] = (max, above, left)
    assert get(graph, ("node", side - 1, side - 1)) == 1


def run_independent(count):
    graph = {("node", i): (inc, i) for i in range(count)}
    graph["all"] = (count_of, list(graph))
    assert get(graph, "all") == count


def run_spins(steps, count):
    graph = {("node", i): (spin.spin, steps) for i in range(count)}
    graph["all"] = (count_of, list(graph))
    assert get(graph, "all") == count


def main(what, *arguments):
    numbers = [float(argument) for argument in arguments]
    count = int(numbers[0]) if numbers else 0
    if what == "tree":
        spin.say(delayed=spin.best(2, run_delayed_tree, count) / (2 * count - 1))
        spin.say(task=spin.best(2, run_tree, count) / (2 * count - 1))
    elif what == "chain":
        spin.say(task=spin.best(2, run_chain, count) / count)
    elif what == "wavefront":
        spin.say(task=spin.best(2, run_wavefront, count) / count**2)
    elif what == "independent":
        spin.say(task=spin.best(2, run_independent, count) / count)
    elif what == "efficiency":
        spin.report_efficiency(numbers[0], int(numbers[1]), run_spins)
    elif what == "latency":
        spin.report_latency(lambda: get({"x": (inc, 1)}, "x"), count, 50)
    elif what == "idle":
        run_independent(100)
        spin.report_idle(numbers[0])
    elif what == "memory":
        before = spin.resident()
        kept = grow_delayed_tree(count)
        spin.say(bytes=(spin.resident() - before) / (2 * count - 1))
        del kept


main(*sys.argv[1:])
