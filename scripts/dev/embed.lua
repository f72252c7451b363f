-- embed: writes Lua files, headers of kernels, pages and examples as text into one C file, most of it packed.
-- Usage: luajit scripts/dev/embed.lua OUTPUT.c FILE...; host/bind/embedded.h declares the result.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local shell = dofile("scripts/dev/shell.lua")

-- What stays as it is: modules of every start, of every worker and of the first prompt, which unpacking
-- would delay; and what C code hands out as it lies there.
local plain = {}
for name in ([[
  tidemill tidemill.clib tidemill.compiled tidemill.console tidemill.errors tidemill.group
  tidemill.holdings tidemill.modules tidemill.nesting tidemill.origin tidemill.runner
  tidemill.sandbox tidemill.wait tidemill.kernels.declare repl.scope repl.session repl.source repl.traces
  new:strategy]]):gmatch("%S+") do plain[name] = true end

local escapes = {
  ["\n"] = "\\n", ["\t"] = "\\t", ["\""] = "\\\"", ["\\"] = "\\\\",
  ["?"] = "\\?", -- no trigraphs
}

local function literal(line)
  return "\"" .. line:gsub("[%c\"\\?\127-\255]", function(byte)
    return escapes[byte] or ("\\%03o"):format(byte:byte())
  end) .. "\""
end

-- "lua/tidemill/init.lua" is module "tidemill", "scripts/day_trade.lua" is "script:day_trade",
-- "scripts/new/strategy.lua" is "new:strategy", "examples/x.lua" is "example:x.lua".
local function name_of(path)
  local example = path:match("^examples/(.+)$")
  if example then return "example:" .. example end
  local new = path:match("^scripts/new/([^/]+)%.lua$")
  if new then return "new:" .. new end
  local script = path:match("^scripts/([^/]+)%.lua$")
  if script then return "script:" .. script end
  if not path:match("%.lua$") then return path:match("[^/]+$") end
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

ffi.cdef [[
  void *libdeflate_alloc_compressor(int level);
  void libdeflate_free_compressor(void *compressor);
  size_t libdeflate_zlib_compress(void *compressor, const void *from, size_t size, void *to, size_t room);
]]

-- The same bytes wherever and whenever they are packed by one release of the library.
local function packed(text)
  local deflate = ffi.load("deflate")
  local compressor = deflate.libdeflate_alloc_compressor(12)
  assert(compressor ~= nil, "out of memory")
  local room = ffi.new("char[?]", #text + 1)
  local size = deflate.libdeflate_zlib_compress(compressor, text, #text, room, #text)
  deflate.libdeflate_free_compressor(compressor)
  return size > 0 and ffi.string(room, size) or nil -- nil: no smaller
end

local output = assert(arg[1], "usage: embed.lua OUTPUT.c FILE...")
local entries = {}
for i = 2, #arg do
  entries[#entries + 1] = { name = name_of(arg[i]), path = arg[i], text = shell.read(arg[i]) }
end
table.sort(entries, function(a, b) return a.name < b.name end)

local out = { "/* Written by scripts/dev/embed.lua; changes here are lost. */",
  "#include \"bind/embedded.h\"", "", "const struct mill_embedded mill_embedded[] = {" }
for i, entry in ipairs(entries) do
  if i > 1 and entries[i - 1].name == entry.name then
    error(("%s and %s would both be %q"):format(entries[i - 1].path, entry.path, entry.name), 0)
  end
  out[#out + 1] = ("{%s, /* %s */"):format(literal(entry.name), entry.path)
  local short = not plain[entry.name] and packed(entry.text)
  for line in (short or entry.text):gmatch("[^\n]*\n?") do
    if line ~= "" then out[#out + 1] = "  " .. literal(line) end
  end
  if entry.text == "" then out[#out + 1] = "  \"\"" end
  out[#out + 1] = ("  , %d, %d},"):format(#entry.text, short and #short or 0)
end
out[#out + 1] = "{NULL, NULL, 0, 0}};"

shell.write(output, table.concat(out, "\n") .. "\n")
