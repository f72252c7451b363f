-- reductions: the methods of lazy arrays that fold axes: a:mean(), a:sum(1), a:std(2, {ddof = 1}).
-- SPDX-License-Identifier: MIT

local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local reduce = require("tidemill.lazy.reduce")

local methods = {}

local known, known_of_spread = { "axis", "keepdims" }, { "axis", "keepdims", "ddof" }
local is_spread = { var = true, std = true, nanvar = true, nanstd = true }

-- Axes may come first, or in the options.
local function split(name, axes, given, level)
  if type(axes) == "table" and #axes == 0 and next(axes) ~= nil then
    if given ~= nil then
      error(("%s: expected a:%s(axes, options)"):format(name, name), level + 1)
    end
    axes, given = nil, axes
  end
  given = options.only(given, is_spread[name] and known_of_spread or known, name, level + 1)
  options.switches(given, { "keepdims" }, name, level + 1)
  if axes ~= nil and given.axis ~= nil then
    error(("%s: expected the axes first or as the option `axis`, not both"):format(name), level + 1)
  end
  if axes == nil then axes = given.axis end
  return axes, given
end

for name in pairs(reduce.answers) do
  methods[name] = function(self, axes, given)
    if self == nil then error(("expected a:%s(axes, options)"):format(name), 2) end
    axes, given = split(name, axes, given, 2)
    return lazy.of((reduce.expr(lazy.array_operand(name, self, 2), name, axes, given, 2)))
  end
end

return methods
