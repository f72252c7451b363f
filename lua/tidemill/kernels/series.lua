-- series: several series of one length, as the rows of a matrix; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local fail, shown = arguments.fail, arguments.shown
local as, floats, hold = arguments.as, arguments.floats, arguments.hold

local series = {}

--- A list of series, or a matrix with one in each row, as a matrix of float64.  Called by kernels themselves,
--- whose caller it blames.
---@param name string of the kernel
---@param list tidemill.numbers[]|tidemill.array
---@return tidemill.array rows x length
function series.matrix(name, list)
  if array.is(list) and list.ndim == 2 then return floats(name, "list", list) end
  if type(list) ~= "table" or #list == 0 then
    fail(name, "list must be a table of series or a matrix with a series in each row, got %s", shown(list))
  end
  local length, out
  for i = 1, #list do
    local argument = ("list[%d]"):format(i)
    if not array.is(list[i]) and type(list[i]) ~= "table" then
      fail(name, "%s must be an array or a table of numbers, got %s", argument, shown(list[i]))
    end
    local problem = arguments.axes_problem(argument, list[i])
    if problem then fail(name, "%s", problem) end
    local row = as(name, argument, list[i], "float64", 4)
    length = length or #row
    if #row ~= length then
      fail(name, "all series must have one length, got %d in list[1] and %d in list[%d]", length, #row, i)
    end
    out = out or array.new("float64", #list * length, { #list, length })
    ffi.copy(out:pointer() + (i - 1) * length, row:pointer(), 8 * length)
    hold(row)
  end
  return out
end

return series
