"""rolling: sliding windows in pandas and bottleneck: seconds a value, least of some rounds.
Usage: rolling.py windows COUNT | correlation ROWS DAYS WINDOW; prints lines "name number"; ends
with 3 without pandas.  bottleneck's names are absent where it is.
SPDX-License-Identifier: MIT"""
import sys

import spin

try:
    import numpy as np
    import pandas as pd
except ImportError as error:
    spin.absent(error)
try:
    import bottleneck as bn
except ImportError:
    bn = None

WINDOWS = (5, 20, 30, 252)


def prices(count):
    random = np.random.default_rng(7)
    return 100 + 0.1 * random.standard_normal(count).cumsum()


def windows(count):
    x, y = prices(count), prices(count)[::-1].copy()
    first, second = pd.Series(x), pd.Series(y)
    for window in WINDOWS:
        rolling = first.rolling(window)
        calls = {
            "mean": (rolling.mean, lambda: bn.move_mean(x, window)),
            "std": (rolling.std, lambda: bn.move_std(x, window, ddof=1)),
            "min": (rolling.min, lambda: bn.move_min(x, window)),
            "median": (rolling.median, lambda: bn.move_median(x, window)),
            "corr": (lambda: rolling.corr(second), None),
        }
        for name, (ours, theirs) in calls.items():
            slow = name in ("median", "corr")
            numbers = {"pandas_%s_%d" % (name, window): spin.best(2 if slow else 5, ours) / count}
            if bn and theirs:
                numbers["bottleneck_%s_%d" % (name, window)] = spin.best(2 if slow else 15, theirs) / count
            spin.say(**numbers)
    spin.say(pandas_ewm_mean=spin.best(3, first.ewm(span=20).mean) / count)


def correlation(rows, days, window):
    table = pd.DataFrame(np.random.default_rng(7).standard_normal((days, rows)).cumsum(axis=0))
    spin.say(pandas=spin.best(1, lambda: table.rolling(window).corr()))


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
