-- shown: a value as messages show what there was: "3" is not 3; what has no short text of its own is told by
-- its kind, for an address says nothing and differs in every run.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")

local shown = {}

-- Modules of what is told from other tables and userdata; one that is not loaded has made none.
local kinds = {
  { "tidemill.array", "an array" }, { "tidemill.lazy", "a lazy array" }, { "tidemill.node", "a lazy node" },
  { "tidemill.future", "a future" }, { "tidemill.channel", "a channel" }, { "tidemill.pool", "a pool" },
  { "tidemill.task", "a delayed function" }, { "tidemill.frame", "a frame" },
}

local of_type = { ["function"] = "a function", table = "a table", thread = "a coroutine",
  userdata = "a userdata" }

local function of_object(value)
  for _, kind in ipairs(kinds) do
    local module = package.loaded[kind[1]]
    if module and module.is(value) then return kind[2] end
  end
end

local function of_cdata(value)
  if ffi.istype("int64_t", value) or ffi.istype("uint64_t", value) then return tostring(value) end
  return "an FFI value"
end

--- A value as a message shows it.
---@param value any
---@return string
function shown.value(value)
  local kind = type(value)
  if kind == "string" then return (("%q"):format(value):gsub("\\\n", "\\n")) end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  local object = of_object(value)
  if object then return object end
  if kind == "cdata" then return of_cdata(value) end
  if kind == "table" and next(value) == nil then return "an empty table" end
  return io.type(value) and "a file" or of_type[kind]
end

--- What stands for a name between quotes.
---@param name any
---@return string
function shown.name(name) return type(name) == "string" and name or shown.value(name) end

return shown
