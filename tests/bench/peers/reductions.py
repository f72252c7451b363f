"""reductions: sums, extremes, quantiles of 10 million numbers by NumPy (and bottleneck, where it
is installed); prints lines "name number": seconds, the best of some calls; ends with 3 without
NumPy.
SPDX-License-Identifier: MIT"""
import warnings

import spin

try:
    import numpy as np
except ImportError as error:
    spin.absent(error)

try:
    import bottleneck
except ImportError:
    bottleneck = None

warnings.simplefilter("ignore")
COUNT, COLUMNS = 10_000_000, 100


def best(call, rounds=5):
    return spin.best(rounds, call)


x = np.random.default_rng(1).random(COUNT)
floats, ints, mask = x.astype("f4"), (x * 1e6).astype("i4"), x > 0.5
table = x.reshape(-1, COLUMNS)

spin.say(
    copy=best(x.copy),
    sum=best(x.sum),
    mean=best(x.mean),
    var=best(x.var),
    min=best(x.min),
    argmax=best(x.argmax),
    nansum=best(lambda: np.nansum(x)),
    nanvar=best(lambda: np.nanvar(x), 2),
    sum_float32=best(floats.sum),
    sum_int32=best(ints.sum),
    count_bool=best(lambda: np.count_nonzero(mask)),
    sum_columns=best(lambda: table.sum(0)),
    max_columns=best(lambda: table.max(0)),
    var_columns=best(lambda: table.var(0)),
    sum_rows=best(lambda: table.sum(1)),
    partition=best(lambda: np.partition(x, COUNT // 2), 3),
    median=best(lambda: np.median(x), 3),
    quartiles=best(lambda: np.quantile(x, [0.25, 0.5, 0.75]), 3),
    cumsum=best(x.cumsum),
    cummax=best(lambda: np.maximum.accumulate(x)),
    histogram=best(lambda: np.histogram(x, 100, (0, 1)), 2),
)
if bottleneck:
    spin.say(
        bottleneck_nansum=best(lambda: bottleneck.nansum(x)),
        bottleneck_nanvar=best(lambda: bottleneck.nanvar(x)),
        bottleneck_median=best(lambda: bottleneck.median(x), 3),
    )
