/* embed_cache: looking after the cache of an engine that has it open: what was run before is counted,
 * moved, removed, and computed again.  By the public header alone.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <tidemill.h>
#include <unistd.h>

#include "check.h"
#include "folder_check.h"

static tidemill *open_at(const char *name)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = in_folder(name)};
    tidemill *engine;
    if (tidemill_open(&config, &engine) != TIDEMILL_OK) abort();
    return engine;
}

/* What a command says; CHECKs that it goes well.  The caller frees it. */
static char *ask(tidemill *engine, const char *command, const char *word)
{
    tidemill_cache_request request = {
        .size = sizeof request, .command = command, .word = word, .json = 1};
    char *text = NULL;
    tidemill_status status = tidemill_cache(engine, &request, &text);
    CHECK_SAYING(status == TIDEMILL_OK, "%s: %s", command, tidemill_error(engine));
    return text ? text : strdup("");
}

static long member(const char *text, const char *name)
{
    char lead[32];
    snprintf(lead, sizeof lead, "\"%s\":", name);
    const char *found = strstr(text, lead);
    return found ? strtol(found + strlen(lead), NULL, 10) : -1;
}

static long asked(tidemill *engine, const char *command, const char *word, const char *name)
{
    char *text = ask(engine, command, word);
    long number = member(text, name);
    free(text);
    return number;
}

/* Runs ten tasks; how many were computed. */
static long computed(tidemill *engine)
{
    static const char script[] = "local before = tm.stats().misses\n"
                                 "tm.map(function(i) return i * i end, {1, 2, 3, 4, 5, 6, 7, "
                                 "8, 9, 10}, {cache = true})\n"
                                 "return tm.stats().misses - before";
    CHECK(tidemill_run_string(engine, script, "script", 0, NULL) == TIDEMILL_OK);
    char *text = NULL;
    CHECK(tidemill_result_json(engine, &text) == TIDEMILL_OK);
    long number = text ? strtol(text, NULL, 10) : -1;
    free(text);
    return number;
}

static void what_an_open_engine_has_made_is_counted_moved_and_removed(void)
{
    tidemill *engine = open_at("a.db");
    CHECK(computed(engine) == 10);
    CHECK(asked(engine, "stats", NULL, "entries") ==
          10); /* also what is on its way to the disk */
    char *listed = ask(engine, "ls", NULL);
    CHECK(strstr(listed, "\"key\"") != NULL);
    free(listed);
    CHECK(asked(engine, "verify", NULL, "entries") == 10);
    CHECK(asked(engine, "export", in_folder("x.export"), "entries") == 10);
    CHECK(asked(engine, "clear", NULL, "removed") == 10);
    CHECK(asked(engine, "stats", NULL, "entries") == 0);
    CHECK(computed(engine) == 10); /* nothing stale is found */
    CHECK(asked(engine, "clear", NULL, "removed") == 10);
    CHECK(asked(engine, "import", in_folder("x.export"), "entries") == 10);
    CHECK(computed(engine) == 0);
    CHECK(asked(engine, "gc", NULL, "removed") == 0);
    tidemill_close(engine);
}

static void another_engine_of_the_process_sees_it_too(void)
{
    tidemill *one = open_at("a.db"), *other = open_at("a.db");
    CHECK(computed(one) == 0);
    CHECK(computed(other) == 0);
    CHECK(asked(other, "clear", NULL, "removed") == 10);
    CHECK(computed(one) == 10);
    CHECK(asked(one, "stats", NULL, "entries") == 10);
    CHECK(computed(other) == 0);
    tidemill_close(one);
    tidemill_close(other);
}

static void what_is_wrong_is_said(void)
{
    tidemill *engine = open_at("a.db");
    computed(engine);
    tidemill_cache_request request = {.size = sizeof request, .command = "import"};
    char *text = NULL;
    CHECK(tidemill_cache(engine, &request, &text) == TIDEMILL_USAGE && text == NULL);
    request.word = in_folder("a.db");
    CHECK(tidemill_cache(engine, &request, &text) == TIDEMILL_DATA);
    CHECK(strstr(tidemill_error(engine), "is not an exported cache") != NULL);
    request.command = "wash";
    CHECK(tidemill_cache(engine, &request, &text) == TIDEMILL_USAGE);
    tidemill_close(engine);
}

int main(void)
{
    alarm(300);
    tidemill_own_process();
    folder_make();
    RUN(what_an_open_engine_has_made_is_counted_moved_and_removed);
    RUN(another_engine_of_the_process_sees_it_too);
    RUN(what_is_wrong_is_said);
    return !folder_remove() || check_end();
}
