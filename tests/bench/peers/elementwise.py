"""elementwise: NumPy's ops over COUNT float64 in blocks of BLOCK, and over all at once.
Usage: elementwise.py COUNT BLOCK ROUNDS; prints lines "name seconds", of a block or of the whole.
SPDX-License-Identifier: MIT"""
import sys

import spin

try:
    import numpy as np
except ImportError as error:
    spin.absent(error)

count, block, rounds = (int(x) for x in sys.argv[1:4])
blocks = count // block
random = np.random.default_rng(1)
x, y = random.random(count), random.random(count)
mask = x < 0.5
a, b, m = x[:block].copy(), y[:block].copy(), mask[:block].copy()
out, truth = np.empty(block), np.empty(block, bool)
small = x[:100].copy()

calls = dict(
    add=lambda: np.add(a, b, out=out),
    mul=lambda: np.multiply(a, b, out=out),
    div=lambda: np.divide(a, b, out=out),
    minimum=lambda: np.minimum(a, b, out=out),
    lt=lambda: np.less(a, b, out=truth),
    where=lambda: np.where(m, b, a),
    sqrt=lambda: np.sqrt(a, out=out),
    floor=lambda: np.floor(a, out=out),
    exp=lambda: np.exp(a, out=out),
    log=lambda: np.log(a, out=out),
    sin=lambda: np.sin(a, out=out),
    pow=lambda: np.power(a, b, out=out),
)
whole = dict(
    add=lambda: np.add(x, y),
    lt=lambda: np.less(x, y),
    where=lambda: np.where(mask, y, x),
    exp=lambda: np.exp(x),
)


def often(call, times):
    for _ in range(times):
        call()


for name, call in calls.items():
    spin.say(**{name: spin.best(rounds, often, call, blocks) / blocks})
for name, call in whole.items():
    spin.say(**{name + "_whole": spin.best(rounds, call)})
spin.say(small=spin.best(rounds, often, lambda: np.add(small, small), 20000) / 20000)
