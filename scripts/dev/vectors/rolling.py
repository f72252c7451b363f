"""Numbers by pandas for the tests of rolling windows and decaying means.
Usage: python scripts/dev/vectors/rolling.py > tests/data/kernels/rolling.txt
SPDX-License-Identifier: MIT"""
import numpy as np
import pandas as pd

random = np.random.default_rng(20260301)
count = 40
walk = np.round(100 + random.normal(size=count).cumsum(), 2)
noise = random.normal(size=count)
gaps = walk.copy()
gaps[[0, 5, 6, 20, 31, 32, 33, 39]] = np.nan
series = {"walk": walk, "noise": noise, "gaps": gaps}

print("# pandas' numbers: python scripts/dev/vectors/rolling.py > tests/data/kernels/rolling.txt")
print("# pandas", pd.__version__)
print("# series | name | values; then: kernel | series | parameters | results")


def words(values):
    return " ".join("%.13g" % value for value in values)


def row(kernel, names, parameters, results):
    print(kernel, names, words(parameters), words(results), sep=" | ")


for name, values in series.items():
    print("series", name, " ".join(repr(float(v)) for v in values), sep=" | ")

for name, values in series.items():
    x = pd.Series(values)
    y = pd.Series(noise)
    for window, least in ((1, 1), (5, 5), (7, 3), (20, 20), (20, 1)):
        rolling = x.rolling(window, min_periods=least)
        row("rolling_sum", name, (window, least), rolling.sum())
        row("rolling_mean", name, (window, least), rolling.mean())
        row("rolling_min", name, (window, least), rolling.min())
        row("rolling_max", name, (window, least), rolling.max())
        row("rolling_median", name, (window, least), rolling.median())
        row("rolling_quantile", name, (window, 0.3, least), rolling.quantile(0.3))
        for ddof in (0, 1):
            row("rolling_var", name, (window, ddof, least), rolling.var(ddof))
            row("rolling_std", name, (window, ddof, least), rolling.std(ddof))
            if window > 1:
                score = (x - rolling.mean()) / rolling.std(ddof)
                row("rolling_zscore", name, (window, ddof, least), score)
                row("rolling_cov", name + " noise", (window, ddof, least), rolling.cov(y, ddof=ddof))
        if window > 1:
            row("rolling_corr", name + " noise", (window, least), rolling.corr(y))
    for alpha in (0.05, 0.4):  # at 0.5 pandas 3.1 weighs what follows a gap unlike elsewhere
        for adjust in (True, False):
            ewm = x.ewm(alpha=alpha, adjust=adjust, min_periods=3)
            row("ewm_mean", name, (alpha, adjust, 3), ewm.mean())
            row("ewm_var", name, (alpha, adjust, 3), ewm.var())
            row("ewm_std", name, (alpha, adjust, 3), ewm.std())
    row("ewm_span", name, (20,), x.ewm(span=20).mean())
    row("ewm_halflife", name, (4.5,), x.ewm(halflife=4.5).mean())
