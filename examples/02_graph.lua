-- Shows a graph as plain data: each key is a value, or {function, argument, ...}.
local tm = require "tidemill"

local function add(a, b) return a + b end
local function double(a) return 2 * a end
local function power(a, b) return a ^ b end

-- A string that equals a key stands for that key's value; other strings are themselves.
local graph = tm.graph {
  x = 1,
  y = 2,
  z = { add, "x", "y" },
  w = { double, "z" },
  result = { power, "w", "y" },
}

print(graph:get("result"))

-- Several keys at once: what they share runs once.
local values = graph:get { "z", "w" }
print(values[1], values[2])

-- Output:
-- 36
-- 3	6
