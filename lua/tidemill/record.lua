-- record: what a person needs to trust a run or to repeat it, as JSON; and what differs between two.
local core = require("tidemill.core")
local json = require("tidemill.json")

local record = {}

-- ---- writing --------------------------------------------------------------------------------------

local function utc(microseconds)
  local seconds = math.floor(microseconds / 1e6)
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. (".%06dZ"):format(microseconds - seconds * 1e6)
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function hash_text(text)
  local bytes = core.hash(text)
  return hex(bytes:sub(9, 16):reverse() .. bytes:sub(1, 8):reverse()) -- high half first
end

local function modules_of()
  local list = {}
  for name, path, hash in require("tidemill.modules").each_file() do
    list[#list + 1] = { name = name, path = path,
      hash = hex(hash:sub(9, 16):reverse() .. hash:sub(1, 8):reverse()) }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return json.list(list)
end

--- The record of the run that ends: what `tidemill --record` writes.
---@param status integer exit status
---@param problem? string the error that has ended the script
---@param written? string what --json has written
---@param result any what the script returned
function record.text(status, problem, written, result)
  local facts = core.record_facts()
  local counts = require("tidemill.explain").counts()
  facts.schema = 1
  facts.start, facts["end"] = utc(facts.start), utc(facts["end"])
  facts.modules = modules_of()
  facts.arguments, facts.inputs = json.list(facts.arguments), json.list(facts.inputs)
  facts.warnings = json.list(facts.warnings)
  facts.hits, facts.misses, facts.misses_by_cause = counts.hits, counts.misses, counts.causes
  facts.not_cached, facts.without_key = counts.not_cached, counts.without_key
  facts.exit_status, facts.error = status, problem
  facts.outputs = { json = written and hash_text(written), result = core.content(result) }
  return json.encode(facts) .. "\n"
end

--- From here on files that the script itself opens are in the record, too.
function record.watch()
  local origin = require("tidemill.origin")
  local function watch(name, builtin, reads)
    origin.replace(name, function(path, ...)
      if type(path) == "string" and (not reads or reads(...)) then core.record_file(path) end
      return builtin(path, ...)
    end)
  end
  watch("io.open", io.open, function(mode)
    return mode == nil or (type(mode) == "string" and mode:find("^r") ~= nil)
  end)
  watch("io.lines", io.lines)
  watch("io.input", io.input)
  watch("dofile", dofile)
  watch("loadfile", loadfile)
end

-- ---- comparing ------------------------------------------------------------------------------------

-- How a run went, which is another each time.
local passing = { start = true, ["end"] = true, hits = true, misses = true, misses_by_cause = true,
  not_cached = true, without_key = true }

local names = { inputs = true, modules = true } -- lists whose members have names

local function by_name(list)
  local out = {}
  for _, member in ipairs(list) do out[(member.kind and member.kind .. " " or "") .. member.name] = member end
  return out
end

local function text_of(value)
  if value == nil then return "nothing" end
  if type(value) == "table" then return json.encode(value) end
  return tostring(value)
end

local function keys_of(a, b)
  local seen, list = {}, {}
  for _, value in ipairs({ a, b }) do
    for key in pairs(value) do
      if not seen[key] then seen[key], list[#list + 1] = true, key end
    end
  end
  table.sort(list, function(x, y) return tostring(x) < tostring(y) end)
  return list
end

local function compare(path, a, b, out)
  if type(a) == "table" and type(b) == "table" then
    if names[path] then a, b = by_name(a), by_name(b) end
    for _, key in ipairs(keys_of(a, b)) do
      if path ~= "" or not passing[key] then
        compare(path == "" and key or ("%s.%s"):format(path, key), a[key], b[key], out)
      end
    end
  elseif a ~= b then
    out[#out + 1] = ("%s: %s -> %s"):format(path, text_of(a), text_of(b))
  end
end

local function read(path)
  local file, problem = io.open(path, "rb")
  if not file then error(problem, 0) end
  local text = file:read("*a")
  file:close()
  local fine, value = pcall(json.decode, text or "")
  if not fine or type(value) ~= "table" then
    error(("%s: not a record of a run (%s)"):format(path, fine and "no object" or tostring(value)), 0)
  end
  if value.schema ~= 1 then
    error(("%s: a record of schema %s; this release reads 1"):format(path, text_of(value.schema)), 0)
  end
  return value
end

--- What differs between two records, a line each; "" when nothing does.
function record.compare(first, second)
  local out = {}
  compare("", read(first), read(second), out)
  return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

return record
