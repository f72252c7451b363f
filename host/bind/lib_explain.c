/* lib_explain: what inquiries into runs have found, for lua/tidemill/explain.lua; and where a dry run
 * of a script ends.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/lib.h"

/* ---- findings -------------------------------------------------------------------------------- */

static void push_finding(lua_State *L, const struct mill_finding *finding)
{
    static const char *const kinds[] = {
        [MILL_FOUND_HIT] = "hit",         [MILL_FOUND_MISS] = "miss",
        [MILL_FOUND_NO_KEY] = "no key",   [MILL_FOUND_PLAIN] = "plain",
        [MILL_FOUND_UNKNOWN] = "unknown",
    };
    lua_createtable(L, 0, 6);
    mill_lib_set_text(L, "kind", kinds[finding->kind]);
    mill_lib_set_text(L, "task", finding->task);
    mill_lib_set_text(L, "cause", finding->cause);
    mill_lib_set_text(L, "detail", finding->detail);
    mill_lib_set_text(L, "sort", finding->sort);
    lua_pushboolean(L, finding->varied);
    lua_setfield(L, -2, "varied");
    mill_lib_set_number(L, "count", (double)finding->count);
}

/* core.findings(run) -> list of {kind, task, cause, detail, varied, sort, count} of a dry run that has ended;
 * without one of the inquiry into all runs, nil when there is none */
static int explain_findings(lua_State *L)
{
    struct mill_run *run = lua_isnoneornil(L, 1) ? NULL : mill_check_run(L, 1);
    struct mill_inquiry *inquiry = run ? run->inquiry : mill_engine_of(L)->inquiry;
    if (inquiry == NULL) return 0;
    if (run) mill_inquiry_close(inquiry, run);
    lua_newtable(L);
    pthread_mutex_lock(&inquiry->mutex);
    size_t count = inquiry->count;
    pthread_mutex_unlock(&inquiry->mutex);
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&inquiry->mutex);
        struct mill_finding finding =
            inquiry->findings[i]; /* its texts live as long as the inquiry */
        pthread_mutex_unlock(&inquiry->mutex);
        push_finding(L, &finding);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* core.dry_stop() -> where the dry run of the script has ended, nil: it has come to its end */
static int explain_dry_stop(lua_State *L)
{
    lua_pushstring(L, mill_engine_of(L)->dry_stop);
    return 1;
}

/* ---- the end of a dry run ------------------------------------------------------------------------ */

/* Pushes "script.lua:12" of the script's code that is running. */
static void push_where(lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        bool own = strncmp(frame.source, "=[tidemill]", 11) == 0;
        if (frame.currentline <= 0 || own || frame.source[0] == '[') continue;
        lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);
        return;
    }
    lua_pushliteral(L, "?");
}

void mill_lib_stop_dry(lua_State *L, struct mill_run *run)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_inquiry *inquiry = engine->inquiry;
    if (inquiry == NULL || !inquiry->dry || run->inquiry != inquiry) return;
    bool finished = true;
    for (uint32_t k = 0; k < run->wanted_count; k++) {
        enum mill_state state = mill_task_state(&run->tasks[run->wanted[k]]);
        finished = finished && (state == MILL_FINISHED || state == MILL_PENDING);
    }
    if (finished) return;
    mill_inquiry_close(inquiry, run);
    if (engine->dry_stop == NULL) {
        push_where(L);
        engine->dry_stop = strdup(lua_tostring(L, -1));
    }
    engine->exiting = true;
    engine->exit_status = 0;
    lua_pushliteral(L, "a dry run ends where a result is wanted that is not known");
    lua_error(L);
}

static const luaL_Reg explain_functions[] = {
    {"dry_stop", explain_dry_stop},
    {"findings", explain_findings},
    {NULL, NULL},
};

void mill_lib_explain(lua_State *L)
{
    luaL_register(L, NULL, explain_functions);
}
