-- receiver: what a method was called of: with a dot in place of the colon that is its first argument, or
-- nothing, and Lua would say of the engine's own fields that they are missing.
-- SPDX-License-Identifier: MIT
local receiver = {}

--- A check for the methods of one kind of object: check(self, "take") raises where the method was called.
---@param is fun(value: any): boolean
---@param what string such as "a channel"
---@param name string what stands before the colon in the advice
---@return fun(self: any, method: string)
function receiver.check(is, what, name)
  return function(self, method)
    if is(self) then return end
    local got = self == nil and "nothing" or "a " .. type(self)
    error(("%s: expected %s, got %s; a method is called with a colon: %s:%s()"):format(method, what, got,
      name, method), 3)
  end
end

return receiver
