-- product_cuts: into which blocks products of matrices are cut, by their shapes alone.
-- SPDX-License-Identifier: MIT

local grid = require("tidemill.lazy.grid")

local product_cuts = {}

-- Elements of a product's block, by the shape alone.  A task has a 48th of the work, but 2^27 to 2^32
-- multiplications, and at most 2^20 elements.  Where a factor is thin it is memory that takes the time: an
-- element that is read costs as much as 64 multiplications.
local function block_area(m, k, n)
  local least = 2^27 / k * math.min(1, math.min(m, n) / 64)
  return math.min(math.max(m * n / 48, least), 2^32 / k, 2^20)
end

local function how_many(size, side) return math.ceil(size / math.max(side, 1) - 1e-9) end

--- Into how many rows and columns of blocks a product is cut.  They are about square; an even number of
--- rows gives workers, of which there are mostly two or four, the same number of blocks: 8 x 6.
function product_cuts.block_counts(m, k, n)
  local area = block_area(m, k, n)
  local wide = math.min(n, area / math.min(m, math.sqrt(area)))
  local rows = how_many(m, math.min(m, area / math.max(wide, 1)))
  if rows > 1 then rows = rows + rows % 2 end
  return rows, how_many(n, area * rows / math.max(m, 1))
end

--- An axis in `count` even pieces, in whole tiles of every kernel.
function product_cuts.even_sizes(size, count)
  return grid.pieces(size, math.ceil(math.ceil(size / math.max(count, 1)) / 24) * 24)
end

--- The outer axis of a matrix times its transposed, of which half the blocks are computed.
function product_cuts.square_sizes(m, k)
  return product_cuts.even_sizes(m, how_many(m, math.sqrt(block_area(m, k, m))))
end

return product_cuts
