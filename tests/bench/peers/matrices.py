"""matrices: products and correlations by NumPy, or a product by an OpenBLAS that has threads of its own; the
peers of matmul.lua.
Usage: matrices.py THREADS product SIDE... | correlation ROWS COLUMNS
       matrices.py THREADS product SIDE LIBRARY    by cblas_dgemm of that library
Prints lines "name seconds", and to stderr which kernels compute; ends with 3 without NumPy or LIBRARY.
SPDX-License-Identifier: MIT"""
import ctypes
import glob
import os
import sys

import spin

# They choose kernels for older builds, and slow newer ones.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[1]

try:
    import numpy as np
except ImportError as error:
    spin.absent(error)

ROUNDS = 3


def tell_kernels(library, suffix=""):
    core = getattr(library, "openblas_get_corename" + suffix, None)
    core = core or getattr(library, "scipy_openblas_get_corename64_", None)
    if core:
        core.restype = ctypes.c_char_p
        print("kernels", core().decode(), "threads", sys.argv[1], file=sys.stderr)


def tell_numpy():
    folder = os.path.join(os.path.dirname(np.__file__), "..", "numpy.libs")
    for path in glob.glob(os.path.join(folder, "*openblas*")):
        print("NumPy", np.__version__, end=" ", file=sys.stderr)
        tell_kernels(ctypes.CDLL(path))


def by_library(path, a, b, out):
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        spin.absent(error)
    print(os.path.basename(os.path.realpath(path)), end=" ", file=sys.stderr)
    tell_kernels(library)
    n, pointer = len(a), ctypes.c_void_p
    library.cblas_dgemm.argtypes = (
        [ctypes.c_int] * 6
        + [ctypes.c_double, pointer, ctypes.c_int, pointer, ctypes.c_int]
        + [ctypes.c_double, pointer, ctypes.c_int]
    )
    rows, plain = 101, 111
    return lambda: library.cblas_dgemm(
        rows, plain, plain, n, n, n, 1.0, a.ctypes.data, n, b.ctypes.data, n, 0.0, out.ctypes.data, n
    )


def product(n, library=None):
    n = int(n)
    rng = np.random.default_rng(1)
    a, b, out = rng.random((n, n)), rng.random((n, n)), np.zeros((n, n))
    if library is None:
        tell_numpy()
    call = by_library(library, a, b, out) if library else lambda: np.matmul(a, b, out=out)
    spin.say(product=spin.best(ROUNDS, call))


def correlation(rows, columns):
    x = np.random.default_rng(1).random((int(rows), int(columns)))
    tell_numpy()
    spin.say(correlation=spin.best(7, np.corrcoef, x))


{"product": product, "correlation": correlation}[sys.argv[2]](*sys.argv[3:])
