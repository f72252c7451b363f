-- Shows a graph before it runs and after: A and B side by side, then C, then D; and its picture.
-- A file name as argument keeps the picture: tidemill run examples/09_visualize.lua graph.svg
local tm = require "tidemill"

-- Works for a while, as a task does that reads a file or fits a model.
local function work(seconds)
  local stop = tm.clock() + seconds
  while tm.clock() < stop do end
end

local A = tm.delayed(function() work(0.1) return 10 end, { name = "A" })
local B = tm.delayed(function() work(0.1) return 20 end, { name = "B" })
local C = tm.delayed(function(a, b) work(0.1) return a + b end, { name = "C" })
local D = tm.delayed(function(c) work(0.1) return 2 * c end, { name = "D" })

local node = D(C(A(), B()))
local info = node:info()
print(("%d tasks, %d edges, longest path %d"):format(info.tasks, info.edges, info.depth))

-- With two workers or more: the time of the longest path, A or B, then C, then D.
local start = tm.clock()
print(node:compute())
print(("took %.2f s"):format(tm.clock() - start))

local keep, temporary = arg[1], os.tmpname()
local path = keep or temporary .. ".svg"
node:visualize(path, { color = "time" })
print(("%d bytes of SVG"):format(#tm.read_text(path)))
os.remove(temporary)
if not keep then os.remove(path) end

-- Output:
-- 4 tasks, 3 edges, longest path 3
-- 60
-- took <number> s
-- <number> bytes of SVG
