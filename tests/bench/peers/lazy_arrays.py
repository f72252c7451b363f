"""lazy_arrays: chains, random numbers, means and singular values of arrays by NumPy and Dask Array;
prints lines "name number": seconds, the best of some calls; ends with 3 without NumPy.
Usage: lazy_arrays.py WORKERS; Dask Array runs its threads on so many.
SPDX-License-Identifier: MIT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import spin

try:
    import numpy as np
except ImportError as error:
    spin.absent(error)

try:
    import dask
    import dask.array as da
except ImportError:
    da = None

WORKERS = int(sys.argv[1])
COUNT = 100_000_000

x = np.random.default_rng(1).random(COUNT)
y = np.random.default_rng(2).random(COUNT)
out = np.empty_like(x)
parts = [slice(i * COUNT // WORKERS, (i + 1) * COUNT // WORKERS) for i in range(WORKERS)]
pool = ThreadPoolExecutor(WORKERS)


def copy_all():
    list(pool.map(lambda part: np.copyto(out[part], x[part]), parts))


spin.say(
    copy=spin.best(5, copy_all),
    chain=spin.best(3, lambda: ((x * 2 + 1) - y).sum()),
    uniform=spin.best(3, lambda: np.random.default_rng(3).random(COUNT)),
)
small = x[:100].copy(), y[:100].copy()
del x, y, out
square = small[0].reshape(10, 10)


def often(call):
    return spin.best(5, lambda: [call() for _ in range(10_000)]) / 10_000


spin.say(
    small=often(lambda: small[0] + small[1]),
    sum=often(lambda: ((small[0] + small[1]) * 2).sum()),
    running=often(small[0].cumsum),
    product=often(lambda: square @ square),
)

if da is not None:
    with dask.config.set(scheduler="threads", num_workers=WORKERS):
        # A tenth of the 80 GB; the time grows with the size.
        tenth = da.random.default_rng(1).random((10_000, 10_000, 10), chunks="auto")
        spin.say(mean=10 * spin.best(1, lambda: tenth.mean().compute()))
        square = da.random.default_rng(2).random((15_811, 15_811), chunks="auto")
        spin.say(transposed=10 * spin.best(1, lambda: (square + square.T).mean().compute()))
        matrix = da.random.default_rng(3).standard_normal((5_000, 5_000), chunks=(1_000, 1_000)).persist()
        u, s, v = da.linalg.svd_compressed(matrix, 50, n_power_iter=2, seed=1)
        spin.say(svd=spin.best(2, lambda: dask.compute(u, s, v)))
        whole = matrix.compute()
    exact = np.linalg.svd(whole[:1_000, :1_000], compute_uv=False)
    spin.say(svd_check=float(exact[0]))
