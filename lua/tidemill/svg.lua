-- svg: a graph as an SVG picture, drawn without any other program.
-- Every colour and size stands on its element: a picture that is put into a page takes nothing from
-- the page's style and gives it none.
local label = require("tidemill.label")
local layout = require("tidemill.layout")
local palette = require("tidemill.palette")
local view = require("tidemill.view")

local svg = {}

local font = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
local font_size, column = 12, 7.4 -- a column of the widest of these fonts, rounded up
local padding, least_width, height, tall_height = 10, 44, 28, 46
local margin, legend_height = 16, 58

-- The shortest text of a coordinate, to a tenth of a pixel.
local function number(value)
  return (("%.1f"):format(value):gsub("%.0$", ""):gsub("^%-0$", "0"))
end

local function points_text(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = number((select(i, ...))) end
  return table.concat(parts, " ")
end

-- ---- legend -------------------------------------------------------------------------------------

local function swatch(x, y, width, look)
  local dash = look.dash and (" stroke-dasharray=\"%s\""):format(look.dash) or ""
  return ("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"12\" rx=\"2\" fill=\"%s\" stroke=\"%s\"%s/>")
    :format(number(x), number(y), number(width), look.fill, look.border, dash)
end

local function text_at(x, y, text, more)
  return ("<text x=\"%s\" y=\"%s\"%s>%s</text>"):format(number(x), number(y), more or "", label.xml(text))
end

-- Lines of the legend, and the width that they take.
local function legend(picture)
  local out, x, y = {}, 0, 24
  out[1] = text_at(0, 10, picture.heading, " font-weight=\"bold\"")
  for _, entry in ipairs(picture.legend) do
    out[#out + 1] = swatch(x, y, 12, entry.look)
    out[#out + 1] = text_at(x + 18, y + 10, entry.text)
    x = x + 18 + label.columns(entry.text) * column + 16
  end
  if picture.slowest then
    for i = 0, 4 do
      out[#out + 1] = swatch(x + i * 14, y, 14, { fill = palette.time(i / 4), border = palette.edge })
    end
    local text = "0 to " .. view.duration(picture.slowest)
    out[#out + 1] = text_at(x + 76, y + 10, text)
    x = x + 76 + label.columns(text) * column
  end
  return out, math.max(x, label.columns(picture.heading) * column * 1.05)
end

-- ---- tasks and edges ----------------------------------------------------------------------------

local function box_of(task, x, y, width, tall)
  local look = task.look
  local out = { ("<g data-task=\"%d\"><title>%s</title>"):format(task.number, label.xml(task.title)) }
  out[2] = ("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"5\" fill=\"%s\" stroke=\"%s\" "
    .. "stroke-width=\"%s\"%s/>"):format(number(x), number(y), number(width),
    number(tall and tall_height or height), look.fill, look.border, number(look.width),
    look.dash and (" stroke-dasharray=\"%s\""):format(look.dash) or "")
  local middle = x + width / 2
  out[3] = text_at(middle, y + (tall and not task.detail and 27 or 18), task.label)
  if task.detail then
    out[4] = text_at(middle, y + 33, task.detail, " font-size=\"10\"")
    out[5] = ("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"3\" fill=\"%s\"/>"):format(number(x + 6),
      number(y + tall_height - 8), number((width - 12) * task.share), look.border)
  end
  out[#out + 1] = "</g>"
  return table.concat(out)
end

-- A line through the points of an edge, and the head of its arrow.
local function edge_of(edge, place)
  local points = {}
  for i, point in ipairs(edge.points) do points[i] = { place(point[1], point[2]) } end
  local path = { "M", points_text(points[1][1], points[1][2]) }
  for i = 2, #points do
    local a, b = edge.points[i - 1], edge.points[i]
    if i % 2 == 0 and a[2] == b[2] then
      path[#path + 1] = "" -- a box as thick as its layer
    elseif i % 2 == 0 then
      path[#path + 1] = "L" .. points_text(points[i][1], points[i][2])
    else
      local half = (a[2] + b[2]) / 2
      local x1, y1 = place(a[1], half)
      local x2, y2 = place(b[1], half)
      path[#path + 1] = "C" .. points_text(x1, y1, x2, y2, points[i][1], points[i][2])
    end
  end
  local last = edge.points[#points]
  local x1, y1 = place(last[1] - 3, last[2] - 6)
  local x2, y2 = place(last[1] + 3, last[2] - 6)
  local head = ("M%sL%sL%sZ"):format(points_text(x1, y1), points_text(x2, y2),
    points_text(place(last[1], last[2])))
  return ("<path data-from=\"%d\" data-to=\"%d\" d=\"%s\"/>"):format(edge.from, edge.to,
    table.concat(path)), head
end

local function sizes_of(tasks, sideways, tall)
  local sizes = {}
  for i, task in ipairs(tasks) do
    local columns = math.max(label.columns(task.label), #(task.detail or "") * 0.9)
    local width = math.max(least_width, columns * column + 2 * padding)
    local size = tall and tall_height or height
    sizes[i] = sideways and { across = size, along = width } or { across = width, along = size }
  end
  return sizes
end

--- The text of a picture.
---@param picture {tasks: table[], heading: string, legend: table[], slowest: number?, sideways: boolean}
---@return string
function svg.text(picture)
  local tasks, sideways, tall = picture.tasks, picture.sideways, picture.slowest ~= nil
  local placed = layout.place(tasks, sizes_of(tasks, sideways, tall))
  local lines, legend_width = legend(picture)
  local graph_width = sideways and placed.along or placed.across
  local width = math.max(graph_width, legend_width) + 2 * margin
  local left, top = (width - graph_width) / 2, margin + legend_height
  local total = (sideways and placed.across or placed.along) + top + margin
  local function place(across, along)
    if sideways then return left + along, top + across end
    return left + across, top + along
  end
  local out = { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    ("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
      .. "font-family=\"%s\" font-size=\"%d\" fill=\"%s\">"):format(math.ceil(width), math.ceil(total),
      math.ceil(width), math.ceil(total), font, font_size, palette.text),
    ("<title>%s</title>"):format(label.xml(picture.heading)),
    "<rect width=\"100%\" height=\"100%\" fill=\"" .. palette.paper .. "\"/>",
    ("<g transform=\"translate(%d %d)\">"):format(margin, margin) .. table.concat(lines) .. "</g>",
    ("<g fill=\"none\" stroke=\"%s\">"):format(palette.edge) }
  local heads = {}
  for i, edge in ipairs(placed.edges) do out[#out + 1], heads[i] = edge_of(edge, place) end
  out[#out + 1] = "</g>"
  if #heads > 0 then
    out[#out + 1] = ("<path fill=\"%s\" d=\"%s\"/>"):format(palette.edge, table.concat(heads))
  end
  out[#out + 1] = "<g text-anchor=\"middle\">"
  for i, box in ipairs(placed.boxes) do
    local x, y = place(box.across - box.size.across / 2, box.along)
    out[#out + 1] = box_of(tasks[i], x, y, sideways and box.size.along or box.size.across, tall)
  end
  out[#out + 1] = "</g>\n</svg>\n"
  return table.concat(out, "\n")
end

return svg
