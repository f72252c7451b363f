-- links: what pages point at is there: files, headings of pages, and paths that they name in backticks;
-- and each page of docs/ is reached from an index.  Links to the network are not followed.
-- Usage: luajit scripts/dev/links.lua PAGE.md...; prints path:line: what is wrong.
-- SPDX-License-Identifier: MIT

local read = dofile("scripts/dev/shell.lua").read_if_there

local complaints = 0
local function complain(path, line, format, ...)
  complaints = complaints + 1
  print(("%s:%d: "):format(path, line) .. format:format(...))
end

local function is_there(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Calls fn(line, number) for the lines of a page that are no code.
local function each_line(text, fn)
  local number, in_block = 0, false
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if line:match("^%s*```") then
      in_block = not in_block
    elseif not in_block then
      fn(line, number)
    end
  end
end

-- ---- Headings -------------------------------------------------------------------------------

-- The name that GitHub gives a heading.
local function anchor_of(heading)
  local text = heading:gsub("%[([^%]]*)%]%([^)]*%)", "%1"):lower()
  return (text:gsub("[^%w%s_\128-\255-]", ""):gsub("%s", "-"))
end

local anchors = setmetatable({}, { __index = function(self, path)
  local found = {}
  each_line(read(path) or "", function(line)
    local heading = line:match("^#+%s+(.-)%s*$")
    if not heading then return end
    local name, count = anchor_of(heading), 0
    while found[name .. (count > 0 and "-" .. count or "")] do count = count + 1 end
    found[name .. (count > 0 and "-" .. count or "")] = true
  end)
  self[path] = found
  return found
end })

-- ---- Links ----------------------------------------------------------------------------------

-- "docs/a.md", "../README.md" -> "README.md"
local function resolve(page, target)
  local parts = {}
  for part in ((page:match("^(.*/)") or "") .. target):gmatch("[^/]+") do
    if part == ".." and #parts > 0 then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

local reached = {}

local function check_link(page, number, target)
  if target:match("^%a+://") or target:match("^mailto:") then return end
  local file, anchor = target:match("^([^#]*)#?(.*)$")
  local path = file == "" and page or resolve(page, file)
  if page:match("^docs/.*index%.md$") then reached[path] = true end
  if not is_there(path) then
    complain(page, number, "%s is not there", target)
  elseif anchor ~= "" and not anchors[path][anchor] then
    complain(page, number, "%s has no heading #%s", path, anchor)
  end
end

local folders = { docs = true, examples = true, scripts = true, tests = true, host = true, lua = true,
  kernels = true, repl = true }

-- `tests/soak/kills.lua`: a file of the tree that is named, or a line "    docs/io.md    what it is".
local function check_named(page, number, path)
  if path and folders[path:match("^%w+")] and not is_there(path) then
    complain(page, number, "`%s` is not there", path)
  end
end

for _, page in ipairs(arg) do
  each_line(read(page), function(line, number)
    for code in line:gmatch("`([^`]+)`") do
      check_named(page, number, code:match("^([%w_]+/[%w_./-]+%.%l+)$"))
    end
    check_named(page, number, line:match("^    ([%w_]+/[%w_./-]+)  "))
    for target in line:gsub("`[^`]*`", ""):gmatch("%]%(([^)%s]+)%)") do check_link(page, number, target) end
  end)
end
for _, page in ipairs(arg) do
  if page:match("^docs/") and page ~= "docs/index.md" and not reached[page] then
    complain("docs/index.md", 1, "%s is not reached from here", page)
  end
end
os.exit(complaints == 0 and 0 or 1)
