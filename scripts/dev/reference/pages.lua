-- pages: the pages of the reference, from the sources that they are made of.
-- SPDX-License-Identifier: MIT

local commands = require "scripts.dev.reference.commands"
local header = require "scripts.dev.reference.header"
local page = require "scripts.dev.reference.page"
local stubs = require "scripts.dev.reference.stubs"

local pages = {}

--- The pages of Lua: name, files of lua/meta, title, `about`; items, and tables with stubs elsewhere.
pages.lua = {
  { name = "tm", files = "tasks sizes columns io tidemill creation", title = "Lua: tm", about = [[
Functions raise on wrong arguments, with a message that names the argument and what was expected;
[errors](../errors.md) lists the messages. All may be called in the script and in tasks, where nothing else is
said; what is made in one Lua state is used there, but for what
[crosses](../conventions.md#what-crosses-to-a-task).]] },
  { name = "arrays", files = "array", title = "Lua: lazy arrays", about = [[
Methods of lazy arrays, written `a:sum()`; computed arrays have them, too, where [they have none of that
name](tm.md#tidemillarray). They build and compute nothing, unless they say so; what can be known then is
refused then, what depends on elements when it is computed. [Arrays](../arrays.md) shows them in order.]] },
  { name = "kernels", files = "kernels rolling elementwise statistics order draws",
    title = "Lua: tm.kernels", about = [[
C functions over columns. Wrong arguments raise an error that shows the call. The script and any task may call
them; they keep nothing. [Kernels](../kernels.md) has conventions and tables.]] },
  { name = "linalg", files = "linalg", title = "Lua: tm.linalg", about = [[
Of matrices; [kernels](../kernels.md#matrices) says which need a BLAS. Those of [lazy
arrays](../arrays.md#products-and-linear-algebra) give lazy ones.]] },
}

for _, entry in ipairs(pages.lua) do
  entry.items, entry.tables = {}, {}
  for file in entry.files:gmatch("%S+") do
    stubs.read("lua/meta/" .. file .. ".lua", entry.items, entry.tables)
  end
end

--- What tidemill.h declares.
pages.declarations = header.read("host/include/tidemill.h")

--- Class -> name of the page that describes it.
pages.homes = {}
for _, entry in ipairs(pages.lua) do
  for _, item in ipairs(entry.items) do
    if item.kind == "class" or item.kind == "alias" then pages.homes[item.name] = entry.name end
  end
end

-- ---- The pages ------------------------------------------------------------------------------

local made = "Made by `make reference` from %s."

local function begin(name, title, source)
  local out = page.new(name, pages.homes)
  out:add("# %s", title)
  out:add("")
  out:add(made, source)
  out:add("")
  return out
end

local writers = { ["function"] = page.a_function, class = page.a_class, alias = page.an_alias }

local function lua_page(entry)
  local names = entry.files:gsub(" ", ", ")
  local out = begin(entry.name, entry.title, "the stubs of `lua/meta`: " .. names)
  out:add("%s", entry.about)
  out:add("")
  for _, item in ipairs(entry.items) do
    if item.kind == "section" then out:section(item.name) else writers[item.kind](out, item) end
  end
  return out:finish()
end

-- What the header says first, but for its name and its licence.
local function intro_of(text)
  local lines = {}
  for i = 2, #text do
    if text[i]:match("^%u%l+: ") then lines[#lines + 1] = "" end -- "Threads: .." begins a paragraph
    if not text[i]:find("SPDX", 1, true) then lines[#lines + 1] = text[i] end
  end
  return lines
end

local function c_page()
  local out = begin("c", "C: tidemill.h", "`host/include/tidemill.h`")
  out:add("[Embedding](../embedding.md) shows how the parts go together.")
  out:add("")
  for _, item in ipairs(pages.declarations) do
    if item.kind == "intro" then
      out:text(intro_of(item.text))
    elseif item.kind == "section" then
      out:section(item.name)
    else
      out:a_declaration(item)
    end
  end
  return out:finish()
end

local function bar(text) return (text:gsub("|", "\\|")) end

local function commands_page()
  local out = begin("commands", "Commands and settings",
    "the tables that the command line and the session read themselves")
  out:section("Command line")
  for _, row in ipairs(commands.words()) do out:add("- `%s`: %s", row.usage, row.help) end
  out:add("")
  out:section("Options of the command line")
  out:add("| option | meaning |\n|---|---|")
  for _, row in ipairs(commands.options()) do
    out:add("| `%s%s` | %s |", row.name, row.argument and " " .. bar(row.argument) or "", row.help)
  end
  out:add("")
  out:section("Commands of a session")
  for _, row in ipairs(commands.session()) do
    out:add("- `:%s%s`: %s", row.name, row.usage ~= "" and " " .. row.usage or "", row.help)
  end
  out:add("")
  out:section("Settings")
  local names = {}
  for i, name in ipairs(commands.settings()) do names[i] = "`" .. name .. "`" end
  out:add("%s.", table.concat(names, ", "))
  out:add("[Configuration](../configuration.md#settings) says what each does.")
  return out:finish()
end

local function index_page(list)
  local out = begin("index", "Reference", "the sources' own comments")
  out:add("Every public name, in full. The [pages](../index.md) tell the same in order, with examples.")
  out:add("Those of Lua are in the program, too: `tidemill help tm.map`, `:help array:slice`.")
  out:add("")
  for _, entry in ipairs(list) do out:add("- [%s](%s.md)", entry.title, entry.name) end
  return out:finish()
end

--- All pages: {name, title, text}.
---@return table[]
function pages.all()
  local list = {}
  for i, entry in ipairs(pages.lua) do
    list[i] = { name = entry.name, title = entry.title, text = lua_page(entry) }
  end
  list[#list + 1] = { name = "c", title = "C: tidemill.h", text = c_page() }
  list[#list + 1] = { name = "commands", title = "Commands and settings", text = commands_page() }
  list[#list + 1] = { name = "index", text = index_page(list) }
  return list
end

return pages
