/* scope: what one Lua state builds and waits for.  SPDX-License-Identifier: MIT */
#include "bind/scope.h"

#include <stdlib.h>

#include "base/room.h"
#include "bind/engine.h"

void mill_scope_init(struct mill_scope *scope, struct tidemill *engine,
                     struct mill_worker *worker)
{
    memset(scope, 0, sizeof *scope);
    scope->engine = engine;
    scope->worker = worker;
    mill_graph_init(&scope->graph);
    scope->graph.memory = &engine->memory;
    scope->holdings = worker ? &worker->holdings : &scope->own;
    *scope->holdings = (struct mill_holdings){.room = mill_limit_room(engine)};
}

void mill_scope_fini(struct mill_scope *scope)
{
    for (uint32_t i = 1; i <= scope->parked_count; i++) {
        struct mill_parked *parked = &scope->parked[i - 1];
        if (parked->wait == NULL) continue;
        if (parked->task.task) mill_reads_fini(&parked->lookup.reads);
        mill_suspended_fini(&parked->task);
        mill_scope_release(scope, i);
    }
    for (size_t i = 0; i < scope->left_count; i++) mill_run_free(scope->left[i]);
    scope->left_count = 0;
    mill_graph_fini(&scope->graph); /* nodes may hold runs: they come to `left` */
    for (size_t i = 0; i < scope->left_count; i++) {
        scope->left[i]->graph = NULL;
        mill_run_free(scope->left[i]);
    }
    free(scope->left);
    free(scope->parked);
    mill_history_fini(&scope->history);
    mill_scope_init(scope, scope->engine, scope->worker);
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* What the script starts it looks after itself (lua/tidemill/future.lua). */
static void free_ended(struct mill_scope *scope, struct mill_run *run)
{
    if (scope->worker) {
        mill_engine_forget(scope->engine, run);
    } else {
        mill_history_note(&scope->history, run);
    }
    mill_run_free(run);
}

void mill_scope_leave(struct mill_scope *scope, struct mill_run *run)
{
    if (--run->refs > 0) return;
    if (mill_run_ended(run)) {
        free_ended(scope, run);
        return;
    }
    if (!mill_room_for_one(&scope->left, scope->left_count, &scope->left_room,
                           sizeof *scope->left, 16)) {
        return; /* it cannot be freed while it runs: it stays */
    }
    scope->left[scope->left_count++] = run;
}

void mill_scope_sweep(struct mill_scope *scope)
{
    size_t kept = 0;
    for (size_t i = 0; i < scope->left_count; i++) {
        struct mill_run *run = scope->left[i];
        if (mill_run_ended(run)) {
            free_ended(scope, run);
        } else {
            scope->left[kept++] = run;
        }
    }
    scope->left_count = kept;
}

/* ---- tasks that wait --------------------------------------------------------------------------- */

uint32_t mill_scope_reserve(struct mill_scope *scope)
{
    if (scope->first_free == 0) {
        uint32_t count = scope->parked_count ? scope->parked_count * 2 : 16;
        if (!mill_room_set(&scope->parked, count, sizeof *scope->parked)) return 0;
        for (uint32_t i = count; i > scope->parked_count; i--) {
            scope->parked[i - 1] = (struct mill_parked){.next_free = scope->first_free};
            scope->first_free = i;
        }
        scope->parked_count = count;
    }
    uint32_t number = scope->first_free;
    scope->first_free = scope->parked[number - 1].next_free;
    return number;
}

void mill_scope_release(struct mill_scope *scope, uint32_t number)
{
    struct mill_parked *parked = &scope->parked[number - 1];
    mill_wait_unref(parked->wait);
    *parked = (struct mill_parked){.next_free = scope->first_free};
    scope->first_free = number;
}
