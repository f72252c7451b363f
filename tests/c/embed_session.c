/* A host with a session of its own, which knows tidemill.h alone.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

/* Whether an input ends with `status`, and says `text` where it fails. */
static int gives(tidemill *engine, const char *code, tidemill_status status, const char *text)
{
    if (tidemill_eval(engine, code) != status) return 0;
    return text == NULL || strstr(tidemill_error(engine), text) != NULL;
}

static int offers(tidemill *engine, const char *before, const char *words)
{
    char *text = NULL;
    int fine = tidemill_complete(engine, before, &text) == TIDEMILL_OK;
    fine = fine && strcmp(text, words) == 0;
    free(text);
    return fine;
}

static void check_inputs(tidemill *engine)
{
    expect(gives(engine, "local kept = 1", TIDEMILL_OK, NULL), "a statement runs");
    expect(gives(engine, "assert(kept == 1)", TIDEMILL_OK, NULL), "its local stays");
    expect(gives(engine, "for i = 1, 2 do", TIDEMILL_INCOMPLETE, NULL), "more is wanted");
    expect(gives(engine, "for i = 1, 2 do\nend", TIDEMILL_OK, NULL), "more was given");
    expect(gives(engine, "kept = = 1", TIDEMILL_SYNTAX, "near '='"), "what is no Lua");
    expect(gives(engine, "error('boom')", TIDEMILL_ERROR, "boom"), "an error");
    expect(gives(engine, "", TIDEMILL_OK, ""), "nothing is fine");
    expect(gives(engine, ":nonsense", TIDEMILL_ERROR, "unknown command"), "no command");
    expect(gives(engine, "os.exit(7)", TIDEMILL_EXIT, NULL), "os.exit");
    expect(tidemill_exit_status(engine) == 7, "its status");
    expect(gives(engine, ":quit", TIDEMILL_EXIT, NULL), ":quit");
    expect(gives(engine, "assert(kept == 1)", TIDEMILL_OK, NULL), "the session goes on");
}

static void check_help(tidemill *engine)
{
    char *text = NULL;
    expect(offers(engine, "x = kep", "kept"), "a local is offered");
    expect(offers(engine, "tm.read_c", "tm.read_csv"), "a member is offered");
    expect(offers(engine, "nothing_at_al", ""), "nothing is offered");
    expect(tidemill_help(engine, "tm.map", &text) == TIDEMILL_OK, "help");
    expect(text != NULL && strstr(text, "in parallel") != NULL, "its text");
    free(text);
    expect(tidemill_help(engine, "tm.mpa", &text) == TIDEMILL_USAGE, "no help");
    expect(text == NULL && strstr(tidemill_error(engine), "tm.map") != NULL,
           "the nearest name");
}

/* With the script here, or in a process of its own. */
static void check_session(double deadline)
{
    tidemill_config config = {
        .size = sizeof config, .workers = 1, .cache = "off", .deadline = deadline};
    tidemill *engine;
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine opens");
    check_inputs(engine);
    check_help(engine);
    tidemill_close(engine);
}

static void check_deadline(void)
{
    tidemill_config config = {.size = sizeof config, .cache = "off", .deadline = 1};
    tidemill *engine;
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine with a deadline opens");
    expect(gives(engine, "while true do end", TIDEMILL_DEADLINE, "deadline of 1 s"),
           "an input meets its deadline");
    expect(gives(engine, "assert(1 + 1 == 2)", TIDEMILL_OK, NULL), "the next begins anew");
    tidemill_close(engine);
}

int main(void)
{
    check_session(0);
    check_session(120);
    check_deadline();
    return expect_end();
}
