/* Ways out of a sandbox: each line of Lua tries one, and gives true when it is shut.
 * In the script's state, and, as a task, in a worker's.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

static const char *const attempts[] = {
    /* What is not there. */
    "ffi == nil and io == nil and debug == nil and jit == nil and package == nil",
    "getfenv == nil and setfenv == nil and newproxy == nil and module == nil",
    "loadfile == nil and dofile == nil and gcinfo == nil",
    "string.dump == nil and ('x').dump == nil",
    "os.execute == nil and os.getenv == nil and os.remove == nil and os.exit == nil and "
    "os.tmpname == nil and os.setlocale == nil and os.rename == nil",
    "coroutine.running() == nil or type(coroutine.running()) == 'thread'",

    /* Modules, those of the library too. */
    "not pcall(require, 'ffi') and not pcall(require, 'io') and not pcall(require, 'jit')",
    "not pcall(require, 'jit.util') and not pcall(require, 'string.buffer')",
    "not pcall(require, 'tidemill.core') and not pcall(require, 'tidemill.clib')",
    "not pcall(require, 'tidemill.confine') and not pcall(require, 'tidemill.files')",
    "not pcall(coroutine.wrap(require), 'ffi')",
    "not pcall(require, 'script:day_trade')",
    "rawequal(require('tidemill'), tm)",

    /* Code. */
    "load('return _G')() == _G and loadstring('return _G')() == _G",
    "load('return io')() == nil and load('return io', 'x', 't', nil)() == nil",
    "not pcall(load, 'return io', 'x', 't', 5) and not pcall(load, 'return io', 'x', 't', 'x')",
    "load('return io', 'x', 't', {})() == nil",
    "load('\\27LJ\\2\\8', 'x') == nil and load('\\27LJ\\2\\8', 'x', 'b') == nil",
    "load('\\27LJ\\2\\8', 'x', 'bt') == nil and loadstring('\\27LJ\\2\\8') == nil",
    "(function() local parts = { '\\27', 'LJ\\2\\8' } local i = 0 return load(function() i = i "
    "+ 1 "
    "return parts[i] end) == nil end)()",
    "load('local f = ... return f', '=[tidemill] x.lua') ~= nil",
    "coroutine.wrap(function() return load('return io')() == nil and _G.io == nil end)()",
    "select(2, xpcall(function() error('x') end, function() return load('return io')() end)) "
    "== "
    "nil",
    "pcall(load, function() return nil end)",

    /* Metatables. */
    "not getmetatable('') and not getmetatable(tm) and not getmetatable(tm.json)",
    "not getmetatable(1LL) and not getmetatable(print)",
    "not pcall(setmetatable, tm, {}) and not pcall(setmetatable, 'x', {})",
    "not pcall(function() (''):dump() end) and not pcall(function() (('')).x = 1 end)",
    "getmetatable(setmetatable({}, { __metatable = 5 })) == 5",
    "(function() local m = {} return getmetatable(setmetatable({}, m)) == m end)()",
    "not pcall(setmetatable, setmetatable({}, { __metatable = 5 }), {})",
    "not getmetatable(tm.delayed(function() end)) and not getmetatable(tm.channel())",
    "not pcall(setmetatable, tm.delayed(function() end), {})",
    "not getmetatable(select(2, pcall(function() tm.graph({ x = 1 }):get('y') end)))",

    /* tm. */
    "not pcall(function() tm.submit = 1 end) and not pcall(function() tm.json.encode = 1 end)",
    "not pcall(function() return tm.read_text end) and not pcall(function() return tm.exec "
    "end)",
    "not pcall(function() return tm.kernel end) and not pcall(function() return tm.array end)",
    "not pcall(function() return tm.config end) and not pcall(function() return tm.cache end)",
    "not pcall(function() return tm.http_get end) and not pcall(function() return tm.env end)",
    "not pcall(function() tm.delayed(function() end)():visualize('/tmp/x.svg') end)",
    "not pcall(function() tm.delayed(print, { cache = true, files = { '/etc/passwd' } "
    "})():compute() "
    "end)",
    "not pcall(function() tm.delayed(print, { lane = 'process' })():compute() end)",
    "not pcall(function() tm.delayed(print, { isolate = true })():compute() end)",
    "not pcall(function() tm.delayed(print, { timeout = 5 })():compute() end)",

    /* What the library keeps in the script's hands. */
    "(function() local f = tm.delayed(function(x) return x + 1 end) f.record.joins = true "
    "f.record.output = 0 f.record.priority = 1e300 f.record.nout = nil f.record.resources = { "
    "x = "
    "0/0 } return f(41):compute() == 42 end)()",
    "(function() local options = setmetatable({}, { __index = function(_, k) if k == "
    "'priority' "
    "then return 1e300 end end }) return tm.delayed(function() return 1 end, "
    "options)():compute() "
    "== 1 end)()",
    "(function() local f = tm.delayed(print) f.record = { fn = function() end, options = { "
    "priority = 1e9 } } return not pcall(f) end)()",
    "(function() local f = tm.submit(function() return 1 end) local run = f.run f.run = "
    "tm.channel().handle local fine = pcall(f.result, f) f.run = run return not fine end)()",
    "(function() local c = tm.channel() c.handle = tm.share(1) return not pcall(c.put, c, 1) "
    "end)()",
    "(function() local n = tm.delayed(function() return 1 end)() return not pcall(function() "
    "n.index = 1e6 return n:compute() end) end)()",
    "not pcall(function() return tm.delayed(function() end)().array end)",

    "not pcall(tm.delayed(print)().compute, 5) and not pcall(tm.delayed(print)().name, 5LL)",
    "not pcall(tm.delayed(print)().info, {}) and not pcall(tm.delayed(print)().submit, 'x')",
    "(function() local f = tm.submit(function() return 1 end) f.input = 5LL return not pcall("
    "function() return tm.delayed(print)({ f }):compute() end) or true end)()",
    "not pcall(tm.channel().put, { handle = 5 }, 1)",

    /* What others do with the script's changes. */
    "(function() local kept = string.format string.format = function() return 'mine' end local "
    "fine, problem = pcall(tm.map, 5) string.format = kept return not fine and problem ~= "
    "'mine' "
    "end)()",
    "(function() local kept = table.concat table.concat = nil local text = tm.json.encode({ 1 "
    "}) "
    "table.concat = kept return text == '[1]' end)()",
    "(function() local kept = pairs _G.pairs = nil local text = tm.json.encode({ a = 1 }) "
    "_G.pairs = kept return text == '{\"a\":1}' end)()",

    /* Errors give away no more than text. */
    "not tostring(select(2, pcall(tm.map))):find('/', 1, true)",
    "(function() local fine, problem = pcall(function() tm.submit(function() error({ x = 1 }) "
    "end):result() end) return not fine and problem.cause.x == 1 and not getmetatable(problem) "
    "end)()",

    /* Too much of something is an error. */
    "not pcall(function() local function f() return f() + 1 end return f() end)",
    "not pcall(function() local function f() return (('x'):gsub('x', f)) end return f() end)",
    "not pcall(function() local t = {} for i = 1, 1e5 do t = { t } end return "
    "tm.json.encode(t) "
    "end)",
    "not pcall(function() local function f() return coroutine.wrap(f)() end return f() end)",
    "not pcall(function() local t = setmetatable({}, {}) getmetatable(t).__index = "
    "setmetatable({}, { __index = t }) return t.x end)",
};

static void try_out(tidemill *engine, const char *attempt, const char *frame)
{
    char code[2000], *text = NULL;
    snprintf(code, sizeof code, frame, attempt);
    tidemill_status status = tidemill_run_string(engine, code, "attempt", 0, NULL);
    if (status == TIDEMILL_OK) status = tidemill_result_json(engine, &text);
    if (status == TIDEMILL_OK && strcmp(text, "true") == 0) {
        passed++;
    } else {
        printf("not ok %s: %s\n", code, status ? tidemill_error(engine) : text);
        failed++;
    }
    free(text);
}

int main(void)
{
    tidemill *engine;
    tidemill_config config = {.size = sizeof config, .workers = 2, .sandbox = 1};
    if (tidemill_open(&config, &engine) != TIDEMILL_OK) {
        printf("not ok an engine opens: %s\n", tidemill_error(engine));
        return 1;
    }
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        try_out(engine, attempts[i], "return (%s)");
        try_out(engine, attempts[i], "return tm.submit(function() return (%s) end):result()");
    }
    tidemill_close(engine);
    return expect_end();
}
