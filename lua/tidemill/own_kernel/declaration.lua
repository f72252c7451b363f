-- declaration: reads C declarations of functions over numbers and arrays:
-- "double f(const double *x, int64_t n);".
-- SPDX-License-Identifier: MIT
local declaration = {}

-- C type -> type of the array that a pointer to it takes.
local dtypes = { bool = "bool", _Bool = "bool", int8_t = "int8", int16_t = "int16", int32_t = "int32",
  int64_t = "int64", uint8_t = "uint8", uint16_t = "uint16", uint32_t = "uint32", uint64_t = "uint64",
  float = "float32", double = "float64", char = "int8", ["signed char"] = "int8", ["unsigned char"] = "uint8",
  short = "int16", ["unsigned short"] = "uint16", int = "int32", unsigned = "uint32",
    ["unsigned int"] = "uint32",
  long = "int64", ["unsigned long"] = "uint64", ["long long"] = "int64", ["unsigned long long"] = "uint64",
  size_t = "uint64", ssize_t = "int64", ptrdiff_t = "int64", intptr_t = "int64", uintptr_t = "uint64" }

local ignored = { restrict = true, __restrict = true, __restrict__ = true, extern = true, volatile = true,
  register = true }

---@class tidemill.c_type
---@field name string as C has it, without qualifiers: "double"
---@field dtype? string type of an array's elements; none of "void"
---@field pointer boolean
---@field const boolean of a pointer: what it points to is not written

---@class tidemill.c_function
---@field name string
---@field result tidemill.c_type
---@field parameters tidemill.c_type[]
---@field text string the declaration, one for all ways of writing it
---@field volatile boolean the text had it, and `text` has it not

-- Words that no parameter can be called by: what stands before them is not the whole type.
local taken = { void = true, signed = true, struct = true, union = true, enum = true, _Complex = true,
  __int128 = true, inline = true, static = true }
for name in pairs(dtypes) do
  if not name:find(" ", 1, true) then taken[name] = true end
end

local basic = { short = true, long = true, signed = true, unsigned = true }

-- Without the words that C lets one say or leave out: "signed long int" is "long".
local function shortest(words)
  local list, sized = {}, false
  for _, word in ipairs(words) do sized = sized or basic[word] end
  for i, word in ipairs(words) do
    local idle = word == "int" and sized or word == "signed" and words[i + 1] ~= "char"
    if not idle then list[#list + 1] = word end
  end
  if sized and (#list == 0 or not taken[list[1]]) then table.insert(list, 1, "int") end -- "signed" alone
  return list
end

-- Words and stars of a type with or without a name after it; nil when it is none.
local function read_type(text)
  local words, stars, const = {}, 0, false
  text = text:gsub("%[[^%]]*%]", "*"):gsub("%*", " * ")
  for word in text:gmatch("%S+") do
    if word == "*" then
      stars = stars + 1
    elseif word == "const" then
      const = const or stars == 0
    elseif not word:find("^[%a_][%w_]*$") then
      return nil
    elseif not ignored[word] then
      words[#words + 1] = word
    end
  end
  if stars > 1 then return nil end
  words = shortest(words)
  -- The last word may be a parameter's name.
  for last = #words, taken[words[#words]] and #words or math.max(#words - 1, 1), -1 do
    local name = table.concat(words, " ", 1, last)
    if dtypes[name] or name == "void" then
      return { name = name, dtype = dtypes[name], pointer = stars == 1, const = const and stars == 1 }
    end
  end
end

local function type_text(t)
  return (t.const and "const " or "") .. t.name .. (t.pointer and " *" or "")
end

local function fail(text, expected, level)
  error(("kernel: cannot read the declaration \"%s\": expected %s"):format(text, expected), level + 1)
end

local function read_parameters(text, whole, level)
  local list = {}
  if text:find("^%s*$") or text:find("^%s*void%s*$") then return list end
  for part in (text .. ","):gmatch("([^,]*),") do
    local t = read_type(part)
    if not t or t.name == "void" then
      fail(whole, ("a number's type, or a pointer to one, instead of \"%s\""):format(
        part:gsub("^%s+", ""):gsub("%s+$", "")), level + 1)
    end
    list[#list + 1] = t
  end
  return list
end

local function read_one(text, level)
  local head, parameters = text:match("^([^()]*)%(([^()]*)%)$")
  local result_text, name = (head or ""):match("^(.-)([%a_][%w_]*)%s*$")
  if not name or result_text:find("^%s*$") then
    fail(text, "something like double f(const double *x, int64_t n)", level + 1)
  end
  local result = read_type(result_text)
  if not result or result.pointer then
    fail(text, "a number's type or void as the result; arrays come back by tm.kernel.out", level + 1)
  end
  local list, texts = read_parameters(parameters, text, level + 1), {}
  for i, parameter in ipairs(list) do texts[i] = type_text(parameter) end
  local normal = ("%s %s(%s)"):format(result.name, name, table.concat(texts, ", "))
  return { name = name, result = result, parameters = list, text = normal,
    volatile = text:find("volatile", 1, true) ~= nil }
end

--- The functions that a text declares, in order; raises at `level`.
---@param text string
---@return tidemill.c_function[]
function declaration.read(text, level)
  local list, seen = {}, {}
  local plain = ("\n" .. text):gsub("/%*.-%*/", " "):gsub("//[^\n]*", " "):gsub("\n%s*#[^\n]*", "\n")
  for part in (plain .. ";"):gmatch("([^;]*);") do
    part = part:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
    if part ~= "" then
      local found = read_one(part, level + 1)
      if seen[found.name] then
        error(("kernel: %s is declared twice"):format(found.name), level + 1)
      end
      seen[found.name] = true
      list[#list + 1] = found
    end
  end
  if #list == 0 then fail(text, "something like double f(const double *x, int64_t n);", level + 1) end
  return list
end

return declaration
