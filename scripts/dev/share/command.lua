-- command: the manual page tidemill(1).  SPDX-License-Identifier: MIT
local roff = require("roff")

local command = {}

local function usages(page, known)
  page.section("COMMANDS")
  for _, row in ipairs(known.usages) do page.item(row.usage, roff.text(row.help) .. ".") end
  page.paragraph("Options stand before or after the script's name;\n\\fB\\-\\-name=value\\fR works too.\n"
    .. "All other words after the name, and every word after\n\\fB\\-\\-\\fR,\nare the script's arguments.")
end

local function options(page, known)
  page.section("OPTIONS")
  for _, option in ipairs(known.options) do
    local tag = option.name .. (option.argument and " " .. option.argument or "")
    local text = roff.text(option.help) .. "."
    if #option.choices > 0 and not option.argument:find("|", 1, true) then
      text = text .. "  One of " .. roff.text(table.concat(option.choices, ", ")) .. "."
    end
    page.item(tag, text)
  end
end

local function cache(page, known)
  page.section("THE CACHE")
  for _, row in ipairs(known.cache) do
    page.item("tidemill cache " .. row.usage, roff.text(row.help) .. ".")
  end
end

local function settings(page, known)
  page.section("SETTINGS")
  page.paragraph("They come from the command line (\\fB\\-\\-set\\fR), from variables of the environment\n"
    .. "(\\fBTIDEMILL_WORKERS\\fR, \\fBTIDEMILL_MEMORY_LIMIT\\fR), from \\fBtm.config\\fR in the script "
    .. "and from\n"
    .. "files of settings, the first of these being the strongest.\n"
    .. "\\fBtidemill config\\fR prints each one, its value and where it comes from.")
  for _, row in ipairs(known.settings) do
    page.item(row.name, roff.marked(row.help) .. ".  Default: " .. roff.marked(row.usual) .. ".")
  end
end

local function scripts(page, known)
  page.section("SHIPPED SCRIPTS")
  for _, row in ipairs(known.scripts) do page.item(row.name, roff.text(row.summary)) end
end

local function surroundings(page, known)
  page.section("EXIT STATUS")
  page.paragraph(roff.text(known.exit))
  page.section("ENVIRONMENT")
  page.item("TIDEMILL_*", "Settings: the name in capitals, with \\fB_\\fR for a dot.")
  page.item("TIDEMILL_CONFIG", "A file of settings.")
  page.item("TIDEMILL_ISA", "The instruction set of the kernels: plain, avx2, avx512, neon.")
  page.item("XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME", "Where the folders below are.")
  page.item("NO_COLOR", "No colours, whatever its value.")
  page.section("FILES")
  page.item("~/.cache/tidemill/cache.db",
    "Results that are kept; \\fBtidemill cache clear \\-\\-all\\fR removes them and all that belongs to "
    .. "them.")
  page.item("~/.config/tidemill/tidemill.conf, /etc/tidemill/tidemill.conf", "Settings, a line\n"
    .. "\\fIname = value\\fR\neach.")
  page.item("~/.local/state/tidemill/history", "Lines typed in sessions.")
end

local function examples(page, known)
  page.section("EXAMPLES")
  page.example("tidemill new mine.lua && tidemill run mine.lua\ntidemill run day_trade --json result.json\n"
    .. "tidemill -e 'print(tm.map(function(x) return x * x end, {1, 2, 3})[3])'")
  page.paragraph(("There are %d programs to learn from, which \\fBtidemill examples\\fR lists, prints "
    .. "and copies:")
    :format(#known.examples))
  for _, row in ipairs(known.examples) do page.item(row.name, roff.text(row.summary) .. ".") end
end

--- The text of the page.
function command.page(known)
  local page = roff.page("TIDEMILL", "1", known.version, "User Commands")
  page.section("NAME")
  page.line("tidemill \\- run Lua scripts as parallel, cached task graphs")
  page.section("SYNOPSIS")
  page.line("\\fBtidemill\\fR [\\fIoptions\\fR] [\\fISCRIPT\\fR | \\fICOMMAND\\fR] [\\fIarguments\\fR]")
  page.section("DESCRIPTION")
  page.paragraph("Tidemill is a parallel workbench: tasks written in Lua run on every core of a machine, "
    .. "with fast C\n"
    .. "kernels under them and a cache behind them, so that nothing is computed twice.  "
    .. "Without a script it is an interactive session.")
  usages(page, known)
  options(page, known)
  cache(page, known)
  settings(page, known)
  scripts(page, known)
  surroundings(page, known)
  examples(page, known)
  page.section("SEE ALSO")
  page.line(".BR tidemill.h (3),\n.BR luajit (1)")
  page.paragraph("\\fBtidemill help\\fR \\fIWORD\\fR has the pages: "
    .. roff.text(table.concat(known.pages, ", ")) .. ".")
  return page.done()
end

return command
