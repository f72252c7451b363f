-- JSON that is read: what was written comes back, and what is no JSON is refused with its place.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"
local encode, decode = tm.json.encode, tm.json.decode

local seed = helper.seed()

local function random_value(random, depth)
  local kind = random(depth > 0 and 7 or 5)
  if kind == 1 then return random(2) == 1 end
  if kind == 2 then return random(-1000, 1000) end
  if kind == 3 then return (random() - 0.5) * 10 ^ random(-300, 300) end
  if kind <= 5 then
    local bytes = {}
    for i = 1, random(0, 8) do bytes[i] = string.char(random(0, 127)) end
    return table.concat(bytes) .. (kind == 5 and "\xE2\x82\xAC" or "")
  end
  local out = kind == 6 and tm.json.list({}) or {}
  for i = 1, random(0, 4) do
    out[kind == 6 and i or "k" .. random(100)] = random_value(random, depth - 1)
  end
  return out
end

describe("tm.json.decode", function()
  it("reads what encode has written", function()
    math.randomseed(seed)
    for _ = 1, 2000 do
      local text = encode(random_value(math.random, 4))
      assert.are.equal(text, encode(decode(text)))
    end
  end)

  it("reads the forms that others write", function()
    assert.are.same({ a = { 1, 2.5, -0.25, 1e3, 1e-3, 0, "x/\"\\\b\f\n\r\t" }, b = {}, c = true },
      decode(" { \"a\" : [ 1,2.5 , -0.25,1E3,1e-3,0 , \"x\\/\\\"\\\\\\b\\f\\n\\r\\t\" ] ,\r\n\t\"b\":{}, "
        .. "\"c\":true} "))
    assert.are.equal("\xE2\x82\xAC\xF0\x9F\x8C\x99\xEF\xBF\xBDA",
      decode("\"\\u20AC\\ud83c\\udf19\\ud800\\u0041\""))
    assert.is_nil(decode("null"))
    assert.are.equal(3, decode("[1,null,null]").n)
    assert.are.equal(-math.huge, 1 / decode("-0"))
  end)

  it("refuses everything else, with the byte", function()
    local cases = { [""] = 1, ["{"] = 2, ["[1,]"] = 4, ["[1 2]"] = 4, ["{\"a\" 1}"] = 6, ["{a:1}"] = 2,
      ["01"] = 1, ["1."] = 1, ["+1"] = 1, [".5"] = 1, ["tru"] = 1, ["nul"] = 1, ["\"a"] = 3, ["\"\\x\""] = 3,
      ["\"\\u12\""] = 3, ["\"\n\""] = 2, ["1 1"] = 3, ["NaN"] = 1, ["'a'"] = 1, ["[1}"] = 3, ["1e"] = 1,
      ["{\"a\":1,}"] = 8, ["0x10"] = 2, ["\"\1\""] = 2 }
    for text, byte in pairs(cases) do
      local fine, problem = pcall(decode, text)
      assert.is_false(fine, text)
      assert.are.equal(("json: byte %d: "):format(byte), problem:match("^json: byte %d+: "), text)
    end
    assert.is_false(pcall(decode, ("["):rep(1000)))
    assert.is_false(pcall(decode, nil))
  end)
end)
