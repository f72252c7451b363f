"""npy: NumPy's reading of what npy.lua has written in FOLDER, and of lists; and the call of a C function
through ctypes.  Usage: npy.py FOLDER OBJECT; prints lines "name number"; ends with 3 without NumPy.
SPDX-License-Identifier: MIT"""
import ctypes
import sys

import spin

try:
    import numpy
except ImportError as error:
    spin.absent(error)


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
    load=spin.best(5, lambda: numpy.load(folder + "/c.npy")),
    transposed=spin.best(5, lambda: numpy.ascontiguousarray(numpy.load(folder + "/fortran.npy"))),
    mapped=spin.best(5, mapped),
    save=spin.best(3, lambda: numpy.save(folder + "/out.npy", numpy.load(folder + "/c.npy", mmap_mode="r"))),
    rows=spin.best(3, lambda: numpy.array(rows)),
    call=spin.best(3, calls) / 100000,
)
