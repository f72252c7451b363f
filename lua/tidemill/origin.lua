-- origin: where an object of this Lua state comes from: a builtin, a part of a loaded module, or
-- the script itself.  What has a name crosses to other states by it; the encoder in
-- host/bind/encoder.c asks the tables that this module and tidemill.modules fill.  Loaded before
-- any user code.
local core = require("tidemill.core")

local builtins = {} -- object -> name, such as "string.format"
local names = {} -- name -> object

local function add_builtin(name, object)
  if type(object) ~= "table" and type(object) ~= "function" then return end
  if builtins[object] == nil then builtins[object] = name end
  names[name] = object
end

local libraries = { "string", "table", "math", "io", "os", "debug", "coroutine", "package", "bit",
  "jit", "ffi", "jit.util", "jit.opt", "string.buffer", "table.new", "table.clear", "jit.profile" }

-- In order, so that one known by two names has the same one in every state.
local function add_functions(library, prefix)
  local keys = {}
  for key, value in pairs(library) do
    if type(key) == "string" and type(value) == "function" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do add_builtin(prefix .. key, library[key]) end
end

local function add_builtins()
  add_functions(_G, "")
  for _, name in ipairs(libraries) do
    local found, library = pcall(require, name) -- some are there only when asked for
    if found then
      add_builtin(name, library)
      if type(library) == "table" then add_functions(library, name .. ".") end
    end
  end
end
add_builtins()

local library_names = { _G = true }
for _, name in ipairs(libraries) do library_names[name] = true end

-- What a library held at first, so that one that a script has changed is noticed: such a table
-- crosses by value, with the replaced functions in it.
local pristine = {}
for name, library in pairs(names) do
  if type(library) == "table" then
    local copy = {}
    for key, value in pairs(library) do copy[key] = value end
    pristine[name] = { library = library, copy = copy }
  end
end

local volatile = { package = true, jit = true } -- these change by themselves

-- The same for the encoder's short cut (host/bind/witness.h), with the metatable of strings.
local copies = { [getmetatable("")] = { __index = string } }
for name, was in pairs(pristine) do
  if not volatile[name] then copies[was.library] = was.copy end
end

local function forget_changed_libraries()
  for name, was in pairs(pristine) do
    local same = true
    if not volatile[name] then
      for key, value in pairs(was.library) do
        if was.copy[key] ~= value then same = false end
      end
      for key in pairs(was.copy) do
        if was.library[key] == nil then same = false end
      end
    end
    builtins[was.library] = same and name or nil
  end
end

-- Replaces a builtin of this state by the library's own form of it, which is then the builtin of
-- that name: what crosses by the name, from any state, finds it.
local function replace(name, now)
  local library, key = name:match("^(.*)%.([^.]+)$")
  local owner = library and names[library] or _G
  owner[key or name] = now
  builtins[now], names[name] = name, now
  if pristine[library] then pristine[library].copy[key] = now end
end

--- An object that crosses by name to every state that has given the name to one of its own.
local function add_name(name, object)
  builtins[object], names[name] = name, object
end

--- The same of a table; unless it is `fixed` one that the script has changed crosses by value.
local function add_library(name, library, fixed)
  add_name(name, library)
  if fixed then return end
  local copy = {}
  for key, value in pairs(library) do copy[key] = value end
  pristine[name] = { library = library, copy = copy }
  copies[library] = copy
end

--- From now on strings find their methods in another table.
local function set_strings(methods) copies[getmetatable("")].__index = methods end

-- Objects of the library that are of no use in another state: metatable -> what, advice.
local refused = setmetatable({}, { __mode = "k" })

--- Objects with this metatable do not cross; "cannot send a future to a task (...); advice".
local function refuse(meta, what, advice) refused[meta] = what .. "\0" .. advice end

local modules = require("tidemill.modules")
modules.install({ builtins = builtins, libraries = library_names, replace = replace })

core.register("tidemill.builtins", builtins)
core.register("tidemill.names", names)
core.register("tidemill.modules", modules.objects)
core.register("tidemill.pristine", copies)
core.register("tidemill.refused", refused)
core.register("tidemill.resolve", modules.resolve)
core.register("tidemill.refresh", function()
  forget_changed_libraries()
  modules.refresh()
end)

-- Cdata are known by lua/tidemill/cdata.lua, loaded when the first one crosses.
core.register("tidemill.kinds", function(value) return require("tidemill.cdata").kind(value) end)
core.register("tidemill.wrap", function(...) return require("tidemill.cdata").wrap(...) end)

return { replace = replace, refuse = refuse, add_builtin = add_name, add_library = add_library,
  set_strings = set_strings }
