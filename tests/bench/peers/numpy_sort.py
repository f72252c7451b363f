"""numpy_sort: NumPy's sorts and selections of N random float64: seconds of each, best of 4.
Usage: numpy_sort.py N; prints lines "name number"; ends with 3 when NumPy is not installed.
SPDX-License-Identifier: MIT"""
import sys

import spin

try:
    import numpy as np
except ImportError as error:
    spin.absent(error)

n = int(sys.argv[1])
random = np.random.default_rng(1)
x, some, ascending = random.random(n), random.random(10**6), np.sort(random.random(10**6))
positions, mask = np.argsort(x), x < 0.5
calls = {
    "sort": lambda: np.sort(x),
    "argsort": lambda: np.argsort(x, kind="stable"),
    "searchsorted": lambda: np.searchsorted(ascending, some),
    "take": lambda: np.take(x, positions),
    "compress": lambda: x[mask],
}
for name, call in calls.items():
    spin.say(**{name: spin.best(4, call)})
