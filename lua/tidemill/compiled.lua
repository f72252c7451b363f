-- compiled: whether LuaJIT has compiled a loop that the engine has made for one function.  It compiles
-- none around another loop, and some bodies hold what it cannot compile: then the loop is interpreted
-- for good, and calls of C functions serve it better than the FFI.
-- SPDX-License-Identifier: MIT
local util = require("jit.util")

-- JFORL, JITERL, JLOOP of LuaJIT 2.1, as in host/bind/opcode.c; their D is the trace.
local compiled_loops = { [81] = true, [84] = true, [87] = true }
-- How the trace ends: at its own beginning, or at a call of a C function after which another goes on.
-- One that ends in the trace of an inner loop covers what is before that alone.
local whole = { loop = true, stitch = true }

--- Whether the first loop in the function's own code that LuaJIT has compiled, if any, is compiled
--- from end to end.
---@param fn function
---@return boolean
return function(fn)
  local pc = 1
  while true do
    local instruction = util.funcbc(fn, pc)
    if not instruction then return false end
    if compiled_loops[instruction % 256] then
      local trace = util.traceinfo(math.floor(instruction / 65536) % 65536)
      return trace ~= nil and whole[trace.linktype] or false
    end
    pc = pc + 1
  end
end
