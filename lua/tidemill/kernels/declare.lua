-- declare: tells the FFI of a header of kernels/, once a state: declare("rolling.h").
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local core = require("tidemill.core")

local declared = {}

--- Declares what stands in kernels/<header>; lines that begin with # and TIDEMILL_KERNEL are
--- not for the FFI.
---@param header string
return function(header)
  if declared[header] then return end
  local text = "\n" .. core.embedded(header)
  ffi.cdef((text:gsub("\n#[^\n]*", "\n"):gsub("TIDEMILL_KERNEL", "")))
  declared[header] = true
end
