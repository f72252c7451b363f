-- origin: where an object of this Lua state comes from: a builtin, a part of a loaded module, or
-- the script itself.  What has a name crosses to other states by it; the encoder in
-- host/bind/encode.c asks the tables that this module fills.  Loaded before any user code.
local core = require("tidemill.core")

local builtins = {} -- object -> name, such as "string.format"
local names = {} -- name -> object
local modules = setmetatable({}, { __mode = "k" }) -- object -> hash .. module .. "\0" .. path

local function add_builtin(name, object)
  if type(object) ~= "table" and type(object) ~= "function" then return end
  if builtins[object] == nil then builtins[object] = name end
  names[name] = object
end

local libraries = { "string", "table", "math", "io", "os", "debug", "coroutine", "package", "bit",
  "jit", "ffi", "jit.util", "jit.opt", "string.buffer", "table.new", "table.clear", "jit.profile" }

local function add_builtins()
  add_builtin("_G", _G)
  for name, value in pairs(_G) do
    if type(value) == "function" then add_builtin(name, value) end
  end
  for _, name in ipairs(libraries) do
    local library = package.loaded[name]
    if library == nil and (name == "ffi" or name == "string.buffer") then
      local found, value = pcall(require, name)
      library = found and value or nil
    end
    add_builtin(name, library)
    if type(library) == "table" then
      for key, value in pairs(library) do
        if type(key) == "string" and type(value) == "function" then
          add_builtin(name .. "." .. key, value)
        end
      end
    end
  end
end
add_builtins()

-- What a library held at first, so that one that a script has changed is noticed: such a table
-- crosses by value, with the replaced functions in it.
local pristine = {}
for name, library in pairs(names) do
  if type(library) == "table" and library ~= _G then
    local copy = {}
    for key, value in pairs(library) do copy[key] = value end
    pristine[name] = { library = library, copy = copy }
  end
end

local volatile = { package = true, jit = true } -- these change by themselves

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

-- ---- modules --------------------------------------------------------------------------------

local hashes = {} -- module name -> 16 bytes
local zeros = ("\0"):rep(16)

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

-- Text and path of a module written in Lua, or the bytes and path of one written in C.
local function source_of(name)
  local path = package.searchpath(name, package.path)
  if path then return read(path), path, true end
  path = package.searchpath(name, package.cpath)
  if path then return read(path), path, false end
end

-- Hash of a module's source and of those that it requires by a literal name. Modules inside the
-- engine have zeros: its semantics number stands for them.
local function hash_of(name)
  if hashes[name] then return hashes[name] end
  hashes[name] = zeros
  if core.embedded(name) or name == "tidemill" or name == "tidemill.core" then return zeros end
  local text, path, is_lua = source_of(name)
  if not text then return zeros end
  local parts = { core.hash(text) }
  if is_lua then
    core.keep_module(name, path, text)
    for required in text:gmatch("require%s*%(?%s*[\"']([^\"'\n]+)[\"']") do
      if package.loaded[required] ~= nil and names[required] == nil then
        parts[#parts + 1] = hash_of(required)
      end
    end
  end
  hashes[name] = core.hash(table.concat(parts))
  return hashes[name]
end

local function is_namespace(value)
  for key, member in pairs(value) do
    if type(member) == "function" or (type(key) == "string" and key:sub(1, 2) == "__") then
      return true
    end
  end
  return false
end

-- The module itself, its functions, and tables of functions (classes, metatables) inside it, two
-- levels deep.  Tables of data cross by value.
local function add_module(head, value, path, depth)
  if builtins[value] ~= nil or modules[value] ~= nil then return end
  modules[value] = head .. path
  if type(value) ~= "table" then return end
  local prefix = path == "" and "" or path .. "."
  local meta = getmetatable(value)
  if type(meta) == "table" and builtins[meta] == nil and modules[meta] == nil then
    modules[meta] = head .. prefix .. "()"
  end
  if depth == 0 then return end
  for key, member in pairs(value) do
    if type(key) == "string" and not key:find(".", 1, true) then
      if type(member) == "function" or (type(member) == "table" and is_namespace(member)) then
        add_module(head, member, prefix .. key, depth - 1)
      end
    end
  end
end

local function refresh()
  forget_changed_libraries()
  local list = {}
  for name, value in pairs(package.loaded) do
    local kind = type(value)
    if type(name) == "string" and (kind == "table" or kind == "function") and
        names[name] == nil and name ~= "_G" then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  for _, name in ipairs(list) do
    add_module(hash_of(name) .. name .. "\0", package.loaded[name], "", 2)
  end
end

-- The other way: what the decoder is given as module and path.
local function resolve(name, path)
  local value = require(name)
  for key in path:gmatch("[^.]+") do
    local owner = value
    if key == "()" then
      value = getmetatable(owner)
    else
      value = type(owner) == "table" and owner[key] or nil
    end
    if value == nil then
      error(("module \"%s\" has no \"%s\" in this Lua state"):format(name, path), 0)
    end
  end
  return value
end

core.register("tidemill.builtins", builtins)
core.register("tidemill.names", names)
core.register("tidemill.modules", modules)
core.register("tidemill.refresh", refresh)
core.register("tidemill.resolve", resolve)

-- Cdata are known by lua/tidemill/cdata.lua, loaded when the first one crosses.
core.register("tidemill.kinds", function(value) return require("tidemill.cdata").kind(value) end)
core.register("tidemill.wrap", function(...) return require("tidemill.cdata").wrap(...) end)

-- Replaces a builtin of this state by the library's own form of it, which is then the builtin of
-- that name: what crosses by the name, from any state, finds it.
local function replace(name, now)
  local library, key = name:match("^(.*)%.([^.]+)$")
  local owner = library and names[library] or _G
  owner[key or name] = now
  builtins[now], names[name] = name, now
  if pristine[library] then pristine[library].copy[key] = now end
end

return { replace = replace }
