# numpy_array: a NumPy array handed to a script, and its result back, by ctypes and without a copy.
# python3 numpy_array.py [PATH]: of libtidemill.so.0, where the linker does not find it by itself
import ctypes
import itertools
import sys

try:
    import numpy
except ImportError:
    print("skipped numpy_array: no NumPy for this Python")
    sys.exit(77)

library = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libtidemill.so.0")
library.tidemill_error.restype = ctypes.c_char_p
library.tidemill_error.argtypes = [ctypes.c_void_p]


# ---- The structs of tidemill.h that are used here; each begins with its size ------------------

class Config(ctypes.Structure):  # its first fields; those after `size` bytes are zero for the engine
    _fields_ = [("size", ctypes.c_size_t), ("workers", ctypes.c_int), ("cache", ctypes.c_char_p)]


class Value(ctypes.Structure):
    _fields_ = [("opaque", ctypes.c_uint64 * 2)]

    def __del__(self):
        library.tidemill_release(self)


class Array(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("type", ctypes.c_char_p), ("dimensions", ctypes.c_int),
                ("shape", ctypes.c_int64 * 8), ("data", ctypes.c_void_p),
                ("validity", ctypes.c_void_p), ("offsets", ctypes.c_void_p)]


Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class Engine:
    def __init__(self):
        self.handle = ctypes.c_void_p()
        config = Config(ctypes.sizeof(Config), 2, b"off")
        self.check(library.tidemill_open(ctypes.byref(config), ctypes.byref(self.handle)))

    def check(self, status):
        if status != 0:
            raise RuntimeError(library.tidemill_error(self.handle).decode())

    def close(self):
        library.tidemill_close(self.handle)

    def run(self, code):
        self.check(library.tidemill_run_string(self.handle, code.encode(), b"script", 0, None))

    def call(self, name, argument):
        result = Value()
        self.check(library.tidemill_call(self.handle, name.encode(), ctypes.byref(argument),
                                         ctypes.c_size_t(1), ctypes.byref(result), ctypes.c_size_t(1)))
        return result

    # ---- In: the engine reads NumPy's memory, so the array is kept until it is given back ------

    lent = {}  # by number: arrays that some engine has
    numbers = itertools.count(1)

    @Release
    def give_back(context, data):  # by whichever thread lets go of it last: ctypes takes the GIL
        Engine.lent.pop(context)

    def value_of(self, array):
        array = numpy.ascontiguousarray(array)  # no copy of one that is
        array.setflags(write=False)             # nobody writes what the engine reads
        view = Array(ctypes.sizeof(Array), array.dtype.name.encode(), array.ndim,
                     (ctypes.c_int64 * 8)(*array.shape), array.ctypes.data)
        value, number = Value(), next(Engine.numbers)
        Engine.lent[number] = array
        status = library.tidemill_from_array(self.handle, ctypes.byref(view), Engine.give_back,
                                             ctypes.c_void_p(number), ctypes.byref(value))
        if status != 0:
            Engine.lent.pop(number)
        self.check(status)
        return value

    # ---- Out: NumPy reads the engine's memory, so the value is kept as long as the array -------

    @staticmethod
    def array_of(value):
        view = Array(ctypes.sizeof(Array))
        if not library.tidemill_to_array(value, ctypes.byref(view)):
            raise TypeError("not an array")
        dtype = numpy.dtype(view.type.decode())
        shape = tuple(view.shape[:view.dimensions])
        memory = (ctypes.c_char * (int(numpy.prod(shape)) * dtype.itemsize)).from_address(view.data)
        memory.value_held = value
        array = numpy.frombuffer(memory, dtype).reshape(shape)
        array.setflags(write=False)
        return array


engine = Engine()
engine.run("""
function same(prices) return prices end
function smooth(prices) return tm.kernels.sma(prices, 3) end
""")

prices = numpy.array([70.0, 71, 72, 70, 74])
value = engine.value_of(prices)
same = engine.array_of(engine.call("same", value))
print("in and out at one address:", same.ctypes.data == prices.ctypes.data)
print("the last mean of 3:", engine.array_of(engine.call("smooth", value))[-1])

del value, same
engine.close()
print("lent to nobody:", len(Engine.lent) == 0)

# Output:
# in and out at one address: True
# the last mean of 3: 72.0
# lent to nobody: True
