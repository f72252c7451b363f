-- confine: the globals of a script that its host did not write.
--
-- Such a script runs in an environment of its own: it shares no table with the library, whose code
-- keeps the real globals.  What is not listed here is not there, so that a new function of `tm` or of
-- LuaJIT is closed until somebody has listed it.  Three rules keep the rest closed:
-- * no table that library code reads is in the script's hands: what it gets are copies;
-- * metatables come out only when the script has put them there itself;
-- * code is loaded as text, and gets the script's globals.
local core = require("tidemill.core")
local origin = require("tidemill.origin")
local suggest = require("tidemill.suggest")

local confine = {}

-- ---- what is open, and what may be opened by name --------------------------------------------------

local functions = { "assert", "collectgarbage", "error", "ipairs", "next", "pairs", "pcall", "print",
  "rawequal", "rawget", "rawset", "select", "tonumber", "tostring", "type", "unpack", "xpcall" }

local libraries = {
  bit = { "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift", "tobit",
    "tohex" },
  coroutine = { "create", "isyieldable", "resume", "running", "status", "wrap", "yield" },
  math = { "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod",
    "frexp", "huge", "ldexp", "log", "log10", "max", "min", "modf", "pi", "pow", "rad", "random",
    "randomseed", "sin", "sinh", "sqrt", "tan", "tanh" },
  os = { "clock", "date", "difftime", "time" },
  string = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep",
    "reverse", "sub", "upper" },
  table = { "concat", "foreach", "foreachi", "getn", "insert", "maxn", "move", "remove", "sort" },
}

-- Of `tm`: true, or the functions of a namespace.
local open = {
  _VERSION = true, as_completed = true, batch = true, cancel = true, cancelled = true, channel = true,
  clock = true, compute = true, date_text = true, degraded = true, delayed = true, each_worker = true,
  gather = true, graph = true, json = { "decode", "encode", "list" }, literal = true, map = true,
  say = true, share = true, sleep = true, sorted = true, stats = true, submit = true, submit_all = true,
  wait = true,
}

-- The rest of `tm`, and why: a name that is in neither list fails tests/spec/sandbox_spec.lua.
local closed = {
  files = { "cache", "glob", "path_kind", "read_csv", "read_header", "read_npy", "read_text", "visualize",
    "write_npy", "write_text" },
  memory = { "arange", "array", "concat", "eye", "from_buffer", "full", "kernels", "linalg", "linspace",
    "ones", "random", "stack", "where", "zeros" }, -- arrays are pointers, of which C code believes all
  network = { "connect", "http_get", "listen" },
  programs = { "exec", "kernel", "kernel_c" },
  surroundings = { "args", "autotune", "config", "env", "log", "logs", "pool", "recommend" },
}

-- Libraries of LuaJIT that a host may open: whole, and each of them opens all there is.
local whole = { "debug", "ffi", "io", "jit", "os", "package" }

local reasons = {} -- closed name of tm -> why
for reason, names in pairs(closed) do
  for _, name in ipairs(names) do reasons[name] = reason end
end

--- "open", or why a name of `tm` is closed; nil: nobody has decided.
---@param name string
function confine.class(name) return open[name] and "open" or reasons[name] end

-- The set of allowed names; raises for one that there is not.
local function read_allowed(names)
  local known, allowed = {}, {}
  for name in pairs(reasons) do known[#known + 1] = name end
  for name in pairs(open) do known[#known + 1] = name end
  for _, name in ipairs(whole) do known[#known + 1] = name end
  table.sort(known)
  local is_known = {}
  for _, name in ipairs(known) do is_known[name] = true end
  for _, name in ipairs(names) do
    if not is_known[name] then
      error(("allow: there is no \"%s\" to be opened%s"):format(name, suggest.phrase(name, known)), 0)
    end
    allowed[name] = true
  end
  return allowed
end

-- ---- the standard library -------------------------------------------------------------------------

local function copy_of(from, names)
  local copy = {}
  for _, name in ipairs(names) do copy[name] = from[name] end
  return copy
end

local function keys_of(from)
  local keys = {}
  for key in pairs(from) do keys[#keys + 1] = key end
  return keys
end

-- Strings find their methods in a table that nobody else has: without dump, and whatever the script
-- does to its own `string` library code does not see.
local function close_strings(box)
  local methods = copy_of(string, libraries.string)
  box.strings = methods
  debug.getmetatable("").__index = methods
end

local function add_libraries(box, allowed)
  local globals = box.globals
  for _, name in ipairs(functions) do globals[name] = _G[name] end
  globals._G, globals._VERSION = globals, _VERSION
  for name, members in pairs(libraries) do
    globals[name] = copy_of(_G[name], members)
    box.loaded[name] = globals[name]
  end
  for _, name in ipairs(whole) do
    if allowed[name] then
      local library = require(name)
      box.loaded[name] = copy_of(library, keys_of(library))
      if name ~= "ffi" then globals[name] = box.loaded[name] end
    end
  end
end

-- ---- metatables -------------------------------------------------------------------------------------

local function add_metatables(box)
  local get, raw, set = getmetatable, debug.getmetatable, setmetatable
  local own = set({}, { __mode = "k" }) -- metatables that the script has set
  function box.globals.getmetatable(object)
    local meta = raw(object)
    if meta == nil then return nil end
    if type(object) == "table" and own[meta] then return get(object) end
    return false
  end
  function box.globals.setmetatable(object, meta)
    if type(object) == "table" then
      local before = raw(object)
      if before ~= nil and not own[before] then error("cannot change a protected metatable", 2) end
    end
    set(object, meta)
    if meta ~= nil then own[meta] = true end
    return object
  end
end

-- ---- code -------------------------------------------------------------------------------------------

local function add_loading(box)
  local load, type, find = load, type, string.find
  local globals = box.globals
  -- Text alone, whose name is not that of a part of the library.
  local function compile(chunk, name, mode, environment)
    if mode ~= nil and mode ~= "t" and mode ~= "bt" then
      return nil, "attempt to load a chunk that is not text"
    end
    if type(name) ~= "string" then name = type(chunk) == "string" and chunk or "=(load)" end
    if find(name, "[tidemill]", 1, true) then name = "=(load)" end
    -- What is no table would be passed over, and the chunk find the real globals.
    if environment == nil then environment = globals end
    if type(environment) ~= "table" then error("bad argument #4 to 'load' (table expected)", 3) end
    return load(chunk, name, "t", environment)
  end
  globals.load = compile
  function globals.loadstring(text, name)
    if type(text) ~= "string" then error("bad argument #1 to 'loadstring' (string expected)", 2) end
    return compile(text, name)
  end
end

local function read_module(name)
  local path, text = core.kept_module(name)
  if path then return path, text end
  path = package.searchpath(name, package.path)
  local file = path and io.open(path, "rb")
  if not file then
    error(("module '%s' not found in package.path"):format(name), 3)
  end
  text = file:read("*a")
  file:close()
  core.keep_module(name, path, text)
  return path, text
end

local function run_module(box, name)
  local path, text = read_module(name)
  local chunk, problem = load(text, "@" .. path, "t", box.globals)
  if not chunk then error(("error loading module '%s': %s"):format(name, problem), 3) end
  box.loaded[name] = true -- of a module that requires itself
  local value = chunk(name)
  if value ~= nil then box.loaded[name] = value end
end

local function add_modules(box, modules)
  local allowed = {}
  for _, name in ipairs(modules) do allowed[name] = true end
  function box.globals.require(name)
    if type(name) ~= "string" then error("bad argument #1 to 'require' (string expected)", 2) end
    if box.loaded[name] ~= nil then return box.loaded[name] end
    if not allowed[name] then
      error(("module '%s' is not open in a sandbox; the host program names those that are"):format(name), 2)
    end
    run_module(box, name)
    return box.loaded[name]
  end
end

-- ---- tm ---------------------------------------------------------------------------------------------

-- A table that gives what `find` gives and takes nothing; calls of it are calls of `called`.
local function reader(what, find, called)
  return setmetatable({}, {
    __call = called and function(_, ...) return called(...) end,
    __index = find,
    __newindex = function() error(what .. " cannot be changed in a sandbox", 2) end,
    __tostring = function() return what end,
  })
end

local function refuse(name)
  error(("%s is not open in a sandbox (%s); the host program allows it by name"):format(name,
    reasons[name:match("[^.:]+$")] or "unknown"), 3)
end

local function add_face(box, allowed)
  local tm = require("tidemill")
  local names = keys_of(open)
  for name in pairs(reasons) do names[#names + 1] = name end
  table.sort(names)
  local members = {}
  for name, functions_of in pairs(open) do
    if type(functions_of) == "table" then
      local list
      members[name] = reader("tm." .. name, function(_, key)
        list = list or copy_of(tm[name], functions_of)
        return list[key]
      end)
    end
  end
  for name in pairs(allowed) do
    local space = reasons[name] and tm[name]
    if type(space) == "table" then
      members[name] = reader("tm." .. name, function(_, key) return space[key] end, space)
    end
  end
  box.face = reader("tm", function(_, key)
    if members[key] ~= nil then return members[key] end
    if open[key] or allowed[key] and reasons[key] then return tm[key] end
    if reasons[key] then refuse("tm." .. key) end
    if type(key) == "string" then
      error(("tm has no \"%s\"%s"):format(key, suggest.phrase(key, names)), 2)
    end
  end)
  box.members = members
  box.globals.tm, box.loaded.tidemill, box.loaded.tm = box.face, box.face, box.face
  if not allowed.visualize then -- which nodes have as a method
    package.loaded["tidemill.visualize"] = { draw = function() refuse("visualize") end }
  end
end

-- ---- tasks ------------------------------------------------------------------------------------------

-- In another state of the engine the same names stand for that state's own.
local function name_objects(box)
  origin.add_library("sandbox._G", box.globals, true)
  origin.add_library("sandbox.tm", box.face, true)
  origin.add_library("sandbox.strings", box.strings)
  for name, member in pairs(box.members) do origin.add_library("sandbox.tm." .. name, member, true) end
  for name, library in pairs(box.loaded) do
    if library ~= box.face then origin.add_library("sandbox." .. name, library) end
  end
  for _, name in ipairs({ "getmetatable", "load", "loadstring", "require", "setmetatable" }) do
    origin.add_builtin("sandbox." .. name, box.globals[name])
  end
  origin.set_strings(box.strings)
end

--- Makes the globals of this state's script, or of its tasks; once, before any of their code.
function confine.install()
  local rules = core.confined
  local allowed = read_allowed(rules.allow)
  local box = { globals = {}, loaded = {} }
  close_strings(box)
  add_libraries(box, allowed)
  add_metatables(box)
  add_loading(box)
  add_modules(box, rules.modules)
  add_face(box, allowed)
  name_objects(box)
  core.register("tidemill.globals", box.globals)
end

return confine
