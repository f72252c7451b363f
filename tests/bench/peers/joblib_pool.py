"""joblib_pool: independent tasks in joblib.
Usage: joblib_pool.py threading|loky WHAT [ARGUMENTS]; prints lines "name number"; ends with 3
without joblib.
SPDX-License-Identifier: MIT"""
import sys

import spin

try:
    from joblib import Parallel, delayed
except ImportError as error:
    spin.absent(error)


def inc(x):
    return x + 1


def main(backend, what, *arguments):
    numbers = [float(argument) for argument in arguments]
    with Parallel(n_jobs=spin.WORKERS, backend=backend) as pool:

        def independent(count):
            assert len(pool(delayed(inc)(i) for i in range(count))) == count

        def spins(steps, count):
            pool(delayed(spin.spin)(steps) for _ in range(count))

        independent(100)  # starts the workers
        if what == "independent":
            spin.say(task=spin.best(2, independent, int(numbers[0])) / numbers[0])
        elif what == "efficiency":
            spin.report_efficiency(numbers[0], int(numbers[1]), spins)
        elif what == "latency":
            spin.report_latency(lambda: pool([delayed(inc)(1)]), int(numbers[0]), 20)
        elif what == "idle":
            spin.report_idle(numbers[0])


main(*sys.argv[1:])
