"""elementwise: writes what NumPy gives for elementwise ops and casts; tests/data/kernels/elementwise.txt.
Usage: python scripts/dev/vectors/elementwise.py > tests/data/kernels/elementwise.txt
SPDX-License-Identifier: MIT"""
import itertools
import warnings

import numpy as np

warnings.simplefilter("ignore")

FLOATS = [0.0, -0.0, 1.0, -2.5, 3.75, 1e-300, -7e200, np.inf, -np.inf, np.nan]
NARROW = [0.0, -0.0, 1.0, -2.5, 0.1, 3e38, np.inf, np.nan]
INTS = {"int32": [0, 1, -1, 7, -3, 2**31 - 1, -2**31], "int64": [0, 1, -1, 10, -3, 2**63 - 1, -2**63]}
BOOLS = [False, True]

ARITHMETIC = dict(add=np.add, sub=np.subtract, mul=np.multiply, mod=np.mod, minimum=np.minimum,
                  maximum=np.maximum)
COMPARISON = dict(eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater,
                  ge=np.greater_equal)
LOGIC = dict(band=np.bitwise_and, bor=np.bitwise_or, bxor=np.bitwise_xor)
ONE = dict(neg=np.negative, abs=np.abs, sign=np.sign, square=np.square)
ONE_FLOAT = dict(sqrt=np.sqrt, reciprocal=np.reciprocal, floor=np.floor, ceil=np.ceil, round=np.rint,
                 trunc=np.trunc, isnan=np.isnan, isfinite=np.isfinite, isinf=np.isinf)
NEAR = dict(exp=np.exp, exp2=np.exp2, expm1=np.expm1, log=np.log, log1p=np.log1p, log2=np.log2,
            log10=np.log10, sin=np.sin, cos=np.cos, tan=np.tan, asin=np.arcsin, acos=np.arccos,
            atan=np.arctan, sinh=np.sinh, cosh=np.cosh, tanh=np.tanh)


def text(column):
    return ",".join(str(x).lower() if column.dtype == bool else repr(x.item()) for x in column)


def say(op, result, *operands):
    print(op, operands[0].dtype, *(text(x) for x in operands), "->", result.dtype, text(result))


def two(ops, dtype, values):
    a, b = (np.array(x, dtype) for x in zip(*itertools.product(values, values)))
    for op, function in ops.items():
        # Of zeros of both signs either is the lesser.
        kept = (a != 0) | (b != 0) if op in ("minimum", "maximum") and dtype != "bool" else a == a
        kept |= a != a
        say(op, function(a, b)[kept], a[kept], b[kept])


def one(ops, dtype, values):
    for op, function in ops.items():
        a = np.array(values, dtype)
        say(op, function(a), a)


def casts(source, values, targets):
    for target in targets:
        a = np.array(values, source)
        if target.startswith("int"):  # refused here, undefined there
            a = a[abs(a.astype(float)) < np.iinfo(target).max]
        say("cast", a.astype(target), a)


print("# Made by scripts/dev/vectors/elementwise.py with NumPy", np.__version__)
print("# op, type of the operands, columns of operands -> type and column of the result")
for kind, fitting in (("float64", FLOATS), ("float32", NARROW)):
    two({**ARITHMETIC, **COMPARISON, "div": np.divide}, kind, fitting)
    one({**ONE, **ONE_FLOAT}, kind, fitting + [2.0, 1.5, -0.5])
    casts(kind, fitting, ["float32", "float64", "int32", "int64", "bool"])
for kind, integers in INTS.items():
    two({**ARITHMETIC, **COMPARISON, **LOGIC}, kind, integers)
    one({**ONE, "bnot": np.invert}, kind, integers)
    casts(kind, integers, ["float32", "float64", "bool"] + (["int64"] if kind == "int32" else []))
two({**COMPARISON, **LOGIC, "add": np.add, "mul": np.multiply, "minimum": np.minimum,
     "maximum": np.maximum}, "bool", BOOLS)
one({"bnot": np.logical_not}, "bool", BOOLS)
casts("bool", BOOLS, ["float32", "float64", "int32", "int64"])
print("# what follows is right to 1e-15 of the value")
one(NEAR, "float64", [0.1, 0.75, -0.3, 1.0, np.nan])
two(dict(pow=np.power, atan2=np.arctan2), "float64", [0.5, 2.0, -1.5, 0.0])
