-- own_kernel: kernels of the user's: functions of shared objects over numbers and arrays.
-- A kernel is a plain table with this module's metatable: it crosses to tasks as the path and the content's
-- hash of its object and as its declaration, and each state opens it there.  SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local call = require("tidemill.own_kernel.call")
local declaration = require("tidemill.own_kernel.declaration")

local own = { out = call.out, out_meta = call.out_meta }

local libraries = {} -- path -> {hash, handle}, what this state has opened
local functions = setmetatable({}, { __mode = "k" }) -- kernel -> its Lua function
local by_name = {} -- path, hash and declaration -> the same, for copies of a kernel

-- The handle of a shared object, which must have this content.
local function library(path, hash)
  local open = libraries[path]
  if open and open.hash == hash then return open.handle end
  if open then
    error(("kernel: %s has changed since this process opened it, and stays as it was; begin a new process, "
      .. "or give the file another name"):format(path), 0)
  end
  local now = core.file_hash(path)
  if now ~= hash then
    error(("kernel: %s %s"):format(path, now and "is not what it was when tm.kernel opened it" or
      "is not there any more"), 0)
  end
  local handle, reason = core.open_library(path)
  if not handle then error("kernel: " .. reason, 0) end
  libraries[path] = { hash = hash, handle = handle }
  return handle
end

-- Where a kernel lies that the program around the engine has given.
local HOST = "the host program"

local function address_of(kernel, name)
  if kernel.path == HOST then return core.host_kernel(name .. "@" .. kernel.hash) end
  return core.find_symbol(library(kernel.path, kernel.hash), name)
end

-- The Lua function of a kernel, opened on its first call in a state.
local function function_of(kernel)
  local key = table.concat({ kernel.path, kernel.hash, kernel.declaration }, "\0")
  local found = by_name[key]
  if not found then
    local declared = declaration.read(kernel.declaration, 1)[1]
    local address = address_of(kernel, declared.name)
    if not address then
      error(("kernel: %s has no function \"%s\""):format(kernel.path, declared.name), 0)
    end
    found = call.new(declared, address)
    by_name[key] = found
  end
  functions[kernel] = found
  return found
end

own.meta = {
  __name = "tidemill.kernel",
  __call = function(self, ...) return (functions[self] or function_of(self))(...) end,
  __tostring = function(self) return ("kernel %s of %s"):format(self.declaration, self.path) end,
}

--- The kernels that `declared` names, of a shared object: one, or a table of several by name.
function own.kernels(path, declared, level)
  local hash = core.file_hash(path)
  if not hash then
    local kind, reason = core.path_kind(path)
    error(("kernel: %s: %s"):format(path, kind and "is no file that can be read" or reason), level + 1)
  end
  local list = {}
  for _, item in ipairs(declared) do
    local kernel = setmetatable({ path = path, hash = hash, declaration = item.text }, own.meta)
    local fine, problem = pcall(function_of, kernel)
    if not fine then error(problem, level + 1) end
    list[item.name] = kernel
  end
  return #declared == 1 and list[declared[1].name] or list
end

--- Makes a function of the host program a kernel, the global of its name.
---@param text string its declaration
---@param version string
---@param address lightuserdata
function own.of_host(text, version, address)
  local declared = declaration.read(text, 1)
  if #declared ~= 1 then error(("kernel: expected one declaration, got %d"):format(#declared), 0) end
  local name = declared[1].name
  if rawget(_G, name) ~= nil then error(("kernel %s: there is a global of that name"):format(name), 0) end
  core.host_kernel(name .. "@" .. version, address)
  rawset(_G, name, setmetatable({ path = HOST, hash = version, declaration = declared[1].text }, own.meta))
end

--- Opens a shared object and gives the function that a C declaration names, or a table of them when it
--- names several.
---     local f = tm.kernel("./mine.so", "double f(const double *x, int64_t n);")
---     print(f({1, 2, 3}, 3))
---@param path string
---@param cdef string functions of numbers and pointers to numbers; `const T *` takes an array or a table,
---       `T *` takes tm.kernel.out
---@return tidemill.kernel|table<string, tidemill.kernel>
function own.open(path, cdef)
  if type(path) ~= "string" or type(cdef) ~= "string" then
    error(("kernel: expected tm.kernel(path, \"double f(const double *x, int64_t n);\"), got a %s and a %s")
      :format(type(path), type(cdef)), 2)
  end
  -- Without a slash it would be looked for where libraries of the system are.
  if not path:find("/", 1, true) then path = "./" .. path end
  local declared = declaration.read(cdef, 2)
  return own.kernels(path, declared, 1) -- a tail call: the caller is next
end

return setmetatable(own, { __call = function(_, ...) return own.open(...) end })
