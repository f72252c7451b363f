-- order: groups of codes, and lookups among sorted keys; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local refuse, check_list = arguments.refuse, arguments.check_list
local check_integer = arguments.check_integer
local check_sorted, ints = arguments.check_sorted, arguments.ints
local hold, scratch, copied = arguments.hold, arguments.scratch, arguments.copied

local kernels = {}

arguments.describe {
  group = "group(codes, groups)",
  intersect = "intersect(a, b)",
  locate = "locate(keys, wanted)",
}

--- Positions by code from 0, as a dictionary has them: those with code g - 1 are index[i] for
--- offsets[g] <= i < offsets[g + 1].  A negative code is left out.
---     local offsets, index = tm.kernels.group({1, 0, 1}, 2)   --> 1, 2, 4   and   2, 1, 3
---@param codes tidemill.numbers
---@param groups integer all codes are below
---@return tidemill.array offsets, tidemill.array index
function kernels.group(codes, groups)
  check_list("group", "codes", codes)
  check_integer("group", "groups", groups, 0, 2^31 - 2)
  codes = ints("group", "codes", codes)
  local n = #codes
  local offsets, index = array.new("int32", groups + 1), array.new("int32", n)
  local count = tonumber(C.tidemill_kernel_group_codes(codes:pointer(), n, groups, 1,
    offsets:pointer(), index:pointer()))
  hold(codes)
  if count < 0 then refuse("group", "a code is not below groups = %d", groups) end
  if count == n then return offsets, index end
  local kept = copied("int32", index:pointer(), count)
  hold(index)
  return offsets, kept
end

local function same_keys(a, b)
  return array.is(a) and array.is(b) and a.dtype == "date" and b.dtype == "date" and "date"
    or "int32"
end

--- The values that two ascending lists of integers (or dates) share, each once.
---     tm.kernels.intersect({1, 2, 4}, {2, 3, 4})         --> 2, 4
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array
function kernels.intersect(a, b)
  check_list("intersect", "a", a)
  check_list("intersect", "b", b)
  local dtype = same_keys(a, b)
  a, b = ints("intersect", "a", a), ints("intersect", "b", b)
  check_sorted("intersect", "a", a)
  check_sorted("intersect", "b", b)
  local shared = scratch(math.ceil(math.min(#a, #b) / 2))
  local count = tonumber(C.tidemill_kernel_intersect_int32(a:pointer(), #a, b:pointer(), #b,
    ffi.cast("int32_t *", shared)))
  hold(a, b)
  return copied(dtype, shared, count)
end

--- For each wanted key its first position among ascending keys, -1 where there is none.
---     tm.kernels.locate({10, 20, 30}, {30, 15})          --> 3, -1
---@param keys tidemill.numbers
---@param wanted tidemill.numbers in any order; ascending is fastest
---@return tidemill.array int32
function kernels.locate(keys, wanted)
  check_list("locate", "keys", keys)
  check_list("locate", "wanted", wanted)
  keys, wanted = ints("locate", "keys", keys), ints("locate", "wanted", wanted)
  check_sorted("locate", "keys", keys)
  local out = array.new("int32", #wanted)
  C.tidemill_kernel_locate_int32(keys:pointer(), #keys, wanted:pointer(), #wanted, 1,
    out:pointer())
  hold(keys, wanted)
  return out
end

return kernels
