-- sorted: pairs in key order, for wherever order reaches a result.
local sorted = {}

local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local ra, rb = rank[type(a)] or 4, rank[type(b)] or 4
  if ra ~= rb then return ra < rb end
  if ra <= 2 then return a < b end
  return tostring(a) < tostring(b)
end
sorted.before = before

--- for key, value in tm.sorted(t) do: numbers first, then strings by bytes.
---@param t table
function sorted.pairs(t)
  if type(t) ~= "table" then error("sorted: expected a table, got a " .. type(t), 2) end
  local keys, i = {}, 0
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, before)
  return function()
    i = i + 1
    if keys[i] ~= nil then return keys[i], t[keys[i]] end
  end
end

return sorted
