-- suggest: the nearest of some names, for messages about a misspelt one.
local core = require("tidemill.core")

local suggest = {}

--- The nearest of `names` to `name`, or nil when none is near.
---@param name string
---@param names string[]
---@return string?
function suggest.nearest(name, names) return core.nearest(name, names) end

--- ", did you mean x?" or "".
function suggest.phrase(name, names)
  local nearest = core.nearest(tostring(name), names)
  return nearest and (", did you mean \"%s\"?"):format(nearest) or ""
end

return suggest
