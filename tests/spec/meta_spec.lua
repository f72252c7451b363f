-- The stubs for editors declare what the library has, with the same parameters.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local texts = {}
for i, path in ipairs(helper.lines("ls lua/meta/*.lua")) do texts[i] = helper.read(path) end
local stubs = table.concat(texts, "\n")

-- Functions of a source text: "name" -> "a, b" for `function owner.name(a, b)` or `owner:name`.
local function functions_of(text, owner)
  local found = {}
  for name, parameters in text:gmatch("\nfunction " .. owner .. "[.:]([%w_]+)%(([^)]*)%)") do
    found[name] = parameters
  end
  return found
end

local function source(module) return helper.read("lua/tidemill/" .. module .. ".lua") end

-- The names of the face: rows of its table, and what is assigned to `tm` besides.
local function face_of(text)
  local names = {}
  for name in text:match("\nlocal face = (%b{})"):gmatch("\n  ([%w_]+) = {") do
    names[#names + 1] = name
  end
  for name in text:gmatch("\ntm%.([%w_]+) = ") do names[#names + 1] = name end
  return names
end

-- The functions of the families that a face names: each is there, and there is no other.
local function functions_of_families(face)
  local real, families = {}, source(face):match("\nlocal families = (%b{})")
  for family, names in families:gmatch("\n  (%w+) = (%b[])") do
    local found = functions_of(source(face .. "/" .. family), face)
    for name in names:gmatch("[%w_]+") do
      assert.is_truthy(found[name], family .. ".lua has no function " .. name)
      real[name], found[name] = found[name], nil
    end
    assert.is_nil(next(found), family .. ".lua has a function that the face does not name")
  end
  return real
end

describe("the stubs for editors", function()
  it("are Lua", function()
    for _, text in ipairs(texts) do assert(loadstring(text)) end
  end)

  it("declare every name of the face, and no other", function()
    local declared, count = functions_of(stubs, "tm"), 0
    for name in stubs:gmatch("\ntm%.([%w_]+) = ") do declared[name] = "a table" end
    local names = face_of(source "init")
    assert.is_true(#names > 20)
    for _, name in ipairs(names) do
      assert.is_truthy(declared[name], "tm." .. name .. " is not declared")
    end
    for _ in pairs(declared) do count = count + 1 end
    assert.are.equal(#names, count)
  end)

  it("declare every kernel with its parameters", function()
    local real = functions_of_families "kernels"
    for name, parameters in pairs(functions_of(source "kernels", "kernels")) do real[name] = parameters end
    assert.are.same(real, functions_of(stubs, "kernels"))
  end)

  it("declare every function of tm.linalg with its parameters", function()
    assert.are.same(functions_of_families "linalg", functions_of(stubs, "linalg"))
  end)

  it("declare every method of a lazy array with its parameters", function()
    local face, real = source "lazy", functions_of(source "lazy", "methods")
    assert(require "tidemill")
    local ops = require "tidemill.lazy.ops"
    for _, name in ipairs(ops.methods) do real[name] = ops.arguments(name) end
    for family, names in face:match("\nlocal families = (%b{})"):gmatch("\n  (%w+) = (%b[])") do
      local found = functions_of(source("lazy/" .. family), "methods")
      for name in names:gmatch("[%w_]+") do
        -- Those that differ by a name alone are made in a loop.
        real[name] = found[name] or (family == "reductions" and "axes, options") or "axis"
      end
    end
    assert.are.same(real, functions_of(stubs, "lazy"))
  end)

  it("declare every field of a lazy array", function()
    local class = stubs:match("%-%-%-@class tidemill%.lazy\n(.-)\nlocal lazy")
    for name in pairs(functions_of(source "lazy", "fields")) do
      assert.is_truthy(class:find("@field " .. name .. "%f[%W]"), name)
    end
  end)

  it("declare what JSON can do", function()
    assert.are.same(functions_of(source "json", "json"), functions_of(stubs, "json"))
  end)

  it("declare what the cache can do", function()
    assert.are.same(functions_of(source "cache", "cache"), functions_of(stubs, "cache"))
  end)

  it("declare how to log", function()
    assert.are.same(functions_of(source "log", "log"), functions_of(stubs, "log"))
  end)

  it("declare every setting", function()
    local class = stubs:match("%-%-%-@class tidemill%.config\n(.-)\nlocal config")
    local names = 0
    for name in helper.read("host/bind/setting_rows.c"):gmatch("\n    {\"([%w_.]+)\", MILL_SETTING_") do
      names = names + 1
      local field = name:find(".", 1, true) and ("[%q]"):format(name) or name
      assert.is_truthy(class:find("@field " .. field .. " ", 1, true), name)
    end
    assert.are.equal(names, select(2, class:gsub("@field", "")))
    assert.is_true(names > 10)
  end)

  local classes = { node = "node", future = "future", array = "array", frame = "frame",
    graph = "graph", task = "delayed", channel = "channel", batch = "batch",
    pool = "pool", connection = "connection", server = "server" }
  for module, class in pairs(classes) do
    it("declare every method of a " .. class, function()
      local text = source(module)
      local real, declared = functions_of(text, "methods"), functions_of(stubs, class)
      for name in pairs(real) do
        assert.is_truthy(declared[name], class .. ":" .. name .. " is not declared")
      end
      for name in pairs(declared) do
        assert.is_truthy(real[name], class .. ":" .. name .. " is declared and not there")
      end
    end)
  end

  it("declare every field of an array", function()
    local class = stubs:match("%-%-%-@class tidemill%.array: tidemill%.lazy\n(.-)\nlocal array")
    for name in pairs(functions_of(source "array", "fields")) do
      assert.is_truthy(class:find("@field " .. name .. "%f[%W]"), name)
    end
  end)

  it("declare every option of a task", function()
    local class = stubs:match("%-%-%-@class tidemill%.options\n(.-)\n\n")
    for name in source("options"):match("\nlocal task = (%b{})"):gmatch("\n  ([%w_]+) = {") do
      assert.is_truthy(class:find("@field " .. name .. "?", 1, true), name)
    end
  end)
end)
