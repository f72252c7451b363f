-- blame: whom an error is told of where it shows far inside of a call: who called the library.
-- SPDX-License-Identifier: MIT
local getinfo = debug.getinfo

local blame = {}

--- The level of who called the library, for an `error` of the function that asks.
---@return integer
function blame.caller()
  local level = 3
  local info = getinfo(level, "S")
  while info and (info.what == "C" or info.source:find("=[tidemill]", 1, true) == 1) do
    level = level + 1
    info = getinfo(level, "S")
  end
  return level - 1
end

return blame
