-- lint: rules of the sources that no other tool knows: who may include whom, no stray blanks,
-- Lua that parses.  Usage: luajit scripts/dev/lint.lua FILE...; prints path:line: what is wrong.
-- SPDX-License-Identifier: MIT

local shell = dofile("scripts/dev/shell.lua")

-- A floor includes itself and the floors below it; floors of one rank do not know of each other.
local ranks = { base = 0, data = 1, watch = 1, sched = 2, cache = 3, lane = 3, bind = 4 }

-- Kernels stand on the C language alone: its own headers and those of the instruction sets.
local kernel_headers = {}
for name in ("assert limits float math stdatomic stdbool stddef stdint stdio stdlib string"):gmatch("%a+") do
  kernel_headers[name .. ".h"] = true
end

local complaints = 0
local function complain(path, line, format, ...)
  complaints = complaints + 1
  print(("%s:%d: "):format(path, line) .. format:format(...))
end

-- ---- Includes -------------------------------------------------------------------------------

-- Each rule takes a file's own place, the header and whether it stands in quotes, and answers
-- with what is wrong.
local function rule_of_floor(floor)
  return function(header, quoted)
    local lua_header = header:match("^lua") or header == "lauxlib.h"
    if lua_header and floor ~= "bind" then return "only host/bind touches a Lua stack" end
    if not quoted or header == "tidemill.h" or header:match("^kernels/") then return nil end
    local other = header:match("^(%w+)/")
    if not ranks[other] then return "include it as \"floor/name.h\"" end
    if other ~= floor and ranks[other] >= ranks[floor] then
      return ("%s does not know of %s"):format(floor, other)
    end
  end
end

local function rule_of_kernels(header, quoted)
  if quoted and not header:match("^kernels/") then return "kernels include kernels/*.h only" end
  local vectors = header:match("intrin%.h$") or header == "arm_neon.h"
  if not quoted and not vectors and not kernel_headers[header] then
    return "kernels know nothing above the C language"
  end
end

local function rule_of_programs(header, quoted)
  local own = header:match("^[^/]+$") or header:match("^host/[^/]+$") or header:match("^repl/")
  if quoted and not own then
    return "the command line and the REPL are written against tidemill.h alone"
  end
  if header:match("^lua") or header == "lauxlib.h" then return "only host/bind touches Lua" end
end

local function rule_of(path)
  local floor = path:match("^host/(%w+)/")
  if floor == "include" then
    return function(_, quoted) return quoted and "the public header stands alone" or nil end
  elseif floor then
    if not ranks[floor] then return function() return floor .. " is no floor of host/" end end
    return rule_of_floor(floor)
  elseif path:match("^kernels/") then
    return rule_of_kernels
  elseif path:match("^host/") or path:match("^repl/") then
    return rule_of_programs
  end
end

local function check_include(path, number, line, rule)
  local open, header = line:match("^%s*#%s*include%s*([<\"])([^>\"]+)")
  local wrong = header and rule(header, open == "\"")
  if wrong then complain(path, number, "%s: %s", header, wrong) end
end

-- ---- Every file -----------------------------------------------------------------------------

local function check_file(path)
  local text = shell.read(path)
  local rule = path:match("%.[ch]$") and rule_of(path)
  local number = 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    if line:match("%s$") then complain(path, number, "blanks or a CR at the end of the line") end
    local tabs_matter = path:match("%.%w+$") and not path:match("%.md$") -- pages show output
    if tabs_matter and line:match("^ *\t") then complain(path, number, "a tab") end
    if rule then check_include(path, number, line, rule) end
  end
  if text:match("[^\n]$") then complain(path, number + 1, "no newline at the end") end
  if path:match("%.lua$") then
    local chunk, message = loadstring((text:gsub("^#[^\n]*", "")), "=" .. path)
    if not chunk then complain(path, tonumber(message:match(":(%d+):")) or 0, "%s", message) end
  end
end

for _, path in ipairs(arg) do check_file(path) end
os.exit(complaints == 0 and 0 or 1)
