-- Settings of luacheck, which `make lint` runs.
std = "luajit"
max_line_length = 110
exclude_files = { "build" }

files["tests/spec"] = { std = "+busted" }
files["examples"] = { max_comment_line_length = 120 } -- what they print
files["lua/meta"] = { ignore = { "211", "212", "131", "111", "112", "113" } } -- stubs: no bodies
