"""order: numbers that NumPy and pandas give for the kernels that sort, search and select.
Usage: python scripts/dev/vectors/order.py > tests/data/kernels/order.txt
Each line: what, type, method | input | input ... > output | output.  Positions count from 1.
SPDX-License-Identifier: MIT"""
import numpy as np
import pandas as pd

random = np.random.default_rng(6)


def text(values):
    return " ".join("%.17g" % float(v) for v in values)


def line(what, inputs, outputs):
    print(what, ":", " | ".join(map(text, inputs)), ">", " | ".join(map(text, outputs)))


def lists(dtype):
    if dtype.startswith("float"):
        few = random.integers(-3, 4, 23).astype(dtype)
        some = random.standard_normal(31).astype(dtype)
        some[[4, 20]] = np.nan
        some[7], some[8] = np.inf, -np.inf
        return [few, some]
    return [random.integers(-9, 10, 25).astype(dtype), random.integers(-2**31, 2**31, 18).astype(dtype)]


def sorting(dtype, x):
    line("sort " + dtype, [x], [np.sort(x, kind="stable")])
    line("argsort " + dtype, [x], [np.argsort(x, kind="stable") + 1])
    values, first, inverse, counts = np.unique(x, True, True, True)
    line("unique " + dtype, [x], [values, counts, first + 1, inverse + 1])
    for ours, theirs in dict(average="average", min="min", max="max", dense="dense", ordinal="first").items():
        line("rank %s %s" % (dtype, ours), [x], [pd.Series(x).rank(method=theirs)])


def searching(dtype, x):
    ascending, wanted = np.sort(x), np.concatenate([x[:7], lists(dtype)[0][:5]])
    for side in ("left", "right"):
        line("searchsorted %s %s" % (dtype, side), [ascending, wanted],
             [np.searchsorted(ascending, wanted, side) + 1])


def selecting(dtype, x):
    index, mask = random.integers(0, len(x), 11), random.random(len(x)) < 0.4
    line("take " + dtype, [x, index + 1], [np.take(x, index)])
    changed = x.copy()
    np.put(changed, index, np.arange(11).astype(dtype))
    line("put " + dtype, [x, index + 1, np.arange(11)], [changed])
    line("compress " + dtype, [x, mask], [np.compress(mask, x)])
    line("nonzero bool", [mask], [np.nonzero(mask)[0] + 1])


print("# Made with NumPy %s and pandas %s:" % (np.__version__, pd.__version__))
print("# python scripts/dev/vectors/order.py > tests/data/kernels/order.txt")
for name in ("float64", "float32", "int64", "int32"):
    for each in lists(name):
        sorting(name, each)
        searching(name, each)
        selecting(name, each)
