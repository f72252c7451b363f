-- Shows a kernel of one's own: C text, compiled once by the machine's compiler, run in tasks on every core.
local tm = require "tidemill"

-- How long prices stayed below their highest so far: for each day, and the longest of all.
local under_water = tm.kernel_c {
  name = "under_water",
  source = [[
    #include <stdint.h>

    int64_t under_water(const double *close, int64_t n, int32_t *days)
    {
        int64_t longest = 0;
        double highest = 0;
        for (int64_t i = 0; i < n; i++) {
            if (close[i] >= highest) {
                highest = close[i];
                days[i] = 0;
            } else {
                days[i] = i ? days[i - 1] + 1 : 1;
            }
            if (days[i] > longest) longest = days[i];
        }
        return longest;
    }
  ]],
  cdef = "int64_t under_water(const double *close, int64_t n, int32_t *days);",
}

-- What the function writes, it gives back after its own result.
local longest, days = under_water({ 10, 12, 11, 9, 13, 12 }, 6, tm.kernel.out(6))
print(longest, days)

-- It crosses to tasks like any value, and each worker opens it once.
local waves = {}
for k = 1, 4 do
  local list = {}
  for i = 1, 1000 do list[i] = i + 100 * math.sin(i / (10 * k)) end
  waves[k] = tm.array(list)
end
local all = tm.map(function(close) return (under_water(close, #close, tm.kernel.out(#close))) end, waves)
print(table.concat(all, " "))

-- What C would misread is refused.
print(select(2, pcall(under_water, tm.array({ 1, 2 }, "int32"), 2, tm.kernel.out(2))))

-- Output:
-- 2	int32[6]{0, 0, 1, 2, 0, 1}
-- 51 91 123 148
-- under_water: argument 1: expected an array of float64, got one of int32; a:astype("float64") converts
