-- Every line of the column "here" of docs/cheatsheet.md runs, and gives what stands behind its arrow.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local page = helper.read("docs/cheatsheet.md")

local program = helper.absolute(helper.products) .. "/tidemill"

-- Cells of a row of a table, in order.
local function cells_of(line)
  local cells = {}
  for cell in line:sub(2):gmatch("%s*(.-)%s*|") do cells[#cells + 1] = cell end
  return cells
end

-- Rows of all tables: {cells, last cell}.
local function rows()
  local found = {}
  for line in page:gmatch("[^\n]+") do
    local cells = line:match("^|") and not line:match("^|%-") and cells_of(line)
    if cells and cells[#cells] ~= "here" then found[#found + 1] = cells end
  end
  return found
end

-- Calls fn(code, result or nil) for each code in a cell, with what its arrow says.
local function each_code(cell, fn)
  for code, rest in cell:gmatch("`([^`]+)`([^`]*)") do
    fn(code, (rest:match("^ → ([^;]-),?%s*$") or rest:match("^ → ([^;]-);")))
  end
end

-- A script that runs the lines one after the other and says of each what it gave.
local function script_of(list)
  local lines = { page:match("\n```lua\n(.-)\n```"), [[
local function run(code)
  local chunk = loadstring("return " .. code, "=line") or assert(loadstring(code, "=line"))
  local given = { pcall(chunk) }
  for i = 2, #given do given[i] = tostring(given[i]) end
  io.write(tostring(given[1]), "\t", table.concat(given, ", ", 2):gsub("\n.*", ""), "\n")
end]] }
  for _, entry in ipairs(list) do lines[#lines + 1] = ("run(%q)"):format(entry.code) end
  return table.concat(lines, "\n") .. "\n"
end

describe("the cheat sheet", function()
  it("has a word for each row, here", function()
    local list = rows()
    assert.is_true(#list > 60)
    for _, cells in ipairs(list) do
      local here = cells[#cells]
      assert.is_truthy(here:find("`", 1, true) or here:find("^none"), table.concat(cells, " | "))
      assert.is_true(#cells == 3 or #cells == 4, table.concat(cells, " | "))
    end
  end)

  it("runs, each line in Lua", function()
    local folder, list = helper.folder(), {}
    finally(function() helper.remove(folder) end)
    for _, cells in ipairs(rows()) do
      if not cells[#cells]:find("^none") then
        each_code(cells[#cells], function(code, result)
          if not code:find("^tidemill ") then list[#list + 1] = { code = code, result = result } end
        end)
      end
    end
    helper.write(folder .. "/all.lua", script_of(list))
    local out, err, status = helper.shell(("cd %s && %s --cache c.db --set resources=db=3 all.lua")
      :format(folder, program))
    assert.are.equal(0, status, err)
    local number = 0
    for fine, given in out:gmatch("(%w+)\t([^\n]*)\n") do
      number = number + 1
      local entry = list[number]
      if not entry.code:find("^pcall") then assert.are.equal("true", fine, entry.code .. ": " .. given) end
      if entry.result then assert.are.equal(entry.result, given, entry.code) end
    end
    assert.are.equal(#list, number)
    assert.is_true(number > 70)
  end)

  it("runs, each command", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    helper.write(folder .. "/job.lua", "print(require('tidemill').map(math.sqrt, { 4 })[1])\n")
    local count = 0
    for code in page:gmatch("`tidemill ([^`]+)`") do
      count = count + 1
      local out, err, status = helper.shell(("cd %s && XDG_CACHE_HOME=%s %s %s")
        :format(folder, folder, program, code))
      assert.are.equal(0, status, code .. ": " .. err)
      assert.are.equal("", err)
      if code:find("job.lua", 1, true) then assert.are.equal("2\n", out, code) end
    end
    assert.are.equal(7, count)
  end)
end)
