-- amalgamate: writes the engine as one C file, for programs that would rather compile a file than
-- link a library, and tidemill.h beside it.
-- Usage: luajit scripts/dev/amalgamate.lua OUTPUT.c VERSION EMBEDDED.c FILE.c...
-- No two files share a static name (lint_names.lua), so that they stand one behind the other:
-- lower floors first, each guarded header where it is first wanted.  A header without a guard is
-- a body that is compiled for each instruction set, and stands wherever it is included.  The
-- macros of a .c file end with it.
-- SPDX-License-Identifier: MIT

local shell = dofile("scripts/dev/shell.lua")

local floors = { "kernels", "base", "data", "watch", "sched", "cache", "lane", "bind" }

local head = [[
/* tidemill.c: the engine of Tidemill %s in one file, to be compiled into a program.  It needs
 * tidemill.h beside it, LuaJIT and a few libraries; all Lua text is inside.
 *
 *     cc -std=gnu11 -O2 -ffp-contract=off -fexceptions -pthread program.c tidemill.c -o program \
 *         $(pkg-config --cflags --libs luajit sqlite3 libdeflate libzstd libxxhash libuv) \
 *         -ldl -lm -Wl,--export-dynamic-symbol='tidemill_*'
 *
 * -ffp-contract=off: results have the same bits on every machine.  -fexceptions: LuaJIT unwinds
 * through functions of this file.  The last option (or -rdynamic) lets scripts find the kernels, by
 * LuaJIT's FFI.  In a shared library of yours only names that begin with tidemill_ are seen.
 *
 * Tasks that run in processes of their own (a time-out, a sandbox) need the program `tidemill` of the same
 * release: beside your program, or named by the setting worker_path or the variable TIDEMILL_WORKER.
 * Without it they fail and say so.
 *
 * Written by make amalgamation from the sources that people read and change: changes here are lost.
 * SPDX-License-Identifier: MIT */
]]

-- ---- Files ----------------------------------------------------------------------------------

-- "base/text.h" is host/base/text.h, "kernels/word.h" is itself.
local function path_of(header)
  return header:match("^kernels/") and header or "host/" .. header
end

local function guard_of(text)
  local name = text:match("\n#ifndef ([%u%d_]+)\n")
  return name and text:find("\n#define " .. name .. "\n", 1, true) and text:match("#endif[^\n]*\n$") and name
end

local output = { system = {}, lines = {}, standing = {} }

function output:add(line) self.lines[#self.lines + 1] = line end

-- What is the system's is not hidden.
function output:add_foreign(line)
  self:add("#pragma GCC visibility push(default)")
  self:add(line)
  self:add("#pragma GCC visibility pop")
end

-- Unconditional headers of the system all stand at the top; others where they are.
function output:include_system(name, line, depth)
  if depth == 0 then
    self.system[name] = true
  else
    self:add_foreign(line)
  end
end

-- `depth` counts the conditions that hold around a line, without that of a guard.
function output:include(path)
  local text = shell.read(path)
  local guard = guard_of(text)
  if guard and self.standing[path] then return end
  self.standing[path] = true
  self:add(("/* ---- %s %s */"):format(path, ("-"):rep(85 - #path)))
  local depth, macros = guard and -1 or 0, {}
  for line in text:gmatch("([^\n]*)\n") do
    local word, rest = line:match("^%s*#%s*(%a+)%s*(.*)$")
    if word and word:match("^if") then depth = depth + 1 end
    if word == "endif" then depth = depth - 1 end
    local quoted = word == "include" and rest:match("^\"(.-)\"")
    local name = word == "define" and rest:match("^[%w_]+")
    if name then macros[#macros + 1] = name end
    if quoted and quoted ~= "tidemill.h" then
      self:include(path_of(quoted))
    elseif word == "include" and not quoted then
      self:include_system(rest:match("^<(.-)>"), line, depth)
    elseif line:match("^extern [^\"]*;$") and not line:match("mill_") then
      self:add_foreign(line)
    elseif name ~= "_GNU_SOURCE" and not quoted then
      self:add(line)
    end
  end
  return macros
end

-- A .c file.
function output:unit(path)
  for _, name in ipairs(self:include(path)) do
    if name ~= "_GNU_SOURCE" then self:add("#undef " .. name) end
  end
end

-- ---- All of them ----------------------------------------------------------------------------

local place, version, embedded = arg[1], arg[2], arg[3]
local rank = {}
for i, floor in ipairs(floors) do rank[floor] = i end
local units = {}
for i = 4, #arg do
  local floor = arg[i]:match("^host/(%w+)/") or arg[i]:match("^(kernels)/")
  units[#units + 1] = { path = arg[i], rank = assert(rank[floor], arg[i]) }
end
table.sort(units, function(a, b)
  if a.rank ~= b.rank then return a.rank < b.rank end
  return a.path < b.path
end)
for _, unit in ipairs(units) do output:unit(unit.path) end
output:unit(embedded)

local top = { head:format(version), "#define _GNU_SOURCE" }
local names = {}
for name in pairs(output.system) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do top[#top + 1] = ("#include <%s>"):format(name) end
top[#top + 1] = "\n#include \"tidemill.h\"\n\n#pragma GCC visibility push(hidden)\n"
output:add("#pragma GCC visibility pop\n")
shell.write(place, table.concat(top, "\n") .. table.concat(output.lines, "\n"))
shell.write(place:match("^(.*/)") .. "tidemill.h", shell.read("host/include/tidemill.h"))
