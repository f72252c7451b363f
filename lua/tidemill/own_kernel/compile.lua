-- compile: C text becomes kernels: tm.kernel_c.  What is compiled is kept beside the cache under a name
-- made of text, flags and compiler, and compiled once.  SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local declaration = require("tidemill.own_kernel.declaration")
local options = require("tidemill.options")
local own = require("tidemill.own_kernel")
local shown = require("tidemill.shown")

local compile = {}

-- No contraction: the same bits on every machine, as in the library's own kernels.
local usual = { "-std=gnu11", "-O2", "-fPIC", "-shared", "-ffp-contract=off" }

local function words_of(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local function check_flags(flags)
  if flags == nil then return {} end
  if type(flags) == "string" then return words_of(flags) end
  if type(flags) ~= "table" then
    error(("kernel_c: flags: expected a text or a list of texts, got a %s"):format(type(flags)), 3)
  end
  for key in pairs(flags) do
    if type(key) ~= "number" then
      error(("kernel_c: flags: expected a list of texts, got a table with the key \"%s\""):format(
        shown.name(key)), 3)
    end
  end
  for i, flag in ipairs(flags) do
    if type(flag) ~= "string" then
      error(("kernel_c: flags[%d]: expected a text, got a %s"):format(i, type(flag)), 3)
    end
  end
  return flags
end

local function check_text(given, name)
  local text = given[name]
  if type(text) ~= "string" or text:find("%z") then
    error(("kernel_c: %s: expected a text, got %s"):format(name, text == nil and "nil" or
      type(text) == "string" and "one with a zero byte" or "a " .. type(text)), 3)
  end
  return text
end

-- The file that a program's name stands for, or nil.
local function find_program(name)
  if name:find("/", 1, true) then return core.path_kind(name) == "file" and name or nil end
  for folder in ((core.env("PATH") or "/usr/bin:/bin") .. ":"):gmatch("([^:]*):") do
    local path = (folder == "" and "." or folder) .. "/" .. name
    if core.path_kind(path) == "file" then return path end
  end
end

-- The compiler as words, and the hash of its program: CC, else what the machine has.
local function find_compiler()
  local wanted = core.env("CC")
  if wanted and wanted:find("%S") then
    local words = words_of(wanted)
    local path = find_program(words[1])
    if not path then error(("kernel_c: CC is \"%s\", and there is no such program"):format(wanted), 0) end
    return words, core.file_hash(path)
  end
  for _, name in ipairs { "cc", "gcc", "clang" } do
    local path = find_program(name)
    if path then return { path }, core.file_hash(path) end
  end
  error("kernel_c: no C compiler found: install gcc or clang, or name one in CC", 0)
end

-- Where compiled kernels are kept: beside the cache in use, else beside the user's.
local function folder()
  local _, _, path = core.setting("cache")
  if not path or path == "off" then path = core.user_cache() end
  if not path then
    error("kernel_c: no folder to keep compiled kernels in: HOME is not set; --cache FILE names one", 0)
  end
  return path .. "-kernels"
end

-- Types that a text need not have included the headers of, as every compiler has them.
local builtin = { bool = "_Bool", size_t = "__SIZE_TYPE__", ssize_t = "__INTPTR_TYPE__",
  ptrdiff_t = "__PTRDIFF_TYPE__", intptr_t = "__INTPTR_TYPE__", uintptr_t = "__UINTPTR_TYPE__" }
for _, bits in ipairs { 8, 16, 32, 64 } do
  builtin["int" .. bits .. "_t"] = "__INT" .. bits .. "_TYPE__"
  builtin["uint" .. bits .. "_t"] = "__UINT" .. bits .. "_TYPE__"
end

-- The text with its declarations behind it: a function that is another than its declaration would get and
-- give other numbers, and so does not compile.
local function declared_in(source, declared)
  local lines = { source, "#if defined __INT64_TYPE__ && !defined __cplusplus" }
  for number, item in ipairs(declared) do
    if source:find("%f[%w_]" .. item.name .. "%f[^%w_]") and not item.volatile then
      lines[#lines + 1] = ("#line %d \"cdef\""):format(number)
      lines[#lines + 1] = item.text:gsub("[%w_]+", builtin):gsub("%(%)$", "(void)") .. ";"
    end
  end
  lines[#lines + 1] = "#endif"
  return table.concat(lines, "\n")
end

-- What a compiler's failure is called.
local function failure(reason, log)
  if log:find("\ncdef:%d") or log:find("^cdef:%d") then
    reason = reason:gsub("does not compile$", "is not what its cdef declares")
  end
  return log == "" and reason or reason .. ":\n" .. log:gsub("\n+$", "")
end

-- The path of the compiled object.
local function object(name, source, flags)
  local words, compiler = find_compiler()
  for _, flag in ipairs(usual) do words[#words + 1] = flag end
  for _, flag in ipairs(flags) do words[#words + 1] = flag end
  local key = core.hash(table.concat({ "kernel_c/1", compiler or "", jit.arch, name, source,
    table.concat(words, "\1") }, "\0")):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  local place, target = folder(), name .. "-" .. key .. ".so"
  local path = place .. "/" .. target
  if core.path_kind(path) == "file" then return path end
  local fine, reason, log = core.compile(words, place, name, source, target)
  if fine then return path end
  if reason == "interrupted" then error(require("tidemill.errors").new({ message = reason }), 0) end
  if reason:sub(1, #place) == place then
    reason = reason .. "; compiled kernels are kept beside the cache: --cache FILE names another place"
  end
  error("kernel_c: " .. failure(reason, log), 0)
end

local allowed = { "name", "source", "cdef", "flags" }

---@class tidemill.kernel_source
---@field name? string letters, digits, _ and -: what the compiler's messages call the text; "kernel"
---@field source string C11
---@field cdef string the functions that are wanted, as in tm.kernel
---@field flags? string|string[] more flags for the compiler, such as "-march=native"

--- Compiles C text with the machine's compiler, once, and gives its functions as tm.kernel does.
---     local twice = tm.kernel_c{source = "double twice(double x) { return 2 * x; }",
---                               cdef = "double twice(double x);"}
---@param given tidemill.kernel_source
---@return tidemill.kernel|table<string, tidemill.kernel>
function compile.new(given)
  given = options.only(given, allowed, "kernel_c", 2)
  local source, cdef = check_text(given, "source"), check_text(given, "cdef")
  local name = given.name == nil and "kernel" or check_text(given, "name")
  if not name:find("^[%w_][%w_-]*$") or #name > 64 then
    error(("kernel_c: name: expected letters, digits, _ and -, got %q"):format(name), 2)
  end
  local flags, declared = check_flags(given.flags), declaration.read(cdef, 2)
  local fine, path = pcall(object, name, declared_in(source, declared), flags)
  if not fine then error(path, 2) end
  return own.kernels(path, declared, 1) -- a tail call: the caller is next
end

return compile
