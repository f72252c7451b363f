/* lib_operation: what the hub does for Lua: waiting for it, HTTP, programs, files.
 * Each start function gives a handle; core.operation_wait waits for its end like the functions of
 * lib_wait.c, core.operation_result gives the results or raises.  The Lua side of it is
 * lua/tidemill/operation.lua.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/operation.h"
#include "cache/trust.h"
#include "lane/exec.h"
#include "lane/fetch.h"
#include "lane/work.h"

static const char operation_name[] = "tidemill.operation";

struct handle {
    struct mill_operation *operation;
    struct mill_wait *wait; /* attached to its end; NULL: nobody has waited yet */
    mill_operation_push *push;
};

/* ---- handles ---------------------------------------------------------------------------------- */

/* What has ended meanwhile goes as well: a connection that nobody will come for is closed. */
static void drop_handle(struct handle *handle)
{
    if (handle->operation) mill_operation_cancel(handle->operation);
    mill_operation_unref(handle->operation);
    mill_wait_unref(handle->wait);
    *handle = (struct handle){.operation = NULL};
}

static int operation_gc(lua_State *L)
{
    drop_handle(lua_touserdata(L, 1));
    return 0;
}

static struct handle *check_handle(lua_State *L)
{
    struct handle *handle = mill_handle_check(L, 1, operation_name);
    if (handle->operation == NULL) luaL_error(L, "the operation was dropped");
    return handle;
}

void mill_operation_distrust(lua_State *L, const char *what)
{
    struct mill_worker *worker = mill_worker_of(L);
    if (worker) mill_trust_impure(&mill_engine_of(L)->lookup, worker, what);
}

int mill_operation_push_started(lua_State *L, struct mill_operation *operation,
                                mill_operation_push *push, const char *used)
{
    if (operation == NULL) return luaL_error(L, "out of memory (input and output)");
    struct handle *handle = mill_handle_new(L, operation_name, sizeof *handle, operation_gc);
    handle->operation = operation;
    handle->push = push;
    mill_lib_check_here(L);
    mill_lib_need_pool(L);
    struct mill_error error;
    struct mill_hub *hub = mill_engine_hub(mill_engine_of(L), &error);
    if (hub == NULL) return mill_lib_raise(L, &error);
    if (used) mill_operation_distrust(L, used);
    mill_operation_start(operation, hub);
    return 1;
}

/* core.operation_wait(operation, _, deadline) -> "done" | "waiting" | "interrupted" | "park", number */
static int operation_wait(lua_State *L)
{
    struct handle *handle = check_handle(L);
    return mill_lib_wait_source(L, mill_scope_of(L), &handle->operation->end, &handle->wait,
                                mill_lib_deadline(L, 3));
}

/* core.operation_cancel(operation): it ends soon, and its results may still be had. */
static int operation_cancel(lua_State *L)
{
    mill_operation_cancel(check_handle(L)->operation);
    return 0;
}

/* core.operation_drop(operation): nobody comes for it any more. */
static int operation_drop(lua_State *L)
{
    drop_handle(mill_handle_check(L, 1, operation_name));
    return 0;
}

/* core.operation_result(operation) -> true and its results; false and why it failed */
static int operation_result(lua_State *L)
{
    struct handle *handle = check_handle(L);
    struct mill_operation *operation = handle->operation;
    if (!mill_operation_ended(operation)) return luaL_error(L, "the operation has not ended");
    bool fine = operation->failure[0] == 0;
    lua_pushboolean(L, fine);
    if (fine) return 1 + handle->push(L, operation);
    lua_pushstring(L, operation->failure);
    return 2;
}

/* ---- HTTP ---------------------------------------------------------------------------------------- */

/* -> status, reason, table of headers, body */
static int push_response(lua_State *L, struct mill_operation *operation)
{
    struct mill_response *response = &((struct mill_fetch *)operation)->response;
    lua_pushinteger(L, response->status);
    lua_pushstring(L, response->reason ? response->reason : "");
    lua_createtable(L, 0, (int)response->field_count);
    for (size_t i = 0; i < response->field_count; i++) {
        lua_pushstring(L, response->fields[i].value);
        lua_setfield(L, -2, response->fields[i].name);
    }
    lua_pushlstring(L, response->body ? response->body : "", response->size);
    return 4;
}

/* core.fetch(host, port, request, max_bytes) */
static int start_fetch(lua_State *L)
{
    size_t size;
    const char *host = luaL_checkstring(L, 1);
    const char *request = luaL_checklstring(L, 3, &size);
    struct mill_fetch *fetch = mill_fetch_new(host, (int)luaL_checkinteger(L, 2), request, size,
                                              (size_t)luaL_checknumber(L, 4));
    return mill_operation_push_started(L, fetch ? &fetch->operation : NULL, push_response,
                                       "the network (tm.http_get)");
}

/* ---- programs ------------------------------------------------------------------------------------ */

extern char **environ;

/* The list of texts at an index, malloc'ed; NULL: no memory. */
static char **copy_strings(lua_State *L, int index)
{
    size_t count = lua_objlen(L, index);
    char **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        list[i] = strdup(luaL_checkstring(L, -1));
        lua_pop(L, 1);
        if (list[i]) continue;
        while (i-- > 0) free(list[i]);
        free(list);
        return NULL;
    }
    return list;
}

static bool same_name(const char *one, const char *other)
{
    size_t size = strcspn(one, "=");
    return size == strcspn(other, "=") && memcmp(one, other, size) == 0;
}

/* The process's own variables with those of the list at an index: "NAME=value", or "NAME" of one that
 * is not wanted. */
static char **build_environment(lua_State *L, int index)
{
    size_t own = 0, count = 0;
    while (environ && environ[own]) own++;
    char **changes = copy_strings(L, index);
    char **list = changes ? calloc(own + lua_objlen(L, index) + 1, sizeof *list) : NULL;
    bool fine = list != NULL;
    for (size_t i = 0; i < own && fine; i++) {
        bool changed = false;
        for (char **change = changes; *change; change++) {
            changed = changed || same_name(*change, environ[i]);
        }
        if (changed) continue;
        list[count] = strdup(environ[i]);
        fine = list[count++] != NULL;
    }
    for (char **change = changes; change && *change; change++) {
        if (fine && strchr(*change, '=')) {
            list[count++] = *change; /* taken over */
        } else {
            free(*change);
        }
    }
    free(changes);
    if (fine) return list;
    for (size_t i = 0; list && i < count; i++) free(list[i]);
    free(list);
    return NULL;
}

/* -> status or nil, name of the signal or nil, stdout, stderr */
static int push_exit(lua_State *L, struct mill_operation *operation)
{
    struct mill_exec *exec = (struct mill_exec *)operation;
    if (exec->status >= 0) {
        lua_pushinteger(L, exec->status);
        lua_pushnil(L);
    } else {
        const char *name = sigabbrev_np(exec->signal);
        lua_pushnil(L);
        if (name) {
            lua_pushfstring(L, "SIG%s", name);
        } else {
            lua_pushfstring(L, "signal %d", exec->signal);
        }
    }
    for (int i = 0; i < 2; i++) {
        const struct mill_exec_output *output = &exec->outputs[i];
        lua_pushlstring(L, output->bytes ? output->bytes : "", output->size);
    }
    return 4;
}

/* core.exec(arguments, environment, folder, input, max_bytes): two lists, two texts or nil, a number */
static int start_exec(lua_State *L)
{
    size_t size = 0;
    const char *folder = luaL_optstring(L, 3, NULL);
    const char *input = luaL_optlstring(L, 4, NULL, &size);
    struct mill_exec *exec = mill_exec_new();
    if (exec == NULL) return luaL_error(L, "out of memory (a program)");
    exec->most = (size_t)luaL_checknumber(L, 5);
    exec->arguments = copy_strings(L, 1);
    exec->environment = build_environment(L, 2);
    exec->folder = folder ? strdup(folder) : NULL;
    exec->input = input ? malloc(size + 1) : NULL;
    exec->input_size = size;
    bool fine = exec->arguments && exec->environment && (!folder || exec->folder) &&
                (!input || exec->input);
    if (fine && input) memcpy(exec->input, input, size);
    if (!fine) mill_operation_unref(&exec->operation);
    return mill_operation_push_started(L, fine ? &exec->operation : NULL, push_exit,
                                       "another program (tm.exec)");
}

/* ---- files ------------------------------------------------------------------------------------------- */

/* The task that reads is the running one again. */
static int push_text(lua_State *L, struct mill_operation *operation)
{
    struct mill_work *work = (struct mill_work *)operation;
    struct mill_worker *worker = mill_worker_of(L);
    if (worker && !work->writes) {
        mill_lookup_note(&mill_engine_of(L)->lookup, worker, MILL_READ_FILE, work->path,
                         work->hash);
    }
    if (work->status != TIDEMILL_OK) return mill_lib_raise(L, &work->error);
    if (work->writes) return 0;
    lua_pushlstring(L, (const char *)work->bytes->data, work->bytes->size);
    mill_buffer_unref(work->bytes);
    work->bytes = NULL;
    return 1;
}

/* core.start_read(path): as core.read_file, unpacked */
static int start_read(lua_State *L)
{
    struct mill_work *work = mill_work_read(&mill_engine_of(L)->memory, luaL_checkstring(L, 1));
    return mill_operation_push_started(L, work ? &work->operation : NULL, push_text, NULL);
}

/* core.start_write(path, text): as core.write_file */
static int start_write(lua_State *L)
{
    struct mill_worker *worker = mill_worker_of(L);
    if (worker) mill_trust_writes(&mill_engine_of(L)->lookup, worker, luaL_checkstring(L, 1));
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    struct mill_work *work = mill_work_write(luaL_checkstring(L, 1), text, size);
    return mill_operation_push_started(L, work ? &work->operation : NULL, push_text, NULL);
}

static const luaL_Reg operation_functions[] = {
    {"exec", start_exec},
    {"fetch", start_fetch},
    {"operation_cancel", operation_cancel},
    {"operation_drop", operation_drop},
    {"operation_result", operation_result},
    {"operation_wait", operation_wait},
    {"start_read", start_read},
    {"start_write", start_write},
    {NULL, NULL},
};

void mill_lib_operation(lua_State *L)
{
    luaL_register(L, NULL, operation_functions);
}
