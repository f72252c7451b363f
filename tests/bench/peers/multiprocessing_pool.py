"""multiprocessing_pool: small calls and an array of 8 MB through Python's multiprocessing.Pool.
Usage: multiprocessing_pool.py; prints lines "name number".
SPDX-License-Identifier: MIT"""
import array
import multiprocessing
import statistics
import time

import spin


def same(x):
    return x


def first(x):
    return x[0]


def median(rounds, call):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def fresh():
    process = multiprocessing.get_context("spawn").Process(target=same, args=(1,))
    process.start()
    process.join()


def main():
    numbers = array.array("d", range(1000000))
    count = 5000
    with multiprocessing.Pool(spin.WORKERS) as pool:
        for _ in range(100):
            pool.apply(same, (1,))
        small = median(2000, lambda: pool.apply(same, (1,)))
        there = median(50, lambda: pool.apply(first, (numbers,)))
        back = median(50, lambda: pool.apply(same, (numbers,)))
        began = time.perf_counter()
        pool.map(same, range(count), chunksize=1)
        many = (time.perf_counter() - began) / count
    spin.say(small=small, there=there, back=back, many=many, fresh=median(10, fresh))


if __name__ == "__main__":
    main()
