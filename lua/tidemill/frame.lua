-- frame: named columns of equal length.  A frame is a plain table with this metatable, so it
-- crosses between states with its columns by reference.
local blame = require("tidemill.blame")
local shown = require("tidemill.shown")

local frame = {}

---@class tidemill.frame
---@field rows integer
---@field columns string[] names in order
local methods = {}
frame.methods = methods

local meta = { __name = "tidemill.frame" }
frame.meta = meta

--- A frame from its parts; arrays[i] is the column names[i].
---@return tidemill.frame
function frame.new(rows, names, arrays)
  local by_name = {}
  for i, name in ipairs(names) do by_name[name] = arrays[i] end
  return setmetatable({ rows = rows, columns = names, arrays = by_name }, meta)
end

--- Whether `value` is a frame.
function frame.is(value) return type(value) == "table" and getmetatable(value) == meta end
local check_self = require("tidemill.receiver").check(frame.is, "a frame", "frame")

-- Blames the script, whose table of options or list a frame may have been taken for.
local function missing(self, name)
  error(("no column \"%s\"%s; the frame has %s"):format(shown.name(name),
    require("tidemill.suggest").phrase(name, self.columns), table.concat(self.columns, ", ")), blame.caller())
end

--- A column by name, whatever its characters.
---@param name string
---@return tidemill.array
function methods:column(name)
  check_self(self, "column")
  return rawget(self, "arrays")[name] or missing(self, name)
end

function meta.__index(self, key)
  local column = rawget(self, "arrays")[key]
  if column ~= nil then return column end
  return methods[key] or missing(self, key)
end

function meta.__len(self) return self.rows end

function meta.__tostring(self)
  return ("frame of %d rows: %s"):format(self.rows, table.concat(self.columns, ", "))
end

return frame
