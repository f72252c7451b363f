/* Scripts in a process of their own: whatever they do, the host goes on.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "folder_check.h"

static tidemill *open_with(tidemill_config config)
{
    tidemill *engine;
    config.size = sizeof config;
    config.workers = 2;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status != TIDEMILL_OK) printf("# open: %s\n", tidemill_error(engine));
    expect(status == TIDEMILL_OK, "an engine opens");
    return engine;
}

static int run(tidemill *engine, const char *code)
{
    return tidemill_run_string(engine, code, "script", 0, NULL);
}

static int says(tidemill *engine, const char *text)
{
    int found = strstr(tidemill_error(engine), text) != NULL;
    if (!found) printf("# \"%s\" is not in \"%s\"\n", text, tidemill_error(engine));
    return found;
}

/* Whether the engine's script is there and works. */
static int works(tidemill *engine)
{
    tidemill_value result;
    int fine = run(engine, "return 40 + 2") == TIDEMILL_OK &&
               tidemill_result(engine, &result) == TIDEMILL_OK && number_of(result) == 42;
    if (!fine) printf("# %s\n", tidemill_error(engine));
    return fine;
}

/* ---- what goes well --------------------------------------------------------------------- */

static void check_runs(void)
{
    tidemill *engine = open_with((tidemill_config){.deadline = 60});
    char *text = NULL, *words[] = {(char *)"a", (char *)"b"};
    expect(tidemill_run_string(engine, "n = 7 return {arg[0], ...}", "script", 2, words) == 0,
           "a string runs");
    expect(tidemill_result_json(engine, &text) == 0 &&
               strcmp(text, "[\"script\",\"a\",\"b\"]") == 0,
           "its result as JSON");
    free(text);
    expect(run(engine, "return n") == 0 && tidemill_result_json(engine, &text) == 0 &&
               strcmp(text, "7") == 0,
           "its globals stay");
    free(text);
    expect(run(engine, "error('boom')") == TIDEMILL_ERROR && says(engine, "script:1: boom"),
           "an error is told");
    expect(run(engine, "x x") == TIDEMILL_SYNTAX && says(engine, "script:1:"), "wrong syntax");
    expect(run(engine, "os.exit(5)") == TIDEMILL_EXIT && tidemill_exit_status(engine) == 5,
           "os.exit is the script's");
    expect(run(engine, "tm.degraded(3, 'x')") == 0 && tidemill_strict_count(engine) == 3,
           "what --strict minds is counted");
    expect(tidemill_run_file(engine, "/nowhere/x.lua", 0, NULL) == TIDEMILL_IO,
           "a file that there is not");
    expect(works(engine), "it works after all that");
    tidemill_close(engine);
}

static void check_calls(void)
{
    tidemill *engine = open_with((tidemill_config){.sandbox = 1});
    tidemill_value two[] = {tidemill_from_number(40), tidemill_from_number(2)}, got[2], field;
    expect(tidemill_eval(engine, "1") == TIDEMILL_UNSUPPORTED && says(engine, "process"),
           "a sandbox has no session");
    run(engine, "t = {}\n"
                "function t.add(a, b) return a + b, {sum = a + b, {1, 2}} end\n"
                "function count() n = (n or 0) + 1 return n end\n"
                "function give() return print end\n"
                "function wrong() error({message = 'on purpose'}) end");
    expect(tidemill_call(engine, "t.add", two, 2, got, 2) == 0, "a call");
    expect(number_of(got[0]) == 42, "its first result");
    tidemill_get(got[1], "sum", &field);
    expect(number_of(field) == 42, "a table");
    tidemill_release(got[1]);
    for (int i = 1; i <= 3; i++) {
        expect(tidemill_call(engine, "count", NULL, 0, got, 1) == 0 && number_of(got[0]) == i,
               "state lives on between calls");
    }
    expect(tidemill_call(engine, "give", NULL, 0, got, 1) == TIDEMILL_USAGE &&
               says(engine, "data alone"),
           "functions stay inside");
    expect(tidemill_call(engine, "wrong", NULL, 0, got, 1) == TIDEMILL_ERROR &&
               says(engine, "on purpose"),
           "an error of a call");
    expect(tidemill_call(engine, "cuont", NULL, 0, got, 1) == TIDEMILL_USAGE &&
               says(engine, "did you mean \"count\""),
           "an unknown name");
    expect(tidemill_kind_of(got[0]) == TIDEMILL_KIND_NIL, "no result of a failure");
    tidemill_close(engine);
}

/* A task of a call whose engine is closed ends, and what it gives is kept. */
static void check_rest(void)
{
    char path[64], command[96];
    tidemill_value result;
    snprintf(path, sizeof path, "/tmp/tidemill-rest-%d.db", (int)getpid());
    for (int i = 0; i < 2; i++) {
        tidemill *engine = open_with((tidemill_config){.deadline = 60, .cache = path});
        run(engine,
            "local slow = tm.delayed(function() tm.sleep(0.3) return 42 end, {cache = true}) "
            "function start() tm.submit(slow) end "
            "function hits() slow():compute() return tm.stats().hits end");
        if (i == 0) {
            expect(tidemill_call(engine, "start", NULL, 0, NULL, 0) == 0, "a task is begun");
        } else {
            expect(tidemill_call(engine, "hits", NULL, 0, &result, 1) == 0 &&
                       number_of(result) == 1,
                   "closing has let it end, and kept what it gave");
        }
        tidemill_close(engine);
    }
    snprintf(command, sizeof command, "rm -rf %s*", path);
    if (system(command) != 0) abort();
}

static void check_arrays(void)
{
    const char *const allow[] = {"array", NULL};
    double numbers[] = {1, 2, 3, 4};
    tidemill_array array = {sizeof array, "float64", 1, {4}, numbers, NULL, NULL};
    tidemill *engine = open_with((tidemill_config){.sandbox = 1, .allow = allow});
    tidemill_value value, result;
    expect(tidemill_from_array(engine, &array, NULL, NULL, &value) == 0, "an array");
    run(engine, "function twice(a) return (a * 2):compute() end function total(a) return "
                "a:sum():compute() end");
    expect(tidemill_call(engine, "total", &value, 1, &result, 1) == 0 &&
               number_of(result) == 10,
           "goes in");
    expect(tidemill_call(engine, "twice", &value, 1, &result, 1) == 0, "is computed with");
    expect(tidemill_to_array(result, &array) && ((const double *)array.data)[3] == 8,
           "and comes out");
    tidemill_release(result);
    tidemill_release(value);
    tidemill_close(engine);
}

/* ---- modules and names that are allowed ------------------------------------------------- */

static void check_modules(void)
{
    folder_make();
    write_file(in_folder("mine.lua"),
               "local m = {} function m.add(a, b) return a + b end m.io = io return m");
    write_file(in_folder("other.lua"), "return {}");
    write_file(
        in_folder("script.lua"),
        "local mine = require 'mine'\n"
        "assert(mine.add(40, 2) == 42 and mine.io == nil)\n"
        "assert(require 'mine' == mine and not pcall(require, 'other'))\n"
        "assert(tm.submit(function() return require 'mine'.add(1, 2) end):result() "
        "== 3)\n"
        "assert(tm.map(function(x) return mine.add(x, 1) end, {1, 2})[2] == 3)\n"
        "assert(#tm.glob(... .. '/*.lua') == 3)\n"
        "tm.config{log_level = 'warn'}\n"
        "assert(not pcall(function() tm.log.info = 5 end))\n"
        "assert(tm.submit(function() return type(tm.log.info) end):result() == 'function')\n"
        "return 'fine'");
    const char *const modules[] = {"mine", NULL}, *const allow[] = {"glob", "config", "log",
                                                                    NULL};
    tidemill *engine =
        open_with((tidemill_config){.sandbox = 1, .modules = modules, .allow = allow});
    char *words[] = {folder};
    int fine = tidemill_run_file(engine, in_folder("script.lua"), 1, words) == TIDEMILL_OK;
    if (!fine) printf("# %s\n", tidemill_error(engine));
    expect(fine, "modules and names that are allowed");
    write_file(in_folder("script.lua"), "\033LJ\002\010");
    expect(tidemill_run_file(engine, in_folder("script.lua"), 0, NULL) == TIDEMILL_SYNTAX,
           "a file of bytecode");
    tidemill_close(engine);
    if (!folder_remove()) abort();
}

/* ---- functions of the host -------------------------------------------------------------- */

static tidemill_status quote(void *context, tidemill_invocation *invocation,
                             const tidemill_value *arguments, size_t count,
                             tidemill_value *results)
{
    (void)count;
    double number = number_of(arguments[0]);
    ++*(int *)context;
    if (number < -1) return TIDEMILL_ERROR;
    if (number < 0) return tidemill_raise(invocation, "below zero");
    results[0] = tidemill_from_number(number * 2);
    return TIDEMILL_OK;
}

/* Calls the script from within the script's call. */
static tidemill_status call_back(void *context, tidemill_invocation *invocation,
                                 const tidemill_value *arguments, size_t count,
                                 tidemill_value *results)
{
    (void)context, (void)count;
    double number = number_of(arguments[0]);
    if (number <= 0) return TIDEMILL_OK;
    tidemill_value less = tidemill_from_number(number - 1);
    tidemill *engine = tidemill_caller(invocation);
    if (tidemill_call(engine, "down", &less, 1, &results[0], 1) == TIDEMILL_OK) return 0;
    return tidemill_raise(invocation, tidemill_error(engine));
}

static tidemill_status endless_inside(void *context, tidemill_invocation *invocation,
                                      const tidemill_value *arguments, size_t count,
                                      tidemill_value *results)
{
    (void)context, (void)arguments, (void)count, (void)results;
    tidemill *engine = tidemill_caller(invocation);
    tidemill_status status = run(engine, "while true do end");
    expect(status == TIDEMILL_DEADLINE, "the deadline inside a function of the host");
    return tidemill_raise(invocation, "nobody hears this");
}

/* The description is copied: what it was read from holds something else from then on. */
static tidemill_status give(tidemill *engine, const char *name, const char *signature,
                            void *call, void *context, unsigned flags)
{
    static char texts[3][40];
    snprintf(texts[0], sizeof texts[0], "%s", name);
    snprintf(texts[1], sizeof texts[1], "%s", signature);
    snprintf(texts[2], sizeof texts[2], "1");
    tidemill_function function = {.size = sizeof function,
                                  .name = texts[0],
                                  .signature = texts[1],
                                  .version = texts[2],
                                  .context = context,
                                  .flags = flags};
    memcpy(&function.call, &call, sizeof call);
    tidemill_status status = tidemill_register(engine, &function);
    memset(texts, '?', sizeof texts - 1);
    return status;
}

static void check_functions(void)
{
    int calls = 0;
    tidemill *engine = open_with((tidemill_config){.sandbox = 1, .deadline = 60});
    expect(give(engine, "quote", "number -> number", (void *)quote, &calls, 0) ==
                   TIDEMILL_USAGE &&
               says(engine, "TIDEMILL_SANDBOX"),
           "a function that is not for sandboxes");
    expect(give(engine, "host.quote", "number -> number", (void *)quote, &calls,
                TIDEMILL_SANDBOX) == 0,
           "one that is");
    expect(give(engine, "back", "number -> any", (void *)call_back, NULL, TIDEMILL_SANDBOX) ==
               0,
           "one that calls back");
    expect(give(engine, "print", "->", (void *)quote, &calls, TIDEMILL_SANDBOX) ==
               TIDEMILL_USAGE,
           "a name that is taken");
    expect(run(engine, "assert(host.quote(21) == 42) assert(host.quote(1) == 2)") == 0 &&
               calls == 2,
           "the host is called");
    expect(run(engine, "host.quote(-1)") == TIDEMILL_ERROR && says(engine, "below zero"),
           "its error is the script's");
    expect(run(engine, "host.quote(-2)") == TIDEMILL_ERROR && says(engine, "function failed"),
           "one without a text");
    expect(run(engine, "local fine, text = pcall(host.quote, -1) assert(not fine and "
                       "text:find('below zero')) return 1") == 0,
           "which may catch it");
    expect(run(engine, "host.quote('x')") == TIDEMILL_ERROR && says(engine, "expected number"),
           "types are checked");
    expect(run(engine, "host.quote(print)") == TIDEMILL_ERROR, "functions stay inside");
    expect(run(engine, "function down(n) return back(n) or 'ground' end "
                       "assert(down(20) == 'ground')") == 0,
           "calls in calls");
    expect(run(engine, "return tm.submit(function() return host.quote(1) end):result()") ==
               TIDEMILL_ERROR,
           "not in tasks");
    tidemill_close(engine);
    engine = open_with((tidemill_config){.sandbox = 1, .deadline = 0.5});
    give(engine, "inside", "->", (void *)endless_inside, NULL, TIDEMILL_SANDBOX);
    give(engine, "quote", "number -> number", (void *)quote, &calls, TIDEMILL_SANDBOX);
    expect(run(engine, "pcall(inside)") != TIDEMILL_OK && says(engine, "deadline"),
           "the process ends in a function of the host");
    expect(run(engine, "assert(quote(2) == 4)") == 0, "the next process has the functions");
    expect(works(engine), "works after that");
    tidemill_close(engine);
}

/* ---- what does not ---------------------------------------------------------------------- */

static void check_deadline(void)
{
    tidemill_value result;
    tidemill *engine = open_with((tidemill_config){.deadline = 0.3, .sandbox = 1});
    run(engine, "function answer() return 42 end");
    expect(run(engine, "while true do end") == TIDEMILL_DEADLINE && says(engine, "0.3 s"),
           "an endless loop meets the deadline");
    expect(tidemill_call(engine, "answer", NULL, 0, &result, 1) == TIDEMILL_ERROR &&
               says(engine, "no script any more: the script took longer"),
           "what was defined is gone");
    expect(works(engine), "the next run begins anew");
    expect(run(engine, "local s = ('a'):rep(40) return s:find(('a*'):rep(30) .. 'b')") ==
               TIDEMILL_DEADLINE,
           "a pattern that takes for ever");
    expect(run(engine, "tm.submit(function() while true do end end):result()") ==
               TIDEMILL_DEADLINE,
           "a task that takes for ever");
    expect(works(engine), "and again");
    tidemill_close(engine);
}

/* The limit alone, too, gives the script a process of its own, which has all libraries. */
static void check_memory(int sandbox)
{
    tidemill *engine = open_with((tidemill_config){.memory = 256 << 20, .sandbox = sandbox});
    expect(run(engine, sandbox ? "assert(not io)" : "assert(io.open)") == TIDEMILL_OK,
           "the libraries of a limit");
    expect(run(engine, "local t = {} while true do t[#t + 1] = {} end") == TIDEMILL_MEMORY &&
               says(engine, "256 MiB"),
           "hunger for memory");
    expect(works(engine), "works after hunger");
    tidemill_status status =
        run(engine, "local t = {} for i = 1, 100 do t[i] = ('x'):rep(2 ^ 30) end");
    expect(status == TIDEMILL_MEMORY || status == TIDEMILL_ERROR, "strings without end");
    expect(works(engine), "works after strings");
    tidemill_close(engine);
}

static void check_crash(void)
{
    const char *const allow[] = {"ffi", NULL};
    tidemill *engine = open_with((tidemill_config){.sandbox = 1, .allow = allow});
    expect(
        run(engine, "require('ffi').cast('int *', 0)[0] = 1") == TIDEMILL_ERROR &&
            says(engine, "the script's process"), /* sanitizers make a status of the signal */
        "a crash");
    expect(works(engine), "works after a crash");
    expect(run(engine, "require('ffi').cdef'void _exit(int);' require('ffi').C._exit(9)") ==
                   TIDEMILL_ERROR &&
               says(engine, "status 9"),
           "an exit behind the engine's back");
    expect(works(engine), "works after that");
    /* It writes to the socket what it likes: file 3. */
    expect(run(engine,
               "local ffi = require('ffi') ffi.cdef'long write(int, const void *, size_t);'\n"
               "ffi.C.write(3, ('garbage!'):rep(10), 80)") == TIDEMILL_ERROR &&
               says(engine, "no message"),
           "garbage");
    expect(works(engine), "works after garbage");
    tidemill_close(engine);
}

static void *interrupt_soon(void *engine)
{
    usleep(200000);
    tidemill_interrupt(engine);
    return NULL;
}

static void check_interrupt(void)
{
    pthread_t thread;
    tidemill *engine = open_with((tidemill_config){.sandbox = 1});
    pthread_create(&thread, NULL, interrupt_soon, engine);
    expect(run(engine, "n = 5 tm.sleep(1000)") == TIDEMILL_CANCELLED, "a sleep is interrupted");
    pthread_join(thread, NULL);
    expect(run(engine, "assert(n == 5)") == TIDEMILL_OK, "and its state is there");
    pthread_create(&thread, NULL, interrupt_soon, engine);
    expect(run(engine, "while true do end") == TIDEMILL_CANCELLED && says(engine, "ended"),
           "a loop is interrupted by force");
    pthread_join(thread, NULL);
    expect(works(engine), "works after that");
    tidemill_close(engine);
}

static void check_opening(void)
{
    tidemill *engine;
    const char *const allow[] = {"raed_csv", NULL};
    tidemill_config config = {.size = sizeof config, .sandbox = 1, .allow = allow};
    expect(tidemill_open(&config, &engine) == TIDEMILL_USAGE &&
               says(engine, "did you mean \"read_csv\""),
           "an unknown name to allow");
    tidemill_close(engine);
    config.sandbox = 0;
    expect(tidemill_open(&config, &engine) == TIDEMILL_USAGE, "allow without a sandbox");
    tidemill_close(engine);
    config = (tidemill_config){.size = sizeof config, .deadline = -1};
    expect(tidemill_open(&config, &engine) == TIDEMILL_USAGE, "a deadline before now");
    tidemill_close(engine);
    setenv("TIDEMILL_WORKER_PATH", "/nowhere/tidemill", 1);
    config = (tidemill_config){.size = sizeof config, .sandbox = 1};
    expect(tidemill_open(&config, &engine) == TIDEMILL_USAGE &&
               says(engine, "/nowhere/tidemill"),
           "no program for it");
    tidemill_close(engine);
    unsetenv("TIDEMILL_WORKER_PATH");
}

/* ---- the host's life -------------------------------------------------------------------- */

/* A child of a process, or 0. */
static int child_of(int parent)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%d", &child) != 1) child = 0;
    fclose(file);
    return child;
}

/* Whether a process runs: one that has ended may wait for somebody to look. */
static int is_alive(int process)
{
    char path[64], state = 'X';
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
    fclose(file);
    return state != 'Z' && state != 'X';
}

static void check_death_of_the_host(void)
{
    fflush(stdout);
    int host = fork(), script = 0;
    if (host < 0) abort(); /* and kill nobody */
    if (host == 0) {
        tidemill *engine = open_with((tidemill_config){.sandbox = 1});
        run(engine, "while true do end");
        _exit(0);
    }
    for (int i = 0; i < 3000 && script == 0; i++) {
        script = child_of(host);
        usleep(10000);
    }
    usleep(300000); /* it may be in its loop by now, or before it: it ends either way */
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    for (int i = 0; i < 3000 && is_alive(script); i++) usleep(10000);
    expect(script != 0 && !is_alive(script), "the script's process ends with its host");
}

static _Atomic int reaping;

static void *reap_all(void *unused)
{
    (void)unused;
    while (atomic_load(&reaping)) {
        waitpid(-1, NULL, WNOHANG);
        usleep(1000);
    }
    return NULL;
}

static void check_host_that_reaps(void)
{
    pthread_t thread;
    const char *const allow[] = {"ffi", NULL};
    atomic_store(&reaping, 1);
    pthread_create(&thread, NULL, reap_all, NULL);
    tidemill *engine = open_with((tidemill_config){.sandbox = 1, .allow = allow});
    expect(run(engine, "require('ffi').cast('int *', 0)[0] = 1") == TIDEMILL_ERROR, "a crash");
    expect(works(engine), "a host that waits for any child");
    tidemill_close(engine);
    atomic_store(&reaping, 0);
    pthread_join(thread, NULL);
}

static void *suffer(void *number)
{
    static const char *const codes[] = {
        "while true do end",
        "error('no')",
        "return tm.map(function(x) return x * 2 end, {1, 2, 3})[3]",
        "local function f() return f() + 1 end return f()",
    };
    int kind = (int)((size_t)number % 4);
    static const int expected[] = {TIDEMILL_DEADLINE, TIDEMILL_ERROR, TIDEMILL_OK,
                                   TIDEMILL_ERROR};
    tidemill *engine;
    tidemill_config config = {
        .size = sizeof config, .workers = 1, .sandbox = 1, .deadline = kind == 0 ? 2 : 120};
    size_t wrong = tidemill_open(&config, &engine) != TIDEMILL_OK;
    int status = run(engine, codes[kind]);
    if (status != expected[kind]) {
        printf("# %s: %d, %s\n", codes[kind], status, tidemill_error(engine));
        wrong = 1;
    }
    tidemill_close(engine);
    return (void *)wrong;
}

static void check_storm(void)
{
    pthread_t threads[20];
    for (size_t i = 0; i < 20; i++) pthread_create(&threads[i], NULL, suffer, (void *)i);
    for (size_t i = 0; i < 20; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        expect(wrong == NULL, "twenty sandboxes at once");
    }
}

int main(void)
{
    check_death_of_the_host(); /* forks: before there are threads */
    check_runs();
    check_calls();
    check_rest();
    check_arrays();
    check_functions();
    check_modules();
    check_deadline();
    check_memory(1);
    check_memory(0);
    check_crash();
    check_interrupt();
    check_opening();
    check_host_that_reaps();
    check_storm();
    return expect_end();
}
