-- helper: what specs share: the programs under test, processes, temporary folders, real data.
-- local helper = require "tests.spec.helper"; specs run from the root of the tree.
-- SPDX-License-Identifier: MIT

local shell = require "scripts.dev.shell"

local helper = {}

--- Folder of the programs under test, such as "build" or "build/asan".
helper.products = os.getenv("TIDEMILL_TEST_PRODUCTS") or "build"

--- release, debug, asan, tsan or scalar.
helper.config = os.getenv("TIDEMILL_TEST_CONFIG") or "release"

--- Whether sanitizers make everything slow, and take memory.
helper.sanitized = helper.config == "asan" or helper.config == "tsan"

package.cpath = helper.products .. "/?.so;" .. package.cpath

helper.quote, helper.read, helper.write = shell.quote, shell.read, shell.write
helper.capture, helper.lines = shell.capture, shell.lines

--- The text with its first `was` replaced, which it must hold.
function helper.swap(text, was, now)
  local from, to = text:find(was, 1, true)
  assert(from, was)
  return text:sub(1, from - 1) .. now .. text:sub(to + 1)
end

--- The seed of a random test: TIDEMILL_TEST_SEED, or another one each time; it is printed.
function helper.seed()
  local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time()
  print(("seed %d (repeat with TIDEMILL_TEST_SEED=%d)"):format(seed, seed))
  return seed
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Path of a file of the real data beside this tree, or nil when the data are not there:
--- `local path = helper.data("us_stocks/all_stocks_5yr.csv.gz") or pending("no real data")`.
function helper.data(name)
  local path = (os.getenv("TIDEMILL_TEST_DATA") or "../shared/data") .. "/" .. name
  return exists(path) and path or nil
end

--- The path from the root of all files.
function helper.absolute(path)
  return path:sub(1, 1) == "/" and path or helper.capture("pwd") .. "/" .. path
end

--- A new empty folder; `helper.remove(folder)` in `after_each` or `finally`.
function helper.folder()
  local path = shell.capture("mktemp -d")
  assert(path ~= "", "mktemp -d gave no folder")
  return path
end

function helper.remove(folder) os.execute("rm -rf " .. helper.quote(folder)) end

--- Runs a shell command and gives its stdout, stderr and exit status (128 + n: signal n).
--- A command that takes longer than `seconds` (default 120) ends with status 124.
function helper.shell(command, seconds)
  local folder = helper.folder()
  local status = os.execute(("timeout -k 5 %d sh -c %s >%s/out 2>%s/err </dev/null; exit $?")
    :format(seconds or 120, helper.quote(command), folder, folder))
  local out, err = helper.read(folder .. "/out"), helper.read(folder .. "/err")
  helper.remove(folder)
  return out, err, status / 256
end

--- Runs the command line under test: `helper.tidemill("run", "x.lua", "--quiet")`.
function helper.tidemill(...)
  local words = { helper.quote(helper.products .. "/tidemill") }
  for i = 1, select("#", ...) do words[i + 1] = helper.quote((select(i, ...))) end
  return helper.shell(table.concat(words, " "))
end

--- A column of a type with these cells, one a line, and its frame; an empty cell is missing.
---@param dtype string
---@param cells string
function helper.column(dtype, cells)
  local path = os.tmpname()
  helper.write(path, "x,y\n" .. cells:gsub("\n", ",0\n"))
  local frame = require("tidemill").read_csv(path, { types = { x = dtype } })
  os.remove(path)
  return frame.x, frame
end

return helper
