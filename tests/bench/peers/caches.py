"""caches: results of 1 KB in joblib.Memory and in diskcache: seconds of a hit and of a miss, and in
diskcache of a value put and got.
Usage: caches.py FOLDER; prints lines "name number"; ends with 3 when neither is installed.
SPDX-License-Identifier: MIT"""
import os
import shutil
import sys
import time

import spin


def make(number):
    return "%08d" % number * 128


def one_by_one(call, count):
    """Seconds of a call, each with another argument."""
    began = time.perf_counter()
    for number in range(count):
        assert len(call(number)) == 1024
    return (time.perf_counter() - began) / count


def measure(name, call, count):
    missed = one_by_one(call, count)
    hit = min(one_by_one(call, count) for _ in range(3))
    spin.say(**{name + "_miss": missed, name + "_hit": hit})


def with_joblib(folder):
    from joblib import Memory

    measure("joblib", Memory(folder, verbose=0).cache(make), 2000)


def with_diskcache(folder):
    from diskcache import Cache

    with Cache(folder) as cache:
        measure("diskcache", cache.memoize(name="make")(make), 100000)
        put = one_by_one(lambda number: cache.set(number, make(number)) and make(number), 5000)
        spin.say(diskcache_put=put, diskcache_get=one_by_one(cache.get, 5000))


def main(folder):
    problems = []
    for name, run in (("joblib", with_joblib), ("diskcache", with_diskcache)):
        try:
            run(os.path.join(folder, name))
        except ImportError as error:
            problems.append(error)
    shutil.rmtree(folder, ignore_errors=True)
    if len(problems) == 2:
        spin.absent(problems[0])


main(sys.argv[1])
