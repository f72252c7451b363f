-- date: days since 1970-01-01 in the proleptic Gregorian calendar, and back.
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
  return ("%04d-%02d-%02d"):format(date.parts(days))
end

return date
