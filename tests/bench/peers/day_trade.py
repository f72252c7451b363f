"""day_trade: the main job as a user of pandas and NumPy writes it; the peer of main_job.lua.
Usage: day_trade.py FILE.  Prints lines "name number": seconds, and a few results, to see that both
do the same; ends with 3 without pandas.
SPDX-License-Identifier: MIT"""
import sys
import time

import spin

try:
    import numpy as np
    import pandas as pd
except ImportError as error:
    spin.absent(error)

FAST = range(5, 51, 5)
SLOW = range(20, 201, 20)


def clean(rows):
    rows = rows.sort_values("date", kind="stable").drop_duplicates("date", keep="last")
    prices = rows[["open", "high", "low", "close", "volume"]]
    rows = rows[prices.notna().all(axis=1)]
    sound = (
        (rows.low <= rows[["open", "close"]].min(axis=1))
        & (rows[["open", "close"]].max(axis=1) <= rows.high)
        & (rows[["open", "high", "low", "close"]] > 0).all(axis=1)
    )
    return rows[sound]


def ema(x, span):
    seeded = x.copy()
    seeded.iloc[: span - 1] = np.nan
    if len(x) >= span:
        seeded.iloc[span - 1] = x.iloc[:span].mean()
    return seeded.ewm(alpha=2 / (span + 1), adjust=False, ignore_na=True).mean()


def wilder(x, n):
    seeded = x.copy()
    seeded.iloc[:n] = np.nan
    if len(x) > n:
        seeded.iloc[n] = x.iloc[1 : n + 1].mean()
    return seeded.ewm(alpha=1 / n, adjust=False, ignore_na=True).mean()


def measure(rows):
    close = rows.close
    returns = close.pct_change(fill_method=None)
    change = close.diff()
    gain, loss = wilder(change.clip(lower=0), 14), wilder(-change.clip(upper=0), 14)
    middle, spread = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    before = close.shift()
    true_range = pd.concat(
        [rows.high - rows.low, (rows.high - before).abs(), (rows.low - before).abs()], axis=1
    ).max(axis=1)
    macd = ema(close, 12) - ema(close, 26)
    return {
        "sma20": middle.iloc[-1],
        "ema20": ema(close, 20).iloc[-1],
        "rsi14": (100 * gain / (gain + loss)).iloc[-1],
        "macd": macd.iloc[-1],
        "macd_signal": ema(macd.dropna(), 9).iloc[-1] if len(macd.dropna()) else np.nan,
        "bb_upper": (middle + 2 * spread).iloc[-1],
        "bb_lower": (middle - 2 * spread).iloc[-1],
        "atr14": wilder(true_range, 14).iloc[-1],
        "volatility": returns.std() * np.sqrt(252),
        "max_drawdown": (close / close.cummax() - 1).min(),
        "suspect": int((returns.abs() > 0.4).sum()),
    }


def sweep(close):
    returns = close.pct_change(fill_method=None)
    averages = {n: close.rolling(n).mean() for n in sorted(set(FAST) | set(SLOW))}
    best = None
    for fast in FAST:
        for slow in SLOW:
            if fast < slow:
                signal = (averages[fast] > averages[slow]).shift(2, fill_value=False)
                total = (1 + returns.where(signal, 0)).prod() - 1
                if best is None or total > best[0]:
                    best = (total, fast, slow)
    return best


def main(path):
    began = time.perf_counter()
    table = pd.read_csv(path, parse_dates=["date"])
    kept = {name: clean(rows) for name, rows in table.groupby("Name")}
    measured = {name: measure(rows) for name, rows in kept.items()}
    best = {name: sweep(rows.close) for name, rows in kept.items()}
    dates = pd.concat([rows.date for rows in kept.values()]).nunique()
    closes = pd.concat(
        {n: r.set_index("date").close for n, r in kept.items() if 2 * len(r) >= dates}, axis=1
    ).dropna()
    matrix = closes.pct_change(fill_method=None).iloc[1:].corr().to_numpy()
    mean = matrix[np.triu_indices(len(matrix), 1)].mean()
    spin.say(
        seconds=time.perf_counter() - began,
        symbols=len(measured),
        correlation=mean,
        best=max(total for total, _, _ in best.values()),
    )


main(sys.argv[1])
