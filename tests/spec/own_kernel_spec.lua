-- Kernels of the user's: shared objects by tm.kernel, C text by tm.kernel_c.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local shell = require "scripts.dev.shell"
local tm = require "tidemill"
local message = expect.message

local text = [[
#include <stdint.h>
double total(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum;
}
double running(const double *x, int64_t n, double *out)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) out[i] = sum += x[i];
    return sum;
}
void next(int32_t *x, int64_t n) { for (int64_t i = 0; i < n; i++) x[i]++; }
int64_t twice(int64_t x) { return x * 2; }
_Bool odd(int x) { return x & 1; }
int letters(const char *text) { int n = 0; while (text[n]) n++; return n; }
float half(float x) { return x / 2; }
]]
local cdef = [[
// the same functions in other words
double total(const double *, int64_t); double running(const double *x, int64_t n, double out[]);
extern void next(int32_t *restrict x, int64_t n); int64_t twice(int64_t); /* one; two */
_Bool odd(int x); int letters(char const *text); float half(float);
]]

local folder = helper.folder()
local one = "double total(const double *, int64_t);"

-- A shared object of a text, replaced as a compiler would.
local function build(path, source)
  helper.write(folder .. "/source.c", source)
  local _, err, status = helper.shell(("${CC:-cc} -shared -fPIC -o %s %s/source.c"):format(path, folder))
  assert.are.equal(0, status, err)
end

describe("a kernel of a shared object", function()
  local path = folder .. "/mine.so"
  build(path, text)
  local k = tm.kernel(path, cdef)
  teardown(function() helper.remove(folder) end)

  it("is one function, or a table of several", function()
    assert.are.equal(6, tm.kernel(path, one)({ 1, 2, 3 }, 3))
    assert.are.equal("kernel double total(const double *, int64_t) of " .. path,
      tostring(tm.kernel(path, one)))
    local names = {}
    for name in tm.sorted(k) do names[#names + 1] = name end
    assert.are.same({ "half", "letters", "next", "odd", "running", "total", "twice" }, names)
  end)

  it("takes numbers, arrays, tables and texts", function()
    assert.are.equal(10, k.total(tm.array { { 1, 2 }, { 3, 4 } }, 4))
    assert.are.equal(5, k.total(tm.array({ 1, 2, 3 }):slice { { 2, 3 } }, 2))
    assert.are.equal(0.25, k.half(0.5))
    assert.are.equal(2 ^ 41, k.twice(2 ^ 40))
    assert.is_true(k.twice(4611686018427387000LL) == 9223372036854774000LL)
    assert.is_true(k.odd(3))
    assert.are.equal(4, k.letters("tide"))
  end)

  it("gives back what it writes", function()
    local sum, running = k.running({ 1, 2, 3 }, 3, tm.kernel.out(3))
    assert.are.equal(6, sum)
    assert.are.equal("float64[3]{1, 3, 6}", tostring(running))
    assert.are.same({ 2, 2 }, select(2, k.running({ 1, 2, 3, 4 }, 4, tm.kernel.out(2, 2))).shape)
    assert.are.equal("float64[2]{0, 0}", tostring((select(2, k.running({}, 0, tm.kernel.out { 2 })))))
    local x = tm.array({ 1, 2 }, "int32")
    assert.are.equal("int32[2]{2, 3}", tostring(k.next(tm.kernel.out(x), 2)))
    assert.are.equal(1, x[1])
  end)

  it("refuses what C would misread", function()
    local cases = {
      { "total: expected 2 arguments, got 1: double total(const double *, int64_t)", k.total, {} },
      { "total: argument 1: element 2 is a string, expected a number", k.total, { 1, "2" }, 2 },
      { "total: argument 1: expected an array of float64, got one of int32; a:astype(\"float64\") converts",
        k.total, tm.array({ 1 }, "int32"), 1 },
      { "total: argument 1: expected an array or a table, got 5", k.total, 5, 1 },
      { "total: argument 1: expected an array or a table, got tm.kernel.out: the function does not write it",
        k.total, tm.kernel.out(1), 1 },
      { "total: argument 1: expected an array or a table, got a lazy array; a:compute() makes it one that is "
        .. "there", k.total, tm.ones(1), 1 },
      { "half: argument 1: expected a number, got a string", k.half, "1" },
      { "odd: argument 1: expected a whole number from -2147483648 to 2147483647, got 0.5", k.odd, 0.5 },
      { "odd: argument 1: expected a whole number from -2147483648 to 2147483647, got 4294967296", k.odd,
        2 ^ 32 },
      { "next: argument 1: is written by the function: expected tm.kernel.out(size) or "
        .. "tm.kernel.out(array), got an array of int32", k.next, tm.array({ 1 }, "int32"), 1 },
      { "next: argument 1: expected an array of int32, got one of float64; a:astype(\"int32\") converts",
        k.next, tm.kernel.out(tm.array { 1 }), 1 },
      { "kernel.out: size 1 of the shape is -1, expected a whole number from 0", tm.kernel.out, -1 },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(case[1], message(case[2], unpack(case, 3, table.maxn(case))))
    end
    local _, blamed = pcall(function() k.total(5, 1) end)
    assert.is_truthy(blamed:find("own_kernel_spec.lua:", 1, true))
  end)

  it("is refused when it is declared in words that are not understood", function()
    local cases = {
      { "double f", "expected something like double f(const double *x, int64_t n)" },
      { "struct s f(int);", "expected a number's type or void as the result" },
      { "double *f(int);", "arrays come back by tm.kernel.out" },
      { "double f(void *);", "instead of \"void *\"" },
      { "double f(double **);", "instead of \"double **\"" },
      { "double f(int, ...);", "instead of \"...\"" },
      { "double f(int); int f(void);", "f is declared twice" },
      { "", "expected something like" },
      -- These were taken for a long, or a double, called "double" or "_Complex".
      { "long double f(void);", "expected a number's type or void as the result" },
      { "double _Complex f(void);", "expected a number's type or void as the result" },
      { "double f(long double);", "instead of \"long double\"" },
    }
    for _, case in ipairs(cases) do
      assert.is_truthy(message(tm.kernel, path, case[1]):find(case[2], 1, true), case[1])
    end
    assert.is_truthy(message(tm.kernel, path):find("expected tm.kernel(path, ", 1, true))
  end)

  it("is declared in any words that C has for its types", function()
    build(folder .. "/words.so", "long next(long x) { return x + 1; } /* one number after the other one */")
    local all = { "long", "long int", "signed long", "signed long int", "long long int", "int64_t" }
    for _, words in ipairs(all) do
      local next = tm.kernel(folder .. "/words.so", ("#define X\n%s next(%s x);"):format(words, words))
      assert.are.equal(2 ^ 40 + 1, next(2 ^ 40), words)
    end
    assert.are.equal("kernel int next(unsigned short) of " .. folder .. "/words.so",
      tostring(tm.kernel(folder .. "/words.so", "signed next(unsigned short int x);")))
  end)

  it("that is not there is told of", function()
    assert.are.equal("kernel: " .. folder .. "/none.so: No such file or directory",
      message(tm.kernel, folder .. "/none.so", one))
    assert.is_truthy(message(tm.kernel, folder .. "/source.c", one):find("invalid ELF header", 1, true))
    assert.are.equal("kernel: " .. folder .. ": is no file that can be read", message(tm.kernel, folder, one))
    -- The process ended by SIGBUS.
    local whole = helper.read(path)
    for _, size in ipairs { 64, 500, 3000 } do
      helper.write(folder .. "/cut.so", whole:sub(1, size))
      local why = message(tm.kernel, folder .. "/cut.so", one)
      assert.is_truthy(why == "kernel: " .. folder .. "/cut.so: is cut short", why)
    end
    assert.are.equal("kernel: " .. path .. " has no function \"totl\"",
      message(tm.kernel, path, "double totl(const double *, int64_t);"))
  end)

  it("crosses to tasks on every lane", function()
    local sum = function(f, x) return f(x, #x) end
    for _, lane in ipairs { "thread", "process", "loop" } do
      assert.are.equal(6, tm.delayed(sum, { lane = lane })(k.total, { 1, 2, 3 }):compute(), lane)
    end
    local sums = tm.map(function(n) return k.total({ 1, 2, 3 }, n) end, { 1, 2, 3 })
    assert.are.same({ 1, 3, 6 }, { unpack(sums) })
  end)

  it("is a function where one is wanted", function()
    assert.are.same({ n = 2, 2, 4 }, tm.map(k.twice, { 1, 2 }))
    assert.are.equal(6, tm.delayed(k.total)({ 1, 2, 3 }, 3):compute())
    assert.are.equal(14, tm.submit(tm.delayed(k.twice, { cache = true }), 7):result())
  end)

  it("is what it was when it was opened, or an error", function()
    local other = folder .. "/changes.so"
    build(other, "double f(void) { return 1; }")
    local f = tm.kernel(other, "double f(void);")
    build(other, "double f(void) { return 2; }")
    assert.are.equal(1, f())
    assert.is_truthy(message(tm.kernel, other, "double f(void);")
      :find("has changed since this process opened it", 1, true))
    local in_process = tm.delayed(function(g) return g() end, { lane = "process" })
    assert.is_truthy(tostring(select(2, pcall(function() return in_process(f):compute() end)))
      :find("is not what it was when tm.kernel opened it", 1, true))
  end)

  it("is in the keys of the cache by its content", function()
    helper.write(folder .. "/job.lua", [[
      local tm = require "tidemill"
      local f = tm.kernel((...), "double f(void);")
      local task = tm.delayed(function() return f() end, {cache = true})
      print(task():compute(), tm.stats().hits)
    ]])
    local kept = folder .. "/kept.so"
    local function run()
      return (helper.tidemill("--cache", folder .. "/c.db", folder .. "/job.lua", kept))
    end
    build(kept, "double f(void) { return 1; }")
    assert.are.equal("1\t0\n", run())
    assert.are.equal("1\t1\n", run())
    build(kept, "double f(void) { return 2; }")
    assert.are.equal("2\t0\n", run())
  end)
end)

describe("tm.kernel_c", function()
  local place
  before_each(function() place = helper.folder() end)
  after_each(function() helper.remove(place) end)

  local job = [[
    local tm = require "tidemill"
    local f = tm.kernel_c{name = "tide", source = "double f(double x) { return x + 1; }",
      cdef = "double f(double x);"}
    print(f(41), tm.map(function(x) return f(x) end, {1, 2})[2])
  ]]

  local function run(before)
    return helper.shell(("%s %s/tidemill --cache %s/c.db %s/job.lua"):format(before or "",
      helper.products, place, place))
  end

  local function kept()
    return (helper.shell("ls " .. place .. "/c.db-kernels | sed 's/-[0-9a-f]*\\./-KEY./'"))
  end

  it("compiles once, into a folder beside the cache", function()
    helper.write(place .. "/job.lua", job)
    assert.are.equal("42\t3\n", (run()))
    assert.are.equal("tide-KEY.so\n", kept())
    -- What would compile now would fail.
    local _, err, status = run("CC=true")
    assert.are.equal(1, status, "CC is in the key")
    assert.is_truthy(err:find("kernel_c: tide: does not compile", 1, true))
    local before = helper.shell("stat -c %Y.%i " .. place .. "/c.db-kernels/*")
    assert.are.equal("42\t3\n", (run()))
    assert.are.equal(before, (helper.shell("stat -c %Y.%i " .. place .. "/c.db-kernels/*")))
  end)

  it("goes on in several processes at once", function()
    helper.write(place .. "/job.lua", job)
    local command = ("%s/tidemill --cache %s/c.db %s/job.lua"):format(helper.products, place, place)
    local out = helper.shell(("for i in 1 2 3 4; do %s & done; wait"):format(command))
    assert.are.equal(("42\t3\n"):rep(4), out)
    assert.are.equal("tide-KEY.so\n", kept())
  end)

  it("shows what the compiler says", function()
    helper.write(place .. "/job.lua", [[
      local tm = require "tidemill"
      tm.kernel_c{name = "bad", source = "int f(void) {\n  return oops;\n}", cdef = "int f(void);"}
    ]])
    local _, said, status = run()
    assert.are.equal(1, status)
    assert.is_truthy(said:find("job.lua:2: kernel_c: bad: does not compile:\n", 1, true))
    assert.is_truthy(said:find("bad.c:2:10: error:", 1, true))
    assert.is_truthy(said:find("oops", 1, true))
    assert.are.equal("", kept())
  end)

  it("is refused when its text is not what its cdef declares", function()
    helper.write(place .. "/job.lua", [[
      local tm = require "tidemill"
      tm.kernel_c{name = "other", source = "double f(double x, long n) { return x * n; }",
        cdef = "int f(int x, int64_t n);"}
    ]])
    local _, said, status = run()
    assert.are.equal(1, status)
    assert.is_truthy(said:find("job.lua:2: kernel_c: other: is not what its cdef declares:\n", 1, true))
    assert.is_truthy(said:find("cdef:1:", 1, true))
    helper.write(place .. "/job.lua", [[
      local tm = require "tidemill"
      local k = tm.kernel_c{source = "_Bool f() { return 1; } " ..
        "double g(volatile double *x) { return *x = 2; } " ..
        "unsigned long h(const signed char *x, unsigned long n, float *y) { *y = 1; return x[n]; } // end",
        cdef = "bool f(void); double g(volatile double *);" ..
        "size_t h(const int8_t *x, size_t n, float y[]);"}
      print(k.f(), k.h({1, 7}, 1, tm.kernel.out(1)), k.g(tm.kernel.out(1)))
    ]])
    assert.are.equal("true\t7\t2\tfloat64[1]{2}\n", (run()))
  end)

  it("says how a compiler ended that says nothing, and where there is no room", function()
    helper.write(place .. "/job.lua", job)
    helper.write(place .. "/dies", "#!/bin/sh\nkill -9 $$\n")
    helper.shell("chmod +x " .. place .. "/dies")
    local _, err, status = run("CC=" .. place .. "/dies")
    assert.are.equal(1, status)
    assert.is_truthy(err:find(("kernel_c: tide: %s/dies was ended by signal 9 (Killed)"):format(place), 1,
      true))
    _, err = run("CC=false")
    assert.is_truthy(err:find("kernel_c: tide: does not compile: false ended with status 1 and said nothing",
      1, true))
    helper.write(place .. "/file", "")
    _, err = helper.shell(("%s/tidemill --cache %s/file/c.db %s/job.lua"):format(helper.products, place,
      place))
    assert.is_truthy(err:find("Not a directory; compiled kernels are kept beside the cache: --cache FILE",
      1, true))
  end)

  it("says when there is no compiler", function()
    helper.write(place .. "/job.lua", job)
    local _, err, status = run("env -u CC PATH=" .. place)
    assert.are.equal(1, status)
    assert.is_truthy(err:find("kernel_c: no C compiler found: install gcc or clang, or name one in CC", 1,
      true))
    _, err = run("CC=no-such-cc")
    assert.is_truthy(err:find("kernel_c: CC is \"no-such-cc\", and there is no such program", 1, true))
  end)

  -- The compiler went on, and its folder stayed.
  it("takes the compiler along when it is interrupted, in the script and in a task", function()
    local home = process.folder()
    local compiler = home .. "/cc"
    process.write(compiler, "#!/bin/sh\necho $$ >$GROUP; sleep 987 & touch $READY; sleep 987\n")
    os.execute("chmod +x " .. compiler)
    local compile = "require('tidemill').kernel_c{source = '', cdef = 'int f(void);'}"
    for _, signal in ipairs { "INT", "TERM" } do
      for _, code in ipairs { compile, "tm.delayed(function() " .. compile .. " end)():compute()" } do
        local result = process.run { "--cache", home .. "/cache.db", signal = signal,
          env = { GROUP = home .. "/group", CC = compiler }, "-e", code }
        assert.are.equal(signal == "INT" and 130 or 143, result.status, result.err)
        assert.are.equal(0, os.execute(("for try in $(seq 500); do kill -0 -%d 2>/dev/null || exit 0; "
          .. "sleep 0.01; done; exit 1"):format(tonumber(process.read(home .. "/group")))))
        assert.are.equal("", shell.capture("ls " .. home .. "/cache.db-kernels"))
      end
    end
    process.remove(home)
  end)

  it("refuses wrong options", function()
    assert.is_truthy(message(tm.kernel_c, { sorce = "" }):find("did you mean \"source\"?", 1, true))
    assert.are.equal("kernel_c: source: expected a text, got nil", message(tm.kernel_c, {}))
    assert.are.equal("kernel_c: name: expected letters, digits, _ and -, got \"../x\"",
      message(tm.kernel_c, { name = "../x", source = "", cdef = "int f(void);" }))
    assert.are.equal("kernel_c: flags: expected a text or a list of texts, got a number",
      message(tm.kernel_c, { flags = 1, source = "", cdef = "int f(void);" }))
    assert.are.equal("kernel_c: flags: expected a list of texts, got a table with the key \"O\"",
      message(tm.kernel_c, { flags = { O = 3 }, source = "", cdef = "int f(void);" }))
  end)

  it("takes flags, which are part of the key", function()
    helper.write(place .. "/job.lua", [[
      local tm = require "tidemill"
      for _, flags in ipairs{"-DX=1", {"-DX=2"}} do
        print(tm.kernel_c{source = "int x(void) { return X; }", cdef = "int x(void);", flags = flags}())
      end
    ]])
    assert.are.equal("1\n2\n", (run()))
  end)
end)
