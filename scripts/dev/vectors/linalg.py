# linalg: numbers of NumPy for tests/spec/linalg_spec.lua: tests/data/kernels/linalg.txt.
# Usage: python3 scripts/dev/vectors/linalg.py > tests/data/kernels/linalg.txt
# A line is a name, the sizes of a matrix and its elements by rows; a blank line ends a case.
# Signs are those that tm.linalg promises.  SPDX-License-Identifier: MIT
import numpy as np

rng = np.random.default_rng(20240601)


def show(name, x):
    x = np.atleast_1d(np.asarray(x, dtype=np.float64))
    sizes = x.shape if x.ndim == 2 else (x.shape[0], 0)
    print(name, *sizes, *(repr(float(v)) for v in x.ravel()))


def orient(u, *others):
    """Makes the largest element of each column positive, the first of several."""
    signs = np.where(u[np.abs(u).argmax(axis=0), np.arange(u.shape[1])] < 0, -1.0, 1.0)
    return [u * signs] + [v * signs[:, None] for v in others]


def show_factors(a):
    q, r = np.linalg.qr(a)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    show("q", q * signs)
    show("r", r * signs[:, None])
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    u, vt = orient(u, vt)
    show("u", u)
    show("s", s)
    show("vt", vt)
    for name, kind in (("fro", "fro"), ("norm1", 1), ("norm2", 2), ("norminf", np.inf), ("nuc", "nuc")):
        show(name, np.linalg.norm(a, kind))


def show_square(a, b):
    show("solve", np.linalg.solve(a, b))
    show("inv", np.linalg.inv(a))
    show("det", np.linalg.det(a))
    definite = a @ a.T + np.eye(len(a))
    show("definite", definite)
    show("cholesky", np.linalg.cholesky(definite))
    values, vectors = np.linalg.eigh(definite)
    show("values", values)
    show("vectors", orient(vectors)[0])


print("# NumPy", np.__version__ + ": python3 scripts/dev/vectors/linalg.py > tests/data/kernels/linalg.txt")
for m, n in ((1, 1), (2, 2), (3, 5), (5, 3), (4, 4), (7, 7), (9, 2)):
    a, b = np.round(rng.normal(size=(m, n)), 6), np.round(rng.normal(size=(m, 2)), 6)
    show("a", a)
    show("b", b)
    show("product", a.T @ b)
    show("syrk", a @ a.T)
    show("covariance", np.atleast_2d(np.cov(a, ddof=0)))
    show_factors(a)
    x, _, rank, _ = np.linalg.lstsq(a, b, rcond=None)
    show("lstsq", x)
    show("rank", rank)
    if m == n:
        show_square(a, b)
    print()
