-- latency: submit -> result, one after another, and after 20 ms in which nothing happened;
-- medians.  The bare futex round trip (bench_futex) is measured in turns with ours: where the kernel
-- puts its two threads (on one CPU after a pause, so that nothing runs at the same time), and with
-- each on a CPU of its own, as the script and its workers are.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local rounds, idle_rounds, pause, turns = 5000, 25, 0.02, 4
local inc = tm.delayed(function(x) return x + 1 end, { name = "inc" })

-- Adds to `times`, and to `starts` what tm.submit took of them.
local function add_times(times, starts, count, seconds)
  for i = 1, count do
    if seconds > 0 then measure.sleep(seconds) end
    local began = tm.clock()
    local future = tm.submit(inc, i)
    local started = tm.clock()
    local value = future:result()
    times[#times + 1], starts[#starts + 1] = tm.clock() - began, started - began
    assert(value == i + 1)
  end
end

local hot, hot_start, idle, idle_start, futex = {}, {}, {}, {}, { hot = {}, idle = {}, apart = {} }
add_times({}, {}, rounds, 0) -- code is compiled, threads run
for _ = 1, turns do
  add_times(hot, hot_start, rounds, 0)
  add_times(idle, idle_start, idle_rounds, pause)
  local answer = peers.own("bench_futex", rounds, idle_rounds, pause * 1000)
  for name, times in pairs(futex) do times[#times + 1] = answer[name] end
end
hot, idle = measure.median(hot), measure.median(idle)

local dask = peers.python("dask_threads.py", "latency", 1000)
local ray = peers.python("ray_tasks.py", "latency", 500)
local loky = peers.python("joblib_pool.py", "loky", "latency", 100)
local function row(name, ours, peer, value, goal)
  bench.row { name = "submit -> result, " .. name, ours = ours, peer = peer, peer_value = value,
    goal = goal }
end
row("one after another", hot, "futex", measure.median(futex.hot), { at_most = 15e-6 })
row("of that, tm.submit alone", measure.median(hot_start))
row("one after another", hot, "Dask threads", dask.latency)
row("one after another", hot, "joblib loky", loky.latency)
row("one after another", hot, "Ray", ray.latency)
row("after 20 ms idle", idle, "futex, one CPU", measure.median(futex.idle))
if #futex.apart > 0 then
  row("after 20 ms idle", idle, "futex, two CPUs", measure.median(futex.apart), { above = 10e-6 })
end
row("of that, tm.submit alone", measure.median(idle_start))
row("after 20 ms idle", idle, "Dask threads", dask.after_idle)
row("after 20 ms idle", idle, "Ray", ray.after_idle)
