-- page: a page of the reference being written: Markdown from items.  SPDX-License-Identifier: MIT

local page = {}
page.__index = page

--- A page; `homes`: class -> page on which it is described.
---@param name string
---@param homes table<string, string>
function page.new(name, homes) return setmetatable({ name = name, homes = homes, lines = {} }, page) end

function page:add(format, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and format:format(...) or format
end

-- Text in which Markdown finds nothing of its own; code in backticks stays.
local function plain(text)
  local parts, is_code = {}, false
  for part in (text .. "`"):gmatch("([^`]*)`") do
    parts[#parts + 1] = is_code and part or part:gsub("[*<]", "\\%0")
    is_code = not is_code
  end
  return table.concat(parts, "`")
end

-- A type, with a link where it names one class that has a place.
function page:type(kind)
  local class = kind:match("(tidemill%.[%w_.]+)")
  local home = class and self.homes[class]
  if not home then return "`" .. kind .. "`" end
  local target = (home == self.name and "" or home .. ".md") .. "#" .. class:gsub("%.", "")
  return ("[`%s`](%s)"):format(kind, target)
end

--- Lines about something: examples, which are indented, and paragraphs.
function page:text(lines)
  local in_code = false
  for _, line in ipairs(lines) do
    local code = line:match("^    ") ~= nil
    if code ~= in_code and self.lines[#self.lines] ~= "" then self:add("") end
    in_code = code
    self:add("%s", code and line or plain(line))
  end
  if #lines > 0 then self:add("") end
end

function page:members(members)
  for _, member in ipairs(members) do
    local text = member.text ~= "" and ": " .. plain(member.text) or ""
    self:add("%s", ("- `%s`%s %s%s"):format(member.name, member.optional and " (optional)" or "",
      self:type(member.type), text))
  end
end

function page:a_function(item)
  self:add("### `%s`", item.signature)
  self:add("")
  self:text(item.text)
  self:members(item.params)
  for _, given in ipairs(item.returns) do
    local text = given.text ~= "" and " " .. plain(given.text) or ""
    self:add("%s", "- gives " .. self:type(given.type) .. text)
  end
  for _, call in ipairs(item.overloads) do self:add("- is called as `%s`", call) end
  self:add("")
end

function page:a_class(item)
  self:add("### %s", item.name)
  self:add("")
  self:text(item.text)
  if item.parent then
    self:add("All of %s, and:", self:type(item.parent))
    self:add("")
  end
  self:members(item.fields)
  for _, call in ipairs(item.overloads) do self:add("- is called as `%s`", call) end
  for _, operator in ipairs(item.operators) do self:add("- operator `%s`", operator) end
  self:add("")
end

function page:an_alias(item)
  self:add("### %s", item.name)
  self:add("")
  local means = item.fields[1]
  self:add("`%s`%s", means.type, means.text ~= "" and " " .. plain(means.text) or "")
  self:add("")
end

function page:section(name)
  self:add("## %s", (name:gsub("^%l", string.upper)))
  self:add("")
end

--- A declaration of the header.
function page:a_declaration(item)
  self:add("### %s", table.concat(item.names, ", "))
  self:add("")
  for line in item.code:gmatch("[^\n]+") do self:add("    %s", (line:gsub("TIDEMILL_API ", ""))) end
  self:add("")
  self:text(item.text)
  if item.kind == "function" and item.code:find("tidemill *engine", 1, true) then
    self:add("*Thread:* any; %s.", item.at_once and "at once" or "waits for other calls of the engine")
    self:add("")
  end
end

--- The text of the page.
function page:finish()
  while self.lines[#self.lines] == "" do self.lines[#self.lines] = nil end
  local text = table.concat(self.lines, "\n") .. "\n"
  return (text:gsub("\n\n\n+", "\n\n"):gsub("[ \t]+\n", "\n"))
end

return page
