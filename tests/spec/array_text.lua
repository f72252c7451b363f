-- array_text: {1,2} of a table, an array or a lazy one; numbers as Lua prints them, but for the sign of NaN.
-- SPDX-License-Identifier: MIT

local function text(value)
  if type(value) == "table" then
    local parts = {}
    for i = 1, value.n or #value do parts[i] = text(value[i]) end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "userdata" then
    return text(value:compute())
  elseif type(value) == "cdata" then
    return text(value:totable())
  end
  return value ~= value and "nan" or tostring(value)
end

return text
