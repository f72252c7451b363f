# Numbers by NumPy for the tests of reductions, scans, quantiles and histograms.
# SPDX-License-Identifier: MIT
import warnings

import numpy as np

warnings.simplefilter("ignore")
print("# NumPy's numbers: python scripts/dev/vectors/reduce.py > tests/data/kernels/reduce.txt")
print("# numpy", np.__version__)
print("# name | element type | parameters | elements | results")

random = np.random.default_rng(20240117)


def words(values):
    values = np.atleast_1d(values)
    if values.dtype.kind in "bi":
        return " ".join(str(int(v)) for v in values)
    return " ".join(repr(float(v)) for v in values)


def row(name, x, result, parameters=()):
    print(name, x.dtype.name, words(np.array(parameters, float)), words(x), words(result), sep=" | ")


folds = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "std": np.std,
    "min": np.min, "max": np.max, "argmin": lambda x: np.argmin(x) + 1,
    "argmax": lambda x: np.argmax(x) + 1, "any": np.any, "all": np.all, "count": np.count_nonzero,
    "nansum": np.nansum, "nanprod": np.nanprod, "nanmean": np.nanmean, "nanvar": np.nanvar,
    "nanstd": np.nanstd, "nanmin": np.nanmin, "nanmax": np.nanmax,
    "nanargmin": lambda x: np.nanargmin(x) + 1, "nanargmax": lambda x: np.nanargmax(x) + 1,
    "median": np.median, "cumsum": np.cumsum, "cumprod": np.cumprod,
    "cummax": np.maximum.accumulate, "cummin": np.minimum.accumulate,
}

series = [
    random.normal(size=7), random.normal(size=40) + 1e6, random.integers(-9, 9, 25).astype(float),
    np.array([3.5]), np.array([2.0, np.nan, -1.0, 4.0]), np.array([np.inf, 1.0, 2.0]),
    random.integers(-9, 9, 12).astype("int64"), random.integers(-9, 9, 9).astype("int32"),
    np.array([True, False, True]), np.array([0.0, 0.0, 0.0]),
]
for x in series:
    for name, fold in folds.items():
        row(name, x, fold(x))

for x in series[:5] + [random.normal(size=100)]:
    for q in (0, 0.1, 0.25, 0.5, 0.77, 0.9, 1):
        row("quantile", x, np.quantile(x, q), [q])
        row("nanquantile", x, np.nanquantile(x, q), [q])
    for bins, low, high in ((5, -2, 2), (10, 0.1, 0.7), (3, -9, 9)):
        row("histogram", x, np.histogram(x, bins, (low, high))[0], [bins, low, high])
