-- test: runs C tests, specs, examples and checks one after the other and counts their tests.
-- Usage: luajit scripts/dev/test.lua CONFIG PRODUCTS RUN...; the path of a run says what it is.
-- What crashes, hangs or ends without its counts is one failed test.  SPDX-License-Identifier: MIT

local examples = dofile("scripts/dev/examples.lua")
local shell = dofile("scripts/dev/shell.lua")
local quote, capture = shell.quote, shell.capture

local config, products = arg[1], arg[2]
local logs = "build/" .. config .. "/log"
local seconds = (config == "asan" or config == "tsan") and 900 or 300

-- ---- How each kind of run is started --------------------------------------------------------

-- Tests see neither the user's cache nor the user's settings.
local function environment()
  local here = capture("pwd") .. "/"
  return table.concat({ "env",
    "TIDEMILL_TEST_CONFIG=" .. config,
    "TIDEMILL_TEST_PRODUCTS=" .. quote(here .. products),
    "XDG_CACHE_HOME=" .. quote(here .. logs .. "/cache"),
    "XDG_CONFIG_HOME=" .. quote(here .. logs .. "/config"),
    "UBSAN_OPTIONS=print_stacktrace=1",
    "TSAN_OPTIONS=" .. quote("second_deadlock_stack=1:handle_segv=0:handle_abort=0:suppressions=" .. here
      .. "tests/tsan.supp") },
    " ")
end

-- Leaks are looked for in programs that close what they open: memory that only a Lua state points to looks
-- leaked.  Where tasks crash by intent their processes end by the signal, as they do without sanitizers.
local crashes = "env ASAN_OPTIONS=handle_segv=0:handle_abort=0 "
local no_leaks = "env ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_abort=0 "

-- A stock program knows nothing of sanitizers: it gets the run-time library preloaded.
local function stock(host)
  local runtime = ({ asan = "libasan.so", tsan = "libtsan.so" })[config]
  if not runtime then return host end
  local library = capture((os.getenv("CC") or "cc") .. " -print-file-name=" .. runtime)
  return no_leaks .. "LD_PRELOAD=" .. quote(library) .. " " .. host
end

local function stock_luajit()
  return stock((os.getenv("LUAJIT") or "luajit") .. (config == "tsan" and " -joff " or " "))
end

-- Exit status 77: an example has said why it does not run here.
local function unless_absent(program, name, command)
  return ("sh -c %s"):format(quote(
    ("command -v %s >/dev/null || { echo 'skipped %s: no %s'; exit 77; }; %s"):format(
      program:match("%S+"), name, program, command)))
end

-- The first Python that has NumPy; there may be others than the system's.
local function python()
  for _, name in ipairs { os.getenv("PYTHON") or "python3", "/usr/bin/python3" } do
    if os.execute(quote(name) .. " -c 'import numpy' 2>/dev/null") == 0 then return name end
  end
  return os.getenv("PYTHON") or "python3"
end

local function python_example(path)
  local program, name = python(), path:match("([^/]*)%.py$")
  return unless_absent(program, name, stock(program .. " ") .. quote(path) .. " "
    .. quote(products .. "/libtidemill.so"))
end

local kinds = {
  { name = "spec", pattern = "_spec%.lua$", command = function(path)
    return stock_luajit() .. "scripts/dev/spec.lua " .. quote(path)
  end },
  { name = "embed", pattern = "^examples/embed/.*%.lua$", command = function(path)
    return "env LUA_CPATH=" .. quote(products .. "/?.so;;") .. " " .. stock_luajit() .. quote(path)
  end },
  { name = "embed", pattern = "^examples/embed/.*%.py$", command = python_example },
  { name = "embed", pattern = "^examples/embed/.*%.cpp$", command = function(path)
    return "sh -c " .. quote("echo 'skipped " .. path .. ": no C++ compiler'; exit 77")
  end },
  { name = "embed", pattern = "/examples/embed/[^/.]*$", command = function(path)
    return no_leaks .. quote(path)
  end },
  { name = "example", pattern = "^examples/.*%.lua$", command = function(path)
    return no_leaks .. products .. "/tidemill run " .. quote(path)
  end },
  { name = "docs", pattern = "%.md$", command = function(path)
    return no_leaks .. (os.getenv("LUAJIT") or "luajit") .. " scripts/dev/check_docs.lua "
      .. products .. " " .. quote(path)
  end },
  { name = "check", pattern = "%.sh$", command = function(path)
    return "sh " .. quote(path) .. " " .. config .. " " .. products
  end },
  { name = "C", pattern = "/test_[^/]*$", command = quote },
  { name = "C", pattern = "/embed_[^/]*$", command = function(path) return crashes .. quote(path) end },
}

local function kind_of(path)
  for _, kind in ipairs(kinds) do
    if path:match(kind.pattern) then return kind end
  end
  error("test.lua: nothing is known that runs " .. path, 0)
end

-- Runs a command with its output in files; its exit status (above 128: killed by a signal).
local function execute(command, log)
  local status = os.execute(("%s timeout --foreground -k 10 %d %s >%s 2>%s.err; exit $?"):format(
    environment(), seconds, command, log, log))
  if status > 0 and status < 256 then os.exit(130) end -- the shell itself was interrupted
  return status / 256
end

-- ---- Counting -------------------------------------------------------------------------------

local function why_of(status)
  if status == 124 then return ("stopped after %d seconds"):format(seconds) end
  if status > 128 then return ("killed by signal %d"):format(status - 128) end
  return ("exit status %d"):format(status)
end

-- What a C test or a spec said of itself.
local function count(output, status)
  local passed, failed, skipped = output:match("(%d+) passed, (%d+) failed, (%d+) skipped%s*$")
  if not passed then
    return { passed = 0, failed = 1, skipped = 0, why = why_of(status) .. ", and no counts" }
  end
  local result = {
    passed = tonumber(passed), failed = tonumber(failed), skipped = tonumber(skipped),
  }
  if status ~= 0 and result.failed == 0 then
    result.failed, result.why = 1, why_of(status)
  end
  return result
end

-- What an example must print is in its source: "build/release/examples/embed/x" is built from
-- "examples/embed/x.c" or "x.cpp".
local function source_of(path)
  if path:match("%.%a+$") then return path end
  local stem = path:match("examples/embed/.*$")
  return stem .. (shell.read_if_there(stem .. ".c") and ".c" or ".cpp")
end

local function judge_example(path, output, status)
  if status == 77 then return { passed = 0, failed = 0, skipped = 1 } end
  local why = status ~= 0 and why_of(status) or examples.compare(shell.read(source_of(path)), output)
  return { passed = why and 0 or 1, failed = why and 1 or 0, skipped = 0, why = why }
end

local function run(path)
  local kind = kind_of(path)
  local log = logs .. "/" .. path:gsub("^build/[^/]*/", ""):gsub("/", "-") .. ".log"
  local status = execute(kind.command(path), log)
  if status == 130 then os.exit(130) end
  local output = shell.read(log)
  local is_example = kind.name == "example" or kind.name == "embed"
  local result = is_example and judge_example(path, output, status)
    or count(output, status)
  result.kind, result.path, result.output = kind.name, path, output .. shell.read(log .. ".err")
  return result
end

-- ---- Telling --------------------------------------------------------------------------------

local function indented(text) return (text:gsub("%s+$", ""):gsub("[^\n]+", "    %0")) end

local function counts(result)
  local text = ("%d passed, %d failed"):format(result.passed, result.failed)
  return result.skipped > 0 and ("%s, %d skipped"):format(text, result.skipped) or text
end

local function tell(result)
  print(("%-8s %-40s %s"):format(result.kind, result.path:match("[^/]+$"), counts(result)))
  if result.failed > 0 then
    if result.output:match("%S") then print(indented(result.output:sub(-20000))) end
    if result.why then print(indented(result.path .. ": " .. result.why)) end
  else
    for note in result.output:gmatch("skipped [^\n]*:[^\n]*") do print("    " .. note) end
  end
  io.flush()
end

os.execute("rm -rf " .. logs .. " && mkdir -p " .. logs)
local total = { passed = 0, failed = 0, skipped = 0 }
for i = 3, #arg do
  local result = run(arg[i])
  tell(result)
  for name in pairs(total) do total[name] = total[name] + result[name] end
end
print()
print(counts(total))
os.exit(total.failed == 0 and 0 or 1)
