-- bench_run: runs benchmarks one after the other, each in a process of its own, and ends in one
-- table of their rows.  `make bench` calls it.
-- Usage: luajit bench_run.lua PRODUCTS PROGRAMS WORKERS SCRIPT...
-- A benchmark that fails is a row that says so; then the exit status is 1.  A goal that is not met
-- is no failure.  SPDX-License-Identifier: MIT
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, peers = require("bench_table"), require("peers")

local folder = os.getenv("TIDEMILL_BENCH_FOLDER") or "build/bench"
local seconds = 300 -- for one benchmark
local products, programs, workers = arg[1], arg[2], arg[3]
local rows = folder .. "/rows.tsv"

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- What a shell command prints first; "" when it prints nothing.
local function ask(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read("*l") or ""
  pipe:close()
  return text
end

-- Results mean little without these.
local function describe()
  local versions = ask(quote(peers.interpreter()) .. [[ -c '
import importlib.metadata as metadata, platform
found = ["Python " + platform.python_version()]
for name in ("dask", "ray", "joblib", "diskcache", "pandas"):
    try: found.append(name + " " + metadata.version(name))
    except metadata.PackageNotFoundError: found.append(name + " absent")
print(", ".join(found))']])
  local tbb = ask("test -e build/peers/tbb_graphs && pkg-config --modversion tbb")
  print(("machine  %s, %s CPUs, load %s before the start"):format(
    ask("sed -n 's/^model name.*: //p' /proc/cpuinfo"), ask("nproc"), ask("cut -d' ' -f1 /proc/loadavg")))
  print(("ours     %s, %s workers"):format(ask(products .. "/tidemill --version"), workers))
  print(("peers    %s, oneTBB %s"):format(versions ~= "" and versions or "no Python",
    tbb ~= "" and tbb or "absent"))
end

local function run(script)
  local environment = ("env TIDEMILL_BENCH_ROWS=%s TIDEMILL_BENCH_PROGRAMS=%s "
    .. "TIDEMILL_BENCH_WORKERS=%s TIDEMILL_BIN=%s/tidemill"):format(quote(rows), quote(programs),
    workers, quote(products))
  return os.execute(("%s timeout --foreground -k 10 %d %s/tidemill run --cache off --workers %s %s")
    :format(environment, seconds, quote(products), workers, quote(script))) / 256
end

if not arg[4] then
  io.stderr:write("bench: no benchmark has that name: only= takes a part of the name of one in tests/bench\n")
  os.exit(2)
end
os.execute("mkdir -p " .. quote(folder))
os.remove(rows)
describe()
local began, failures = os.time(), 0
for i = 4, #arg do
  print("\n" .. arg[i])
  io.flush()
  local status = run(arg[i])
  if status ~= 0 then
    failures = failures + 1
    bench.failed(rows, arg[i], status)
  end
end
print()
bench.print_table(rows)
print(("took %d s"):format(os.difftime(os.time(), began)))
os.exit(failures == 0 and 0 or 1)
