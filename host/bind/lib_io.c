/* lib_io: what scripts read and write: text, files, CSV, the environment.
 * What a cached task reads here is noted, and checked before its result is used again.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/encode.h"
#include "bind/lib.h"
#include "data/csv.h"
#include "data/file.h"
#include "data/glob.h"

static void note(lua_State *L, enum mill_read_kind kind, const char *name,
                 struct mill_hash hash)
{
    struct mill_worker *worker = mill_worker_of(L);
    if (worker) mill_lookup_note(&mill_engine_of(L)->lookup, worker, kind, name, hash);
}

/* ---- text out -------------------------------------------------------------------------- */

/* core.print(text): whole lines to stdout. */
static int io_print(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    if (!mill_output_write(&mill_engine_of(L)->output, text, size)) {
        return luaL_error(L, "cannot write to stdout: %s", strerror(errno));
    }
    return 0;
}

/* core.note(text): lines of a script's own summary. */
static int io_note(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    if (!mill_output_note(&mill_engine_of(L)->output, text, size)) {
        return luaL_error(L, "cannot write to stdout: %s", strerror(errno));
    }
    return 0;
}

static int io_warn(lua_State *L)
{
    mill_output_warn(&mill_engine_of(L)->output, "%s", luaL_checkstring(L, 1));
    return 0;
}

/* ---- files ----------------------------------------------------------------------------- */

/* core.read_file(path, unpacked) -> text */
static int io_read_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct tidemill *engine = mill_engine_of(L);
    struct mill_error error;
    struct mill_buffer *bytes;
    struct mill_hash hash = {0, 0};
    tidemill_status status =
        lua_toboolean(L, 2)
            ? mill_file_read_unpacked(&engine->memory, path, &bytes, &hash, &error)
            : mill_file_read(&engine->memory, path, &bytes, &hash, &error);
    note(L, MILL_READ_FILE, path, hash);
    if (status != TIDEMILL_OK) return mill_lib_raise(L, &error);
    lua_pushlstring(L, (const char *)bytes->data, bytes->size);
    mill_buffer_unref(bytes);
    return 1;
}

/* core.write_file(path, text) */
static int io_write_file(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    struct mill_error error;
    if (mill_file_write(luaL_checkstring(L, 1), text, size, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    return 0;
}

/* core.glob(pattern) -> list of paths */
static int io_glob(lua_State *L)
{
    const char *pattern = luaL_checkstring(L, 1);
    struct mill_glob found;
    if (!mill_glob_find(pattern, &found)) return luaL_error(L, "out of memory (glob)");
    note(L, MILL_READ_LISTING, pattern, mill_glob_hash(&found));
    lua_createtable(L, (int)found.count, 0);
    for (size_t i = 0; i < found.count; i++) {
        lua_pushstring(L, found.names[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    mill_glob_fini(&found);
    return 1;
}

/* core.path_kind(path) -> "file", "folder", "other" or nil and a reason */
static int io_path_kind(lua_State *L)
{
    struct stat status;
    if (stat(luaL_checkstring(L, 1), &status) != 0) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(errno));
        return 2;
    }
    lua_pushstring(L, S_ISREG(status.st_mode)   ? "file"
                      : S_ISDIR(status.st_mode) ? "folder"
                                                : "other");
    return 1;
}

/* core.env(name) -> text or nil */
static int io_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    note(L, MILL_READ_VARIABLE, name, mill_variable_hash(name));
    const char *text = getenv(name);
    if (text) {
        lua_pushstring(L, text);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- CSV ------------------------------------------------------------------------------- */

/* Options arrive checked from lua/tidemill/csv.lua. Lists are kept alive by the table. */
struct csv_lists {
    const char **columns, **missing;
    struct mill_csv_type *types;
};

static const char *text_field(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1); /* the options table keeps it */
    return text;
}

/* A list of strings as an array; its length in *count, -1 when the field is nil. Lua owns it. */
static const char **text_list(lua_State *L, const char *name, int *count)
{
    lua_getfield(L, 2, name);
    if (lua_isnil(L, -1)) {
        *count = -1;
        return NULL;
    }
    *count = (int)lua_objlen(L, -1);
    const char **list = lua_newuserdata(L, ((size_t)*count + 1) * sizeof *list);
    for (int i = 0; i < *count; i++) {
        lua_rawgeti(L, -2, i + 1);
        list[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return list;
}

static void csv_options(lua_State *L, struct mill_csv_options *options)
{
    struct tidemill *engine = mill_engine_of(L);
    memset(options, 0, sizeof *options);
    options->encoding = text_field(L, "encoding");
    options->date_format = text_field(L, "date_format");
    const char *delimiter = text_field(L, "delimiter");
    if (delimiter) options->delimiter = *delimiter;
    lua_getfield(L, 2, "ignore_case");
    options->ignore_case = lua_toboolean(L, -1);
    lua_pop(L, 1);
    int count;
    options->columns = text_list(L, "columns", &count);
    options->column_count = count > 0 ? count : 0;
    options->missing = text_list(L, "missing", &count);
    options->missing_count = count > 0 ? count : 0;
    const char **names = text_list(L, "type_columns", &count);
    int types;
    const char **type_names = text_list(L, "type_names", &types);
    struct mill_csv_type *list =
        lua_newuserdata(L, ((size_t)(count > 0 ? count : 0) + 1) * sizeof *list);
    for (int i = 0; i < count; i++) {
        enum mill_type type = mill_type_from_name(type_names[i], strlen(type_names[i]));
        list[i] = (struct mill_csv_type){names[i], type};
    }
    options->types = list;
    options->type_count = count > 0 ? count : 0;
    options->memory = &engine->memory;
    if (engine->pool_open) {
        options->parallel = mill_pool_fan;
        options->with = &engine->pool;
    }
}

static void push_wrapped(lua_State *L, struct mill_array *array)
{
    struct mill_value column = mill_column(array);
    mill_decode(L, &column, NULL);
}

/* core.read_csv(path, options) -> rows, names, arrays */
static int io_read_csv(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct mill_csv_options options;
    csv_options(L, &options);
    struct mill_csv csv = {0};
    struct mill_error error;
    if (mill_csv_read(path, &options, &csv, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    note(L, MILL_READ_FILE, path, csv.hash);
    lua_pushnumber(L, (double)csv.rows);
    lua_createtable(L, csv.columns, 0);
    lua_createtable(L, csv.columns, 0);
    for (int i = 0; i < csv.columns; i++) {
        lua_pushstring(L, csv.names[i]);
        lua_rawseti(L, -3, i + 1);
        push_wrapped(L, csv.arrays[i]);
        lua_rawseti(L, -2, i + 1);
    }
    mill_csv_fini(&csv);
    return 3;
}

static const luaL_Reg functions[] = {
    {"env", io_env},
    {"glob", io_glob},
    {"note", io_note},
    {"path_kind", io_path_kind},
    {"print", io_print},
    {"read_csv", io_read_csv},
    {"read_file", io_read_file},
    {"warn", io_warn},
    {"write_file", io_write_file},
    {NULL, NULL},
};

void mill_lib_io(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
