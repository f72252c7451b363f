"""ray_tasks: the benchmarks' tasks in Ray, on one machine.
Usage: ray_tasks.py WHAT [ARGUMENTS]; prints lines "name number"; ends with 3 without Ray.
SPDX-License-Identifier: MIT"""
import os
import sys

import spin

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

try:
    import ray
except ImportError as error:
    spin.absent(error)


@ray.remote
def inc(x):
    return x + 1


@ray.remote
def add(a, b):
    return a + b


@ray.remote
def spin_task(steps):
    return spin.spin(steps)


@ray.remote(num_cpus=0.001)
def skynet(first, size):
    if size == 1:
        return first
    step = size // 10
    return sum(ray.get([skynet.remote(first + i * step, step) for i in range(10)]))


def run_tree(leaves):
    level = [inc.remote(i) for i in range(leaves)]
    while len(level) > 1:
        level = [
            add.remote(level[i], level[i + 1]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
    assert ray.get(level[0]) == leaves * (leaves + 1) // 2


def run_independent(count):
    assert len(ray.get([inc.remote(i) for i in range(count)])) == count


def run_spins(steps, count):
    ray.get([spin_task.remote(steps) for _ in range(count)])


def run_skynet(leaves):
    assert ray.get(skynet.remote(0, leaves)) == leaves * (leaves - 1) // 2


def main(what, *arguments):
    numbers = [float(argument) for argument in arguments]
    count = int(numbers[0]) if numbers else 0
    here = os.path.dirname(os.path.abspath(__file__))
    ray.init(
        num_cpus=spin.WORKERS,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 * 1024**2,
        runtime_env={"env_vars": {"PYTHONPATH": here}},
    )
    run_independent(20)  # starts the workers
    if what == "tree":
        spin.say(task=spin.best(2, run_tree, count) / (2 * count - 1))
    elif what == "independent":
        spin.say(task=spin.best(2, run_independent, count) / count)
    elif what == "skynet":
        spin.say(task=spin.elapsed(run_skynet, count) / ((10 * count - 1) / 9))
    elif what == "efficiency":
        spin.report_efficiency(numbers[0], int(numbers[1]), run_spins, rounds=1)
    elif what == "latency":
        spin.report_latency(lambda: ray.get(inc.remote(1)), count, 50)
    elif what == "idle":
        spin.report_idle(numbers[0])
    ray.shutdown()


main(*sys.argv[1:])
