/* test_bytecode: what LuaJIT dumps, read back: identity, reach, and hostile bytes.
 * With the argument "hash" the program prints the hash of TABLE_FUNCTION and ends: that is how
 * the test asks fresh processes.  SPDX-License-Identifier: MIT */
#include "bind/bytecode.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* ---- making dumps ---------------------------------------------------------------------- */

struct dump {
    char *bytes;
    size_t size;
};

static lua_State *state_open(void)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) abort();
    luaL_openlibs(L);
    return L;
}

/* Runs Lua text that returns a function and takes its dump; {NULL, 0} when it fails. */
static struct dump dump_in(lua_State *L, const char *source, bool strip)
{
    struct dump dump = {NULL, 0};
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "dump");
    if (luaL_loadstring(L, source) == 0 && lua_pcall(L, 0, 1, 0) == 0) {
        lua_pushboolean(L, strip);
        if (lua_pcall(L, 2, 1, 0) == 0) {
            const char *bytes = lua_tolstring(L, -1, &dump.size);
            dump.bytes = malloc(dump.size); /* exact, so that a sanitizer sees overreads */
            memcpy(dump.bytes, bytes, dump.size);
        }
    }
    CHECK_SAYING(dump.bytes != NULL, "%s: %s", source, lua_tostring(L, -1));
    lua_settop(L, 0);
    return dump;
}

static struct dump dump_of(const char *source, bool strip)
{
    lua_State *L = state_open();
    struct dump dump = dump_in(L, source, strip);
    lua_close(L);
    return dump;
}

static tidemill_status read_status(struct dump dump)
{
    struct mill_bytecode bytecode;
    tidemill_status status = mill_bytecode_read(dump.bytes, dump.size, &bytecode, NULL);
    mill_bytecode_fini(&bytecode);
    return status;
}

static struct mill_hash hash_and_free(struct dump dump)
{
    struct mill_bytecode bytecode;
    struct mill_error error = {.text = ""};
    tidemill_status status = mill_bytecode_read(dump.bytes, dump.size, &bytecode, &error);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", error.text);
    mill_bytecode_fini(&bytecode);
    free(dump.bytes);
    return bytecode.hash;
}

static struct mill_hash hash_in(lua_State *L, const char *source)
{
    struct mill_hash full = hash_and_free(dump_in(L, source, false));
    struct mill_hash stripped = hash_and_free(dump_in(L, source, true));
    CHECK_SAYING(mill_hash_equal(full, stripped), "stripping changes the hash of %s", source);
    return full;
}

static struct mill_hash hash_of(const char *source)
{
    lua_State *L = state_open();
    struct mill_hash hash = hash_in(L, source);
    lua_close(L);
    return hash;
}

static void do_text(lua_State *L, const char *source)
{
    int failed = luaL_dostring(L, source);
    CHECK_SAYING(!failed, "%s", lua_tostring(L, -1));
    lua_settop(L, 0);
}

/* ---- identity -------------------------------------------------------------------------- */

static void what_does_not_change_a_function_does_not_change_its_hash(void)
{
    static const char *const pairs[][2] = {
        {"return function(a, b) return a + b end",
         "-- sum\n\n\nreturn   function ( a,b )\n  --[[ of two ]] return a\n + b\nend"},
        {"return function(a) local x = a * 2 return x end",
         "return function(price) local twice = price * 2 return twice end"},
        {"return function() return 16, 'x', \"it's\" end",
         "return function() return 0x10, \"x\", 'it\\'s' end"},
        {"return function() return 2 + 3 end", "return function() return 5 end"},
        {"local function outer(f) return f end return outer(function() return 1 end)",
         "\n\n\nreturn (function() return 1 end)"},
        {"local y = 1 return function() return y end",
         "local unrelated, y = 0, 1 return function() return y end"},
        {"local y = 1 return function() return y end",
         "local y = 1 local f = function() return y end y = 2 return f"},
        {"return function() local t = {a = 1, b = 2, c = 3} return t end",
         "return function() local t = {c = 3, b = 2, a = 1} return t end"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        CHECK_SAYING(mill_hash_equal(hash_of(pairs[i][0]), hash_of(pairs[i][1])), "%s || %s",
                     pairs[i][0], pairs[i][1]);
    }
}

static void whatever_changes_a_function_changes_its_hash(void)
{
    static const char *const sources[] = {
        "return function(a, b) return a + b end",
        "return function(a, b) return b + a end",
        "return function(a, b) return a - b end",
        "return function(a, b, c) return a + b end",
        "return function(a, b, ...) return a + b end",
        "return function() end",
        "return function(a) end",
        "return function(a, b) end",
        "return function(a) return a + 1 end",
        "return function(a) return 1 + a end",
        "return function(a) return a + 2 end",
        "return function(a) return a + 1.5 end",
        "return function(a) return a + 100000 end",
        "return function(a) return a + -100000 end",
        "return function(a) return a .. '1' end",
        "return function(a) return a .. '2' end",
        "return function(a) return x end",
        "return function(a) return y end",
        "return function(a) return a.x end",
        "return function(a) return a.y end",
        "return function(a) return a:x() end",
        "return function(a) return 1LL end",
        "return function(a) return 1ULL end",
        "return function(a) return 1i end",
        "return function(a) return 2LL end",
        "return function() return {} end",
        "return function() return {1, 2} end",
        "return function() return {1, 3} end",
        "return function() return {2, 1} end",
        "return function() return {1, nil, 3} end",
        "return function() return {[1] = 1, [3] = 3} end",
        "return function() return {'1', 2} end",
        "return function() return {a = 1} end",
        "return function() return {a = 2} end",
        "return function() return {a = '1'} end",
        "return function() return {a = true} end",
        "return function() return {a = false} end",
        "return function() return {b = 1} end",
        "return function() return {a = 1, b = 2} end",
        "return function() return {a = 2, b = 1} end",
        "return function() return {ab = 'c'} end",
        "return function() return {a = 'bc'} end",
        "return function() return {[1.5] = 1} end",
        "return function() return {[true] = 1} end",
        "return function() return function() return 1 end end",
        "return function() return function() return 2 end end",
        "return function() local x, y return function() return x end end",
        "return function() local x, y return function() return y end end",
        "return function(t) for k, v in pairs(t) do return v end end",
        "return function(t) for k, v in ipairs(t) do return v end end",
        "return function(t) for k, v in next, t do return v end end",
        "return function(t) for k, v in t do return v end end",
        "return function(t) for i = 1, 10 do t() end end",
        "return function(t) while t do t() end end",
        "return function(t) repeat t() until t end",
    };
    enum { COUNT = sizeof sources / sizeof sources[0] };
    struct mill_hash hashes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        hashes[i] = hash_of(sources[i]);
        for (int j = 0; j < i; j++) {
            CHECK_SAYING(!mill_hash_equal(hashes[i], hashes[j]), "%s || %s", sources[i],
                         sources[j]);
        }
    }
}

static void two_functions_on_one_line_differ(void)
{
    const char *line = "local function f() return 1 end local function g() return 2 end ";
    char first[128], second[128];
    snprintf(first, sizeof first, "%s return f", line);
    snprintf(second, sizeof second, "%s return g", line);
    CHECK(!mill_hash_equal(hash_of(first), hash_of(second)));
}

static void values_of_upvalues_are_no_part_of_the_hash(void)
{
    const char *adder = "local function adder(n) return function(x) return x + n end end ";
    char one[128], two[128];
    snprintf(one, sizeof one, "%s return adder(1)", adder);
    snprintf(two, sizeof two, "%s return adder(2)", adder);
    CHECK(mill_hash_equal(hash_of(one), hash_of(two)));
}

static void a_loaded_dump_hashes_like_its_source(void)
{
    const char *source = "local n = 3 function f(t) local s = {a = 1, 2, 3.5} for k, v in "
                         "pairs(t) do s[k] = v + n end return s, 1LL end return f";
    lua_State *L = state_open();
    struct mill_hash hash = hash_in(L, source);
    do_text(L, "f = loadstring(string.dump(f, true))");
    CHECK(mill_hash_equal(hash_in(L, "return f"), hash));
    lua_close(L);
}

/* ---- what running does to bytecode ----------------------------------------------------- */

/* Defines global f in a fresh state, then runs `action`: the hash of f must stay. */
static void hash_survives(const char *definition, const char *action, bool must_rewrite)
{
    lua_State *L = state_open();
    do_text(L, definition);
    struct dump before = dump_in(L, "return f", true);
    do_text(L, action);
    struct dump after = dump_in(L, "return f", true);
    bool rewritten = before.size != after.size || memcmp(before.bytes, after.bytes, after.size);
    CHECK_SAYING(rewritten || !must_rewrite, "%s did not rewrite the loop", action);
    CHECK_SAYING(mill_hash_equal(hash_and_free(before), hash_and_free(after)), "%s", action);
    lua_close(L);
}

static void the_hash_survives_compilation(void)
{
    const char *numeric = "function f(n) local s = 0 for i = 1, n do s = s + i % 7 end "
                          "while s > 1e6 do s = s - 1e6 end return s end";
    hash_survives(numeric, "for i = 1, 200 do f(1000) end", false);
    hash_survives(numeric, "jit.off(f, true) for i = 1, 200 do f(1000) end", false);
    hash_survives(numeric, "for i = 1, 200 do f(1000) end jit.off(f, true)", false);
    hash_survives(numeric, "for i = 1, 200 do f(1000) end jit.flush()", false);
    hash_survives("function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end", "f(25) f(20)",
                  false);
    hash_survives(
        "function f(t) local s = 0 for k, v in pairs(t) do s = s + v end return s end",
        "local t = {} for i = 1, 50 do t['k' .. i] = i end for i = 1, 500 do f(t) end", false);
}

static void the_hash_survives_blacklisting(void)
{
    /* A loop that makes closures is never compiled: it is given up and becomes an I-form. */
    const char *closures =
        "function f(n) local g for i = 1, n do g = function() return i end end "
        "local i = 0 while i < n do i = i + 1 g = function() return n end end "
        "for _, v in ipairs{1, 2, 3} do g = function() return v end end end";
    hash_survives(closures, "for i = 1, 300 do f(300) end", false);
    const char *walk =
        "function f(t) local g for k, v in pairs(t) do g = function() return v end "
        "end return g end";
    hash_survives(
        walk, "local t = {} for i = 1, 50 do t[i] = i end for i = 1, 2000 do f(t) end", false);
}

static void the_hash_survives_a_pairs_loop_over_another_iterator(void)
{
    const char *loop = "function f(pairs, t) local s = 0 for k, v in pairs(t) do s = s + v end "
                       "return s end";
    const char *nested = "function f(pairs, t) return (function() local s = 0 for k, v in "
                         "pairs(t) do s = s + v end return s end)() end";
    hash_survives(loop, "f(ipairs, {1, 2})", true);
    hash_survives(nested, "f(ipairs, {1, 2})", true);
    hash_survives(loop,
                  "for i = 1, 500 do f(pairs, {1, 2, 3}) end f(ipairs, {1, 2}) "
                  "for i = 1, 500 do f(ipairs, {1, 2, 3}) f(pairs, {1, 2}) end",
                  true);
}

/* ---- the same in every process --------------------------------------------------------- */

/* A function with a large constant table: string keys, some of them with nil values, which
 * mark a place in the table while it is compiled, and an array with holes. */
static const char TABLE_FUNCTION[] =
    "local s = {'return function() return {1, 2, nil, 4, '}"
    "for i = 1, 60 do"
    "  s[#s + 1] = ('key%d = %s, '):format(i, i % 5 == 0 and 'nil' or i % 3 == 0 and i / 4 "
    "or i % 2 == 0 and '\"v' .. i .. '\"' or 'true')"
    "end "
    "s[#s + 1] = '[2.5] = false, [true] = 1, nested = f(), 5, nil, 7}, {a = 1, b = nil} end' "
    "return loadstring(table.concat(s))()";

static void sixty_states_agree_on_a_large_constant_table(void)
{
    struct mill_hash first = hash_of(TABLE_FUNCTION);
    int dumps = 0;
    struct dump reference = dump_of(TABLE_FUNCTION, true);
    for (int i = 0; i < 60; i++) {
        struct dump dump = dump_of(TABLE_FUNCTION, true);
        dumps +=
            dump.size != reference.size || memcmp(dump.bytes, reference.bytes, dump.size) != 0;
        CHECK(mill_hash_equal(hash_and_free(dump), first));
    }
    free(reference.bytes);
    if (dumps == 0) SKIP("this LuaJIT dumps tables in a fixed order by itself");
}

static void ask_process(char text[33])
{
    int ends[2];
    text[0] = '\0';
    if (pipe(ends) != 0) return;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test_bytecode", "hash", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ssize_t size = read(ends[0], text, 32);
    text[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    waitpid(child, NULL, 0);
}

static void fresh_processes_agree_on_a_large_constant_table(void)
{
    char expected[33], text[33];
    mill_hash_text(hash_of(TABLE_FUNCTION), expected);
    for (int i = 0; i < 20; i++) {
        ask_process(text);
        CHECK_TEXT(text, expected);
    }
}

/* ---- reach ----------------------------------------------------------------------------- */

static void globals_and_assigned_upvalues_are_found(void)
{
    static const struct {
        const char *source, *reads, *writes;
        int upvalues, assigned;
    } cases[] = {
        {"return function() end", "", NULL, 0, -1},
        {"return function(a) return a end", "", NULL, 0, -1},
        {"return function() return print end", "print", NULL, 0, -1},
        {"return function() print(math.sin(x), math.cos(x), math) end", "math print x", NULL, 0,
         -1},
        {"return function() x = 1 end", "", "x", 0, -1},
        {"return function() zz = 1 aa = 2 end", "", "aa", 0, -1},
        {"return function() x = x + 1 end", "x", "x", 0, -1},
        {"return function() function helper() end end", "", "helper", 0, -1},
        {"return function() return function() return b, a end, c end", "a b c", NULL, 0, -1},
        {"return function() return function() return function() q = r end end end", "r", "q", 0,
         -1},
        {"return function() for i = 1, 3 do print(i) print(i) end print() end", "print", NULL,
         0, -1},
        {"return function(t) t.x = 1 t[1] = 2 end", "", NULL, 0, -1},
        {"local u = 1 return function() return u end", "", NULL, 1, -1},
        {"local u = 1 return function() u = 2 end", "", NULL, 1, 0},
        {"local u = 1 return function() u = 2.5 end", "", NULL, 1, 0},
        {"local u = 1 return function() u = 'text' end", "", NULL, 1, 0},
        {"local u = 1 return function() u = nil end", "", NULL, 1, 0},
        {"local u = 1 return function(a) u = a end", "", NULL, 1, 0},
        {"local u, v = 1, 2 return function() v = u end", "", NULL, 2, 0},
        {"local u, v = 1, 2 return function() local x = u v = x end", "", NULL, 2, 1},
        {"local u = 1 return function() return function() u = 2 end end", "", NULL, 1, 0},
        {"local u, v = 1, 2 return function() local x = u return function() return function() "
         "v = x end end end",
         "", NULL, 2, 1},
        {"return function() local u = 1 return function() u = 2 end end", "", NULL, 0, -1},
        {"return function() local u = 1 return function() return function() u = 2 end end end",
         "", NULL, 0, -1},
        {"local v = 0 return function() local u = v return function() u = 2 end end", "", NULL,
         1, -1},
        {"local u = {} return function() u.x = 1 end", "", NULL, 1, -1},
        {"local f function f(n) return n == 0 and 1 or f(n - 1) end return f", "", NULL, 1, -1},
        {"return function(t) for k, v in pairs(t) do print(k, v) end end", "pairs print", NULL,
         0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int strip = 0; strip < 2; strip++) {
            struct dump dump = dump_of(cases[i].source, strip);
            struct mill_bytecode bytecode;
            struct mill_error error = {.text = ""};
            char reads[256] = "";
            CHECK(mill_bytecode_read(dump.bytes, dump.size, &bytecode, &error) == TIDEMILL_OK);
            CHECK_TEXT(error.text, "");
            free(dump.bytes); /* the names do not live in the dump */
            for (int k = 0; k < bytecode.read_count; k++) {
                if (k > 0) strcat(reads, " ");
                strcat(reads, bytecode.reads[k]);
            }
            CHECK_TEXT(reads, cases[i].reads);
            CHECK_TEXT(bytecode.writes ? bytecode.writes : "(none)",
                       cases[i].writes ? cases[i].writes : "(none)");
            CHECK_SAYING(bytecode.upvalues == cases[i].upvalues &&
                             bytecode.assigned_upvalue == cases[i].assigned,
                         "%s: %d upvalues, assigned %d", cases[i].source, bytecode.upvalues,
                         bytecode.assigned_upvalue);
            mill_bytecode_fini(&bytecode);
        }
    }
}

static void loops_are_found(void)
{
    static const struct {
        const char *source;
        bool loops;
    } cases[] = {
        {"return function(x) return x + 1 end", false},
        {"return function(x) if x then return 1 end return x and 2 or 3 end", false},
        {"return function(f) return f(f) end", false},
        {"return function(n) for i = 1, n do print(i) end end", true},
        {"return function(t) for k in pairs(t) do print(k) end end", true},
        {"return function(f) for k in f() do print(k) end end", true},
        {"return function(f) while f() do end end", true},
        {"return function(f) repeat local x = f() until x end", true},
        {"return function(n) return function() for i = 1, n do print(i) end end end", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dump dump = dump_of(cases[i].source, true);
        struct mill_bytecode bytecode;
        struct mill_error error = {.text = ""};
        CHECK(mill_bytecode_read(dump.bytes, dump.size, &bytecode, &error) == TIDEMILL_OK);
        CHECK_SAYING(bytecode.loops == cases[i].loops, "%s", cases[i].source);
        mill_bytecode_fini(&bytecode);
        free(dump.bytes);
    }
}

static void a_thousand_globals_come_back_sorted_and_once(void)
{
    const char *source = "local s = {'return function() '} for i = 1, 1000 do s[#s + 1] = "
                         "('g%d(g%d) '):format(i, i * 7 % 1000 + 1) end s[#s + 1] = 'end' "
                         "return loadstring(table.concat(s))()";
    struct dump dump = dump_of(source, true);
    struct mill_bytecode bytecode;
    CHECK(mill_bytecode_read(dump.bytes, dump.size, &bytecode, NULL) == TIDEMILL_OK);
    CHECK(bytecode.read_count == 1000);
    for (int i = 1; i < bytecode.read_count; i++) {
        CHECK(strcmp(bytecode.reads[i - 1], bytecode.reads[i]) < 0);
    }
    mill_bytecode_fini(&bytecode);
    free(dump.bytes);
}

/* ---- bytes that are not what they should be -------------------------------------------- */

static tidemill_status refusal(const void *bytes, size_t size, const char *part)
{
    struct mill_bytecode bytecode;
    struct mill_error error = {.text = ""};
    tidemill_status status = mill_bytecode_read(bytes, size, &bytecode, &error);
    CHECK_SAYING(strstr(error.text, part) != NULL, "\"%s\" lacks \"%s\"", error.text, part);
    CHECK(bytecode.reads == NULL && bytecode.read_count == 0 && bytecode.writes == NULL);
    mill_bytecode_fini(&bytecode);
    return status;
}

static void other_formats_are_refused_by_name(void)
{
    CHECK(refusal("", 0, "LuaJIT") == TIDEMILL_DATA);
    CHECK(refusal("return 1", 8, "LuaJIT") == TIDEMILL_DATA);
    CHECK(refusal("\x1bLuaQ\0\1\4\4", 9, "LuaJIT") == TIDEMILL_DATA);
    CHECK(refusal("\x1bLJ\1\2\0", 6, "version 1") == TIDEMILL_UNSUPPORTED);
    CHECK(refusal("\x1bLJ\x80\2\0", 6, "version 128") == TIDEMILL_UNSUPPORTED);
    CHECK(refusal("\x1bLJ\2\x2a\0", 6, "flags 0x2a") == TIDEMILL_UNSUPPORTED);
    CHECK(refusal("\x1bLJ\2\x0a\0", 6, "0 outermost") == TIDEMILL_DATA);
    CHECK(refusal("\x1bLJ\2\x0a\5\0", 7, "byte") == TIDEMILL_DATA);
}

/* A dump of `return function(f) f = f.x end`-like code with one instruction of our choice. */
static void an_instruction_that_no_dump_holds_is_refused(void)
{
    struct dump dump = dump_of("return function() return 1 end", true);
    /* Header 5, length 1, fixed 4, counts 3: the first instruction starts at 13. */
    static const uint8_t refused[] = {81, 84, 87, 89, 92, 96, 255, 54, 45, 46, 51, 53, 42, 57};
    CHECK(read_status(dump) == TIDEMILL_OK);
    for (size_t i = 0; i < sizeof refused; i++) {
        dump.bytes[13] = (char)refused[i];
        CHECK_SAYING(read_status(dump) == TIDEMILL_DATA, "code %d", refused[i]);
    }
    free(dump.bytes);
}

/* A dump of the other byte order, made by hand: instructions and upvalue words turned. */
static void byte_order_does_not_change_the_hash(void)
{
    struct dump dump = dump_of("return function(a) return a + 1, x end", true);
    struct mill_hash little =
        hash_and_free(dump_of("return function(a) return a + 1, x end", true));
    int instructions = dump.bytes[12];
    CHECK(instructions > 2 && instructions < 10);
    for (int i = 0; i < instructions; i++) {
        char *code = dump.bytes + 13 + 4 * i, turned[4] = {code[3], code[2], code[1], code[0]};
        memcpy(code, turned, 4);
    }
    dump.bytes[4] |= 1;
    CHECK(mill_hash_equal(hash_and_free(dump), little));
}

static void flags_that_say_how_a_dump_was_made_do_not_change_the_hash(void)
{
    struct dump dump = dump_of("return function(a) return a + 1, x end", true);
    struct mill_hash hash =
        hash_and_free(dump_of("return function(a) return a + 1, x end", true));
    /* Sorted constants: flag 0x80000000, which takes five bytes instead of one. */
    char *longer = malloc(dump.size + 4);
    memcpy(longer, dump.bytes, 4);
    memcpy(longer + 4, "\x8a\x80\x80\x80\x08", 5);
    memcpy(longer + 9, dump.bytes + 5, dump.size - 5);
    CHECK(mill_hash_equal(hash_and_free((struct dump){longer, dump.size + 4}), hash));
    dump.bytes[6] |= 0x18; /* "no JIT" and "has I-forms" of the prototype */
    CHECK(mill_hash_equal(hash_and_free(dump), hash));
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const char *const fuzz_sources[] = {
    "return function(a, b) return a + b end",
    "local u, v = 1, 2 return function(t) local s = {1, 2, x = 3, y = 'z', [2.5] = true} for "
    "k, w "
    "in pairs(t) do u = u + w print(k, s) end return function() v = u return 1LL, 2ULL, 3i, "
    "4.5, "
    "-100000, function() g = h end end end",
    TABLE_FUNCTION,
};

/* Flips bytes, cuts, and doubles pieces; the result is read from an exact heap block.  Whatever
 * it is, reading ends, and gives one of the documented answers. */
static void damaged_dumps_are_read_without_harm(void)
{
    enum { CASES = 20000, SOURCES = sizeof fuzz_sources / sizeof fuzz_sources[0] };
    uint64_t random = check_seed() * 2 + 1;
    struct dump originals[2 * SOURCES];
    int answers[TIDEMILL_UNSUPPORTED + 1] = {0};
    for (int i = 0; i < 2 * SOURCES; i++) originals[i] = dump_of(fuzz_sources[i / 2], i % 2);
    for (int i = 0; i < CASES; i++) {
        struct dump original = originals[next_random(&random) % (2 * SOURCES)];
        size_t size = original.size;
        if (next_random(&random) % 4 == 0) size = next_random(&random) % (size + 1);
        char *bytes = malloc(size > 0 ? size : 1);
        memcpy(bytes, original.bytes, size);
        int flips = size > 0 ? (int)(next_random(&random) % 4) : 0;
        for (int k = 0; k < flips; k++) {
            /* Mostly beyond the magic bytes, or little else is ever reached. */
            size_t at = next_random(&random) % size;
            if (at < 5 && next_random(&random) % 8) at = size - 1;
            bytes[at] = (char)(next_random(&random) % 3 ? next_random(&random) : 0xff);
        }
        tidemill_status status = read_status((struct dump){bytes, size});
        CHECK(status == TIDEMILL_OK || status == TIDEMILL_DATA ||
              status == TIDEMILL_UNSUPPORTED);
        if (status <= TIDEMILL_UNSUPPORTED) answers[status]++;
        free(bytes);
    }
    CHECK(answers[TIDEMILL_OK] > 0 && answers[TIDEMILL_DATA] > CASES / 4);
    for (int i = 0; i < 2 * SOURCES; i++) free(originals[i].bytes);
}

static void every_truncation_is_refused(void)
{
    for (size_t i = 0; i < sizeof fuzz_sources / sizeof fuzz_sources[0]; i++) {
        struct dump dump = dump_of(fuzz_sources[i], i % 2);
        for (size_t size = 0; size < dump.size; size++) {
            char *bytes = malloc(size > 0 ? size : 1);
            memcpy(bytes, dump.bytes, size);
            CHECK(read_status((struct dump){bytes, size}) == TIDEMILL_DATA);
            free(bytes);
        }
        free(dump.bytes);
    }
}

/* ---- cost ------------------------------------------------------------------------------ */

static double read_cost(struct dump dump)
{
    enum { TIMES = 20000 };
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (int i = 0; i < TIMES; i++) read_status(dump);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    free(dump.bytes);
    return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
           TIMES;
}

/* Not a test: printed on demand, by the argument "cost". */
static void print_cost(void)
{
    const char *large =
        "local s = {'return function(t) '} for i = 1, 50 do s[#s + 1] = ('t.f%d = "
        "math.floor(t.g%d * 1.5) '):format(i, i) end s[#s + 1] = 'end' "
        "return loadstring(table.concat(s))()";
    struct dump small = dump_of("return function() end", true);
    struct dump big = dump_of(large, true);
    printf("%zu bytes: %.0f ns\n", small.size, read_cost(small));
    printf("%zu bytes: %.0f ns\n", big.size, read_cost(big));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "hash") == 0) {
        char text[33];
        mill_hash_text(hash_of(TABLE_FUNCTION), text);
        printf("%s", text);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "cost") == 0) {
        print_cost();
        return 0;
    }
    RUN(what_does_not_change_a_function_does_not_change_its_hash);
    RUN(whatever_changes_a_function_changes_its_hash);
    RUN(two_functions_on_one_line_differ);
    RUN(values_of_upvalues_are_no_part_of_the_hash);
    RUN(a_loaded_dump_hashes_like_its_source);
    RUN(the_hash_survives_compilation);
    RUN(the_hash_survives_blacklisting);
    RUN(the_hash_survives_a_pairs_loop_over_another_iterator);
    RUN(sixty_states_agree_on_a_large_constant_table);
    RUN(fresh_processes_agree_on_a_large_constant_table);
    RUN(globals_and_assigned_upvalues_are_found);
    RUN(loops_are_found);
    RUN(a_thousand_globals_come_back_sorted_and_once);
    RUN(other_formats_are_refused_by_name);
    RUN(an_instruction_that_no_dump_holds_is_refused);
    RUN(byte_order_does_not_change_the_hash);
    RUN(flags_that_say_how_a_dump_was_made_do_not_change_the_hash);
    RUN(every_truncation_is_refused);
    RUN(damaged_dumps_are_read_without_harm);
    return check_end();
}
