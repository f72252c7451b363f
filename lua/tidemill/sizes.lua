-- sizes: numbers of bytes as people write them: 4096, "512MB" (10^6), "2GiB" (2^30), "50%".

local sizes = {}

local units = { b = 1 }
for power, letter in ipairs { "k", "m", "g", "t", "p" } do
  units[letter .. "b"] = 1000 ^ power
  units[letter .. "ib"] = 1024 ^ power
end

--- What a size may be, for messages.
sizes.expected = "bytes as a number, or text such as \"512MB\" (10^6) or \"2GiB\" (2^30)"

local function number_of(text)
  if not text:match("^%d+%.?%d*$") then return nil end
  return tonumber(text)
end

--- The whole number of bytes that a size stands for, or nil when it is none.
---@param size any
---@param whole? number what 100% is; without it no percentage is a size
---@return number?
function sizes.parse(size, whole)
  local bytes = type(size) == "number" and size or nil
  if type(size) == "string" then
    local text, unit = size:match("^%s*([%d.]+)%s*([%a%%]*)%s*$")
    local number = text and number_of(text)
    if unit == "%" and number and number > 100 then return nil end
    local factor = unit == "%" and whole and whole / 100 or unit == "" and 1
      or unit and units[unit:lower()]
    bytes = number and factor and number * factor
  end
  if not bytes or not (bytes >= 0 and bytes < 2 ^ 63) then return nil end
  return math.floor(bytes)
end

local seconds = { us = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600, d = 86400, [""] = 1 }

--- What a time may be, for messages.
sizes.expected_time = "seconds as a number above 0, or text such as \"250ms\" or \"5m\""

--- The seconds that a time stands for, or nil when it is none.
---@param time any
---@return number?
function sizes.seconds(time)
  if type(time) == "string" then
    local text, unit = time:match("^%s*([%d.]+)%s*(%a*)%s*$")
    local number, factor = text and number_of(text), unit and seconds[unit:lower()]
    time = number and factor and number * factor
  end
  if type(time) ~= "number" or not (time >= 0 and time < math.huge) then return nil end
  return time
end

--- A number of bytes for people: "100 MiB".
---@param bytes number
---@return string
function sizes.text(bytes)
  local power = 0
  while bytes >= 1024 and power < 5 do bytes, power = bytes / 1024, power + 1 end
  local unit = power == 0 and (bytes == 1 and "byte" or "bytes") or ("KMGTP"):sub(power, power) .. "iB"
  return ("%.4g %s"):format(bytes, unit)
end

return sizes
