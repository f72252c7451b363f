---@meta _
-- What editors know of the face: choosing sizes.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
local tm = {}

-- Choosing sizes ------------------------------------------------------------------------------

---@alias tidemill.size integer|string bytes: 4096, "512MB" (10^6), "2GiB" (2^30)

---@class tidemill.recommend_options
---@field items integer how many there are
---@field bytes_per_item? tidemill.size memory that one takes while it is worked on
---@field kind? "cpu"|"io"|"mixed"|"parse"|"write" parse is cpu, write is io; default "cpu"
---@field seconds_per_item? number on one worker
---@field memory? tidemill.size for all items that are worked on at once; also "25%" of the memory;
---       default half of what is available
---@field partition_bytes? tidemill.size items a task by their bytes instead
---@field workers? integer instead of those of the kind
---@field cpus? integer instead of those that the process may use

---@class tidemill.recommendation prints as one line
---@field workers integer worker threads: --workers N
---@field chunk_size integer items a task
---@field chunks integer tasks
---@field memory integer bytes of the items that are worked on at once
---@field memory_limit? integer bytes that they may have; nil: not known
---@field speedup number expected, against one worker's plain loop
---@field reason string what decided

--- Workers and items a task for a number of items, from the machine as it is: the CPUs and the
--- memory that the process may use.
---     local r = tm.recommend{items = 1000, bytes_per_item = "2MB", kind = "mixed"}
---     print(r, r.reason)
---@param given tidemill.recommend_options
---@return tidemill.recommendation
function tm.recommend(given) end

---@class tidemill.candidate
---@field chunk_size integer items a task
---@field seconds number for the whole sample: the best of the repeats
---@field items_per_second number
---@field seconds_per_item number
---@field efficiency number share of the workers' time that one worker alone would have needed

---@class tidemill.tuning prints as a table
---@field best tidemill.candidate
---@field table tidemill.candidate[] by chunk size
---@field n integer items of the sample
---@field workers integer
---@field seconds_per_item number of one worker alone: what tm.recommend asks for
---@field deterministic boolean whether all candidates gave the same results
---@field complete boolean whether the budget allowed all measurements

--- Measures how many items a task should have: runs `fn` over the whole sample in tasks of several
--- sizes.  `budget` is seconds after which no other measurement begins.
---     local tuned = tm.autotune(parse, some_lines, {budget = 5})
---     print(tuned, tuned.best.chunk_size)
---@param fn function of one item
---@param sample table|tidemill.array items
---@param given? {chunk_sizes: integer[]?, repeats: integer?, budget: number?}
---@return tidemill.tuning
function tm.autotune(fn, sample, given) end
