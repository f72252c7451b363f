-- npy: 4,000 x 4,000 float64 (128 MB) read from .npy files, in either order and mapped, and written; an array
-- made of 1,000 tables of 1,000; the call of a C function of one's own.  Best of 5.  Peer: NumPy, which
-- does not wait until the disk has what it writes, and ctypes.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local folder = "build/bench/npy"
assert(os.execute("rm -rf " .. folder .. " && mkdir -p " .. folder) == 0)

local n = 4000
local function save(name, order)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  local text = ("{'descr': '<f8', 'fortran_order': %s, 'shape': (%d, %d), }"):format(order, n, n)
  file:write("\147NUMPY\1\0\118\0", text, (" "):rep(117 - #text), "\n")
  local list = {}
  for i = 1, n do list[i] = i / 7 end
  local row = require("ffi").string(tm.array(list):pointer(), 8 * n)
  for _ = 1, n do file:write(row) end
  file:close()
end
save("c.npy", "False")
save("fortran.npy", "True")

local read = measure.best(5, function() tm.read_npy(folder .. "/c.npy", { mmap = false }) end)
local transposed = measure.best(5, function() tm.read_npy(folder .. "/fortran.npy") end)
local mapped = measure.best(5, function() return tm.read_npy(folder .. "/c.npy"):get(124, 457) end)
local whole = tm.read_npy(folder .. "/c.npy")
local write = measure.best(3, function() tm.write_npy(folder .. "/out.npy", whole) end)

local rows = {}
for i = 1, 1000 do
  rows[i] = {}
  for j = 1, 1000 do rows[i][j] = 1000 * i + j end
end
local nested = measure.best(5, function() tm.array(rows) end)

local add = tm.kernel_c { name = "add", source = "double add(double a, double b) { return a + b; }",
  cdef = "double add(double, double);" }
local call = measure.best(5, function()
  local sum = 0
  for _ = 1, 100000 do sum = add(sum, 1) end
  assert(sum == 100000)
end) / 100000

local peer = peers.python("npy.py", folder, add.path)
os.remove(add.path)
bench.row { name = ".npy of 128 MB into memory", ours = read, peer = "NumPy", peer_value = peer.load }
bench.row { name = ".npy of 128 MB in Fortran's order", ours = transposed, peer = "NumPy",
  peer_value = peer.transposed }
bench.row { name = ".npy of 128 MB mapped, one element", ours = mapped, peer = "NumPy",
  peer_value = peer.mapped }
bench.row { name = ".npy of 128 MB written", ours = write, peer = "NumPy", peer_value = peer.save }
bench.row { name = "array of 1,000 x 1,000 numbers", ours = nested, peer = "NumPy", peer_value = peer.rows }
bench.row { name = "call of a C function of one's own", ours = call, peer = "ctypes", peer_value = peer.call }
os.execute("rm -rf " .. folder)
