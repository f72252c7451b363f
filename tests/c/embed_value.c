/* Values and calls, as a host sees them that knows tidemill.h alone.  SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

static const char script[] =
    "function echo(...) return ... end\n"
    "function kinds() return nil, true, 1.5, 2LL, 3ULL, 'text', { 1 }, tm.array{ 1, 2 }, print "
    "end\n"
    "strategy = { limits = { most = 3 }, on_bar = function(bar) return bar.close * 2, bar end "
    "}\n"
    "callable = setmetatable({}, { __call = function(_, x) return x + 1 end })\n"
    "function count(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end\n"
    "function fails() error('boom') end\n"
    "function leaves() os.exit(5) end\n"
    "function looped() local t = { name = 'loop' } t.self = t return t end\n"
    "function shared() local s = { 7 } return { a = { s }, b = { s }, c = s } end\n"
    "function file() return { 1, { handle = io.stdout } } end\n"
    "function partly() return 1, io.stdout end\n"
    "function pair() local n = 0 local function f() return n end local function g() return n + "
    "1 "
    "end return { a = { f }, b = { g } } end\n"
    "function same(t) return rawequal(t.a[1], t.b[1]) and rawequal(t.c, t.a[1]) end\n"
    "function cyclic(t) return rawequal(t.self, t) end\n"
    "return { answer = 42 }\n";

static int text_is(tidemill_value value, const char *text)
{
    size_t size;
    const char *bytes = tidemill_to_string(&value, &size);
    return bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static tidemill_value string(const char *text)
{
    tidemill_value value;
    expect(tidemill_from_string(text, strlen(text), &value) == TIDEMILL_OK, "a string");
    return value;
}

/* ---- values alone ----------------------------------------------------------------------- */

static void check_numbers(void)
{
    double number = 0;
    int64_t integer = 0;
    uint64_t natural = 0;
    expect(tidemill_to_number(tidemill_from_number(1.5), &number) && number == 1.5, "1.5");
    expect(!tidemill_to_int64(tidemill_from_number(1.5), &integer), "1.5 is no integer");
    expect(tidemill_to_int64(tidemill_from_number(-3), &integer) && integer == -3, "-3");
    expect(!tidemill_to_uint64(tidemill_from_number(-3), &natural), "-3 is not natural");
    expect(!tidemill_to_int64(tidemill_from_number(0x1p63), &integer), "2^63 as a double");
    expect(tidemill_to_uint64(tidemill_from_number(0x1p63), &natural), "is natural");
    expect(!tidemill_to_number(tidemill_from_int64(INT64_MAX), &number), "2^63 - 1");
    expect(tidemill_to_number(tidemill_from_int64(INT64_MIN), &number), "-2^63");
    expect(!tidemill_to_number(tidemill_from_uint64(UINT64_MAX), &number), "2^64 - 1");
    expect(!tidemill_to_int64(tidemill_from_uint64(UINT64_MAX), &integer), "is too large");
    expect(tidemill_to_uint64(tidemill_from_uint64(UINT64_MAX), &natural) &&
               natural == UINT64_MAX,
           "but natural");
    number = 0;
    expect(!tidemill_to_number(tidemill_from_number(0.0 / number), &number) || number != number,
           "NaN is a number");
    expect(!tidemill_to_int64(tidemill_from_number(0.0 / 0.0), &integer), "but no integer");
    expect(!tidemill_to_number(tidemill_from_boolean(1), &number), "true is no number");
    expect(tidemill_to_boolean(tidemill_from_number(0)), "0 is true");
    expect(!tidemill_to_boolean(tidemill_from_boolean(0)), "false is not");
    expect(!tidemill_to_boolean((tidemill_value){{0, 0}}), "nil neither");
}

static void check_strings(void)
{
    char bytes[300];
    size_t size;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)i;
    for (size_t n = 0; n <= sizeof bytes; n += n < 20 ? 1 : 40) {
        tidemill_value value;
        expect(tidemill_from_string(bytes, n, &value) == TIDEMILL_OK, "a string");
        const char *back = tidemill_to_string(&value, &size);
        expect(size == n && memcmp(back, bytes, n) == 0, "its bytes");
        expect(tidemill_length(value) == n, "its length");
        expect(tidemill_kind_of(value) == TIDEMILL_KIND_STRING, "its kind");
        tidemill_release(tidemill_retain(value));
        tidemill_release(value);
    }
    tidemill_value nil = {{0, 0}};
    expect(tidemill_to_string(&nil, &size) == NULL && size == 0, "nil is no string");
}

static void check_tables(void)
{
    tidemill_value list[] = {tidemill_from_number(10),
                             string("a long string, not in the cell")};
    tidemill_field fields[] = {
        {"zeta", tidemill_from_int64(7)}, {"alpha", string("first")}, {"absent", {{0, 0}}}};
    tidemill_value table, inner, value;
    expect(tidemill_from_table(list, 2, fields, 3, &inner) == TIDEMILL_OK, "a table");
    tidemill_field outer[] = {{"inner", inner}, {"again", inner}};
    expect(tidemill_from_table(&inner, 1, outer, 2, &table) == TIDEMILL_OK, "one in another");
    expect(tidemill_length(table) == 1 && tidemill_length(inner) == 2, "lengths");
    expect(tidemill_at(table, 1, &value) == TIDEMILL_OK, "element");
    expect(tidemill_length(value) == 2, "an element is whole");
    tidemill_release(value);
    tidemill_get(table, "again", &value);
    tidemill_release(table);
    tidemill_release(inner);
    tidemill_value word, nothing;
    tidemill_get(value, "alpha", &word);
    expect(text_is(word, "first"), "a field of a field lives on");
    tidemill_release(word);
    tidemill_at(value, 2, &word);
    expect(text_is(word, "a long string, not in the cell"), "an element of a field");
    expect(tidemill_at(value, 3, &nothing) == TIDEMILL_OK &&
               tidemill_kind_of(nothing) == TIDEMILL_KIND_NIL,
           "none there");
    tidemill_cursor cursor = {{0}};
    tidemill_value key, each;
    int more, steps = 0;
    static const char *const order[] = {"alpha", "zeta"};
    while (tidemill_next(value, &cursor, &more, &key, &each) == TIDEMILL_OK && more) {
        steps++;
        if (steps <= 2)
            expect(number_of(key) == steps, "list keys come first");
        else if (steps <= 4)
            expect(text_is(key, order[steps - 3]), "names in order");
        tidemill_release(key);
        tidemill_release(each);
    }
    expect(steps == 4, "a nil field is none");
    tidemill_release(value);
    tidemill_release(word);
    tidemill_release(list[1]);
    tidemill_release(fields[1].value);
}

static void check_refusals(void)
{
    tidemill_value nil = {{0, 0}}, table = tidemill_from_number(1), list[1];
    tidemill_field twice[] = {{"a", tidemill_from_number(1)}, {"a", tidemill_from_number(2)}};
    tidemill_field nameless[] = {{NULL, tidemill_from_number(1)}};
    expect(tidemill_from_table(&nil, 1, NULL, 0, &table) == TIDEMILL_USAGE, "nil in a list");
    expect(tidemill_kind_of(table) == TIDEMILL_KIND_NIL, "gives nil");
    expect(tidemill_from_table(NULL, 0, twice, 2, &table) == TIDEMILL_USAGE, "a name twice");
    expect(tidemill_from_table(NULL, 0, nameless, 1, &table) == TIDEMILL_USAGE, "no name");
    expect(tidemill_from_table(NULL, 0, NULL, 0, &list[0]) == TIDEMILL_OK, "an empty table");
    int depth = 1;
    tidemill_status status = TIDEMILL_OK;
    while (depth < 300) {
        status = tidemill_from_table(list, 1, NULL, 0, &table);
        tidemill_release(list[0]);
        list[0] = table;
        if (status != TIDEMILL_OK) break;
        depth++;
    }
    expect(status == TIDEMILL_USAGE && depth == 200, "nested too deeply");
}

/* ---- calls ------------------------------------------------------------------------------ */

static void check_kinds(tidemill *engine)
{
    tidemill_value results[9];
    expect(tidemill_call(engine, "kinds", NULL, 0, results, 9) == TIDEMILL_OK, "kinds");
    static const tidemill_kind wanted[] = {
        TIDEMILL_KIND_NIL,   TIDEMILL_KIND_BOOLEAN, TIDEMILL_KIND_NUMBER,
        TIDEMILL_KIND_INT64, TIDEMILL_KIND_UINT64,  TIDEMILL_KIND_STRING,
        TIDEMILL_KIND_TABLE, TIDEMILL_KIND_ARRAY,   TIDEMILL_KIND_FUNCTION};
    for (int i = 0; i < 9; i++) {
        tidemill_value back = call1(engine, "echo", results[i]);
        expect(tidemill_kind_of(results[i]) == wanted[i], "a kind");
        expect(tidemill_kind_of(back) == wanted[i], "and it comes back");
        tidemill_release(back);
        tidemill_release(results[i]);
    }
}

static void check_calls(tidemill *engine)
{
    tidemill_field fields[] = {{"close", tidemill_from_number(21)}};
    tidemill_value bar, results[3];
    tidemill_from_table(NULL, 0, fields, 1, &bar);
    expect(tidemill_call(engine, "strategy.on_bar", &bar, 1, results, 3) == TIDEMILL_OK,
           "call");
    expect(number_of(results[0]) == 42, "its result");
    expect(tidemill_kind_of(results[1]) == TIDEMILL_KIND_TABLE, "a table");
    expect(tidemill_kind_of(results[2]) == TIDEMILL_KIND_NIL, "one more than there are");
    tidemill_release(results[1]);
    tidemill_release(bar);
    expect(number_of(call1(engine, "callable", tidemill_from_number(1))) == 2, "__call");
    expect(tidemill_call(engine, "echo", NULL, 0, NULL, 0) == TIDEMILL_OK, "no results");
    expect(tidemill_run_string(engine, "function echo() return 'new' end", "t", 0, NULL) ==
               TIDEMILL_OK,
           "a function changes");
    tidemill_value fresh = call1(engine, "echo", bar = tidemill_from_number(1));
    expect(text_is(fresh, "new"), "the new one is called");
    tidemill_release(fresh);
}

static void check_shapes(tidemill *engine)
{
    tidemill_value none = {{0, 0}};
    tidemill_value shared = call1(engine, "shared", none), loop = call1(engine, "looped", none);
    expect(tidemill_to_boolean(call1(engine, "same", shared)), "shared tables stay shared");
    expect(tidemill_to_boolean(call1(engine, "cyclic", loop)), "a cycle stays one");
    tidemill_value part, inner;
    tidemill_get(shared, "b", &part); /* refers to what lies in another part */
    tidemill_at(part, 1, &inner);
    tidemill_at(inner, 1, &none);
    expect(number_of(none) == 7, "a part is whole by itself");
    tidemill_release(part);
    tidemill_release(inner);
    tidemill_get(loop, "self", &part);
    tidemill_get(part, "self", &inner);
    expect(tidemill_to_boolean(call1(engine, "cyclic", inner)), "a part of a cycle is one");
    tidemill_release(part);
    tidemill_release(inner);
    tidemill_release(shared);
    tidemill_release(loop);
}

static int refused(tidemill *engine, const char *name, tidemill_status status, const char *text)
{
    tidemill_value result = tidemill_from_number(1);
    tidemill_status got = tidemill_call(engine, name, NULL, 0, &result, 1);
    int fine = got == status && strstr(tidemill_error(engine), text) != NULL;
    if (!fine) printf("# %s: %d, %s\n", name, got, tidemill_error(engine));
    return fine && tidemill_kind_of(result) == TIDEMILL_KIND_NIL;
}

/* Functions keep what they share as long as they are together. */
static void check_functions(tidemill *engine)
{
    tidemill_value none = {{0, 0}}, pair = call1(engine, "pair", none), part, function, both;
    expect(tidemill_get(pair, "a", &part) == TIDEMILL_OK, "the first of two functions");
    expect(tidemill_at(part, 1, &function) == TIDEMILL_OK &&
               tidemill_kind_of(function) == TIDEMILL_KIND_FUNCTION,
           "is one by itself");
    expect(tidemill_get(pair, "b", &both) == TIDEMILL_UNSUPPORTED &&
               tidemill_kind_of(both) == TIDEMILL_KIND_NIL,
           "the second shares an upvalue with it");
    tidemill_release(function);
    tidemill_release(part);
    tidemill_release(pair);
}

static void check_errors(tidemill *engine)
{
    tidemill_value two[2];
    expect(tidemill_call(engine, "partly", NULL, 0, two, 2) == TIDEMILL_USAGE &&
               tidemill_kind_of(two[0]) == TIDEMILL_KIND_NIL,
           "a call gives all results or none");

    expect(refused(engine, "fails", TIDEMILL_ERROR, "boom"), "an error");
    expect(strstr(tidemill_error(engine), "stack traceback") != NULL, "its traceback");
    expect(refused(engine, "kinsd", TIDEMILL_USAGE, "kinsd is nil, not a function"), "none");
    expect(strstr(tidemill_error(engine), "did you mean \"kinds\"?") != NULL, "the nearest");
    expect(refused(engine, "strategy.on_baar", TIDEMILL_USAGE, "\"on_bar\"?"), "in a table");
    expect(refused(engine, "strategy.limits.most", TIDEMILL_USAGE, "is number, not a function"),
           "a number");
    expect(refused(engine, "strategy.limits.most.x", TIDEMILL_USAGE, "not a table"), "of that");
    expect(refused(engine, "", TIDEMILL_USAGE, "cannot call"), "no name");
    expect(refused(engine, NULL, TIDEMILL_USAGE, "cannot call"), "NULL");
    expect(refused(engine, "file", TIDEMILL_USAGE,
                   "cannot send a file to the host program (result 1, field [2].handle)"),
           "what does not cross");
    expect(refused(engine, "leaves", TIDEMILL_EXIT, ""), "os.exit");
    expect(tidemill_exit_status(engine) == 5, "its status");
    expect(tidemill_call(engine, "count", NULL, 0, NULL, 0) == TIDEMILL_ERROR, "no argument");
    tidemill_value table;
    tidemill_from_table(NULL, 0, NULL, 0, &table);
    expect(number_of(call1(engine, "count", table)) == 0, "and the engine goes on");
    expect(tidemill_error(engine)[0] == '\0', "without an error");
    tidemill_release(table);
}

/* ---- threads ---------------------------------------------------------------------------- */

struct caller {
    pthread_t thread;
    tidemill *engine;
    int number, wrong;
};

/* Each thread fails in its own way and must read its own text. */
static void *call_often(void *context)
{
    struct caller *caller = context;
    char name[32];
    snprintf(name, sizeof name, "no_such_%d", caller->number);
    for (int i = 0; i < 2000; i++) {
        tidemill_value argument = tidemill_from_number(i), result;
        tidemill_call(caller->engine, "callable", &argument, 1, &result, 1);
        if (number_of(result) != i + 1) caller->wrong++;
        if (tidemill_call(caller->engine, name, NULL, 0, NULL, 0) != TIDEMILL_USAGE ||
            strstr(tidemill_error(caller->engine), name) == NULL) {
            caller->wrong++;
        }
    }
    return NULL;
}

static void check_threads(tidemill *engine)
{
    struct caller callers[8];
    for (int i = 0; i < 8; i++) {
        callers[i] = (struct caller){.engine = engine, .number = i};
        pthread_create(&callers[i].thread, NULL, call_often, &callers[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(callers[i].thread, NULL);
        expect(callers[i].wrong == 0, "a thread's calls and errors are its own");
    }
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    tidemill_value result, answer;
    check_numbers();
    check_strings();
    check_tables();
    check_refusals();
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine opens");
    expect(tidemill_run_string(engine, script, "script", 0, NULL) == TIDEMILL_OK, "a script");
    expect(tidemill_result(engine, &result) == TIDEMILL_OK, "its result");
    tidemill_get(result, "answer", &answer);
    expect(number_of(answer) == 42, "as a value");
    check_kinds(engine);
    check_calls(engine);
    check_shapes(engine);
    check_functions(engine);
    check_errors(engine);
    check_threads(engine);
    tidemill_close(engine);
    tidemill_release(result); /* outlives the engine */
    return expect_end();
}
