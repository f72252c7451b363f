-- cdata: tells the encoder what a cdata is, and makes the ones that the decoder needs.
local ffi = require("ffi")
local core = require("tidemill.core")
local array = require("tidemill.array")

local istype = ffi.istype
local int64, uint64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
local array_ref, node = ffi.typeof("struct tidemill__array_ref"), ffi.typeof("struct tidemill__node")

local cdata = {}

--- The kind of a cdata, numbered as in host/bind/encode.h.
function cdata.kind(value)
  if istype(array_ref, value) then return 3 end
  if istype(node, value) then return 4 end
  if istype(int64, value) then return 1 end
  if istype(uint64, value) then return 2 end
  return 0
end

--- An array from a pointer whose reference passes to it; or, without one, a 64-bit integer from
--- its 8 bytes.
function cdata.wrap(pointer, unsigned, bytes)
  if pointer then return array.receive(pointer) end
  local box = ffi.new(unsigned and "uint64_t[1]" or "int64_t[1]")
  ffi.copy(box, bytes, 8)
  return box[0]
end

core.register("tidemill.kinds", cdata.kind)
core.register("tidemill.wrap", cdata.wrap)

return cdata
