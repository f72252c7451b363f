/* lib_watch: the log and the settings, for lua/tidemill/log.lua and config.lua.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/crew.h"
#include "bind/lib.h"
#include "bind/serve.h"
#include "bind/watch.h"

/* ---- the log ----------------------------------------------------------------------------- */

/* The text of a string at `index`, which stays on the stack or in a table there. */
static struct mill_log_text text_at(lua_State *L, int index)
{
    struct mill_log_text text = {NULL, 0};
    if (lua_type(L, index) == LUA_TSTRING) text.bytes = lua_tolstring(L, index, &text.size);
    return text;
}

/* The member `i` of the list at 3, left on the stack. */
static struct mill_log_field read_log_field(lua_State *L, int i)
{
    struct mill_log_field field = {.kind = MILL_LOG_STRING};
    lua_rawgeti(L, 3, 2 * i + 1);
    field.name = text_at(L, -1);
    lua_pop(L, 1); /* the list keeps it */
    lua_rawgeti(L, 3, 2 * i + 2);
    if (lua_type(L, -1) == LUA_TNUMBER) {
        field.kind = MILL_LOG_NUMBER;
        field.number = lua_tonumber(L, -1);
    } else if (lua_isboolean(L, -1)) {
        field.kind = MILL_LOG_BOOL;
        field.number = lua_toboolean(L, -1);
    } else {
        field.text = text_at(L, -1);
    }
    lua_pop(L, 1);
    return field;
}

/* core.log(level, text, {name, value, name, value, ..}, task, attempt, key): the level is a number
 * from 0; the last three may be nil. */
static int watch_log(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    luaL_checktype(L, 2, LUA_TSTRING);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 6);
    int count = (int)lua_objlen(L, 3) / 2;
    struct mill_log_field *fields = lua_newuserdata(L, ((size_t)count + 1) * sizeof *fields);
    for (int i = 0; i < count; i++) fields[i] = read_log_field(L, i);
    struct mill_log_line line = {
        .level = (enum mill_log_level)luaL_checkinteger(L, 1),
        .worker = worker ? worker->call.worker : 0,
        .attempt = (int)luaL_optinteger(L, 5, 0),
        .text = text_at(L, 2),
        .task = text_at(L, 4),
        .key = text_at(L, 6),
        .run = {engine->run, strlen(engine->run)},
        .fields = fields,
        .field_count = count,
    };
    if (engine->serve) {
        mill_serve_log(engine, &line);
        return 0;
    }
    mill_watch_log(engine);
    if (!mill_log_add(&engine->log, &line)) return luaL_error(L, "out of memory (log)");
    return 0;
}

static void set_log_text(lua_State *L, const char *name, struct mill_log_text text)
{
    if (text.bytes == NULL) return;
    lua_pushlstring(L, text.bytes, text.size);
    lua_setfield(L, -2, name);
}

static void push_fields(lua_State *L, const struct mill_log_line *line)
{
    lua_createtable(L, 0, line->field_count);
    for (int i = 0; i < line->field_count; i++) {
        const struct mill_log_field *field = &line->fields[i];
        lua_pushlstring(L, field->name.bytes, field->name.size);
        if (field->kind == MILL_LOG_NUMBER) {
            lua_pushnumber(L, field->number);
        } else if (field->kind == MILL_LOG_BOOL) {
            lua_pushboolean(L, field->number != 0);
        } else {
            lua_pushlstring(L, field->text.bytes, field->text.size);
        }
        lua_rawset(L, -3);
    }
}

static void push_line(lua_State *L, const struct mill_log_line *line)
{
    lua_createtable(L, 0, 8);
    lua_pushnumber(L, (double)(line->time / 1000) / 1e6);
    lua_setfield(L, -2, "time");
    lua_pushstring(L, mill_log_level_names[line->level]);
    lua_setfield(L, -2, "level");
    lua_pushinteger(L, line->worker);
    lua_setfield(L, -2, "worker");
    if (line->attempt > 0) {
        lua_pushinteger(L, line->attempt);
        lua_setfield(L, -2, "attempt");
    }
    set_log_text(L, "task", line->task);
    set_log_text(L, "key", line->key);
    set_log_text(L, "run", line->run);
    set_log_text(L, "text", line->text);
    push_fields(L, line);
    lua_setfield(L, -2, "fields");
}

struct found {
    struct mill_log_record **records;
    size_t count;
};

/* (light userdata: struct found *) -> list; protected, so that the records are given back. */
static int push_found(lua_State *L)
{
    const struct found *found = lua_touserdata(L, 1);
    lua_createtable(L, (int)found->count, 0);
    for (size_t i = 0; i < found->count; i++) {
        push_line(L, &found->records[i]->line);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* core.logs(level, worker, task, limit) -> list of lines; -1: any worker, nil: any task, 0: all */
static int watch_logs(lua_State *L)
{
    struct mill_log_filter filter = {
        .level = (enum mill_log_level)luaL_checkinteger(L, 1),
        .worker = (int)luaL_checkinteger(L, 2),
        .task = text_at(L, 3),
        .limit = (size_t)luaL_checknumber(L, 4),
    };
    struct found found;
    if (!mill_log_collect(&mill_engine_of(L)->log, &filter, &found.records, &found.count)) {
        return luaL_error(L, "out of memory (logs)");
    }
    lua_pushcfunction(L, push_found);
    lua_pushlightuserdata(L, &found);
    int failure = lua_pcall(L, 1, 1, 0);
    mill_log_release(found.records, found.count);
    return failure ? lua_error(L) : 1;
}

/* ---- settings ---------------------------------------------------------------------------- */

static const char *const setting_kinds[] = {"number", "text", "pairs"};

/* core.setting(name or number from 1) -> name, kind, value, source; nothing: there is none */
static int watch_setting(lua_State *L)
{
    int number = lua_type(L, 1) == LUA_TNUMBER ? (int)lua_tointeger(L, 1) - 1
                                               : mill_settings_find(luaL_checkstring(L, 1));
    struct mill_setting_view view;
    if (number < 0 || number >= MILL_SETTING_COUNT) return 0;
    luaL_checkstack(L, 8, NULL);
    if (!mill_settings_view(mill_engine_of(L), number, &view)) {
        return luaL_error(L, "out of memory (settings)");
    }
    lua_pushstring(L, view.name);
    lua_pushstring(L, setting_kinds[view.kind]);
    lua_pushstring(L, view.value);
    lua_pushstring(L, view.source);
    mill_settings_view_free(&view);
    return 4;
}

/* core.set_workers(number as text) -> nothing, or why not now; the script's state. */
static int watch_set_workers(lua_State *L)
{
    struct mill_error error;
    struct tidemill *engine = mill_engine_of(L);
    mill_lib_check_here(L);
    if (mill_crew_set(engine, luaL_checkstring(L, 1), &error) == TIDEMILL_OK) return 0;
    lua_pushstring(L, error.text);
    return 1;
}

/* core.set(name, value) -> nothing, or what is wrong; the script's state. */
static int watch_set(lua_State *L)
{
    struct mill_error error;
    const char *name = luaL_checkstring(L, 1), *value = luaL_checkstring(L, 2);
    struct tidemill *engine = mill_engine_of(L);
    if (mill_settings_set(engine, name, value, MILL_FROM_SCRIPT, NULL, &error) == TIDEMILL_OK) {
        return 0;
    }
    lua_pushstring(L, error.text);
    return 1;
}

static const luaL_Reg watch_functions[] = {
    {"log", watch_log},
    {"logs", watch_logs},
    {"setting", watch_setting},
    {NULL, NULL},
};

void mill_lib_watch(lua_State *L)
{
    luaL_register(L, NULL, watch_functions);
    lua_pushlightuserdata(L, &mill_engine_of(L)->log.level);
    lua_setfield(L, -2, "log_level");
    if (mill_worker_of(L)) return;
    lua_pushcfunction(L, watch_set);
    lua_setfield(L, -2, "set");
    lua_pushcfunction(L, watch_set_workers);
    lua_setfield(L, -2, "set_workers");
}
