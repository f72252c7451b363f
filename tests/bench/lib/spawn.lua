-- spawn: programs as whole processes, timed from their start: to their end, or to what they first say on
-- a terminal.  No shell stands between.  SPDX-License-Identifier: MIT
local ffi = require("ffi")
local tm = require("tidemill")

ffi.cdef [[
typedef struct { char opaque[128]; } bench_actions;
typedef struct { char opaque[512]; } bench_attributes;
int posix_spawn_file_actions_init(bench_actions *);
int posix_spawn_file_actions_destroy(bench_actions *);
int posix_spawn_file_actions_addopen(bench_actions *, int, const char *, int, unsigned);
int posix_spawnattr_init(bench_attributes *);
int posix_spawnattr_setflags(bench_attributes *, short);
int posix_spawnp(int *, const char *, const bench_actions *, const bench_attributes *, char *const [],
                 char *const []);
int waitpid(int, int *, int);
int kill(int, int);
int posix_openpt(int);
int grantpt(int);
int unlockpt(int);
const char *ptsname(int);
long read(int, void *, size_t);
long write(int, const void *, size_t);
int close(int);
]]
local C = ffi.C

local O_RDWR, O_NOCTTY, SIGKILL, SETSID = 2, 256, 9, 0x80

local spawn = {}

local function vector(list)
  local words = ffi.new("char *[?]", #list + 1)
  for i, word in ipairs(list) do words[i - 1] = ffi.cast("char *", word) end
  return words
end

-- The environment of every child: a home of its own, and nothing else.
local function environment(folder)
  return { "PATH=" .. (tm.env("PATH") or "/usr/bin:/bin"), "HOME=" .. folder, "TERM=xterm", "LC_ALL=C.UTF-8" }
end

-- Starts a program with this file as all three standard files; nil: there is no such program.
local function start(command, folder, file, session)
  local actions, attributes = ffi.new("bench_actions"), ffi.new("bench_attributes")
  local id, given = ffi.new("int[1]"), environment(folder)
  C.posix_spawn_file_actions_init(actions)
  C.posix_spawnattr_init(attributes)
  if session then C.posix_spawnattr_setflags(attributes, SETSID) end
  for i = 0, 2 do C.posix_spawn_file_actions_addopen(actions, i, file, O_RDWR, 0) end
  local failed = C.posix_spawnp(id, command[1], actions, attributes, vector(command), vector(given))
  C.posix_spawn_file_actions_destroy(actions)
  if failed ~= 0 then return nil end
  return id[0], given
end

--- Seconds from the start of a program to its end; nil: there is no such program, or it has failed.
function spawn.run(command, folder)
  local began = tm.clock()
  local id = start(command, folder, "/dev/null", false)
  if not id then return nil end
  local status = ffi.new("int[1]")
  C.waitpid(id, status, 0)
  return status[0] == 0 and tm.clock() - began or nil
end

--- A program on a terminal of its own; nil: there is none.  `screen:await(text)` gives what came up to
--- the text, nil at the end; `:say(text)` types; `:resident()` is in bytes; `:stop()` ends it.
function spawn.screen(command, folder)
  local master = C.posix_openpt(O_RDWR + O_NOCTTY)
  C.grantpt(master)
  C.unlockpt(master)
  local id = start(command, folder, ffi.string(C.ptsname(master)), true)
  if not id then
    C.close(master)
    return nil
  end
  local screen, buffer, seen = {}, ffi.new("char[4096]"), ""

  function screen.await(_, text)
    while true do
      local _, stop = seen:find(text, 1, true)
      if stop then
        local before = seen:sub(1, stop)
        seen = seen:sub(stop + 1)
        return before
      end
      local count = tonumber(C.read(master, buffer, 4096))
      if count <= 0 then return nil end
      seen = seen .. ffi.string(buffer, count)
    end
  end

  function screen.say(_, text) C.write(master, text, #text) end

  function screen.resident()
    for line in io.lines(("/proc/%d/status"):format(id)) do
      local kilobytes = line:match("^VmRSS:%s*(%d+)")
      if kilobytes then return tonumber(kilobytes) * 1024 end
    end
  end

  function screen.stop()
    C.kill(id, SIGKILL)
    C.waitpid(id, nil, 0)
    C.close(master)
  end

  return screen
end

return spawn
