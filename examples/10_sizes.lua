-- Shows how to choose sizes: workers by the kind of work, items a task by their number, partitions
-- by their bytes.  `cpus` and `memory` plan for a machine of 4 CPUs; without them tm.recommend
-- looks at the one it runs on.
local tm = require "tidemill"

local function plan(question)
  question.cpus, question.memory = 4, "8GiB"
  return tm.recommend(question)
end

-- Work on the CPU gets a worker for each; work that waits for disks shares a CPU among several.
for _, kind in ipairs { "parse", "write", "mixed" } do
  local r = plan { items = 10000, kind = kind }
  print(("%-5s  %2d workers, %3d items a task"):format(kind, r.workers, r.chunk_size))
end

-- Few items: small tasks, so that none ends last.  Many: larger tasks, of which there are fewer.
print("items  a task  tasks  speedup")
for _, items in ipairs { 49, 50, 199, 200, 499, 500 } do
  local r = plan { items = items }
  print(("%5d  %6d  %5d  %7.2f"):format(items, r.chunk_size, r.chunks, r.speedup))
end

-- Memory decides when items are large: what is worked on at once has to fit.
local images = plan { items = 1000, bytes_per_item = "300MiB" }
print(("images: %d workers, %.0f MiB of %.0f at once"):format(images.workers, images.memory / 2 ^ 20,
  images.memory_limit / 2 ^ 20))
local large = plan { items = 1000, bytes_per_item = "3GiB" }
print("large: " .. large.reason)

-- Rows in partitions of 100 MiB.
local rows = plan { items = 1e8, bytes_per_item = 50, partition_bytes = "100MiB" }
print(("%d partitions of %d rows"):format(rows.chunks, rows.chunk_size))

-- Output:
-- parse   4 workers, 625 items a task
-- write  16 workers, 157 items a task
-- mixed   8 workers, 313 items a task
-- items  a task  tasks  speedup
--    49       1     49     3.57
--    50       2     25     3.40
--   199       3     67     3.72
--   200       6     34     3.58
--   499      16     32     3.77
--   500      32     16     3.77
-- images: 4 workers, 1200 MiB of 8192 at once
-- large: 2 workers (no more items at once than fit in memory); 1 item a task (each is more than 128 MiB)
-- 48 partitions of 2083334 rows
