-- csv: delimited text becomes a frame of typed columns.
local core = require("tidemill.core")
local frame = require("tidemill.frame")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local csv = {}

local allowed = { "types", "columns", "delimiter", "missing", "date_format", "encoding", "ignore_case" }
local type_names = { bool = true, int8 = true, int16 = true, int32 = true, int64 = true, uint8 = true,
  uint16 = true, uint32 = true, uint64 = true, float32 = true, float64 = true, utf8 = true,
  dictionary = true, date = true, timestamp = true }

local function check_list(value, name)
  if value == nil then return nil end
  if type(value) ~= "table" then error(("read_csv: %s: expected a list of strings"):format(name), 4) end
  for i, item in ipairs(value) do
    if type(item) ~= "string" then
      error(("read_csv: %s[%d]: expected a string, got a %s"):format(name, i, type(item)), 4)
    end
  end
  return value
end

-- Types by column as two lists, for C.
local function check_types(types, out)
  local names = {}
  for column in pairs(types or {}) do names[#names + 1] = column end
  table.sort(names)
  out.type_columns, out.type_names = {}, {}
  for i, column in ipairs(names) do
    local name = types[column]
    if not type_names[name] then
      error(("read_csv: types.%s: unknown type \"%s\""):format(column, shown.name(name)), 4)
    end
    out.type_columns[i], out.type_names[i] = column, name
  end
  return out
end

-- Options as C wants them, and the function that chooses columns when there is one.
local function check(given)
  given = options.only(given, allowed, "read_csv", 3)
  local chooser = type(given.columns) == "function" and given.columns or nil
  if given.delimiter ~= nil and (type(given.delimiter) ~= "string" or #given.delimiter ~= 1) then
    error("read_csv: delimiter: expected one character", 3)
  end
  local out = {
    columns = not chooser and check_list(given.columns, "columns") or nil,
    missing = check_list(given.missing, "missing"),
    delimiter = given.delimiter,
    date_format = given.date_format,
    encoding = given.encoding ~= "" and given.encoding or nil,
    ignore_case = given.ignore_case,
  }
  check_types(given.types, out)
  if not chooser then return out end
  return out, function(names)
    local columns, types = chooser(names)
    return check_types(types or given.types, { columns = check_list(columns, "columns") })
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
  local rows, names, arrays = core.read_csv(path, check(given))
  return frame.new(rows, names, arrays)
end

--- Names of the columns of a delimited file.
---@param path string
---@param given? tidemill.csv_options
---@return string[]
function csv.header(path, given)
  if type(path) ~= "string" then error("read_header: expected a path, got a " .. type(path), 2) end
  local header
  core.read_csv(path, (check(given)), function(names)
    header = names
  end)
  return header
end

return csv
