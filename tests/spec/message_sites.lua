-- Places of the sources that say something to people, and what they say: the texts of calls that
-- raise, fail or warn, with X for each part that is only known when it happens.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local message_sites = {}

-- Names of functions whose text people read.
local speakers = { lua = {}, c = {} }
local lua_names = "error fail refuse wrong failure raise mistake fail_inside refuse_singular warn"
local c_names = "mill_fail luaL_error mill_lib_raise mill_output_warn fail refuse complain refuse_value "
  .. "refuse_number mill_dump_refuse mill_encoder_refuse warn remark fail_line compile_fail mill_api_fail "
  .. "refuse_command fail_syntax refuse_table refuse_option warn_variable warn_degraded say_blas file_fail "
  .. "writer_failed mill_database_fail database_refuse fail_running source_fail refuse_names"
for name in lua_names:gmatch("%S+") do speakers.lua[name] = true end
for name in c_names:gmatch("%S+") do speakers.c[name] = true end

local escapes = { n = "\n", t = "\t", ["\""] = "\"", ["\\"] = "\\" }

-- The literal that begins at a quote: its text and the place behind it.
local function literal(text, at)
  local quote, i, parts = text:sub(at, at), at + 1, {}
  while text:sub(i, i) ~= quote do
    local char = text:sub(i, i)
    if char == "\\" then
      i = i + 1
      char = escapes[text:sub(i, i)] or ""
    end
    parts[#parts + 1] = char
    i = i + 1
  end
  return table.concat(parts), i + 1
end

-- What a call says: its literals as far as they stand beside each other or are joined, X between.
local function arguments(text, at)
  local depth, i, parts, gap = 1, at, {}, false
  while depth > 0 and i <= #text do
    local char = text:sub(i, i)
    if char == "\"" then
      local said, behind = literal(text, i)
      local joined = #parts > 0 and not gap
      if joined then parts[#parts] = parts[#parts] .. said else parts[#parts + 1] = said end
      i, gap = behind, false
    else
      if char == "(" then depth = depth + 1 elseif char == ")" then depth = depth - 1 end
      gap = gap or not char:match("[%s.]")
      i = i + 1
    end
  end
  return parts, i
end

-- With X for what is put in.
local function sample(said)
  local text = said:gsub("%%%%", "\1"):gsub("%%[-+ #0]*[%d.*]*[hlzj]*%a", "X"):gsub("\1", "%%")
  return (text:gsub("X+", "X"))
end

local function scan(path, kind, fn)
  local text = helper.read(path)
  local start, counted, line = 1, 1, 1
  while true do
    local from, to, name = text:find("([%a_][%w_]*)%(", start)
    if not from then return end
    local before = text:sub(math.max(1, from - 200), from - 1):match("[^\n]*$")
    start = to + 1
    if speakers[kind][name] and not before:find("function%s+[%w_.:]*$") and not before:match("^%s*%-%-") then
      local parts = arguments(text, to + 1)
      line = line + select(2, text:sub(counted, from):gsub("\n", ""))
      counted = from + 1
      fn(path, line, parts)
    end
  end
end

--- Calls fn(path, line, text) for each message of the sources.
function message_sites.each(fn)
  local files = helper.lines("find lua/tidemill repl host kernels -name '*.lua' -o -name '*.c' | sort")
  for _, path in ipairs(files) do
    scan(path, path:match("%.(%w+)$"), function(_, line, parts)
      -- The longest one is what is said, others are words that it is put together of.
      local longest = ""
      for _, part in ipairs(parts) do if #part > #longest then longest = part end end
      fn(path, line, sample(longest))
    end)
  end
end

return message_sites
