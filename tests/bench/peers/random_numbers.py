"""random_numbers: the distributions of numpy.random.Generator, for random.lua.
SPDX-License-Identifier: MIT"""
import sys

from spin import absent, best, say

try:
    import numpy
except ImportError as error:
    absent(error)

block, blocks, rounds = (int(argument) for argument in sys.argv[1:])
count = block * blocks
draw = numpy.random.default_rng(1)
double, single = numpy.empty(block), numpy.empty(block, dtype="f4")
weights = numpy.arange(1.0, 1001)
weights /= weights.sum()


def time(call):
    return best(rounds, lambda: [call() for _ in range(blocks)])


say(uniform=time(lambda: draw.random(out=double)))
say(uniform_f32=time(lambda: draw.random(out=single, dtype="f4")))
say(normal=time(lambda: draw.standard_normal(out=double)))
say(normal_f32=time(lambda: draw.standard_normal(out=single, dtype="f4")))
say(lognormal=time(lambda: draw.lognormal(size=block)))
say(exponential=time(lambda: draw.standard_exponential(out=double)))
say(integers=time(lambda: draw.integers(1, 6, size=block, endpoint=True)))
say(integers_i32=time(lambda: draw.integers(1, 6, size=block, endpoint=True, dtype="i4")))
say(choice=best(rounds, lambda: draw.choice(1000, count, p=weights)))
say(permutation=best(rounds, lambda: draw.permutation(count)))
say(uniform_new=best(rounds, lambda: draw.random(count)))
