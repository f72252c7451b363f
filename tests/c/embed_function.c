/* Functions and kernels of the host, called by scripts and tasks.  SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

static atomic_int calls, released;

/* ---- the host's functions --------------------------------------------------------------- */

static tidemill_status twice(void *context, tidemill_invocation *invocation,
                             const tidemill_value *arguments, size_t count,
                             tidemill_value *results)
{
    double number;
    (void)context;
    atomic_fetch_add(&calls, 1);
    if (count != 1 || !tidemill_to_number(arguments[0], &number))
        return tidemill_raise(invocation, "no number");
    if (number < 0) return tidemill_raise(invocation, "only numbers from 0");
    results[0] = tidemill_from_number(2 * number);
    return TIDEMILL_OK;
}

static tidemill_status describe(void *context, tidemill_invocation *invocation,
                                const tidemill_value *arguments, size_t count,
                                tidemill_value *results)
{
    char text[200];
    (void)invocation;
    int size = snprintf(text, sizeof text, "%s:", (const char *)context);
    for (size_t i = 0; i < count; i++) {
        size += snprintf(text + size, sizeof text - (size_t)size, " %d",
                         (int)tidemill_kind_of(arguments[i]));
    }
    return tidemill_from_string(text, (size_t)size, &results[0]);
}

/* Calls the script back, with what it was given. */
static tidemill_status back(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results)
{
    (void)context;
    char name[64];
    size_t size;
    const char *text = tidemill_to_string(&arguments[0], &size);
    snprintf(name, sizeof name, "%.*s", (int)size, text);
    tidemill *engine = tidemill_caller(invocation);
    tidemill_status status = tidemill_call(engine, name, arguments + 1, count - 1, results, 1);
    return status == TIDEMILL_OK ? status : tidemill_raise(invocation, tidemill_error(engine));
}

/* Gives what its signature does not say. */
static tidemill_status lies(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count;
    return tidemill_from_string("text that does not fit into a cell", 34, &results[0]);
}

static tidemill_status silent(void *context, tidemill_invocation *invocation,
                              const tidemill_value *arguments, size_t count,
                              tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count;
    tidemill_from_string("dropped, and longer than a cell", 31, &results[0]);
    return TIDEMILL_ERROR;
}

static void end_context(void *context)
{
    (void)context;
    atomic_fetch_add(&released, 1);
}

static double mean(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

/* ---- registering ------------------------------------------------------------------------ */

static tidemill_status add(tidemill *engine, const char *name, const char *signature,
                           tidemill_status (*call)(void *, tidemill_invocation *,
                                                   const tidemill_value *, size_t,
                                                   tidemill_value *),
                           unsigned flags)
{
    tidemill_function function = {.size = sizeof function,
                                  .name = name,
                                  .signature = signature,
                                  .call = call,
                                  .context = "kinds",
                                  .release = end_context,
                                  .flags = flags};
    return tidemill_register(engine, &function);
}

static int refused(tidemill *engine, const char *name, const char *signature, const char *text)
{
    tidemill_status status = add(engine, name, signature, twice, 0);
    int fine = status == TIDEMILL_USAGE && strstr(tidemill_error(engine), text) != NULL;
    if (!fine) printf("# %s\n", tidemill_error(engine));
    return fine;
}

static void check_register(tidemill *engine)
{
    expect(add(engine, "twice", "number -> number", twice, TIDEMILL_THREAD_SAFE) == 0, "one");
    expect(add(engine, "host.kinds", "any?, ... -> string", describe, 0) == 0, "in a table");
    expect(add(engine, "host.deep.back", "string, ... -> any", back, 0) == 0, "deeper");
    expect(add(engine, "host.lies", "-> number", lies, 0) == 0, "without arguments");
    expect(add(engine, "host.silent", "... -> string?", silent, 0) == 0, "any arguments");
    expect(add(engine, "host.typed",
               "integer, table?, array, frame, boolean, function -> string", describe, 0) == 0,
           "all types");
    expect(refused(engine, "twice", "", "there is a global of that name"), "twice the name");
    expect(refused(engine, "twice.inner", "", "twice is no table"), "no table");
    expect(refused(engine, "tw ice", "", "is no name of a function"), "a blank");
    expect(refused(engine, "1st", "", "is no name"), "a digit");
    expect(refused(engine, "a..b", "", "is no name"), "an empty part");
    expect(refused(engine, NULL, "", "NULL"), "no name");
    expect(refused(engine, "f", "nubmer", "expected a type, such as \"number\", at \"nubmer\""),
           "an unknown type");
    expect(refused(engine, "f", "number number", "at \"number\""), "no comma");
    expect(refused(engine, "f", "number -> ...", "expected a type"), "results without end");
    expect(refused(engine, "f", "..., number", "\"->\" or the end"), "arguments behind ...");
    expect(add(engine, "f", "", NULL, 0) == TIDEMILL_USAGE, "no function");
    expect(add(engine, "f", "", twice, 64) == TIDEMILL_USAGE, "unknown flags");
}

/* ---- calling ---------------------------------------------------------------------------- */

static int runs(tidemill *engine, const char *code)
{
    tidemill_status status = tidemill_run_string(engine, code, "test", 0, NULL);
    if (status != TIDEMILL_OK) printf("# %s\n", tidemill_error(engine));
    return status == TIDEMILL_OK;
}

static int fails(tidemill *engine, const char *code, const char *text)
{
    tidemill_status status = tidemill_run_string(engine, code, "test", 0, NULL);
    int fine = status == TIDEMILL_ERROR && strstr(tidemill_error(engine), text) != NULL;
    if (!fine) printf("# %d %s\n", status, tidemill_error(engine));
    return fine;
}

static void check_calls(tidemill *engine)
{
    expect(runs(engine, "assert(twice(21) == 42)"), "a call");
    expect(
        runs(engine, "assert(host.kinds(nil, 1, 'a', {}, 1LL, true) == 'kinds: 0 2 5 6 3 1')"),
        "its arguments");
    expect(runs(engine, "assert(host.kinds() == 'kinds: 0')"), "nil where there is none");
    expect(runs(engine, "local s = 0 for i = 1, 1e5 do s = s + twice(i) end "
                        "assert(s == 1e5 * (1e5 + 1))"),
           "in a hot loop");
    expect(
        fails(engine, "twice('x')", "test:1: twice: argument 1: expected number, got string"),
        "a wrong type");
    expect(fails(engine, "twice()", "argument 1: expected number, got nil"), "too few");
    expect(fails(engine, "twice(1, 2)", "expected 1 arguments at most, got 2"), "too many");
    expect(fails(engine, "host.kinds(unpack({}, 1, 40))", "32 arguments at most"),
           "far too many");
    expect(fails(engine, "twice(-1)", "test:1: twice: only numbers from 0"), "its error");
    expect(runs(engine, "local fine, text = pcall(twice, -1) assert(not fine and "
                        "text:find('only numbers'))"),
           "may be caught");
    expect(fails(engine, "host.lies()", "result 1: expected number, the host gave string"),
           "a wrong result");
    expect(fails(engine, "host.silent()", "the host program's function failed"), "no text");
    expect(fails(engine, "host.kinds(io.stdout)", "cannot send a file to the host program"),
           "what does not cross");
    expect(fails(engine, "host.typed(1.5)", "expected integer, got number"), "a fraction");
    expect(fails(engine, "host.typed(1, 1)", "expected table?, got number"), "optional");
    expect(fails(engine, "host.typed(1, nil, {})", "expected array, got table"), "an array");
    expect(fails(engine, "host.typed(1, nil, tm.array{1}, {})", "expected frame, got table"),
           "a frame");
}

static void check_nesting(tidemill *engine)
{
    expect(runs(engine, "function inner(x) return x + 1 end "
                        "assert(host.deep.back('inner', 41) == 42)"),
           "the host calls the script again");
    expect(runs(engine, "function down(n) if n == 0 then return 0 end "
                        "return 1 + host.deep.back('down', n - 1) end assert(down(40) == 40)"),
           "and again");
    expect(fails(engine, "function raises() error('inside') end host.deep.back('raises')",
                 "inside"),
           "an error of the script passes through the host");
    expect(fails(engine, "host.deep.back('nothing')", "cannot call \"nothing\""),
           "no function");
    expect(runs(engine, "assert(twice(1) == 2)"), "the engine goes on");
    expect(tidemill_run_string(engine,
                               "function leave() os.exit(9) end "
                               "host.deep.back('leave')",
                               "test", 0, NULL) == TIDEMILL_EXIT,
           "os.exit passes, too");
    expect(tidemill_exit_status(engine) == 9, "with its status");
}

static void check_tasks(tidemill *engine)
{
    int before = atomic_load(&calls);
    expect(runs(engine, "local r = tm.map(function(x) return twice(x) end, {1, 2, 3, 4}) "
                        "assert(r[4] == 8)"),
           "tasks call it");
    expect(atomic_load(&calls) == before + 4, "each once");
    expect(runs(engine, "local f = { g = twice } "
                        "assert(tm.submit(function() return f.g(4) end):result() == 8)"),
           "as an upvalue");
    expect(fails(engine, "tm.map(function(x) return host.kinds(x) end, {1, 2})",
                 "without TIDEMILL_THREAD_SAFE"),
           "one that is not for tasks");
    expect(fails(engine, "tm.map(function(x) return twice(-x) end, {1, 2})",
                 "only numbers from 0"),
           "an error in a task");
    expect(runs(engine, "assert(tm.submit(function() return tm.map(twice, {1, 2})[2] end)"
                        ":result() == 4)"),
           "by a task to its own tasks");
}

static tidemill_status enters(void *context, tidemill_invocation *invocation,
                              const tidemill_value *arguments, size_t count,
                              tidemill_value *results)
{
    (void)context, (void)arguments, (void)count, (void)results;
    tidemill *engine = tidemill_caller(invocation);
    tidemill_status status = tidemill_run_string(engine, "return 1", "inner", 0, NULL);
    if (status == TIDEMILL_OK) return status;
    return tidemill_raise(invocation, tidemill_error(engine));
}

static void check_entering(tidemill *engine)
{
    expect(add(engine, "enters", "any?", enters, TIDEMILL_THREAD_SAFE) == 0, "one that enters");
    expect(runs(engine, "enters()"), "from the script it may");
    expect(fails(engine, "tm.map(enters, {1, 2})",
                 "not from a task: functions of its engine would wait for the script"),
           "from a task it would wait for ever");
}

static void check_kernels(tidemill *engine)
{
    void (*kernel)(void) = (void (*)(void))mean;
    expect(tidemill_register_kernel(engine, "double mean(const double *x, int64_t n);", kernel,
                                    "1") == TIDEMILL_OK,
           "a kernel");
    expect(runs(engine, "assert(mean({1, 2, 3}, 3) == 2) assert(mean(tm.array{2, 4}, 2) == 3)"),
           "a script calls it");
    expect(runs(engine,
                "local r = tm.map(function(i) return mean({i, i + 2}, 2) end, {1, 2, 3}) "
                "assert(r[3] == 4)"),
           "and tasks");
    expect(fails(engine, "mean(1)", "expected 2 arguments, got 1"), "checked");
    expect(tidemill_register_kernel(engine, "double mean(const double *x, int64_t n);", kernel,
                                    NULL) == TIDEMILL_USAGE &&
               strstr(tidemill_error(engine), "there is a global of that name") != NULL,
           "twice");
    expect(tidemill_register_kernel(engine, "struct s f(void);", kernel, NULL) ==
               TIDEMILL_USAGE,
           "an unreadable declaration");
    expect(tidemill_register_kernel(engine, NULL, kernel, NULL) == TIDEMILL_USAGE, "none");
}

/* The calls of the host that one task with a cache makes in a new engine. */
static int calls_with(const char *cache, const char *version)
{
    tidemill_config config = {.size = sizeof config, .workers = 1, .cache = cache};
    tidemill_function function = {.size = sizeof function,
                                  .name = "twice",
                                  .signature = "number -> number",
                                  .call = twice,
                                  .flags = TIDEMILL_THREAD_SAFE,
                                  .version = version};
    tidemill *engine;
    int before = atomic_load(&calls);
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine with a cache");
    expect(tidemill_register(engine, &function) == TIDEMILL_OK, "and a function");
    expect(runs(engine, "for i = 1, 2 do local f = tm.delayed(function(x) return twice(x) end, "
                        "{ cache = true }) assert(tm.submit(f, 7):result() == 14) end"),
           "a cached task");
    tidemill_close(engine);
    return atomic_load(&calls) - before;
}

static void check_cache(void)
{
    char folder[] = "/tmp/tidemill-embed-XXXXXX", cache[64], command[80];
    if (mkdtemp(folder) == NULL) return expect(0, "a folder");
    snprintf(cache, sizeof cache, "%s/cache.db", folder);
    expect(calls_with(cache, "1") == 1, "one call, then the cache answers");
    expect(calls_with(cache, "1") == 0, "in another engine as well");
    expect(calls_with(cache, "2") == 1, "a new version computes again");
    expect(calls_with(cache, NULL) == 1, "one without version, too");
    expect(calls_with(cache, NULL) == 1, "in each engine");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    expect(system(command) == 0, "cleaned up");
}

static void check_process(tidemill *engine)
{
    expect(fails(engine,
                 "tm.submit(tm.delayed(function() return twice(1) end, { lane = 'process' "
                 "})):result()",
                 "is not there in a process of its own") ||
               strstr(tidemill_error(engine), "process lane") != NULL,
           "a process of its own has no function of the host");
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine opens");
    check_register(engine);
    check_calls(engine);
    check_nesting(engine);
    check_tasks(engine);
    check_entering(engine);
    check_kernels(engine);
    check_process(engine);
    check_cache();
    tidemill_close(engine);
    expect(atomic_load(&released) == 7, "each context is released once");
    return expect_end();
}
