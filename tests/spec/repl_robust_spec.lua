-- Whatever is typed, the session answers in its own words.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
require "tidemill"
local complete = require "repl.complete"
local fault = require "repl.fault"
local scope = require "repl.scope"
local source = require "repl.source"

local seed = helper.seed()

local pieces = { "\n", " ", "\r", "\t", "[[", "]]", "[==[", "\"", "'", "\\", "é", "\255", "--[[" }
for piece in ([[local function end if then x y f string . : ( ) { } @ $ ` [ ] -- = == ~= ! != + += .. ...
    % %d # 1 0x1F 1e5 3..2 nil do repeat until return goto :: , ; & | ? for in while break]]):gmatch("%S+") do
  pieces[#pieces + 1] = piece
end

local function random_text()
  local parts = {}
  for i = 1, math.random(0, 12) do
    parts[i] = pieces[math.random(#pieces)] .. (math.random() < 0.5 and " " or "")
  end
  return table.concat(parts)
end

describe("a session (seed " .. seed .. ")", function()
  before_each(function()
    math.randomseed(seed)
    scope.reset()
  end)

  it("has tokens that cover a text but for blanks and comments", function()
    for _ = 1, 20000 do
      local text, last = random_text(), 0
      for _, token in ipairs(source.tokens(text)) do
        assert(token.from > last and token.to >= token.from and token.to <= #text, text)
        assert.are.equal(text:sub(token.from, token.to), token.text)
        last = token.to
      end
    end
  end)

  it("agrees with the compiler about what is Lua, and explains the rest", function()
    for _ = 1, 20000 do
      local text = random_text()
      local fn, kind, message = scope.compile(text)
      local lua = loadstring(" " .. text) or not text:find(";") and loadstring("return " .. text .. "\n")
      if lua then assert(fn, ("%q: %s"):format(text, tostring(message))) end
      if kind == "syntax" then
        local said = fault.syntax(message, text)
        assert.are.equal(message, said:sub(1, #message))
      end
    end
  end)

  it("finds something to complete, or nothing, in any text", function()
    for _ = 1, 3000 do
      local text = random_text()
      local word = text:match("[^ \t\n\"'`@$><=;|&{}()%[%]+*%%^#,]*$")
      for _, offered in ipairs(complete.list(text)) do
        assert.are.equal(word, offered:sub(1, #word))
      end
    end
  end)

  it("explains errors of any text at run time", function()
    local messages = { "attempt to call global 'x' (a nil value)", "attempt to call field '%d' (a nil value)",
      "attempt to call method 'f[' (a nil value)", "index 0 is outside 1..3", "", "\n", "%" }
    for _ = 1, 5000 do
      local text, message = random_text(), messages[math.random(#messages)]
      local value = ("stdin:%d: %s"):format(math.random(0, 3), message)
      local said = fault.run({ value = value, trace = "" }, text)
      assert.are.equal(value, said:sub(1, #value))
    end
  end)

  it("explains any value that is thrown", function()
    local thrown = { 1, true, {}, print, { message = 5 }, { message = "text" }, coroutine.create(print),
      setmetatable({}, { __index = error }), setmetatable({}, { __tostring = error }),
      setmetatable({}, { __tostring = function() return "told" end }) }
    for _, value in ipairs(thrown) do
      assert.are.equal("string", type(fault.run({ value = value, trace = "" }, "x")))
    end
    assert.are.equal("string", type(fault.run({ trace = "" }, "x")))
  end)
end)
