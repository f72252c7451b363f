-- linalg_task: what the tasks of lazy linear algebra do: functions of tm.linalg on whole chunks.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local chunk = require("tidemill.lazy.chunk")
local ffi = require("ffi")
local linalg = require("tidemill.linalg")

local linalg_task = {}

local function hold() end

-- The engine adds where a task failed; who called tm.linalg inside it is not the user's business.
local function clean(fine, first, ...)
  if fine then return first, ... end
  error((tostring(first):gsub("^[^\n]-%.lua:%d+: ", "")), 0)
end

-- A number among the results is an array of one, as all chunks are arrays.
local function chunks(first, second, ...)
  if type(second) == "number" then second = array.from({ second }, "int64") end
  return first, second, ...
end

--- The function of tm.linalg of that name.
function linalg_task.call(name, ...)
  return chunks(clean(pcall(linalg[name], ...)))
end

-- Its results, held against what was announced: a list of dims and dtype.
local function announced(name, results, ...)
  for i, result in ipairs(results) do chunk.announced(name, (select(i, ...)), result.dtype, result.dims) end
  return ...
end

--- The same, whose results were announced.
function linalg_task.gather(name, results, ...)
  return announced(name, results, linalg_task.call(name, ...))
end

--- QR of rows that have so many before them in the whole, where an error counts them.
function linalg_task.qr_rows(before, rows)
  local fine, q, r = pcall(linalg_task.call, "qr", rows)
  if fine then return q, r end
  error((q:gsub("%((%d+)", function(row) return "(" .. row + before end, 1)), 0)
end

--- Blocks of rows one below the other: a new matrix.
local function stacked(blocks)
  local columns, rows = blocks[1].shape[2], 0
  for _, block in ipairs(blocks) do rows = rows + block.shape[1] end
  local out = array.new(blocks[1].dtype, rows * columns, { rows, columns })
  local to, bytes = ffi.cast("uint8_t *", out:pointer()), 0
  for _, block in ipairs(blocks) do
    ffi.copy(to + bytes, block:pointer(), block.nbytes)
    bytes = bytes + block.nbytes
  end
  hold(blocks)
  return out
end

--- QR of blocks that stand one below the other: r, and q.
function linalg_task.qr_stacked(...)
  local q, r = linalg_task.call("qr", stacked({ ... }))
  return r, q
end

--- Rows [first, first + count) (from 0) of a matrix.
function linalg_task.rows(matrix, first, count)
  return chunk.box(matrix, { first, 0 }, { count, matrix.shape[2] })
end

--- The product of two blocks.
function linalg_task.multiply(a, b) return linalg_task.call("matmul", a, b) end

return linalg_task
