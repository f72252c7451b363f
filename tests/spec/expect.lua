-- expect: what specs demand of texts, of calls that must fail, and of processes that have ended.
-- SPDX-License-Identifier: MIT

local assert = require "luassert"

local expect = {}

function expect.contains(text, part)
  assert.is_truthy(text:find(part, 1, true), ("%q is not in:\n%s"):format(part, text))
end

--- The message of what fn raises, as it must.
function expect.problem(fn, ...)
  local fine, value = pcall(fn, ...)
  assert.is_false(fine, "nothing was raised")
  return tostring(value)
end

--- The same without its position.
function expect.message(fn, ...) return (expect.problem(fn, ...):gsub("^[^ ]+:%d+: ", "")) end

--- A result of process.run has this status; gives what was printed.
function expect.ends_with(status, result)
  assert.are.equal(status, result.status, "stdout: " .. result.out .. "\nstderr: " .. result.err)
  return result.out
end

--- A wrong command line ends with 2, says why on one line of stderr and nothing on stdout.
function expect.is_refused(message, result)
  expect.ends_with(2, result)
  assert.are.equal("tidemill: " .. message .. "\n", result.err)
  assert.are.equal("", result.out)
end

return expect
