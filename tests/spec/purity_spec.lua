-- What a cached task uses that no key can know, and what it changes: kept or not, and what is said.
-- SPDX-License-Identifier: MIT

local cached = require("tests.spec.cached")
local process = require("tests.spec.process")

local folder

local function write(name, text) process.write(folder .. "/" .. name, text) end

local function run(text, ...) return cached.run(folder, text, { workers = 2, ... }) end

local function count(text, part)
  local found = 0
  for _ in text:gmatch((part:gsub("%p", "%%%0"))) do found = found + 1 end
  return found
end

-- Two tasks of one name whose body is an expression.
local function program(expression, options)
  return ([[
local task = tm.delayed(function(i) return tostring((%s)):sub(1, 0) .. i end,
  { name = "asks", cache = true, %s })
print(unpack(tm.compute({ task(1), task(2) })))]]):format(expression, options or "")
end

local impure = {
  { "os.time()", "os.time" },
  { "os.date()", "os.date without a time" },
  { "os.date(\"!%Y\")", "os.date without a time" },
  { "os.execute(\"true\")", "os.execute" },
  { "io.popen(\"true\"):close()", "io.popen" },
  { "io.open(\"/dev/urandom\"):read(4)", "a device or a pipe" },
  { "io.read(\"*l\")", "standard input" },
  { "io.stdin:read(\"*l\")", "standard input" },
  { "(function() for line in io.lines() do return line end end)()", "standard input" },
  { "(loadfile() or function() end)()", "standard input" },
}

local pure = {
  "os.time({ year = 2020, month = 1, day = 1 })", "os.date(\"%Y\", 0)", "os.execute()", "os.clock()",
  "require(\"tidemill\").clock()", "math.random()",
  "(function() local f = io.tmpfile(); f:write(\"x\"); f:seek(\"set\"); return f:read(\"*a\") end)()",
}

describe("a cached task that uses what is in no key", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  for _, case in ipairs(impure) do
    it("is not kept, and that is said once: " .. case[1], function()
      local text = program(case[1])
      for _ = 1, 2 do
        local result = run(text)
        assert.are.same({ "1\t2\n", 0, 2 }, { result.out, result.hits, result.misses })
        assert.are.equal("tidemill: task \"asks\": what it makes is not cached: it has used " .. case[2]
          .. "; with pure = true it is\n", result.err)
      end
    end)

    it("is kept when it is pure by its author's word: " .. case[1], function()
      local text = program(case[1], "pure = true")
      assert.are.same({ 0, "" }, { run(text).hits, run(text).err })
      assert.are.equal(2, run(text).hits)
      assert.are.equal(0, run(program(case[1])).hits) -- the word is gone
    end)
  end

  for _, expression in ipairs(pure) do
    it("is kept where that is no matter: " .. expression, function()
      local text = program(expression)
      assert.are.same({ 0, "" }, { run(text).hits, run(text).err })
      assert.are.equal(2, run(text).hits)
    end)
  end

  it("is not kept when a task that it has started does", function()
    local text = [[
local asks = tm.delayed(function(i) return os.time() * 0 + i end, { name = "asks", %s })
local above = tm.delayed(function() return asks(1):compute() end, { name = "above", cache = true, %s })
print(above():compute())]]
    for _ = 1, 2 do assert.are.equal(0, run(text:format("", "")).hits) end
    run(text:format("pure = true", ""))
    assert.are.equal(1, run(text:format("pure = true", "")).hits)
  end)

  it("is kept when it is pure, whatever a task that it has started uses", function()
    local text = [[
local asks = tm.delayed(function(i) return os.time() * 0 + i end, { name = "asks" })
local above = tm.delayed(function() return asks(1):compute() end, { cache = true, pure = true })
print(above():compute())]]
    run(text)
    assert.are.equal(1, run(text).hits)
  end)

  it("is not kept when it reads on in a file that an earlier task has opened", function()
    write("data.txt", "one\ntwo\nthree\n")
    write("shared.lua", "local file = io.open(\"data.txt\")\n"
      .. "return { line = function() return file:read(\"*l\") end }")
    local text = [[
local task = tm.delayed(function(i) return require("shared").line() end, { cache = true, name = "reads" })
print(task(1):compute(), task(2):compute())]]
    local first, second = run(text, "--serial"), run(text, "--serial")
    assert.are.same({ "one\ttwo\n", 0, 2 }, { first.out, first.hits, first.misses })
    assert.are.same({ 1, 1 }, { second.hits, second.misses })
    assert.is_truthy(second.err == "" or second.err:find("a file that was opened before it", 1, true))
  end)
end)

describe("a cached task whose file changes while it runs", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local ways = {
    ["read by tm.read_text"] = { "require(\"tidemill\").read_text(\"data.txt\")", "" },
    ["read through io.open"] = {
      "(function() local f = io.open(\"data.txt\"); local t = f:read(\"*a\"); f:close(); return t end)()",
      "" },
    ["declared in files"] = { "\"one\"", "files = { \"data.txt\" }" },
  }
  for way, case in pairs(ways) do
    it("is not kept: " .. way, function()
      local text = ([[
local task = tm.delayed(function()
  local text = %s
  os.rename("next.txt", "data.txt")
  return text
end, { cache = true, %s })
print(task():compute())]]):format(case[1], case[2])
      write("data.txt", "one")
      write("next.txt", "two")
      assert.are.equal("one\n", run(text).out)
      write("data.txt", "one") -- as it was when the task began: its result would be taken for right
      local result = run(text)
      assert.are.same({ "one\n", 0, 1 }, { result.out, result.hits, result.misses })
      assert.are.equal(1, run(text).hits) -- nothing has changed this time
    end)
  end
end)

describe("a cached task that writes", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local function writes(expression)
    return ([[
local task = tm.delayed(function(i) %s; return i end, { name = "writes", cache = true })
print(unpack(tm.compute({ task(1), task(2) })))]]):format(expression)
  end

  for _, mode in ipairs { "w", "a", "wb", "w+" } do
    it("is told once that a hit does not: io.open with " .. mode, function()
      local text = writes(("io.open(\"out.txt\", %q):close()"):format(mode))
      local first = run(text)
      assert.are.equal("tidemill: task \"writes\" is cached and writes out.txt: when its result comes from "
        .. "the cache it does not\n", first.err)
      os.remove(folder .. "/out.txt")
      local second = run(text)
      assert.are.same({ 2, "" }, { second.hits, second.err })
      assert.is_false(process.exists(folder .. "/out.txt"))
    end)
  end

  it("is told once, and not kept when it has changed what it has read: io.open with r+", function()
    write("out.txt", "one")
    local text = writes("local f = io.open(\"out.txt\", \"r+\"); f:write(\"two\" .. i); f:close()")
    for round = 1, 2 do
      write("out.txt", "one" .. round)
      local result = run(text)
      assert.are.same({ 0, 1 }, { result.hits, count(result.err, "is cached and writes out.txt") })
    end
  end)

  it("is told nothing when it is not cached, or there is no cache", function()
    local text = writes("io.open(\"out.txt\", \"w\"):close()")
    assert.are.equal("", run((text:gsub("cache = true", ""))).err)
    write("main.lua", "local tm = require \"tidemill\"\n" .. text)
    assert.are.equal("", process.run({ "--cache", "off", "main.lua", cwd = folder }).err)
  end)
end)

describe("what has no key", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  -- Such a value has no content, and does not cross to a task either: the error names the part.
  local refused = {
    { "coroutine.create(function() end)", "cannot send a coroutine to a task" },
    { "io.stdout", "cannot send a file to a task" },
    { "require(\"ffi\").new(\"int[3]\")", "cannot send a C object (cdata) to a task" },
  }
  for _, case in ipairs(refused) do
    it("is refused with the path of the part: " .. case[1], function()
      local result = run(([[
local part = %s
local held = { deep = { part } }
print(pcall(function() tm.delayed(function() return held end, { cache = true, name = "t" })():compute() end))
print(pcall(function() tm.delayed(type, { cache = true, name = "t" })({ x = part }) end))
io.write("\n")]]):format(case[1]))
      assert.is_truthy(result.out:find(case[2] .. " (task \"t\", upvalue held, field .deep[1])", 1, true),
        result.out)
      assert.is_truthy(result.out:find(case[2] .. " (argument 1, field .x)", 1, true), result.out)
    end)
  end

  it("is computed and not cached: a channel, which part is said once", function()
    local text = [[
local channel = tm.channel(9)
local task = tm.delayed(function(to, i) return i end, { cache = true, name = "sends" })
print(unpack(tm.compute({ task({ out = channel }, 1), task({ out = channel }, 2) })))
local held = tm.delayed(function(i) return channel and i end, { cache = true, name = "holds" })
print(unpack(tm.compute({ held(1), held(2) })))]]
    for _ = 1, 2 do
      local result = run(text)
      assert.are.same({ "1\t2\n1\t2\n", 0 }, { result.out, result.hits })
      assert.are.equal(1, count(result.err,
        "task \"sends\" is not cached: argument 1, field .out holds a channel"))
      assert.are.equal(1, count(result.err,
        "task \"holds\" is not cached: it names a channel or the like, upvalue channel, which"))
    end
  end)
end)
