-- suggest: the nearest of some names, for messages about a misspelt one.
local suggest = {}

-- Edit distance where a swap of neighbours counts once (Damerau 1964, adjacent form).
local function distance(a, b)
  local before, previous = {}, {}
  for j = 0, #b do previous[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, previous = previous, row
  end
  return previous[#b]
end

--- The nearest of `names` to `name`, or nil when none is near.
---@param name string
---@param names string[]
---@return string?
function suggest.nearest(name, names)
  local best, least = nil, math.max(1, math.floor(#name / 3)) + 1
  for _, candidate in ipairs(names) do
    local d = distance(name:lower(), candidate:lower())
    if d < least then best, least = candidate, d end
  end
  return best
end

--- ", did you mean x?" or "".
function suggest.phrase(name, names)
  local nearest = suggest.nearest(tostring(name), names)
  return nearest and (", did you mean \"%s\"?"):format(nearest) or ""
end

return suggest
