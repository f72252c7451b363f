"""The .npy files of tests/data/npy, which tests/c/test_npy.c reads:
    python scripts/dev/vectors/npy.py tests/data/npy
Element i, in row-major order from 0, is (37 i mod 101) - 50 where the type has that, a quarter of it
in floats, days or the unit's ticks since 1970 in times.  SPDX-License-Identifier: MIT"""
import sys

import numpy
from numpy.lib import format as npy

folder = sys.argv[1]


def save(name, array, version=None):
    with open(f"{folder}/{name}.npy", "wb") as file:
        npy.write_array(file, array, version=version)


def numbers(shape):
    count = int(numpy.prod(shape))
    return ((37 * numpy.arange(count)) % 101 - 50).reshape(shape)


for dtype in ["i1", "i2", "i4", "i8", "f4", "f8"]:
    values = numbers((3, 4)) / (4 if dtype[0] == "f" else 1)
    save(dtype, values.astype("<" + dtype))
    save(dtype + "_fortran", numpy.asfortranarray(values.astype("<" + dtype)))
for dtype in ["u1", "u2", "u4", "u8"]:
    save(dtype, (numbers((3, 4)) + 50).astype("<" + dtype))
save("b1", numbers((3, 4)) > 0)
save("f8_3d_fortran", numpy.asfortranarray(numbers((3, 4, 5)) / 4))
save("f8_5d_fortran", numpy.asfortranarray(numbers((2, 3, 2, 2, 3)) / 4))
save("f8_scalar", numpy.array(2.5))
save("f8_empty", numpy.zeros((0, 3)))
save("f8_version2", numbers((7,)) / 4, (2, 0))
save("f8_version3", numbers((7,)) / 4, (3, 0))
save("f8_big_endian", (numbers((3,)) / 4).astype(">f8"))
for dtype in ["i2", "i4", "i8"]:
    save(dtype + "_big_endian", numbers((3, 4)).astype(">" + dtype))
save("f4_big_endian", numpy.asfortranarray((numbers((3, 4)) / 4).astype(">f4")))
save("time_h_big_endian", numbers((6,)).astype("<i8").view("<M8[h]").astype(">M8[h]"))
save("text", numpy.array(["a", "bc"]))
save("record", numpy.zeros(2, [("a", "<i4"), ("b", "<f8")]))
save("f2", (numbers((3,)) / 4).astype("<f2"))
for unit in ["W", "D", "h", "m", "s", "ms", "us", "ns"]:
    ticks = numbers((6,)).astype("<i8").view(f"<M8[{unit}]")
    save("time_" + unit, ticks)
missing = numbers((6,)).astype("<i8").view("<M8[D]")
missing[2] = numpy.datetime64("NaT")
save("missing_D", missing)
missing = missing.astype("<M8[us]")
save("missing_us", missing)
