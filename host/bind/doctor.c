/* doctor: what this build and machine offer.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "bind/state.h"
#include "kernels/kernels.h"

typedef void visitor(void *context, const char *what, const char *finding);

/* One line about LuaJIT, asked of the state itself. */
static const char luajit_probe[] =
    "local ffi = require 'ffi'\n"
    "local on = jit.status()\n"
    "local buffer = pcall(require, 'string.buffer')\n"
    "return ('%s, %s, %s, string.buffer %s'):format(jit.version:gsub('^LuaJIT ', ''),\n"
    "  ffi.abi('gc64') and 'GC64' or 'no GC64', on and 'JIT on' or 'JIT off',\n"
    "  buffer and 'there' or 'missing')";

static void visit_luajit(struct tidemill *engine, visitor *visit, void *context)
{
    lua_State *L = engine->L;
    if (L && luaL_dostring(L, luajit_probe) == 0) {
        visit(context, "LuaJIT", lua_tostring(L, -1));
        lua_pop(L, 1);
    } else {
        visit(context, "LuaJIT", "no state could be opened");
    }
}

static void visit_cpus(struct tidemill *engine, visitor *visit, void *context)
{
    (void)engine;
    char text[200], quota[60] = "no quota";
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    if (cpus.quota > 0) snprintf(quota, sizeof quota, "quota of %.4g", cpus.quota);
    snprintf(text, sizeof text, "%d usable (%d online, %d in the affinity mask, %s)",
             cpus.usable, cpus.online, cpus.affinity, quota);
    visit(context, "CPUs", text);
}

static void visit_workers(struct tidemill *engine, visitor *visit, void *context)
{
    char text[20];
    snprintf(text, sizeof text, "%d", engine->workers);
    visit(context, "workers", engine->workers == 0 ? "0 (serial lane)" : text);
}

static const char *machine_sets(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return "x86-64, AVX2, AVX-512";
    if (__builtin_cpu_supports("avx2")) return "x86-64, AVX2";
    return "x86-64";
#elif defined(__aarch64__)
    return "aarch64, NEON";
#else
    return "unknown";
#endif
}

static void visit_kernels(struct tidemill *engine, visitor *visit, void *context)
{
    (void)engine;
    char text[160];
    snprintf(text, sizeof text, "%s (machine: %s; TIDEMILL_ISA forces one)",
             tidemill_kernel_isa(), machine_sets());
    visit(context, "kernels", text);
}

static void visit_blas(struct tidemill *engine, visitor *visit, void *context)
{
    char text[1400];
    const struct mill_blas *blas = &engine->blas;
    if (mill_blas_open(&engine->blas) == MILL_BLAS_THERE) {
        snprintf(text, sizeof text, "%s (%s)", blas->text, blas->path);
    } else {
        snprintf(text, sizeof text, "none: %s", blas->text);
    }
    visit(context, "BLAS", text);
}

static void visit_sqlite(struct tidemill *engine, visitor *visit, void *context)
{
    (void)engine;
    char text[120];
    bool safe = sqlite3_libversion_number() >= 3051003;
    snprintf(text, sizeof text, "%s%s", sqlite3_libversion(),
             safe ? "" : " (WAL-reset bug until 3.51.3: commits and checkpoints take a lock)");
    visit(context, "SQLite", text);
}

static void visit_cache(struct tidemill *engine, visitor *visit, void *context)
{
    char text[1200];
    mill_engine_open_cache(engine);
    struct mill_store *store = engine->store;
    if (store == NULL) {
        bool off = engine->cache_path && strcmp(engine->cache_path, "off") == 0;
        visit(context, "cache", off ? "off" : "not usable");
        return;
    }
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    snprintf(text, sizeof text, "%.1000s, %lld results, %.1f MB", mill_store_path(store),
             (long long)numbers.entries, (double)numbers.bytes / 1e6);
    visit(context, "cache", text);
}

static void visit_release(struct tidemill *engine, visitor *visit, void *context)
{
    (void)engine;
    visit(context, "tidemill", TIDEMILL_VERSION);
}

static const struct {
    const char *what;
    void (*find)(struct tidemill *engine, visitor *visit, void *context);
} findings[] = {
    {"tidemill", visit_release}, {"LuaJIT", visit_luajit},   {"kernels", visit_kernels},
    {"CPUs", visit_cpus},        {"workers", visit_workers}, {"BLAS", visit_blas},
    {"SQLite", visit_sqlite},    {"cache", visit_cache},
};

enum { FINDINGS = sizeof findings / sizeof *findings };

void tidemill_doctor(tidemill *engine,
                     void (*visit)(void *context, const char *what, const char *finding),
                     void *context)
{
    struct mill_error error;
    if (mill_api_enter(engine) != TIDEMILL_OK) {
        visit_release(engine, visit, context);
        mill_api_end(engine, TIDEMILL_UNSUPPORTED);
        return;
    }
    if (mill_settings_files(engine, NULL, &error) != TIDEMILL_OK) {
        visit(context, "settings", error.text);
    }
    for (size_t i = 0; i < FINDINGS; i++) findings[i].find(engine, visit, context);
    mill_api_end(engine, TIDEMILL_OK);
}

/* ---- one of them ------------------------------------------------------------------------ */

struct wanted {
    char *text;
    size_t room;
};

static void copy_finding(void *context, const char *what, const char *finding)
{
    (void)what;
    const struct wanted *wanted = context;
    snprintf(wanted->text, wanted->room, "%s", finding);
}

static tidemill_status find_one(struct tidemill *engine, const char *what,
                                struct wanted *wanted)
{
    const char *names[FINDINGS];
    tidemill_status status = mill_settings_files(engine, NULL, &engine->error);
    if (status != TIDEMILL_OK) return status;
    for (size_t i = 0; i < FINDINGS; i++) {
        names[i] = findings[i].what;
        if (strcmp(what, names[i]) != 0) continue;
        findings[i].find(engine, copy_finding, wanted);
        return TIDEMILL_OK;
    }
    const char *meant = tidemill_nearest(what, names, FINDINGS);
    return mill_fail(&engine->error, TIDEMILL_USAGE,
                     "tidemill_finding: what: nothing is known of \"%s\"%s%s%s", what,
                     meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

tidemill_status tidemill_finding(tidemill *engine, const char *what, char *text, size_t room)
{
    struct wanted wanted = {.text = text, .room = room};
    if (room > 0) text[0] = '\0';
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = find_one(engine, what, &wanted);
    return mill_api_end(engine, status);
}
