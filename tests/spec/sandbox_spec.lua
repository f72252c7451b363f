-- Which names a sandboxed script finds is decided for each; tests/c/embed_escape.c tries the ways out, and
-- tests/c/embed_sandbox.c what becomes of the process.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

require "tidemill"
local confine = require "tidemill.confine"

describe("a sandbox", function()
  it("opens or closes every name of tm, and says why", function()
    local undecided = {}
    local text = helper.read("lua/tidemill/init.lua")
    for name in text:match("\nlocal face = (%b{})"):gmatch("\n  ([%w_]+) = {") do
      if not confine.class(name) then undecided[#undecided + 1] = name end
    end
    for name in text:gmatch("\ntm%.([%w_]+) = ") do
      if not confine.class(name) then undecided[#undecided + 1] = name end
    end
    assert.are.same({}, undecided)
    assert.is_nil(confine.class("no such name"))
  end)

  it("opens nothing that reads or writes", function()
    for _, name in ipairs({ "read_csv", "read_text", "write_text", "cache", "http_get", "listen", "exec",
      "kernel", "env", "config", "array", "from_buffer" }) do
      assert.are_not.equal("open", confine.class(name), name)
    end
    assert.are.equal("open", confine.class("map"))
  end)
end)
