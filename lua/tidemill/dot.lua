-- dot: a graph in the language of Graphviz, which draws graphs of any size.
local label = require("tidemill.label")
local palette = require("tidemill.palette")
local view = require("tidemill.view")

local dot = {}

-- In quotes a backslash and an entity mean something else: both are written so that they do not.
local function quoted(text)
  return "\"" .. label.clean(text):gsub("&", "&amp;"):gsub("[\\\"]", "\\%0"):gsub("\n", "\\n") .. "\""
end

local function cell(text, fill, border)
  return ("<TD%s>%s</TD>"):format(fill and (" BGCOLOR=\"%s\" BORDER=\"1\" COLOR=\"%s\""):format(fill, border)
    or "", label.xml(text))
end

-- The label of the whole: a table, which is no node.
local function legend(picture)
  local cells = { cell(picture.heading) }
  for _, entry in ipairs(picture.legend) do
    cells[#cells + 1] = cell(entry.text, entry.look.fill, entry.look.border)
  end
  if picture.slowest then
    for i = 0, 4 do
      local text = i == 0 and "0" or i == 4 and view.duration(picture.slowest) or " "
      cells[#cells + 1] = cell(text, palette.time(i / 4), palette.edge)
    end
  end
  return "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"4\"><TR>" .. table.concat(cells)
    .. "</TR></TABLE>>"
end

local function node_line(task)
  local look = task.look
  local text = task.detail and task.label .. "\n" .. task.detail or task.label
  local style = look.dash and ", style=\"rounded,filled,dashed\"" or ""
  return ("  n%d [label=%s, tooltip=%s, fillcolor=\"%s\", color=\"%s\", penwidth=%g%s];"):format(
    task.number, quoted(text), quoted(task.title), look.fill, look.border, look.width, style)
end

--- The text of a picture; svg.lua says what that is.
---@return string
function dot.text(picture)
  local out = { "digraph tidemill {",
    ("  graph [rankdir=%s, fontname=\"monospace\", fontsize=11, labelloc=t, labeljust=l, label=%s];")
      :format(picture.sideways and "LR" or "TB", legend(picture)),
    ("  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", fontsize=11, fontcolor=\"%s\", "
      .. "height=0.35, margin=\"0.12,0.05\"];"):format(palette.text),
    ("  edge [color=\"%s\", arrowsize=0.6];"):format(palette.edge) }
  for _, task in ipairs(picture.tasks) do out[#out + 1] = node_line(task) end
  for i, task in ipairs(picture.tasks) do
    for _, input in ipairs(task.inputs) do out[#out + 1] = ("  n%d -> n%d;"):format(input, i) end
  end
  out[#out + 1] = "}\n"
  return table.concat(out, "\n")
end

return dot
