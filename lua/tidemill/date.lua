-- date: days since 1970-01-01 in the proleptic Gregorian calendar, and back.
local shown = require("tidemill.shown")

local date = {}

local floor = math.floor

--- Day number of a date (Hinnant, "chrono-compatible low-level date algorithms", days_from_civil).
---@return integer
function date.days(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = floor(year / 400)
  local of_era = year - era * 400
  local of_year = floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + floor(of_era / 4) - floor(of_era / 100) + of_year - 719468
end

--- Year, month and day of a day number (civil_from_days of the same source).
function date.parts(days)
  local z = days + 719468
  local era = floor(z / 146097)
  local of_era = z - era * 146097
  local year_of_era = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) -
    floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100))
  local shifted = floor((5 * of_year + 2) / 153)
  local month = shifted < 10 and shifted + 3 or shifted - 9
  local day = of_year - floor((153 * shifted + 2) / 5) + 1
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- "2018-02-07" of a day number.
---@param days integer
---@return string
function date.text(days)
  if type(days) ~= "number" or days % 1 ~= 0 or math.abs(days) > 2^31 then
    error("date_text: expected a day number from -2^31 to 2^31, got " .. shown.value(days), 2)
  end
  return ("%04d-%02d-%02d"):format(date.parts(days))
end

--- Day number of a text such as 2018-02-07, 2018/02/07 or 20180207; nil when it is no date.
---@param text string
---@return integer?
function date.read(text)
  local year, mark, month, day = text:match("^(%d%d%d%d)([-/]?)(%d%d)%2(%d%d)$")
  if not mark then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local days = date.days(year, month, day)
  local same_year, same_month, same_day = date.parts(days)
  if same_year == year and same_month == month and same_day == day then return days end
end

-- Seconds that a zone is ahead of UTC: "Z", "", "+02:00", "-0530", "+02".
local function zone_seconds(zone)
  if zone == "" or zone == "Z" then return 0 end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d*)$")
  if not sign or (#minutes ~= 2 and minutes ~= "") then return nil end
  local seconds = tonumber(hours) * 3600 + (tonumber(minutes) or 0) * 60
  return sign == "-" and -seconds or seconds
end

--- Microseconds since 1970 UTC of an ISO 8601 text, as a 64-bit integer: a date, or a date and a time
--- with T or a blank between them; without a zone it is UTC.  Nil when it is none.
---@param text string
---@return ffi.cdata*?
function date.read_time(text)
  local day, rest = text:match("^(%d+[-/]?%d+[-/]?%d+)(.*)$")
  local days = day and date.read(day)
  if not days then return nil end
  if rest == "" then return days * 86400000000LL end
  local hour, minute, more = rest:match("^[T ](%d%d):(%d%d)(.*)$")
  if not hour then return nil end
  local second, fraction, zone = more:match("^:(%d%d)%.?(%d*)(.*)$")
  local ahead = zone_seconds(zone or more)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second) or 0
  if not ahead or hour > 23 or minute > 59 or second > 59 then return nil end
  local micros = tonumber(((fraction or "") .. "000000"):sub(1, 6))
  return (days * 86400LL + (hour * 3600 + minute * 60 + second - ahead)) * 1000000LL + micros
end

--- "2018-02-07T10:30:00Z" of microseconds since 1970; a fraction of a second is written when there is one.
---@param time integer|ffi.cdata* a number or a 64-bit integer
---@return string
function date.time_text(time)
  local micros = time + 0LL
  local seconds = micros / 1000000LL
  local fraction = tonumber(micros - seconds * 1000000LL)
  if fraction < 0 then seconds, fraction = seconds - 1LL, fraction + 1000000 end
  seconds = tonumber(seconds)
  local days = floor(seconds / 86400)
  local of_day = seconds - days * 86400
  local text = ("%sT%02d:%02d:%02d"):format(date.text(days), floor(of_day / 3600),
    floor(of_day / 60) % 60, of_day % 60)
  if fraction > 0 then text = text .. (".%06d"):format(fraction):gsub("0+$", "") end
  return text .. "Z"
end

return date
