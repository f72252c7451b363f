"""spin: a body that takes a known time, and what every peer's program needs to report.
SPDX-License-Identifier: MIT"""
import os
import sys
import time

WORKERS = int(os.environ.get("TIDEMILL_BENCH_WORKERS", "2"))
ABSENT = 3


def absent(error):
    """Ends the program: what it needs is not installed."""
    print(error, file=sys.stderr)
    sys.exit(ABSENT)


def spin(steps):
    x = 1.0
    for _ in range(steps):
        x = x * 0.999999 + 0.000001
    return x


def elapsed(call, *arguments):
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


def best(rounds, call, *arguments):
    return min(elapsed(call, *arguments) for _ in range(rounds))


def steps_of(seconds):
    steps = 20000
    return max(1, round(steps * seconds / best(20, spin, steps)))


def serial(steps, count):
    for _ in range(count):
        spin(steps)


def say(**numbers):
    for name, value in numbers.items():
        print(name, value, flush=True)


def report_efficiency(seconds, count, together, rounds=2):
    """together(steps, count) runs `count` spins; says how well that used the workers."""
    steps = steps_of(seconds)
    alone = best(rounds, serial, steps, count)
    say(efficiency=alone / (WORKERS * best(rounds, together, steps, count)))


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def report_latency(call, rounds, idle_rounds, pause=0.02):
    """call() submits one small task and waits for it."""
    call()
    say(latency=median([elapsed(call) for _ in range(rounds)]))
    after = []
    for _ in range(idle_rounds):
        time.sleep(pause)
        after.append(elapsed(call))
    say(after_idle=median(after))


def resident():
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def family(root):
    """A process and all its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = [root]
    for process in found:
        found.extend(children.get(process, []))
    return found


def switches(main):
    """Context switches so far of all threads of this family but the one that measures."""
    total = 0
    for process in family(main):
        for thread in os.listdir(f"/proc/{process}/task"):
            if int(thread) == main:
                continue
            with open(f"/proc/{process}/task/{thread}/status") as file:
                for line in file:
                    if "ctxt_switches" in line:
                        total += int(line.split()[1])
    return total


def report_idle(seconds):
    time.sleep(0.5)
    before = switches(os.getpid())
    time.sleep(seconds)
    say(switches=(switches(os.getpid()) - before) / seconds)
