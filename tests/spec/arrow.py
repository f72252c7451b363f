# arrow: arrays and frames between pyarrow and an engine in this process, both ways, by Arrow's C Data
# Interface.  Usage: python3 tests/spec/arrow.py LIBRARY FOLDER SEED; ends with counts.
# SPDX-License-Identifier: MIT
import ctypes
import datetime
import decimal
import random
import sys

import pyarrow as pa

tidemill = ctypes.CDLL(sys.argv[1])
tidemill.tidemill_error.restype = ctypes.c_char_p


class Value(ctypes.Structure):
    _fields_ = [("opaque", ctypes.c_uint64 * 2)]


class Config(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("workers", ctypes.c_int), ("cache", ctypes.c_char_p)] + [
        ("rest", ctypes.c_uint64 * 16)]


# ArrowSchema has nine words, ArrowArray ten: pyarrow fills and reads them.
Struct = ctypes.c_uint64 * 10


class Refused(Exception):
    pass


def check(status):
    if status != 0:
        raise Refused(tidemill.tidemill_error(engine).decode())


def open_engine():
    opened = ctypes.c_void_p()
    # The size tells how much of the config this host knows: its first three fields.
    config = Config(size=24, workers=2, cache=b"off")
    status = tidemill.tidemill_open(ctypes.byref(config), ctypes.byref(opened))
    assert status == 0, status
    return opened


engine = open_engine()


def to_tidemill(thing):
    schema, array, value = Struct(), Struct(), Value()
    thing._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
    check(tidemill.tidemill_from_arrow(engine, schema, array, ctypes.byref(value)))
    return value


def to_pyarrow(value, kind):
    schema, array = Struct(), Struct()
    check(tidemill.tidemill_to_arrow(engine, value, schema, array))
    made = kind._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
    made.validate(full=True)
    return made


def call(name, *values):
    result = Value()
    given = (Value * len(values))(*values)
    check(tidemill.tidemill_call(engine, name.encode(), given, ctypes.c_size_t(len(values)),
                                 ctypes.byref(result), ctypes.c_size_t(1)))
    return result


def release(*values):
    for value in values:
        tidemill.tidemill_release(value)


def through(thing):
    """Into the engine, through a task, and back."""
    value = to_tidemill(thing)
    result = call("through", value)
    made = to_pyarrow(result, pa.RecordBatch if isinstance(thing, pa.RecordBatch) else pa.Array)
    release(value, result)
    return made


SCRIPT = b"""
function through(x) return tm.submit(function(y) return y end, x):result() end
function matrix() return tm.array{{{1, 2}, {3, 4}, {5, 6}}} end
function total(frame) return frame.n:sum():compute() end
function read(path) return tm.read_csv(path) end
"""


# ---- what is the same on both sides, and what becomes something else ------------------------------

SAME = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
        pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.date32(),
        pa.timestamp("us", "UTC"), pa.dictionary(pa.int32(), pa.string())]
OTHER = {
    pa.large_string(): pa.string(),
    pa.date64(): pa.date32(),
    pa.timestamp("s"): pa.timestamp("us", "UTC"),
    pa.timestamp("ms", "Asia/Shanghai"): pa.timestamp("us", "UTC"),
    pa.timestamp("ns", "UTC"): pa.timestamp("us", "UTC"),
    pa.timestamp("us"): pa.timestamp("us", "UTC"),
    pa.dictionary(pa.int8(), pa.string()): pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.uint64(), pa.large_string()): pa.dictionary(pa.int32(), pa.string()),
    pa.null(): pa.float64(),
}


def some(kind, count, nulls):
    numbers = [random.randrange(100) for _ in range(count)]
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        items = ["\u00e4" * (n % 4) + str(n % 7) for n in numbers]
    elif pa.types.is_boolean(kind):
        items = [n % 2 == 1 for n in numbers]
    elif pa.types.is_date(kind):
        items = [datetime.date(1969, 12, 1) + datetime.timedelta(days=n) for n in numbers]
    elif pa.types.is_timestamp(kind):
        items = [datetime.datetime(1969, 12, 31, 23, 59) + datetime.timedelta(seconds=n) for n in numbers]
    else:
        items = numbers
    if nulls or kind == pa.null():
        items = [None if n % 3 == 0 or kind == pa.null() else x for n, x in zip(numbers, items)]
    return pa.array(items, kind)


def check_pair(given, expected):
    for offset in (0, 1, 8, 11):
        part = given.slice(offset, max(0, len(given) - offset - 2))
        got = through(part)
        assert got.type == expected, (got.type, expected)
        wanted = part.cast(expected) if not pa.types.is_dictionary(expected) else part
        assert got.to_pylist() == wanted.to_pylist(), (got, wanted)


def test_types_that_both_have_come_back():
    for kind in SAME:
        for nulls in (False, True):
            check_pair(some(kind, 40, nulls), kind)
            check_pair(some(kind, 0, nulls), kind)


def test_other_types_become_the_nearest():
    for kind, expected in OTHER.items():
        for nulls in (False, True):
            check_pair(some(kind, 40, nulls), expected)


def test_frames_come_back():
    columns = {str(kind): some(kind, 25, True) for kind in SAME}
    batch = pa.record_batch(list(columns.values()), list(columns.keys()))
    for part in (batch, batch.slice(3, 9), batch.slice(0, 0), pa.record_batch([], [])):
        got = through(part)
        assert got.schema.names == part.schema.names
        assert got.schema.types == part.schema.types
        assert got.to_pydict() == part.to_pydict()


def test_numbers_are_used_in_place():
    given = pa.array([random.random() for _ in range(10000)])
    got = through(given)
    assert got.buffers()[1].address == given.buffers()[1].address
    text = pa.array(["one", "two"] * 1000)
    got = through(text)
    assert [b and b.address for b in got.buffers()] == [b and b.address for b in text.buffers()]


def test_axes_are_lists_of_a_size():
    value = call("matrix")
    got = to_pyarrow(value, pa.Array)
    assert got.type.list_size == 3 and got.to_pylist() == [[[1, 2], [3, 4], [5, 6]]]
    release(value)
    kind = pa.list_(pa.list_(pa.int16(), 2), 3)
    given = pa.array([[[i, i], [1, 2], [3, 4]] for i in range(5)], kind)
    for part in (given, given.slice(2, 2)):
        assert through(part).to_pylist() == part.to_pylist()


def test_a_file_of_csv_becomes_a_batch():
    path = sys.argv[2] + "/prices.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("day,close,volume,name\n2018-02-07,1.5,7,one\n2018-02-08,,8,two\n")
    name = Value()
    check(tidemill.tidemill_from_string(path.encode(), ctypes.c_size_t(len(path)), ctypes.byref(name)))
    value = call("read", name)
    batch = to_pyarrow(value, pa.RecordBatch)
    release(value, name)
    assert batch.to_pydict() == {
        "day": [datetime.date(2018, 2, 7), datetime.date(2018, 2, 8)], "close": [1.5, None],
        "volume": [7, 8], "name": ["one", "two"]}, batch.to_pydict()


def test_what_is_not_there_is_named():
    refused = [
        (pa.array([decimal.Decimal("1.5")]), "decimal numbers"),
        (pa.array([[1], [2, 3]]), "lists"),
        (pa.array([b"x"]), "binary"),
        (pa.array([datetime.time(1)]), "times of day"),
        (pa.array([1, 1500], pa.timestamp("ns")), "row 1: its time is no whole number of microseconds"),
    ]
    for array, words in refused:
        try:
            through(pa.record_batch([array], ["odd"]))
        except Refused as refusal:
            assert 'column "odd"' in str(refusal) and words in str(refusal), str(refusal)
        else:
            raise AssertionError(f"{array.type} came in")


def test_many_batches_pass():
    for _ in range(20):
        through(pa.record_batch([some(kind, 1000, True) for kind in SAME], [str(k) for k in SAME]))


# ---- the run --------------------------------------------------------------------------------------

passed = failed = 0
random.seed(int(sys.argv[3]))
check(tidemill.tidemill_run_string(engine, SCRIPT, b"=script", 0, None))
for name, test in list(globals().items()):
    if not name.startswith("test_"):
        continue
    try:
        test()
        passed += 1
    except Exception as problem:  # each is told, and counted
        failed += 1
        print(f"not ok {name[5:]}: {type(problem).__name__}: {problem}")
tidemill.tidemill_close(engine)
if pa.total_allocated_bytes() != 0:
    failed += 1
    print(f"not ok all memory is released: {pa.total_allocated_bytes()} bytes are not")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
