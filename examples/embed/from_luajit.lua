-- Shows the engine inside a stock luajit: the built module on package.cpath is all it takes.
-- LUA_CPATH="build/?.so;;" luajit examples/embed/from_luajit.lua
local tm = require "tidemill"

local lengths = tm.map(function(word) return #word end, { "one", "three", "eleven" })

print(table.concat(lengths, " "))
print(tm.kernels.sum(lengths))

-- Output:
-- 3 5 6
-- 14
