/* bench_embed: what an engine costs the program around it: a call of a script's function that makes
 * garbage, each one timed, beside the same through LuaJIT's own interface; opening and closing; an array
 * of a gigabyte in and out.
 *     bench_embed [CALLS [MEGABYTES]]      10,000,000 and 1,000
 * Prints lines "name number": seconds, and bytes of memory that the array added.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tidemill.h"

static const char script[] = "function add(a, b) last = { a, b } return a + b end\n"
                             "function echo(a) return a end\n";

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, uint32_t *times, size_t count)
{
    qsort(times, count, sizeof *times, ascending);
    printf("%s_median %.9f\n", name, times[count / 2] / 1e9);
    printf("%s_999 %.9f\n", name, times[count - 1 - count / 1000] / 1e9);
}

static tidemill *open_engine(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    if (tidemill_open(&config, &engine) != TIDEMILL_OK ||
        tidemill_run_string(engine, script, "script", 0, NULL) != TIDEMILL_OK) {
        fprintf(stderr, "bench_embed: %s\n", tidemill_error(engine));
        exit(1);
    }
    return engine;
}

/* 20 us and more are long for the clock, not for 32 bits of nanoseconds. */
static void time_calls(tidemill *engine, uint32_t *times, size_t count)
{
    tidemill_value arguments[2] = {tidemill_from_number(1), tidemill_from_number(2)}, result;
    for (size_t i = 0; i < count; i++) {
        int64_t began = mill_clock_now();
        tidemill_call(engine, "add", arguments, 2, &result, 1);
        times[i] = (uint32_t)(mill_clock_now() - began);
    }
    double sum = 0;
    if (!tidemill_to_number(result, &sum) || sum != 3) {
        fprintf(stderr, "bench_embed: %s\n", tidemill_error(engine));
        exit(1);
    }
    print_times("call", times, count);
}

static void time_plain(uint32_t *times, size_t count)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) abort();
    luaL_openlibs(L);
    if (luaL_dostring(L, script)) abort();
    for (size_t i = 0; i < count; i++) {
        int64_t began = mill_clock_now();
        lua_getglobal(L, "add");
        lua_pushnumber(L, 1);
        lua_pushnumber(L, 2);
        if (lua_pcall(L, 2, 1, 0) || lua_tonumber(L, -1) != 3) abort();
        lua_pop(L, 1);
        times[i] = (uint32_t)(mill_clock_now() - began);
    }
    lua_close(L);
    print_times("plain", times, count);
}

static void time_opens(uint32_t *times, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
        tidemill *engine;
        int64_t began = mill_clock_now();
        if (tidemill_open(&config, &engine) != TIDEMILL_OK) abort();
        tidemill_close(engine);
        times[i] = (uint32_t)(mill_clock_now() - began);
    }
    print_times("open", times, count);
}

static double resident_peak(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "VmHWM: %lf", &kilobytes);
    if (file) fclose(file);
    return 1024 * kilobytes;
}

static void pass_array(tidemill *engine, int64_t megabytes)
{
    size_t size = (size_t)megabytes * 1000000;
    double *data = malloc(size);
    if (data == NULL) abort();
    memset(data, 1, size);
    double before = resident_peak();
    tidemill_array in = {.size = sizeof in,
                         .type = "float64",
                         .dimensions = 1,
                         .shape = {(int64_t)(size / sizeof *data)},
                         .data = data};
    tidemill_array out = {.size = sizeof out};
    tidemill_value value, back;
    int64_t began = mill_clock_now();
    tidemill_from_array(engine, &in, NULL, NULL, &value);
    tidemill_call(engine, "echo", &value, 1, &back, 1);
    if (!tidemill_to_array(back, &out) || out.data != data) abort();
    printf("array_time %.9f\n", (double)(mill_clock_now() - began) / 1e9);
    printf("array_growth %.0f\n", resident_peak() - before);
    tidemill_release(value);
    tidemill_release(back);
    tidemill_close(engine); /* nobody has the memory any more */
    free(data);
}

int main(int argc, char **argv)
{
    long calls = argc > 1 ? atol(argv[1]) : 10000000,
         megabytes = argc > 2 ? atol(argv[2]) : 1000;
    if (calls < 1000 || megabytes < 1) {
        fprintf(stderr, "usage: bench_embed CALLS MEGABYTES, at least 1,000 and 1\n");
        return 2;
    }
    uint32_t *times = malloc((size_t)calls * sizeof *times);
    if (times == NULL) abort();
    tidemill *engine = open_engine();
    time_calls(engine, times, (size_t)calls);
    time_plain(times, (size_t)calls);
    time_opens(times, 200);
    free(times);
    pass_array(engine, megabytes);
    return 0;
}
