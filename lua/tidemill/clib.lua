-- clib: the engine's C functions and structs for the FFI; a namespace like ffi.C.
-- The declarations repeat host/bind/ffi.h, data/value.h, data/array.h and sched/pool.h; the
-- sizes are held against the C side's when this loads.  kernels.h is declared from its own text.
local ffi = require("ffi")
local core = require("tidemill.core")

require("tidemill.kernels.declare")("kernels.h")
local library = core.library and ffi.load(core.library) or ffi.C

-- Behind all that memory can be too short for: structs are declared once.
ffi.cdef([[
struct tidemill__array {
  void *values;
  const int32_t *offsets;
  const uint8_t *validity;
  struct tidemill__array *dictionary;
  int64_t length;
  int64_t nulls;
  int64_t shape[8];
  int32_t type;
  int32_t dimensions;
};

struct tidemill__array_ref { struct tidemill__array *array; };

struct tidemill__value {
  uint8_t tag;
  uint8_t size;
  char text[6];
  double number;
};

struct tidemill__call {
  const struct tidemill__value *arguments;
  int32_t count;
  int32_t worker;
  uint32_t serial;
  uint32_t turn;
  uint64_t stream[2];
};

struct tidemill__node { uint32_t index; uint32_t generation; };

struct tidemill__holdings {double held, debt, room, due, heap; };

int tidemill__next(void *worker);
void tidemill__nest(void *worker, int change);
void tidemill__stream(void *worker, double base, double place);
void tidemill__finish_number(void *worker, double number);
uint64_t tidemill__node_new(void *scope, uint32_t function, uint32_t count);
uint64_t tidemill__node_of_number(void *scope, uint32_t function, double number);
uint64_t tidemill__node_of_nodes(void *scope, uint32_t function, uint64_t first, uint64_t second);
void tidemill__node_number(void *scope, uint64_t node, uint32_t i, double number);
bool tidemill__node_node(void *scope, uint64_t node, uint32_t i, uint64_t input);
int64_t tidemill__node_live(void *scope);
void tidemill__node_drop(void *scope, uint32_t index);
bool tidemill__node_sweep(void *scope, uint32_t slab, const uint8_t *live);
uint32_t tidemill__node_function(void *scope, uint64_t node);
void tidemill__node_place(void *scope, uint64_t node, uint32_t place);
double tidemill__clock(void);
struct tidemill__array *tidemill__array_new(void *engine, int type, int64_t length);
void tidemill__array_filling(struct tidemill__array *array, int filling);
struct tidemill__array *tidemill__array_slice(struct tidemill__array *array, int64_t first,
                                              int64_t length);
struct tidemill__array *tidemill__array_view(struct tidemill__array *array, int64_t first,
                                             int dimensions, const int64_t *shape);
struct tidemill__array *tidemill__array_text(void *engine, int64_t length, int64_t bytes);
struct tidemill__array *tidemill__array_codes(struct tidemill__array *array);
void tidemill__array_ref(struct tidemill__array *array);
void tidemill__array_unref(struct tidemill__array *array);
int64_t tidemill__array_bytes(const struct tidemill__array *array);
]])

local layout = core.layout
assert(ffi.sizeof("struct tidemill__value") == layout.value, "value layout")
assert(ffi.offsetof("struct tidemill__call", "stream") == layout.call, "call layout")
assert(ffi.offsetof("struct tidemill__array", "type") == layout.array_type, "array layout")

return library
