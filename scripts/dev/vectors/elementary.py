"""The elementary functions: test vectors, or the coefficients in kernels/*_wide.h.

    python3 scripts/dev/vectors/elementary.py > tests/data/kernels/elementary.txt
    python3 scripts/dev/vectors/elementary.py coefficients

Needs mpmath.  A coefficient list is the polynomial whose largest weighted error on an interval is
least (Lawson's reweighted least squares at 200 bits), each coefficient rounded by itself.
SPDX-License-Identifier: MIT
"""
import random
import struct
import sys

import mpmath
from mpmath import mp, mpf

# ---- Coefficients ----


def lawson(f, weight, low, high, terms, rounds=25):
    points = 12 * terms
    nodes = [(low + high) / 2 - (high - low) / 2 * mpmath.cos(mpmath.pi * i / (points - 1))
             for i in range(points)]
    values = [f(x) for x in nodes]
    weights = [weight(x) for x in nodes]
    shares = [mpf(1) / points] * points
    best = None
    for _ in range(rounds):
        squares = [s * w * w for s, w in zip(shares, weights)]
        moments = [mpmath.fsum(q * x ** j for q, x in zip(squares, nodes))
                   for j in range(2 * terms - 1)]
        matrix = mpmath.matrix(terms, terms)
        right = mpmath.matrix(terms, 1)
        for i in range(terms):
            for j in range(terms):
                matrix[i, j] = moments[i + j]
            right[i] = mpmath.fsum(q * x ** i * v for q, x, v in zip(squares, nodes, values))
        solved = mpmath.lu_solve(matrix, right)
        p = [solved[j] for j in range(terms)]
        errors = [abs(w * (v - mpmath.polyval(p[::-1], x)))
                  for w, v, x in zip(weights, values, nodes)]
        if best is None or max(errors) < best[1]:
            best = p, max(errors)
        total = mpmath.fsum(s * e for s, e in zip(shares, errors))
        shares = [s * e / total for s, e in zip(shares, errors)]
    return best


def series(f, first, second, tiny):
    """f, or below `tiny`, where f loses its digits, the two terms its series begins with."""
    return lambda x: first + second * x if abs(x) < mpf(2) ** tiny else f(x)


def rooted(f):
    return lambda z: f(mpmath.sqrt(z))


def coefficients():
    mp.prec = 200
    wider = mpf("1.0001")
    ln2 = mpmath.log(2) / 2 * wider
    log = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1) * wider) ** 2
    quarter = (mpmath.pi / 4 * wider) ** 2
    eighth = (mpmath.tan(mpmath.pi / 8) * wider) ** 2
    cases = [
        ("exp: (e^r - 1 - r) / r^2", (11,), -ln2, ln2, lambda r: r * r / mpmath.exp(r),
         series(lambda r: (mpmath.exp(r) - 1 - r) / r ** 2, mpf(1) / 2, mpf(1) / 6, -40)),
        ("log: (2 atanh(s) / s - 2) / z", (7, 3), mpf(0), log, lambda z: z,
         series(rooted(lambda s: (2 * mpmath.atanh(s) / s - 2) / s ** 2), mpf(2) / 3,
                mpf(2) / 5, -60)),
        ("sin: (sin r / r - 1) / z", (6, 3), mpf(0), quarter, lambda z: z,
         series(rooted(lambda r: (mpmath.sin(r) / r - 1) / r ** 2), -mpf(1) / 6, mpf(1) / 120,
                -60)),
        ("cos: (cos r - 1 + z / 2) / z^2", (6, 3), mpf(0), quarter, lambda z: z * z,
         series(rooted(lambda r: (mpmath.cos(r) - 1 + r ** 2 / 2) / r ** 4), mpf(1) / 24,
                -mpf(1) / 720, -50)),
        ("atan: (atan u / u - 1) / z", (11,), mpf(0), eighth, lambda z: z,
         series(rooted(lambda u: (mpmath.atan(u) / u - 1) / u ** 2), -mpf(1) / 3, mpf(1) / 5,
                -60)),
        ("pow: ((atanh(s) / s - 1) / z - 1/3) / z", (8,), mpf(0), log, lambda z: z * z,
         series(rooted(lambda s: ((mpmath.atanh(s) / s - 1) / s ** 2 - mpf(1) / 3) / s ** 2),
                mpf(1) / 5, mpf(1) / 7, -40)),
    ]
    for name, lengths, low, high, weight, f in cases:
        for terms in lengths:
            p, error = lawson(f, weight, low, high, terms)
            print(f"{name}: weighted error 2^{mpmath.nstr(mpmath.log(error, 2), 4)}")
            for c in p:
                single = struct.unpack("f", struct.pack("f", float(c)))[0]
                print("   ", (single if terms == 3 else float(c)).hex())


# ---- Test vectors ----

NUMBERS = {
    "exp": [1, -1, 0.5, 20, -20, 700, -700, 709.78, -745, -708.5, -740.25, 1e-20, 1e-300],
    "exp2": [1, -1, 0.5, 0.1, 1023.9, -1022.5, -1074, -1060.7, 1e-20],
    "expm1": [1, -1, 1e-8, -1e-8, 0.3466, -0.3466, 0.5, 2, -3, -37, 40, 100, 700, 1e-300],
    "log": [2, 3, 10, 0.5, 0.7071, 0.7072, 1.4142, 1.4143, 1e-300, 1e300, 5e-324, 1e-310],
    "log1p": [1, 1e-5, -1e-5, 0.41, 0.42, -0.29, -0.3, -0.999, 1e15, 1e300, 1e-300, 3e-16],
    "log2": [2, 3, 10, 0.5, 0.7071, 0.7072, 1.4142, 1e-300, 1e300, 5e-324, 1024, 1.0000001],
    "log10": [2, 10, 1000, 1e22, 0.1, 0.001, 1e-300, 1e300, 5e-324, 1.0000001, 0.999],
    "sin": [1, 2, 3, 4, 5, 6, 7, 1e5, 1e6, 1048575.9, 1048576.1, 1e10, 1e22, 1e300, 1e-10],
    "cos": [1, 2, 3, 4, 5, 6, 7, 1e5, 1e6, 1048575.9, 1048576.1, 1e10, 1e22, 1e300, 1e-10],
    "tan": [1, 2, 3, 4, 5, 6, 7, 1e5, 1e6, 1048575.9, 1048576.1, 1e10, 1e22, 1e300, 1e-10],
    "asin": [0.1, 0.5, -0.5, 0.7, 0.9, 0.999999, -1, 1, 1e-10, 0.38, 0.93],
    "acos": [0.1, 0.5, -0.5, 0.7, 0.9, 0.999999, -1, -0.999999, 1e-10, 0.38, 0.93],
    "atan": [0.1, 0.41, 0.42, 1, -1, 2.41, 2.42, 1e10, 1e300, 1e-10, 5e-324],
    "sinh": [0.1, 1, -1, 21.9, 22.1, 700, -710, 710.4, 1e-10, 1e-300],
    "cosh": [0.1, 1, -1, 21.9, 22.1, 700, -710, 710.4, 1e-10],
    "tanh": [0.1, 0.5, 1, -1, 18, 22, 30, 1e-10, 1e-300, 0.55],
}
# Near a multiple of pi/2: neighbours of multiples, and the double nearest to any (Muller 2016).
NEAR = [1.5707963267948966, 3.141592653589793, 6.283185307179586, 1571.5, 6381956970095103 * 2.0 ** 797,
        22 * 1.0, 355.0, 103993 * 1.0, 5.319372648326541e255, 16367173 * 2.0 ** 72]
PAIRS = {
    "pow": [(2, 0.5), (10, 22), (10, -5), (1.0000001, 1e9), (0.999, 700000), (1e300, 1.02),
            (1e-300, 1.07), (5e-324, 0.5), (5e-324, -0.95), (-2, 3), (-2, 4), (-8, -1023),
            (-1.5, 1001), (0.1, 300), (3, 1000), (0.7071067811865476, 2000.5), (7, 1e-20),
            (1.4142135623730951, 2047)],
    "atan2": [(1, 2), (2, 1), (-1, 2), (1, -2), (-2, -1), (1, 1), (1, -1), (1e300, 1e299),
              (1e-300, 1e-299), (5e-324, 1), (5e-324, 5e-324), (1, 1e300), (5e-324, -1),
              (1e308, -1.7e308), (3e-310, 5e-309), (0.4142, 1), (0.4143, 1), (2.414, 1)],
}


def functions():
    mp.prec = 1400  # an argument near 2^1024 and 300 bits behind the point
    special = {"exp2": lambda x: mpf(2) ** x, "expm1": mpmath.expm1, "log1p": mpmath.log1p,
               "log2": lambda x: mpmath.log(x, 2), "pow": lambda x, y: x ** y}
    return lambda name: special.get(name) or getattr(mpmath, name)


def nearest(value):
    """The double nearest to a number of many bits, subnormal ones too: float() rounds once."""
    return float(value)


def vectors():
    function = functions()
    draw = random.Random(6)
    print(f"# mpmath {mpmath.__version__}: python3 scripts/dev/vectors/elementary.py"
          " > tests/data/kernels/elementary.txt")
    print("# name, arguments, the nearest double to the exact result")
    for name, numbers in NUMBERS.items():
        if name in ("sin", "cos", "tan"):
            numbers = numbers + NEAR
        low, high = min(numbers), min(max(numbers), 30.0)
        for x in numbers + [draw.uniform(low, high) for _ in range(12)]:
            y = nearest(function(name)(mpf(x)))
            print(name, float(x).hex(), y.hex())
    for name, pairs in PAIRS.items():
        more = [(draw.uniform(0, 30), draw.uniform(-30, 30)) for _ in range(12)]
        for x, y in pairs + more:
            print(name, float(x).hex(), float(y).hex(),
                  nearest(function(name)(mpf(x), mpf(y))).hex())


if __name__ == "__main__":
    coefficients() if sys.argv[1:] == ["coefficients"] else vectors()
