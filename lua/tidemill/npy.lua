-- npy: arrays in files as NumPy writes them (host/data/npy.h).
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local array = require("tidemill.array")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local npy = {}

local function check_path(what, path)
  if type(path) ~= "string" then
    error(("%s: expected a path, got a %s"):format(what, type(path)), 3)
  end
end

-- "auto" is nil for C.
local function check_map(given)
  local map = given.mmap
  if map == nil or map == "auto" then return nil end
  if type(map) == "boolean" then return map end
  error(("read_npy: mmap: expected \"auto\", true or false, got %s"):format(shown.value(map)), 3)
end

local function check_rows(rows)
  if rows == nil then return nil end
  local first, last = type(rows) == "table" and rows[1], type(rows) == "table" and rows[2]
  for _, row in ipairs({ first, last }) do
    if type(row) ~= "number" or row ~= math.floor(row) or row == 0 then first = nil end
  end
  if first and last then return first, last end
  error("read_npy: rows: expected {first, last}, counted from 1, or from the end by negative numbers", 3)
end

local allowed = { "mmap", "rows" }

---@class tidemill.npy_options
---@field mmap? boolean|"auto" whether the array is the file's own pages: "auto", the default, from 64 MiB
---       on; true: or it is an error; never with `rows`
---@field rows? integer[] {first, last}: these rows alone, both included; negative ones count from the end

--- Reads a .npy file.
---     local x = tm.read_npy("x.npy", {rows = {1, 1000}})
---@param path string
---@param given? tidemill.npy_options
---@return tidemill.array
function npy.read(path, given)
  check_path("read_npy", path)
  given = options.only(given, allowed, "read_npy", 2)
  local map = check_map(given)
  local first, last = check_rows(given.rows)
  if map and first then error("read_npy: rows are read, not mapped: leave out mmap or rows", 2) end
  return core.read_npy(path, map, first, last)
end

--- Writes an array as a .npy file: beside its place first, so that others see the old file or the new one.
---@param path string
---@param a tidemill.array|tidemill.lazy|table what is lazy is computed
function npy.write(path, a)
  check_path("write_npy", path)
  if type(a) == "table" then a = array.given(a, "write_npy", 2) end
  if type(a) == "userdata" and require("tidemill.lazy").is(a) then
    a = a:compute()
    if not array.is(a) then a = array.from { a } end
  end
  if not array.is(a) then
    error(("write_npy: expected write_npy(path, array), got a %s"):format(type(a)), 2)
  end
  core.write_npy(path, a)
end

return npy
