-- examples: compares what an example printed with the comment that ends it.
-- After "-- Output:" each line "-- text" is one printed line; "-- ..." stands for any lines,
-- <number> for any number.  In C and C++ the comment is "/* Output:", " * text" and " */", in
-- Python "# Output:" and "# text".
-- SPDX-License-Identifier: MIT

local examples = {}

--- Lines of a text, without blanks at their ends.
local function lines_of(text)
  local lines = {}
  for line in (text:gsub("%s+$", "") .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = (line:gsub("%s+$", ""))
  end
  return lines
end

examples.lines_of = lines_of

--- The lines promised by the source text of an example, or nil when it promises none.
function examples.expected(source)
  local block, lead = source:match("\n%-%- Output:[ ]*\n(.*)$"), "^%-%- ?(.*)$"
  if not block then
    block, lead = source:match("\n/%* Output:[ ]*\n(.*)\n %*/%s*$"), "^ %* ?(.*)$"
  end
  if not block then
    block, lead = source:match("\n# Output:[ ]*\n(.*)$"), "^# ?(.*)$"
  end
  if not block then return nil end
  local lines = lines_of(block)
  for i, line in ipairs(lines) do
    local text = line:match(lead)
    if not text then error(("line %d after Output: is no comment: %s"):format(i, line), 0) end
    lines[i] = text
  end
  return lines
end

local function line_matches(expected, line)
  local pattern = expected:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
    :gsub("<number>", "%%-?%%d[%%d.,e+-]*")
  return line:match("^" .. pattern .. "$") ~= nil
end

-- Whether expected[i..] fits printed[k..]; where it does not, the furthest line that differs.
local function fit(expected, printed, i, k)
  if i > #expected then return k > #printed, i, k end
  if expected[i] == "..." then
    for from = k, #printed + 1 do
      if fit(expected, printed, i + 1, from) then return true end
    end
    return false, i + 1, k
  end
  if k > #printed or not line_matches(expected[i], printed[k]) then return false, i, k end
  return fit(expected, printed, i + 1, k + 1)
end

--- nil when `output` is what `source` promises, else what differs.
function examples.compare(source, output)
  local ok, expected = pcall(examples.expected, source)
  if not ok then return expected end
  if not expected then return "it does not end with its expected output (Output:)" end
  return examples.differ(expected, output)
end

--- nil when `output` fits these lines, else what differs.
function examples.differ(expected, output)
  local printed = output:match("%S") and lines_of(output) or {}
  local fits, i, k = fit(expected, printed, 1, 1)
  if fits then return nil end
  return ("line %d of its output is\n  %s\nexpected\n  %s"):format(
    k, printed[k] or "(missing)", expected[i] or "(nothing)")
end

return examples
