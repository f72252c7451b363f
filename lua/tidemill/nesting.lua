-- nesting: coroutines inside coroutines without end become an error.  Each one stands on the C
-- stack of what resumes it, of which LuaJIT does not know when it ends.
local core = require("tidemill.core")
local origin = require("tidemill.origin")

local nesting = {}

local max_depth = 10000 -- a coroutine takes 1 KB and more
local depth = 0
local message = "stack overflow (coroutines inside coroutines)"

local is_low = core.stack_is_low
local resume, create = coroutine.resume, coroutine.create

local function leave(...)
  depth = depth - 1
  return ...
end

local function guarded_resume(co, ...)
  if depth >= max_depth or is_low() then return false, message end
  depth = depth + 1
  return leave(resume(co, ...))
end

-- An error goes on as coroutine.wrap's own does: text with the place of the call.
local function pass_on(fine, ...)
  depth = depth - 1
  if fine then return ... end
  error((...), 2)
end

local function guarded_wrap(fn)
  local co = create(fn)
  return function(...)
    if depth >= max_depth or is_low() then error(message, 2) end
    depth = depth + 1
    return pass_on(resume(co, ...))
  end
end

--- Changes this state's coroutine library; once.
function nesting.install()
  origin.replace("coroutine.resume", guarded_resume)
  origin.replace("coroutine.wrap", guarded_wrap)
end

return nesting
