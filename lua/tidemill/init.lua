-- tidemill: the public face: local tm = require "tidemill".
-- Nothing is done here; each function's own module is loaded when it is first used.
local core = require("tidemill.core")

---@class tidemill
local tm = { _VERSION = core.version }

-- name -> {module, name in the module}; a module alone stands for itself.
local face = {
  delayed = { "task", "delayed" },
  compute = { "compute", "all" },
  graph = { "graph", "new" },
  literal = { "graph", "literal" },
  submit = { "future", "submit" },
  gather = { "compute", "gather" },
  wait = { "future", "wait" },
  sleep = { "wait", "sleep" },
  cache = { "cache" },
  channel = { "channel", "new" },
  share = { "channel", "share" },
  as_completed = { "future", "as_completed" },
  cancel = { "future", "cancel" },
  pool = { "pool", "new" },
  map = { "map", "map" },
  batch = { "batch", "batch" },
  each_worker = { "map", "each_worker" },
  submit_all = { "map", "submit_all" },
  recommend = { "recommend", "recommend" },
  autotune = { "autotune", "autotune" },
  visualize = { "visualize", "many" },
  array = { "array", "from" },
  zeros = { "lazy.make", "zeros" },
  ones = { "lazy.make", "ones" },
  full = { "lazy.make", "full" },
  arange = { "lazy.make", "arange" },
  linspace = { "lazy.make", "linspace" },
  eye = { "lazy.make", "eye" },
  random = { "lazy.random" },
  concat = { "lazy.join", "concat" },
  stack = { "lazy.join", "stack" },
  where = { "lazy", "where" },
  from_buffer = { "array", "from_buffer" },
  read_csv = { "csv", "read" },
  read_header = { "csv", "header" },
  read_npy = { "npy", "read" },
  write_npy = { "npy", "write" },
  read_text = { "files", "read" },
  write_text = { "files", "write" },
  http_get = { "http", "get" },
  connect = { "connection", "connect" },
  listen = { "server", "listen" },
  exec = { "exec", "run" },
  glob = { "files", "glob" },
  path_kind = { "files", "kind" },
  env = { "files", "env" },
  args = { "args", "parse" },
  date_text = { "date", "text" },
  sorted = { "sorted", "pairs" },
  say = { "console", "say" },
  degraded = { "console", "degraded" },
  cancelled = { "console", "cancelled" },
  stats = { "console", "stats" },
  log = { "log" },
  logs = { "log", "logs" },
  config = { "config" },
  kernels = { "kernels" },
  linalg = { "linalg" },
  kernel = { "own_kernel" },
  kernel_c = { "own_kernel.compile", "new" },
  json = { "json" },
}

tm.clock = core.clock

local function load_member(key)
  local entry = face[key]
  local module = require("tidemill." .. entry[1])
  return entry[2] and module[entry[2]] or module
end

setmetatable(tm, {
  __index = function(self, key)
    if face[key] then
      local member = load_member(key)
      rawset(self, key, member)
      return member
    end
    if type(key) ~= "string" then return nil end
    local names = {}
    for name in pairs(face) do names[#names + 1] = name end
    table.sort(names)
    error(("tm has no \"%s\"%s"):format(key, require("tidemill.suggest").phrase(key, names)), 2)
  end,
})

if not core.worker and not core.owned then require("tidemill.console").install() end

return tm
