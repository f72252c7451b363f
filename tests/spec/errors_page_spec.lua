-- docs/errors.md: each of its messages is raised by what stands behind it, and covers what the sources
-- say to people; of those that it leaves out this file has the reason.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local sites = require "tests.spec.message_sites"

local here = helper.capture("pwd")
local products = helper.absolute(helper.products)
local sanitized = helper.sanitized

-- ---- The page -------------------------------------------------------------------------------

-- Code between single or double backticks.
local function codes_of(text)
  local codes = {}
  for _, code in text:gmatch("(`+)(.-)%1") do codes[#codes + 1] = code:match("^ ?(.-) ?$") end
  return codes
end

-- Entries: {line, forms, remedy, tries}.
local function read_page()
  local entries, number = {}, 0
  for line in helper.read("docs/errors.md"):gmatch("([^\n]*)\n") do
    number = number + 1
    if line:match("^%- %*%*`") then
      entries[#entries + 1] = { line = number, text = line }
    elseif line:match("^  %S") and #entries > 0 and not entries[#entries].closed then
      entries[#entries].text = entries[#entries].text .. " " .. line:match("^%s*(.*)$")
    elseif #entries > 0 then
      entries[#entries].closed = true
    end
  end
  for _, entry in ipairs(entries) do
    entry.forms = {}
    local head, rest = entry.text:match("^%- (%*%*`.-`%*%*) ([^,*].*)$")
    for form in (head or ""):gmatch("%*%*`(.-)`%*%*") do entry.forms[#entry.forms + 1] = form end
    entry.remedy = rest and rest:match("%*Remedy:%*")
    entry.tries = codes_of(rest and rest:match("%*Try:%*(.*)$") or "")
  end
  return entries
end

local page = read_page()

-- The texts between the "..." of a form, each of which is any text.
local pieces_of = setmetatable({}, { __index = function(self, form)
  local pieces, from = {}, 1
  while true do
    local at, to = form:find("...", from, true)
    pieces[#pieces + 1] = form:sub(from, (at or 0) - 1)
    if not at then break end
    from = to + 1
  end
  self[form] = pieces
  return pieces
end })

local function fits(form, text)
  local pieces = pieces_of[form]
  if #pieces == 1 then return form == text end
  local first, last = pieces[1], pieces[#pieces]
  if text:sub(1, #first) ~= first then return false end
  local at = #first + 1
  for i = 2, #pieces - 1 do
    local _, to = text:find(pieces[i], at, true)
    if not to then return false end
    at = to + 1
  end
  return #text - #last + 1 >= at and (last == "" or text:sub(-#last) == last)
end

-- ---- Raising --------------------------------------------------------------------------------

local folder

-- A program that makes these calls and prints what each leaves as the engine's error.
local function c_program(calls)
  local lines = { [[
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <tidemill.h>
#include <unistd.h>
static void say(tidemill *engine)
{
    printf("tidemill: %s\n", tidemill_error(engine));
    fflush(stdout);
}
static tidemill_status a_function(void *context, tidemill_invocation *invocation,
                                  const tidemill_value *arguments, size_t count,
                                  tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count, (void)results;
    return TIDEMILL_OK;
}
static tidemill_status in_child_of_fork(tidemill *engine)
{
    fflush(stdout);
    if (fork() == 0) {
        tidemill_run_string(engine, "return 1", "child", 0, NULL);
        say(engine);
        _exit(0);
    }
    wait(NULL);
    return TIDEMILL_OK;
}
int main(void)
{
    tidemill_config config = {.size = sizeof config, .cache = "off"};
    tidemill *engine, *sandbox, *unlimited, *other = NULL;
    tidemill_value value;
    tidemill_job *job = NULL;
    char *text = NULL;
    if (tidemill_open(&config, &engine) != TIDEMILL_OK) return 1;
    config.sandbox = 1;
    if (tidemill_open(&config, &sandbox) != TIDEMILL_OK) return 1;
    config.sandbox = 0, config.deadline = 60;
    if (tidemill_open(&config, &unlimited) != TIDEMILL_OK) return 1;]] }
  for _, call in ipairs(calls) do
    lines[#lines + 1] = ("    other = NULL;\n    if (%s != TIDEMILL_OK)\n        say(other ? other : %s);"
      .. "\n    tidemill_close(other);\n    puts(\"--\");"):format(call, call:match("%((%l+), ") or "engine")
  end
  lines[#lines + 1] = "    (void)value, (void)in_child_of_fork, (void)a_function, (void)text, (void)job;"
  for _, name in ipairs { "engine", "sandbox", "unlimited" } do
    lines[#lines + 1] = ("    tidemill_close(%s);"):format(name)
  end
  lines[#lines + 1] = "    fflush(stdout);\n    _exit(0); /* one engine is busy for ever */\n}\n"
  return table.concat(lines, "\n")
end

local function is_call(code) return code:match("^%(?tidemill_%w") or code:match("^in_child") end

-- call -> what it printed, of all calls in C of the page.
local function run_calls()
  local calls, said = {}, {}
  for _, entry in ipairs(page) do
    for _, code in ipairs(entry.tries) do
      if is_call(code) then calls[#calls + 1] = code end
    end
  end
  helper.write(folder .. "/calls.c", c_program(calls))
  local out, err, status = helper.shell(("cd %s && %s -Wall -I%s/host/include -o calls calls.c -L%s "
    .. "-ltidemill -Wl,-rpath,%s && ./calls"):format(folder, os.getenv("CC") or "cc", here, products,
    products))
  assert(status == 0, out .. err)
  local number = 0
  for text in out:gmatch("(.-)%-%-\n") do
    number = number + 1
    said[calls[number]] = text
  end
  assert(number == #calls)
  return said
end

local commands = " tidemill echo mkdir timeout printf "

local function is_command(code)
  local first = code:match("^%S+")
  return first:match("^[A-Z_]+=") or commands:find(" " .. first .. " ", 1, true)
end

-- Memory that a sanitizer cannot give is refused as without one.
local without_memory = [[ASAN_OPTIONS="$ASAN_OPTIONS:allocator_may_return_null=1" ]]
  .. [[TSAN_OPTIONS="$TSAN_OPTIONS:allocator_may_return_null=1"]]

-- What a try says on stderr (of a call in C: what the engine has kept).
local function said_by(code, calls)
  if calls[code] then return calls[code] end
  local command = is_command(code) and code
    or "tidemill --cache off -e " .. helper.quote(code)
  local out, err = helper.shell(("cd %s && export PATH=%s:$PATH XDG_CACHE_HOME=%s/cache %s && %s")
    :format(folder, products, folder, without_memory, command), 60)
  return err .. out
end

-- Whether some line, without the program's name and the place in front, has the form.
local function is_said(form, text)
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local message = line:match("^tidemill: (.*)$") or line:match("^luajit: (.*)$") or line
    while message do
      if fits(form, message) then return true end
      message = message:match("^[%w_./-]+:%d+: (.*)$")
    end
  end
  return false
end

-- What all tries of an entry say, and whether all were made: what a stock program calls needs the
-- sanitizer's library in front.
local function raise(entry, calls)
  local said, whole = {}, true
  for _, code in ipairs(entry.tries) do
    if sanitized and (is_call(code) or code:find("luajit", 1, true)) then
      whole = false
    else
      said[#said + 1] = said_by(code, calls)
    end
  end
  return table.concat(said, "\n"), whole
end

-- ---- Coverage -------------------------------------------------------------------------------

-- Files whose messages are the last part of a form: what they say stands behind a name, or in it.
local parts = {
  { "^host/bind/encode", "cannot send ... to a task (...)..." },
  { "^host/lane/response%.c$", "http_get: ...: ..." },
  { "^lua/tidemill/http%.lua$", "http_get: ...: ..." },
  { "^host/data/blas%.c$", "...: no BLAS: ..." },
  { "^host/cache/", "cache ...: not a SQLite database; going on without a cache" },
  { "^host/data/npy", "...: byte ... of the .npy header: ..." },
  { "^host/outfile%.c$", "--json: ..." },
  { "^lua/tidemill/kernels/", "...: expected ...(...): ..." },
  { "^lua/tidemill/linalg/", "...: expected ...(...): ..." },
  { "^lua/tidemill/recommend%.lua$", "...: expected ..." },
  { "^lua/tidemill/json%.lua$", "json: ..." },
  { "^lua/tidemill/lazy/pick%.lua$", "slice: ..." },
  { "^lua/tidemill/lazy/grid%.lua$", "...: chunks: ..." },
  { "^lua/tidemill/own_kernel/declaration%.lua$", "kernel: ..." },
  { "^lua/tidemill/own_kernel", "kernel: ..." },
  { "^lua/tidemill/connection%.lua$", "connection to ...: ..." },
  { "^host/base/compile%.c$", "kernel_c: ..." },
  { "^host/base/library%.c$", "kernel: ..." },
  { "^host/bind/settings_read", "...: unknown setting \"...\"..." },
  { "^host/bind/watch%.c$", "trace ...: ... events did not fit; ..." },
  { "^host/main%.c$", "stdout: ..." },
  { "^host/bind/lib_io%.c$", "stdout: ..." },
  { "^lua/tidemill/cache%.lua$", "cache.put: cannot keep ... in the cache (...)" },
  { "^lua/tidemill/lazy/chunk%.lua$", "...: element ... is ..., which ... cannot hold" },
  { "^lua/tidemill/server%.lua$",
    "cannot send a server to a task (...); it stays where it was made: ..." },
  { "^lua/tidemill/sandbox%.lua$", "... is not allowed in a task..." },
  { "^lua/tidemill/array/convert%.lua$", "... is ..., expected ..." },
  { "^lua/tidemill/array%.lua$", "...: ... ind... for an array of ... axes" },
}

local own = "of the library's own calls into the engine, which it makes right"

-- What nobody sees who uses the engine as it is meant, or what cannot be brought about at will.
local unseen = {
  { "^host/bind/bytecode%.c$", ".", "of bytes that no LuaJIT writes: a damaged worker or cache" },
  { "^host/bind/dump%.c$", ".", "of bytes that no LuaJIT writes: a damaged worker or cache" },
  { "^host/bind/decode%.c$", ".", "of values that no encoder writes" },
  { "^host/bind/lib_operation%.c$", "^the operation ", own },
  { "^host/bind/lib_graph%.c$", "^not", own },
  { "^host/bind/lib_run%.c$", "^no", own },
  { "^host/bind/lib_node%.c$", "^no", own },
  { "^host/bind/lib_run%.c$", "was released", own },
  { "^host/bind/lib_task%.c$", "^no ", own },
  { "^host/bind/lib_view%.c$", "^no ", own },
  { "^host/bind/api_function%.c$", "^too few results$", own },
  { "^host/bind/api_function%.c$", "is no table$", "of a name inside of a name that is taken" },
  { ".", "cache clear: this engine", "takes a host that clears all of the cache it has open" },
  { "^host/bind/api_function%.c$", "unknown flags", "of flags that no header has" },
  { ".", "there is no such function", "between the engine and the process of its script" },
  { ".", "host program's function failed", "where an error has no text of its own" },
  { ".", "a sandbox gives data alone", "takes a host; tests/c/embed_sandbox.c brings it about" },
  { ".", "not found in package.path", "of a module that the host has named; its text says which" },
  { "^host/bind/api_close%.c$", "call of another thread", "takes two threads; tests/c/embed_close.c" },
  { "^host/bind/gate%.c$", "call of another thread", "takes two threads; tests/c/embed_close.c" },
  { ".", "close: not from a function", "takes a host; tests/c/embed_close.c brings it about" },
  { ".", "close: not while a thread", "takes a host; tests/c/embed_poll.c brings it about" },
  { ".", "poll: out of descriptors", "the system has no descriptors left" },
  { ".", "submit: more than 200 arguments", "takes a host with many arguments" },
  { ".", "ended before it was ready", "takes a host that reaps what it finds; tests/c/embed_process.c" },
  { ".", "not from a task: ", "takes a host; tests/c/embed_function.c brings it about" },
  { ".", "%(Arrow format", "takes another library; tests/c/test_arrow.c brings it about" },
  { ".", "a frame that was changed", "takes a script that spoils a frame; tests/c/test_arrow.c" },
  { ".", "two columns are called", "takes another library; tests/c/test_arrow.c" },
  { ".", "two coroutines of a task", "coroutines of a task wait one on top of the other" },
  { ".", "damaged", "of bytes that no encoder writes" },
  { ".", "stale node", "a handle that a script has made up" },
  { ".", "unsound ", "of plans that the library does not make" },
  { ".", "^cannot start ", "the system has no threads or processes left" },
  { ".", "cannot watch a worker", "the system has no descriptors left" },
  { ".", "cannot talk to the script", "the system has no descriptors left" },
  { ".", "60000 arguments", "LuaJIT's unpack and stack end before" },
  { ".", "more than 2 GiB", "takes gigabytes" },
  { ".", "more than 1 GiB", "takes gigabytes" },
  { ".", "more than 1000000 columns", "takes long" },
  { ".", "did not converge", "no input is known that LAPACK gives up on" },
  { "^repl/", ".", "of commands of the session, which docs/repl.md shows" },
  { ".", "engine is closing", "a race with the end of a program" },
  { ".", "was not opened", "of an engine whose opening has failed and told why" },
  { ".", "no process lane here", "of an engine whose process lane has failed and told why" },
  { "^host/bind/api%.c$", "^tidemill: ", "of a Lua that cannot load the module at all" },
  { ".", "an array of no axes", "its axis is looked at before" },
  { ".", "needs LuaJIT 2.1", "of a Lua that cannot load the module at all" },
  { ".", "^an error", "where an error has no text of its own" },
  { ".", "failed without a reason", "where an error has no text of its own" },
  { ".", "cannot load the worker's loop", "the library itself is damaged" },
  { ".", "cannot prepare a Lua state", "the library itself is damaged" },
  { ".", "of another release", "takes two releases" },
  { ".", "gives no random numbers", "no Linux does that" },
  { ".", "signals cannot be watched", "the system has no descriptors left" },
  { ".", "^cannot share ", "the system has no memory left" },
  { ".", "shared memory that has no", "between the engine and its own worker" },
  { ".", "memory of less than", "asked for by the engine alone, which knows the size" },
  { ".", "unknown type X of column", "read_csv has looked at the name before" },
  { ".", "no disk to spill to", "takes a machine whose temporary folders are in memory" },
  { ".", "^cannot spill to", "takes a disk that is full" },
  { ".", "could not be read back", "takes a disk that fails" },
  { ".", "shared values inside each other", "takes hundreds of tm.share inside each other" },
  { ".", "wait for channels", "takes 200 processes" },
  { ".", "more than one key begins", "takes thousands of entries, and luck" },
  { ".", "neither XDG_CACHE_HOME nor HOME", "takes a user who is not in the system's list" },
  { ".", "syntax error$", "where LuaJIT gives no text" },
  { ".", "2%^53 elements", "takes a shape beyond every memory" },
}

local function covered(path, text)
  local words = text:gsub("X", ""):gsub("[^%a ]", "")
  -- What another place or the system says, and names that are put into a text.
  if #words < 3 or not text:find(" ", 1, true) then return "passed on" end
  for _, entry in ipairs(page) do
    for _, form in ipairs(entry.forms) do
      if fits(form, text) or fits(form, text .. "X") or fits(form, "X: " .. text) then return form end
    end
  end
  for _, reason in ipairs(unseen) do
    if path:match(reason[1]) and text:match(reason[2]) then
      reason.used = true
      return reason[3]
    end
  end
  for _, part in ipairs(parts) do
    if path:match(part[1]) then
      part.used = true
      return part[2]
    end
  end
end

describe("each entry of docs/errors.md", function()
  it("has a message, a remedy, and code that raises it", function()
    assert.is_true(#page > 80, #page .. " entries")
    for _, entry in ipairs(page) do
      assert.is_true(#entry.forms > 0, "line " .. entry.line .. ": no message")
      assert.is_truthy(entry.remedy, "line " .. entry.line .. ": no remedy")
      assert.is_true(#entry.tries > 0, "line " .. entry.line .. ": nothing raises it")
    end
  end)

  it("is raised as it says, each of its messages", function()
    folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local calls, missing = sanitized and {} or run_calls(), {}
    for _, entry in ipairs(page) do
      local said, whole = raise(entry, calls)
      for _, form in ipairs(entry.forms) do
        if whole and not is_said(form, said) then
          missing[#missing + 1] = ("line %d: %s\n  they say: %s"):format(entry.line, form, said:sub(1, 600))
        end
      end
    end
    assert.are.equal("", table.concat(missing, "\n"))
  end)
end)

describe("docs/errors.md", function()
  it("covers what the sources say to people", function()
    local missing, count = {}, 0
    sites.each(function(path, line, text)
      count = count + 1
      if not covered(path, text) then
        missing[#missing + 1] = ("%s:%d: %s"):format(path, line, text)
      end
    end)
    assert.is_true(count > 900)
    assert.are.equal("", table.concat(missing, "\n"))
    local forms = {}
    for _, entry in ipairs(page) do
      for _, form in ipairs(entry.forms) do forms[form] = true end
    end
    local idle = {}
    for _, list in ipairs { parts, unseen } do
      for _, rule in ipairs(list) do
        local fine = rule.used and (list == unseen or forms[rule[2]])
        if not fine then idle[#idle + 1] = rule[1] .. " " .. rule[2] end
      end
    end
    assert.are.equal("", table.concat(idle, "\n"))
  end)
end)
