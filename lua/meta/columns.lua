---@meta _
-- What editors know of the face: computed arrays, frames, kernels of one's own.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
local tm = {}

-- Columns -------------------------------------------------------------------------------------

---@alias tidemill.dtype "bool"|"int8"|"int16"|"int32"|"int64"|"uint8"|"uint16"|"uint32"|"uint64"|"float32"|"float64"|"utf8"|"dictionary"|"date"|"timestamp"

--- An array from a Lua table of numbers, booleans, strings or 64-bit integers; tables in it are rows, and
--- so are arrays of one shape.
---     tm.array({{1, 2}, {3, 4}}, "int32"):get(2, 1)      --> 3
---@param values table elements 1 to n, or 1 to values.n; up to eight tables deep
---@param dtype? tidemill.dtype|{dtype: tidemill.dtype} default "float64", "bool" for booleans, "utf8" for
---       strings, "int64" for 64-bit integers, what the arrays have; of "date" and "timestamp" strings are
---       read as ISO 8601
---@return tidemill.array
function tm.array(values, dtype) end

--- An array from a copy of raw memory, little-endian.
---     tm.from_buffer("\1\0\2\0", "int16")[2]             --> 2
---@param source string|ffi.cdata* bytes, an FFI array, or a pointer, which needs a shape
---@param dtype tidemill.dtype of fixed size
---@param ... integer|integer[] shape; without it one axis of what there is
---@return tidemill.array
function tm.from_buffer(source, dtype, ...) end

--- Typed and immutable; `a[i]` counts from 1, `a[-1]` is the last element, `#a` the length of the first
--- axis. Of an array of several axes a[i] is a row.
---@class tidemill.array: tidemill.lazy
---@field [integer] any
---@field length integer elements in all
---@field size integer elements in all
---@field dtype tidemill.dtype
---@field shape integer[] sizes of the axes
---@field ndim integer how many axes there are
---@field itemsize? integer bytes of an element; nil for text
---@field nbytes integer bytes of memory
---@field nulls integer elements that are missing
---@field dictionary? tidemill.array the strings of a dictionary array
---@field codes? tidemill.array int32 codes of a dictionary array, from 0
local array = {}

--- Pointer to the elements, counted from 0 and typed as the array is; valid while the array
--- lives, and not to be written.
---@return ffi.cdata*
function array:pointer() end

--- The element at these indexes as a 64-bit integer cdata.
---@param i integer
---@param ... integer
---@return ffi.cdata*
function array:int64(i, ...) end

--- The element at these indexes, one an axis.
---@param i integer
---@param ... integer
---@return any
function array:get(i, ...) end

--- Row i of an array of several axes, without a copy: what a[i] is.
---@param i integer
---@return tidemill.array
function array:row(i) end

--- The only element of an array of one.
---@return any
function array:item() end

--- The same elements in another shape, without a copy; one size may be -1.
---     tm.array({1, 2, 3, 4}):reshape(2, -1)[2][1]        --> 3
---@param ... integer|integer[] sizes, or one table of them
---@return tidemill.array
function array:reshape(...) end

--- The elements in another type; what the type cannot hold is an error, fractions are cut.
---@param dtype tidemill.dtype
---@return tidemill.array
function array:astype(dtype) end

--- Elements first to last, both included, without a copy: a:slice{{1, 10}}.
---@param ranges integer[][]
---@return tidemill.array
function array:slice(ranges) end

--- The elements as a Lua table, with `n`, of tables where there are several axes; missing ones are
--- holes (NaN in float arrays).
---@return table
function array:totable() end

--- for i, value in a:iter() do; of an array of several axes each value is a row.
---@return fun(): integer?, any
function array:iter() end

--- Whether the element at these indexes is there.
---@param i integer
---@param ... integer
---@return boolean
function array:present(i, ...) end

-- Kernels of one's own ------------------------------------------------------------------------

--- Opens a shared object and gives the function that a C declaration names, or a table of them when it
--- names several.  What is called later checks its arguments.
---     local f = tm.kernel("./mine.so", "double f(const double *x, int64_t n);")
---     print(f({1, 2, 3}, 3))
---@class tidemill.kernel_opener
---@overload fun(path: string, cdef: string): tidemill.kernel|table<string, tidemill.kernel>
tm.kernel = {}

--- Stands for an argument that a kernel writes: a new array of zeros, given back after the function's own
--- result; or a copy of an array, which the function changes.
---     local sum, running = f(x, #x, tm.kernel.out(#x))
---@param first integer|integer[]|tidemill.array shape, or what is copied
---@param ... integer
---@return table
function tm.kernel.out(first, ...) end

--- A C function: numbers for numbers, arrays or tables for `const T *`, tm.kernel.out for `T *`.  It
--- crosses to tasks.
---@class tidemill.kernel
---@field path string of the shared object
---@field hash string of its content
---@field declaration string
---@overload fun(...): any ...

--- Compiles C text with the machine's compiler, once, and gives its functions as tm.kernel does.
---     local twice = tm.kernel_c{source = "double twice(double x) { return 2 * x; }",
---                               cdef = "double twice(double x);"}
---@param given tidemill.kernel_source
---@return tidemill.kernel|table<string, tidemill.kernel>
function tm.kernel_c(given) end

---@class tidemill.kernel_source
---@field name? string letters, digits, _ and -: what the compiler's messages call the text; "kernel"
---@field source string C11
---@field cdef string the functions that are wanted, as in tm.kernel
---@field flags? string|string[] more flags for the compiler, such as "-march=native"

--- Named columns of one length: `t.close`, or t:column("Adj Close").
---@class tidemill.frame
---@field rows integer
---@field columns string[] names in order
---@field [string] tidemill.array
local frame = {}

--- A column by name, whatever its characters.
---@param name string
---@return tidemill.array
function frame:column(name) end
