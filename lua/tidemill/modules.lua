-- modules: the modules of this Lua state: where each comes from, and which of its objects cross to
-- other states by name.  A module that the script has changed since it was loaded crosses by value,
-- as the script's own objects do, and so do the modules that require it.
local core = require("tidemill.core")

local modules = {}

-- object -> hash .. module .. "\0" .. path; false: a module that refresh() has not seen yet.
local objects = setmetatable({}, { __mode = "k" })
modules.objects = objects

local files = {} -- module -> {source, path, hash, required}; false: it has no file
local snapshots = {} -- module -> {value, tables}: what it held when it was loaded
local calls = {} -- source of code -> set of modules that it has required
local replaced = {} -- module -> true: loaded again with another text
local stale = true -- whether `objects` lags behind
local builtins, libraries -- of origin

local plain_require = require
local getinfo, getlocal = debug.getinfo, debug.getlocal
local open, read_from = io.open, io.stdin.read -- the builtins: what is read here is told otherwise
local zeros = ("\0"):rep(16)

-- ---- files --------------------------------------------------------------------------------------

local own = {}

-- Whether a module is inside the engine, whose semantics number stands for it.
local function is_own(name)
  if own[name] == nil then
    own[name] = name:find("^tidemill%.") ~= nil or core.embedded(name) ~= nil
  end
  return own[name]
end

local function read(path)
  local file = open(path, "rb")
  local text = file and read_from(file, "*a")
  if file then file:close() end
  return text
end

local function literal_requires(text)
  local list = {}
  for name in text:gmatch("require%s*%(?%s*[\"']([^\"'\n]+)[\"']") do list[#list + 1] = name end
  return list
end

-- Takes down the text of a module; workers load it from there.
local function know(name, path, text, is_lua)
  local hash, before = core.hash(text), files[name]
  if before and before.hash ~= hash then replaced[name] = true end
  if is_lua then core.keep_module(name, path, text) end
  files[name] = { source = "@" .. path, path = path, hash = hash,
    required = is_lua and literal_requires(text) or {} }
  return files[name]
end

local function file_of(name)
  if files[name] ~= nil or package.preload[name] then return files[name] end
  local path, text = core.kept_module(name)
  local is_lua = path ~= nil
  if not path then
    path = package.searchpath(name, package.path)
    is_lua = path ~= nil
    path = path or package.searchpath(name, package.cpath)
    text = path and read(path)
  end
  files[name] = false
  return text and know(name, path, text, is_lua)
end

-- ---- what a module stands on ---------------------------------------------------------------------

local closures, hashes = {}, {}

-- The module and all that it requires, as far as that has files; sorted.
local function closure_of(name)
  if closures[name] then return closures[name] end
  local list, seen = {}, {}
  local function add(other)
    if not seen[other] and not libraries[other] and not is_own(other) then
      seen[other], list[#list + 1] = true, other
    end
  end
  add(name)
  local at = 1
  while list[at] do
    local file = file_of(list[at])
    for _, other in ipairs(file and file.required or {}) do add(other) end
    for other in pairs(file and calls[file.source] or {}) do add(other) end
    at = at + 1
  end
  table.sort(list)
  closures[name] = list
  return list
end

-- Hash of the sources of a module and of all that it requires, absent ones too.
local function hash_of(name)
  if is_own(name) then return zeros end
  if not hashes[name] then
    local parts = {}
    for _, other in ipairs(closure_of(name)) do
      local file = file_of(other)
      parts[#parts + 1] = other .. "\0" .. (file and file.hash or zeros)
    end
    hashes[name] = core.hash(table.concat(parts))
  end
  return hashes[name]
end

-- Calls visit(path, absent) for the files that would have been taken for a module's, had they been there.
local function each_absent(name, found, visit)
  local place = name:gsub("%.", "/")
  for template in package.path:gmatch("[^;]+") do
    local path = template:gsub("%?", (place:gsub("%%", "%%%%")))
    if path == found then return end
    visit(path, zeros)
  end
end

--- Calls visit(path, hash) for the files of a module and of what it requires, and for those that would
--- come first if they were there; their hash is that of absence.
function modules.each_source(name, visit)
  for _, other in ipairs(closure_of(name)) do
    local file = file_of(other)
    each_absent(other, file and file.path, visit)
    if file then visit(file.path, file.hash) end
  end
end

--- for name, path, hash in modules.each_file() do: the modules that are known to come from files.
function modules.each_file()
  local name
  return function()
    local file
    repeat name, file = next(files, name) until not name or file
    if name then return name, file.path, file.hash end
  end
end

-- ---- what a module held --------------------------------------------------------------------------

local watched = 1000 -- entries of a table inside a module: larger ones are data, not watched

local function loaded_tables()
  local found = { [_G] = true }
  for _, value in pairs(package.loaded) do
    if type(value) == "table" then found[value] = true end
  end
  return found
end

-- Copies of a module's table and of the tables in it, two levels deep; not of `others`, which are
-- modules themselves.
local function take(value, others)
  local list, seen = {}, {}
  local function add(from, path, depth)
    if seen[from] or builtins[from] ~= nil or (others[from] and from ~= value) then return end
    seen[from] = true
    local copy, keys, count = {}, {}, 0
    for key, member in next, from do
      copy[key], count = member, count + 1
      if type(key) == "string" and key ~= "" and not key:find("[.()]") then keys[#keys + 1] = key end
    end
    if path ~= "" and count > watched then return end
    table.sort(keys)
    list[#list + 1] = { table = from, copy = copy, keys = keys, path = path, meta = debug.getmetatable(from) }
    for _, key in ipairs(depth > 0 and keys or {}) do
      if type(copy[key]) == "table" then add(copy[key], path .. key .. ".", depth - 1) end
    end
  end
  if type(value) == "table" then add(value, "", 2) end
  return { value = value, tables = list }
end

local function keep(name, value, others)
  local kind = type(value)
  if kind ~= "table" and kind ~= "function" then return end
  snapshots[name] = take(value, others or loaded_tables())
  objects[value] = objects[value] or false
  stale = true
end

local function is_of_a_module(value)
  if builtins[value] ~= nil then return true end
  if type(value) == "function" then
    local info = debug.getinfo(value, "S")
    if info.what == "C" or info.source:find("^=%[tidemill%]") then return true end
    for _, file in pairs(files) do
      if file and file.source == info.source then return true end
    end
    return false
  end
  for _, other in pairs(package.loaded) do
    if other == value then return true end
  end
  return false
end

-- Modules that load their members on demand add to themselves: that is no change.
local function table_has_changed(was)
  for key, value in next, was.copy do
    if rawget(was.table, key) ~= value and value == value then return true end
  end
  for key, value in next, was.table do
    if was.copy[key] == nil then
      if not is_of_a_module(value) then return true end
      was.copy[key] = value
    end
  end
  return debug.getmetatable(was.table) ~= was.meta
end

local function has_changed(name)
  local was = snapshots[name]
  if replaced[name] or package.loaded[name] ~= was.value then return true end
  for _, each in ipairs(was.tables) do
    if table_has_changed(each) then return true end
  end
  return false
end

-- ---- names of objects ----------------------------------------------------------------------------

-- A table of functions, a class or a metatable; tables of data cross by value.
local function is_namespace(was)
  for key, member in next, was.copy do
    if type(member) == "function" or (type(key) == "string" and key:sub(1, 2) == "__") then
      return true
    end
  end
  return was.path == "" and was.meta ~= nil
end

local function name_object(object, name)
  if not objects[object] and builtins[object] == nil then objects[object] = name end
end

-- Names the objects of a module: those that its own file defines, or, later, the rest, so that
-- what several modules hand out is named after the one that it comes from.
local function name_objects(name, defined_here)
  local was, head = snapshots[name], hash_of(name) .. name .. "\0"
  local file = files[name]
  local source = file and file.source or "=[tidemill] " .. name .. ".lua"
  local function is_here(fn)
    return not defined_here or debug.getinfo(fn, "S").source == source
  end
  if type(was.value) == "function" and is_here(was.value) then name_object(was.value, head) end
  for _, each in ipairs(was.tables) do
    if is_namespace(each) then
      local path, here = head .. each.path, each.path == "" or not defined_here
      for _, key in ipairs(each.keys) do
        local member = each.copy[key]
        if type(member) == "function" and is_here(member) then
          here = true
          name_object(member, path .. key)
        end
      end
      if here then name_object(each.table, (path:gsub("%.$", ""))) end
      if here and type(each.meta) == "table" then name_object(each.meta, path .. "()") end
    end
  end
end

-- Modules that were loaded by other searchers than ours, or before the engine was.
local function find_others()
  local others = loaded_tables()
  for name, value in pairs(package.loaded) do
    local kind = type(value)
    if type(name) == "string" and not libraries[name] and (kind == "table" or kind == "function") then
      if value == modules or name == "tidemill.origin" then -- what they hold is of this state only
        snapshots[name] = nil
      elseif is_own(name) then
        snapshots[name] = take(value, others)
      elseif not snapshots[name] and file_of(name) then
        keep(name, value, others)
      end
    end
  end
end

local changed, loaded_count = {}, 0

local function look_for_changes()
  local count, found = 0, {}
  for _ in pairs(package.loaded) do count = count + 1 end
  if count ~= loaded_count then
    loaded_count, stale = count, true
    find_others()
  end
  for name in pairs(snapshots) do
    if not is_own(name) and has_changed(name) then found[name] = true end
  end
  for name in pairs(found) do stale = stale or not changed[name] end
  for name in pairs(changed) do stale = stale or not found[name] end
  changed = found
end

local function stands_on_a_change(name)
  if next(changed) == nil or is_own(name) then return false end
  for _, other in ipairs(closure_of(name)) do
    if changed[other] then return true end
  end
  return false
end

--- Brings `objects` up to date.
function modules.refresh()
  look_for_changes()
  if not stale then return end
  stale = false
  for object in pairs(objects) do objects[object] = nil end
  local list = {}
  for name in pairs(snapshots) do
    if not stands_on_a_change(name) then list[#list + 1] = name end
  end
  table.sort(list)
  for _, name in ipairs(list) do name_objects(name, true) end
  for _, name in ipairs(list) do name_objects(name, false) end
end

--- The other way: the object of a module at a path.
function modules.resolve(name, path)
  local value = plain_require(name)
  for key in path:gmatch("[^.]+") do
    local owner = value
    if key == "()" then
      value = debug.getmetatable(owner)
    else
      value = type(owner) == "table" and owner[key] or nil
    end
    if value == nil then
      error(("module \"%s\" has no \"%s\" in this Lua state"):format(name, path), 0)
    end
  end
  if objects[value] == nil and builtins[value] == nil then objects[value] = false end
  return value
end

-- ---- loading -------------------------------------------------------------------------------------

-- Like Lua's own searcher of package.path, but what is loaded is what is taken down.
local function search(name)
  local path = package.searchpath(name, package.path)
  local text = path and read(path)
  if not text then return nil end
  local chunk, problem = loadstring(text, "@" .. path)
  if not chunk then
    error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, problem), 0)
  end
  know(name, path, text, true)
  return function(...)
    local value = chunk(...)
    keep(name, value == nil and package.loaded[name] or value)
    return value
  end
end

-- What `require` keeps in package.loaded while it loads a module, and leaves there when that fails.
local loaded, unfinished = package.loaded, nil

local function learn_unfinished(name)
  package.preload[name] = function() unfinished = loaded[name] end
  plain_require(name)
  package.preload[name], loaded[name] = nil, nil
end

local loading = {} -- module -> the coroutine that has begun to load it; false: none, the main thread

local function this_coroutine()
  local thread, is_main = coroutine.running()
  return thread and not is_main and thread or false
end

-- What is called at a level of a thread's stack, and with what first.
local function call_at(thread, level)
  if thread then
    local info = getinfo(thread, level, "f")
    return info and info.func, info and select(2, getlocal(thread, level, 1))
  end
  local info = getinfo(level + 1, "f")
  return info and info.func, info and select(2, getlocal(level + 1, 1))
end

-- Whether somebody is still loading a module.  Who cannot be looked at may be.
local function is_loading(name)
  local thread = loading[name]
  if thread == nil or (not thread and this_coroutine()) then return true end
  local level = 0
  repeat
    local called, first = call_at(thread, level)
    if called == plain_require and first == name then return true end
    level = level + 1
  until not called
  return false
end

-- A module that has failed to load is loaded anew: all who ask for it are to hear the reason.
local function forget_failed(name)
  if loaded[name] == unfinished and not is_loading(name) then loaded[name] = nil end
  if loaded[name] == nil then loading[name] = this_coroutine() end
end

local function source_of_caller()
  for level = 3, 10 do
    local info = debug.getinfo(level, "S")
    if not info then return nil end
    if info.what ~= "C" then return info.source end
  end
end

-- Takes down who requires whom.  A tail call: messages name the caller's line.
local function tracked_require(name)
  if type(name) == "string" and not libraries[name] and not is_own(name) then
    local source = source_of_caller()
    if source then
      local known = calls[source] or {}
      calls[source] = known
      if not known[name] then known[name], closures, hashes, stale = true, {}, {}, true end
    end
    if modules.on_require then modules.on_require(name) end
  end
  if type(name) == "string" then forget_failed(name) end
  return plain_require(name)
end

--- Begins; `origin` is the module of that name.
function modules.install(origin)
  builtins, libraries = origin.builtins, origin.libraries
  table.insert(package.loaders, core.worker and 4 or 3, search) -- behind those of the engine
  learn_unfinished("tidemill.unfinished")
  origin.replace("require", tracked_require)
  if not core.worker and not core.owned then find_others() end -- somebody's state, in use already
end

return modules
