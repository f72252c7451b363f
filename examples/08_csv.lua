-- Shows reading a CSV: typed columns, dates, missing cells.
local tm = require "tidemill"

local path = os.tmpname()
local file = assert(io.open(path, "w"))
file:write([[
date,city,temperature,visitors
2024-07-01,Bergen,14.5,120
2024-07-02,Bergen,,95
2024-07-03,Oslo,21.0,NA
]])
file:close()

local t = tm.read_csv(path)
os.remove(path)

print(t)
print(t.temperature)
print(t.visitors, t.visitors.nulls .. " missing")
print(tm.date_text(t.date[1]), t:column("city")[-1])

-- A missing cell is NaN (which differs from itself) in a float column, nil in others.
for row = 1, t.rows do
  local warm = t.temperature[row]
  print(row, warm ~= warm and "no temperature" or warm, t.visitors[row] or "nobody counted")
end

-- Output:
-- frame of 3 rows: date, city, temperature, visitors
-- float64[3]{14.5, nan, 21}
-- int64[3]{120, 95, nil}	1 missing
-- 2024-07-01	Oslo
-- 1	14.5	120
-- 2	no temperature	95
-- 3	21	nobody counted
