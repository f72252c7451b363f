-- bench_table: the rows that benchmarks give, how a goal is judged, and the table that ends
-- `make bench`.  Nothing else knows what a row looks like.
--     local bench = require("bench_table")
--     bench.row { name = "tree, per task", ours = 2e-7, peer = "Dask threads", peer_value = 1e-4,
--       goal = { ratio = 500 } }
-- A row is printed when it is made, and added to the file that TIDEMILL_BENCH_ROWS names, from
-- which bench_run.lua prints the table.
-- SPDX-License-Identifier: MIT
local bench = {}

-- ---- Numbers as people read them ------------------------------------------------------------

local function time(seconds)
  if seconds == math.huge then return "never" end
  local size = math.abs(seconds)
  if size >= 1 then return ("%.2f s"):format(seconds) end
  if size >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  if size >= 1e-6 then return ("%.2f us"):format(seconds * 1e6) end
  return ("%.0f ns"):format(seconds * 1e9)
end

local units = {
  s = time,
  bytes = function(value)
    if value < 1e6 then return ("%.0f B"):format(value) end
    return (value < 1e8 and "%.1f MB" or "%.0f MB"):format(value / 1e6)
  end,
  share = function(value) return ("%.3f"):format(value) end,
  count = function(value) return ("%g"):format(value) end,
}

-- ---- Judging --------------------------------------------------------------------------------

--- How many times better we are than the peer; nil when one of the two is missing, zero or never.
function bench.ratio(row)
  local ours, peer = row.ours, row.peer_value
  local function counts(value) return value and value > 0 and value < math.huge end
  if not counts(ours) or not counts(peer) then return nil end
  if row.better == "more" then return ours / peer end
  return peer / ours
end

-- The clauses of a goal: what each says, and whether a row meets it; nil: nobody can tell.
local clauses = {
  { key = "at_most", text = function(limit, show) return "<= " .. show(limit) end,
    met = function(row, limit) return row.ours <= limit end },
  { key = "at_least", text = function(limit, show) return ">= " .. show(limit) end,
    met = function(row, limit) return row.ours >= limit end },
  { key = "ratio", text = function(limit) return (">= %.3gx"):format(limit) end,
    met = function(row, limit)
      local ratio = bench.ratio(row)
      if ratio then return ratio >= limit end
    end },
  { key = "above", text = function(limit, show) return "<= peer + " .. show(limit) end,
    met = function(row, limit)
      if row.peer_value then return row.ours <= row.peer_value + limit end
    end },
}

local function show(row) return units[row.unit or "s"] end

local function goal_text(row)
  local parts = {}
  for _, clause in ipairs(clauses) do
    local limit = (row.goal or {})[clause.key]
    if limit then parts[#parts + 1] = clause.text(limit, show(row)) end
  end
  return table.concat(parts, " or ")
end

--- "met", "NOT MET", "no peer", "not available", or "" for a row without a goal.  A goal of
--- several clauses is met when one of them is.
function bench.judge(row)
  if not row.ours then return "not available" end
  local missed, unknown = false, false
  for _, clause in ipairs(clauses) do
    local limit = (row.goal or {})[clause.key]
    if limit then
      local met = clause.met(row, limit)
      if met then return "met" end
      if met == nil then unknown = true else missed = true end
    end
  end
  return missed and "NOT MET" or unknown and "no peer" or ""
end

local function ratio_text(ratio)
  if not ratio then return "-" end
  local digits = ratio >= 100 and 0 or ratio >= 10 and 1 or ratio >= 0.1 and 2 or 4
  return ("%." .. digits .. "fx"):format(ratio)
end

local function cells(row)
  local peer = "-"
  if row.peer then
    peer = row.peer_value and show(row)(row.peer_value) .. " " .. row.peer or row.peer .. ": absent"
  end
  return { row.name, row.ours and show(row)(row.ours) or "-", peer, ratio_text(bench.ratio(row)),
    goal_text(row), bench.judge(row) }
end

-- ---- The table ------------------------------------------------------------------------------

local titles = { "name", "ours", "peer", "ratio", "goal", "" }
local right = { false, true, true, true, false, false }
local least = { 44, 9, 26, 7, 20, 0 }

local function line(fields, widths)
  local out = {}
  for i, field in ipairs(fields) do
    out[i] = (("%%%s%ds"):format(right[i] and "" or "-", widths[i])):format(field)
  end
  return (table.concat(out, "  "):gsub("%s+$", ""))
end

local function write(path, fields)
  local file = assert(io.open(path, "a"))
  file:write(table.concat(fields, "\t"), "\n")
  file:close()
end

--- One row: `name`, `ours`, `unit` ("s", "bytes", "share" or "count"; "s" unless given), `peer`
--- (its name), `peer_value` (nil: the peer is absent; math.huge: it never gets there), `better`
--- ("less" unless given, or "more") and `goal`: `at_most`, `at_least`, `ratio` (at least so many
--- times better than the peer), `above` (at most so much more than the peer).  `ours` is nil for
--- what cannot be done yet.
function bench.row(row)
  local fields = cells(row)
  print(line(fields, least))
  io.flush()
  local path = os.getenv("TIDEMILL_BENCH_ROWS")
  if path then write(path, fields) end
end

-- The rows of a file, and how many have each verdict.
local function read(path)
  local rows, verdicts = {}, {}
  for text in io.lines(path) do
    local fields = {}
    for field in (text .. "\t"):gmatch("([^\t]*)\t") do fields[#fields + 1] = field end
    rows[#rows + 1] = fields
    verdicts[fields[6]] = (verdicts[fields[6]] or 0) + 1
  end
  return rows, verdicts
end

--- Prints the rows of a file as one table.
function bench.print_table(path)
  local rows, verdicts = read(path)
  local widths = {}
  for i, title in ipairs(titles) do
    widths[i] = #title
    for _, fields in ipairs(rows) do widths[i] = math.max(widths[i], #fields[i]) end
  end
  local head = line(titles, widths)
  print(head)
  print(("-"):rep(math.max(#head, 96)))
  for _, fields in ipairs(rows) do print(line(fields, widths)) end
  local counts = {}
  for _, verdict in ipairs({ "met", "NOT MET", "no peer", "not available", "FAILED" }) do
    if verdicts[verdict] then counts[#counts + 1] = verdicts[verdict] .. " " .. verdict:lower() end
  end
  print(#counts > 0 and "goals: " .. table.concat(counts, ", ") or "no row has a goal")
end

--- A row for a benchmark that ended with an error.
function bench.failed(path, script, status)
  write(path, { script, "-", "-", "-", ("exit status %d"):format(status), "FAILED" })
end

return bench
