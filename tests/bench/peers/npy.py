"""npy: NumPy's reading of what npy.lua has written in FOLDER, and of lists; and the call of a C function
through ctypes.  Usage: npy.py FOLDER OBJECT; prints lines "name number"; ends with 3 without NumPy.
SPDX-License-Identifier: MIT"""
import ctypes
import sys
import time

import spin

try:
    import numpy
except ImportError:
    sys.exit(3)


def best(rounds, call):
    least = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - began)
    return least


folder = sys.argv[1]
rows = [[i * 1000.0 + j for j in range(1000)] for i in range(1000)]


def mapped():
    return numpy.load(folder + "/c.npy", mmap_mode="r")[123, 456]


function = ctypes.CDLL(sys.argv[2]).add
function.restype = ctypes.c_double
function.argtypes = [ctypes.c_double, ctypes.c_double]


def calls():
    for _ in range(100000):
        function(1.0, 2.0)


spin.say(
    load=best(5, lambda: numpy.load(folder + "/c.npy")),
    transposed=best(5, lambda: numpy.ascontiguousarray(numpy.load(folder + "/fortran.npy"))),
    mapped=best(5, mapped),
    save=best(3, lambda: numpy.save(folder + "/out.npy", numpy.load(folder + "/c.npy", mmap_mode="r"))),
    rows=best(3, lambda: numpy.array(rows)),
    call=best(3, calls) / 100000,
)
