-- embed: writes Lua files (and headers of kernels) as text into one C file.
-- Usage: luajit scripts/dev/embed.lua OUTPUT.c FILE...; host/bind/embedded.h declares the result.
-- SPDX-License-Identifier: MIT

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

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read("*a"))
  file:close()
  return text
end

local output = assert(arg[1], "usage: embed.lua OUTPUT.c FILE...")
local entries = {}
for i = 2, #arg do
  entries[#entries + 1] = { name = name_of(arg[i]), path = arg[i], text = read(arg[i]) }
end
table.sort(entries, function(a, b) return a.name < b.name end)

local out = { "/* Written by scripts/dev/embed.lua; changes here are lost. */",
  "#include \"bind/embedded.h\"", "", "const struct mill_embedded mill_embedded[] = {" }
for i, entry in ipairs(entries) do
  if i > 1 and entries[i - 1].name == entry.name then
    error(("%s and %s would both be %q"):format(entries[i - 1].path, entry.path, entry.name), 0)
  end
  out[#out + 1] = ("{%s, /* %s */"):format(literal(entry.name), entry.path)
  for line in entry.text:gmatch("[^\n]*\n?") do
    if line ~= "" then out[#out + 1] = "  " .. literal(line) end
  end
  if entry.text == "" then out[#out + 1] = "  \"\"" end
  out[#out + 1] = ("  , %d},"):format(#entry.text)
end
out[#out + 1] = "{NULL, NULL, 0}};"

local file = assert(io.open(output, "wb"))
assert(file:write(table.concat(out, "\n"), "\n"))
assert(file:close())
