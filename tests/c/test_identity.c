/* test_identity: what stands for the engine, and for libraries, in keys: engines one after another with
 * one cache, each of its own semantics number or LuaJIT.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/identity.h"

#include <unistd.h>

#include "bind/engine.h"
#include "check.h"
#include "folder_check.h"
#include "kernels/kernels.h"

static const char script[] =
    "local task = tm.delayed(function(x) return x + 1 end, {name = 'task', cache = true})\n"
    "assert(task(1):compute() == 2)\n"
    "hits = tm.stats().hits\n";

/* A task that says that it computes by a library. */
static const char library_script[] =
    "local task = tm.delayed(function(x) require('tidemill.core').uses('libm') return x end,\n"
    "  {name = 'task', cache = true})\n"
    "assert(task(1):compute() == 1)\n"
    "hits = tm.stats().hits\n";

struct hash_of {
    struct mill_hash (*library)(void *context, const char *name); /* NULL: the engine's own */
    int semantics;                                                /* 0: the engine's own */
    const char *luajit;                                           /* NULL: likewise */
};

/* Runs a script in an engine of its own and gives its hits; *told is what it says of its tasks. */
static int run(const char *text, struct hash_of hash_of, char **told)
{
    tidemill_config config = {
        .size = sizeof config, .cache = in_folder("cache.db"), .workers = 1};
    tidemill *engine;
    CHECK_SAYING(tidemill_open(&config, &engine) == TIDEMILL_OK, "%s", tidemill_error(engine));
    if (hash_of.semantics) engine->identity.semantics = hash_of.semantics;
    if (hash_of.luajit) {
        snprintf(engine->identity.luajit, sizeof engine->identity.luajit, "%s", hash_of.luajit);
    }
    if (hash_of.library) engine->files.library = hash_of.library;
    engine->salt = mill_identity_hash(&engine->identity);
    CHECK(tidemill_explain(engine, 0) == TIDEMILL_OK);
    CHECK_SAYING(tidemill_run_string(engine, text, "-e", 0, NULL) == TIDEMILL_OK, "%s",
                 tidemill_error(engine));
    lua_getglobal(engine->L, "hits");
    int hits = (int)lua_tointeger(engine->L, -1);
    lua_pop(engine->L, 1);
    CHECK(tidemill_explanation(engine, NULL, told) == TIDEMILL_OK);
    tidemill_close(engine);
    return hits;
}

static void check_run(const char *text, struct hash_of hash_of, int hits, const char *part)
{
    char *told;
    int got = run(text, hash_of, &told);
    CHECK_SAYING(got == hits, "%d hits, %d expected", got, hits);
    CHECK_SAYING(told && strstr(told, part), "\"%s\" is not in:\n%s", part, told);
    free(told);
}

static void another_semantics_number_misses_and_says_so(void)
{
    folder_make();
    struct hash_of own = {0}, next = {.semantics = MILL_SEMANTICS + 1};
    check_run(script, own, 0, "1  new");
    check_run(script, own, 1, "1 hit");
    check_run(script, next, 0, "engine version: 1, LuaJIT");
    check_run(script, next, 1, "1 hit");
    check_run(script, own, 1, "1 hit"); /* the old results are there still */
    folder_remove();
}

static void another_build_of_luajit_misses_and_says_so(void)
{
    folder_make();
    struct hash_of own = {0}, other = {.luajit = "LuaJIT 2.1.9 x64 Linux gc64"};
    check_run(script, own, 0, "1  new");
    check_run(script, other, 0, "engine version: 1, ");
    check_run(script, own, 1, "1 hit");
    folder_remove();
}

static void nothing_but_number_and_luajit_counts(void)
{
    struct mill_identity one = {.semantics = 3, .luajit = "LuaJIT x"}, two = one;
    CHECK(mill_hash_equal(mill_identity_hash(&one), mill_identity_hash(&two)));
    two.semantics = 4;
    CHECK(!mill_hash_equal(mill_identity_hash(&one), mill_identity_hash(&two)));
    two = one;
    two.luajit[0] = 'l';
    CHECK(!mill_hash_equal(mill_identity_hash(&one), mill_identity_hash(&two)));
}

static struct mill_hash another_library(void *context, const char *name)
{
    (void)context;
    struct mill_hash hash = mill_identity_library(name);
    hash.low ^= 1;
    return hash;
}

static void results_that_used_a_library_miss_with_another_version(void)
{
    folder_make();
    struct hash_of own = {0}, other = {.library = another_library};
    check_run(library_script, own, 0, "1  new");
    check_run(library_script, own, 1, "1 hit");
    check_run(library_script, other, 0, "library libm");
    check_run(script, own, 0, "function body");
    check_run(script, other, 1, "1 hit"); /* it did not use one */
    check_run(library_script, own, 1, "1 hit");
    folder_remove();
}

static void a_library_stands_for_its_instruction_set_too(void)
{
    struct mill_hash none = {0, 0}, before = mill_identity_library("libm");
    CHECK(!mill_hash_equal(before, none));
    CHECK(mill_hash_equal(mill_identity_library("nolib"), none));
    char set[32];
    snprintf(set, sizeof set, "%s", tidemill_kernel_isa());
    if (strcmp(set, "plain") == 0 || tidemill_kernel_isa_select("plain") < 0) {
        SKIP("one instruction set only");
    }
    CHECK(!mill_hash_equal(mill_identity_library("libm"), before));
    tidemill_kernel_isa_select(set);
    CHECK(mill_hash_equal(mill_identity_library("libm"), before));
}

int main(void)
{
    RUN(another_semantics_number_misses_and_says_so);
    RUN(another_build_of_luajit_misses_and_says_so);
    RUN(nothing_but_number_and_luajit_counts);
    RUN(results_that_used_a_library_miss_with_another_version);
    RUN(a_library_stands_for_its_instruction_set_too);
    return check_end();
}
