-- rolling: windows that slide along an axis of a lazy array, and what is known of each.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local blame = require("tidemill.blame")
local C = require("tidemill.clib")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local plan = require("tidemill.lazy.plan")
local rolling_task = require("tidemill.lazy.rolling_task")
local shown = require("tidemill.shown")
local suggest = require("tidemill.suggest")
require("tidemill.kernels.declare")("rolling.h")

local methods = {}

-- With axis `axis` first, and the order that turns it back (its own inverse).
local function axis_first(e, axis)
  local order = {}
  for k in ipairs(e.dims) do order[k] = k end
  order[1], order[axis] = axis, 1
  return expr.transpose(e, order), order
end

-- Whether the elements are in memory, one after the other, and their windows have a task for that.
local function is_there(e, what, argument)
  return e.op == "data" and e.dtype == "float64" and e.array.nulls == 0 and expr.length(e.dims) > 0
    and argument == nil and rolling_task.takes(what)
end

-- A chunk needs window - 1 elements of the one before.
local function rolled(rolling, what, argument)
  local turned, order = axis_first(expr.cast(rolling.e, "float64"), rolling.axis)
  if is_there(turned, what, argument) then
    return lazy.of(expr.transpose({ op = "windows", name = "rolling_" .. what, dims = turned.dims,
      dtype = "float64", input = turned, roll = what, window = rolling.window,
      key = ("%s:%d"):format(what, rolling.window) }, order))
  end
  local reach = {}
  for k in ipairs(turned.dims) do reach[k] = { k == 1 and rolling.window - 1 or 0, 0 } end
  local result = { op = "overlap", name = "rolling_" .. what, dims = turned.dims, dtype = "float64",
    inputs = { turned }, roll = what, window = rolling.window, argument = argument, reach = reach,
    key = ("%s:%d:%s"):format(what, rolling.window, tostring(argument)) }
  return lazy.of(expr.transpose(result, order))
end

local names = { "mean", "sum", "var", "std", "min", "max", "median", "quantile", "zscore", "corr" }
local windows = {} -- the methods of a:rolling(window), by name

for _, what in ipairs { "mean", "sum", "min", "max", "median" } do
  windows[what] = function(rolling, argument)
    if argument ~= nil then
      error(("rolling: %s: expected no argument, got %s"):format(what, shown.value(argument)), 3)
    end
    return (rolled(rolling, what))
  end
end

for _, what in ipairs { "var", "std", "zscore" } do
  windows[what] = function(rolling, ddof)
    if ddof ~= nil and not (type(ddof) == "number" and ddof >= 0 and ddof <= 2^53 and ddof % 1 == 0) then
      error(("rolling: %s: ddof must be a whole number >= 0, got %s"):format(what, shown.value(ddof)), 3)
    end
    return (rolled(rolling, what, ddof))
  end
end

function windows.quantile(rolling, q)
  if not (type(q) == "number" and q >= 0 and q <= 1) then
    error(("rolling: quantile(q): q must be a number from 0 to 1, got %s"):format(shown.value(q)), 3)
  end
  return (rolled(rolling, "quantile", q))
end

local EACH = 2^18 -- elements of a task, at least

-- Windows of what is in memory: tasks read where it is what they need, which is more than their rows by
-- a window.
plan.stages.windows = function(planner, e)
  local inner = expr.length(e.dims) / e.dims[1]
  local wanted = { math.min(e.dims[1], math.max(math.ceil(EACH / inner), 4 * e.window)) }
  for axis = 2, #e.dims do wanted[axis] = "all" end
  local g = grid.new(e.dims, 8, wanted, "rolling", 2)
  local whole = planner:whole(e.input)
  return { grid = g, chunk = function(number)
    local start, shape = grid.box(g, grid.index(g, number))
    return planner:task(e.name, rolling_task.make, shape, e.roll, e.window, start[1], whole)
  end, fill = function(number, part)
    return planner:fill(e.name, rolling_task.fill, part, e.roll, e.window, g.starts[1][number], whole)
  end, all = function() return g.chunks, {} end }
end

-- ---- correlations of all pairs ----------------------------------------------------------------------

-- One matrix a full window: with the windows before the first it would begin with matrices of NaN.
function windows.corr(rolling)
  local e, window = rolling.e, rolling.window
  if #e.dims ~= 2 then
    error(("rolling: corr: expected a matrix of series, got the shape %s"):format(expr.shape_text(e.dims)), 3)
  end
  local days, series = e.dims[rolling.axis], e.dims[3 - rolling.axis]
  if window > days then
    error(("rolling: corr: a window of %d, and the axis has %d"):format(window, days), 3)
  end
  local by_series = expr.cast(e, "float64")
  if rolling.axis == 1 then by_series = expr.transpose(by_series, { 2, 1 }) end
  return (lazy.of({ op = "rolling_corr", name = "rolling_corr", dims = { days - window + 1, series, series },
    dtype = "float64", input = by_series, window = window, key = tostring(window) }))
end

local function correlations(window, first, last, series)
  return require("tidemill.kernels").rolling_correlation(series, window, first, last)
end

local function correlations_into(part, window, first, last, series)
  require("tidemill.kernels.correlate")(series, window, first, last - first + 1, part)
  array.let_go(part)
end

-- Bytes of matrices that one task makes, about; and at most where fewer windows would share too little.
local TASK, LARGE = 2^23, 2^25

-- Windows of a task: a group of the kernel's, which costs little more than one window; some groups where
-- matrices are small, a part of one where they are large.
local function windows_each(window, bytes)
  local group = tonumber(C.tidemill_kernel_rolling_correlate_group(window))
  bytes = math.max(1, bytes)
  local fit = math.max(1, math.floor(TASK / bytes))
  if fit >= group then return group * math.floor(fit / group) end
  local worth = math.min(math.ceil(group / 4), math.floor(LARGE / bytes))
  return math.ceil(group / math.ceil(group / math.max(fit, worth)))
end

-- All series are one chunk; each task has some windows.
plan.stages.rolling_corr = function(planner, e)
  local size = dtypes.size(e.dtype)
  local number_each = windows_each(e.window, size * e.dims[2] * e.dims[3])
  local g = grid.new(e.dims, size, { number_each, "all", "all" }, "rolling", 2)
  local series = planner:whole(e.input)
  local function windows_of(number)
    local first = g.starts[1][number] + 1
    return first, first + g.sizes[1][number] - 1
  end
  return { grid = g, chunk = function(number)
    local first, last = windows_of(number)
    return planner:task("rolling_corr", correlations, e.window, first, last, series)
  end, fill = function(number, part)
    local first, last = windows_of(number)
    return planner:fill("rolling_corr", correlations_into, part, e.window, first, last, series)
  end, all = function() return g.chunks, {} end }
end

-- ---- windows ------------------------------------------------------------------------------------------

local Rolling = {}
Rolling.__index = function(self, what)
  local method = windows[what]
  if not method then
    error(("rolling has no \"%s\"%s"):format(shown.name(what), suggest.phrase(what, names)),
      blame.caller())
  end
  return function(rolling, argument)
    if rolling ~= self then error(("expected a:rolling(window):%s()"):format(what), 2) end
    return (method(self, argument))
  end
end

--- Rolling windows along an axis (the first): a:rolling(30):mean(), a:rolling(5, 2):max().
--- mean, sum, var, std (ddof 1), min, max, median, quantile(q), zscore; NaN before the first full window.
--- corr: of a matrix of series along that axis, correlations of all pairs: full windows x series x series.
---@param window integer
---@param axis? integer
---@return tidemill.rolling
function methods:rolling(window, axis)
  local e = lazy.array_operand("rolling", self, 2)
  if type(window) ~= "number" or window < 1 or window > 2^53 or window % 1 ~= 0 then
    error(("rolling: window must be an integer >= 1, got %s"):format(shown.value(window)), 2)
  end
  if axis == nil then axis = 1 end
  local at = type(axis) == "number" and axis < 0 and #e.dims + axis + 1 or axis
  if type(at) ~= "number" or at < 1 or at > #e.dims or at ~= math.floor(at) then
    error(("rolling: axis %s is outside 1..%d"):format(shown.value(axis), #e.dims), 2)
  end
  return setmetatable({ e = e, window = window, axis = at }, Rolling)
end

return methods
