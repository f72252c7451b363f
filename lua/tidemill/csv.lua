-- csv: delimited text becomes a frame of typed columns.
local core = require("tidemill.core")
local frame = require("tidemill.frame")
local options = require("tidemill.options")
local shown = require("tidemill.shown")
local sorted = require("tidemill.sorted")

local csv = {}

local allowed = { "types", "columns", "delimiter", "missing", "date_format", "encoding", "ignore_case" }
local type_names = { bool = true, int8 = true, int16 = true, int32 = true, int64 = true, uint8 = true,
  uint16 = true, uint32 = true, uint64 = true, float32 = true, float64 = true, utf8 = true,
  dictionary = true, date = true, timestamp = true }

local function mismatch(what, name, expected, value, level)
  error(("%s: %s: expected %s, got %s"):format(what, name, expected, shown.value(value)), level + 1)
end

local function check_list(what, name, value, level)
  if value == nil then return nil end
  if type(value) ~= "table" then mismatch(what, name, "a list of strings", value, level + 1) end
  for i, item in ipairs(value) do
    if type(item) ~= "string" then mismatch(what, ("%s[%d]"):format(name, i), "a string", item, level + 1) end
  end
  return value
end

-- Types by column as two lists, for C.
local function check_types(what, types, out, level)
  if types ~= nil and type(types) ~= "table" then
    mismatch(what, "types", "a table such as {close = \"float64\"}", types, level + 1)
  end
  local names = {}
  for column in pairs(types or {}) do
    if type(column) ~= "string" then mismatch(what, "types", "names of columns", column, level + 1) end
    names[#names + 1] = column
  end
  table.sort(names)
  out.type_columns, out.type_names = {}, {}
  for i, column in ipairs(names) do
    local name = types[column]
    if not type_names[name] then
      error(("%s: types.%s: unknown type \"%s\""):format(what, column, shown.name(name)), level + 1)
    end
    out.type_columns[i], out.type_names[i] = column, name
  end
  return out
end

local texts = { date_format = "a text such as \"%d.%m.%Y\"", encoding = "a name such as \"GBK\"" }

local function check_words(what, given, level)
  if given.delimiter ~= nil and (type(given.delimiter) ~= "string" or #given.delimiter ~= 1) then
    mismatch(what, "delimiter", "one character", given.delimiter, level + 1)
  end
  for name, expected in sorted.pairs(texts) do
    local value = given[name]
    if value ~= nil and type(value) ~= "string" then mismatch(what, name, expected, value, level + 1) end
  end
  if given.ignore_case ~= nil and type(given.ignore_case) ~= "boolean" then
    mismatch(what, "ignore_case", "true or false", given.ignore_case, level + 1)
  end
end

-- Options as C wants them, and the function that chooses columns when there is one.
local function check(what, given, level)
  given = options.only(given, allowed, what, level + 1)
  check_words(what, given, level + 1)
  local chooser = type(given.columns) == "function" and given.columns or nil
  local out = {
    columns = not chooser and check_list(what, "columns", given.columns, level + 1) or nil,
    missing = check_list(what, "missing", given.missing, level + 1),
    delimiter = given.delimiter,
    date_format = given.date_format,
    encoding = given.encoding ~= "" and given.encoding or nil,
    ignore_case = given.ignore_case,
  }
  check_types(what, given.types, out, level + 1)
  if not chooser then return out end
  -- The engine calls it: what it gives has no place in the script.
  return out, function(names)
    local columns, types = chooser(names)
    return check_types(what, types or given.types, { columns = check_list(what, "columns", columns, -2) }, -2)
  end
end

---@class tidemill.csv_options
---@field types? table<string, string> type of a column by its name; the others are inferred
---@field columns? string[]|fun(names: string[]): string[], table? the columns to read, in this
---       order; or a function that is given the file's names and returns them (and types)
---@field delimiter? string one character; comma, semicolon or tab are recognised
---@field missing? string[] cells that count as missing
---@field date_format? string such as "%d.%m.%Y"
---@field encoding? string such as "GBK"; UTF-8 otherwise
---@field ignore_case? boolean names of `columns` and `types` match in any case

--- Reads a delimited file, plain or gzip, into a frame.
---
---     local t = tm.read_csv("prices.csv", {types = {close = "float64"}})
---     print(t.rows, t.close[1])
---@param path string
---@param given? tidemill.csv_options
---@return tidemill.frame
function csv.read(path, given)
  if type(path) ~= "string" then error("read_csv: expected a path, got a " .. type(path), 2) end
  local rows, names, arrays = core.read_csv(path, check("read_csv", given, 2))
  return frame.new(rows, names, arrays)
end

--- Names of the columns of a delimited file.
---@param path string
---@param given? tidemill.csv_options
---@return string[]
function csv.header(path, given)
  if type(path) ~= "string" then error("read_header: expected a path, got a " .. type(path), 2) end
  local header
  core.read_csv(path, (check("read_header", given, 2)), function(names)
    header = names
  end)
  return header
end

return csv
