/* lib_io: what scripts read and write: text, files, CSV, the environment.
 * What a cached task reads here is noted, and checked before its result is used again.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/recorder.h"
#include "cache/trust.h"
#include "data/csv.h"
#include "data/file.h"
#include "data/glob.h"

void mill_lib_note(lua_State *L, enum mill_read_kind kind, const char *name,
                   struct mill_hash hash)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    if (engine->recorder) mill_recorder_note(engine->recorder, (char)kind, name, hash);
    if (worker) mill_lookup_note(&engine->lookup, worker, kind, name, hash);
}

bool mill_lib_notes(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    return engine->recorder || (worker && mill_lookup_notes(&engine->lookup, worker));
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

/* ---- programs -------------------------------------------------------------------------- */

extern char **environ;

/* Starts `sh -c command` as a shell would, with the usual signals. */
static int start_shell(const char *command, pid_t *child)
{
    static const int usual[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
    posix_spawnattr_t attributes;
    int failure = posix_spawnattr_init(&attributes);
    if (failure) return failure;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) sigaddset(&defaults, usual[i]);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    failure = posix_spawn(child, "/bin/sh", NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

/* core.execute(command) -> status as os.execute gives it; -1 when no shell could be started.  Unlike
 * libc's system() it leaves the process's signals alone, so that Ctrl-C reaches the engine. */
static int io_execute(lua_State *L)
{
    const char *command = luaL_optstring(L, 1, NULL);
    if (command == NULL) {
        lua_pushinteger(L, 1); /* there is a shell */
        return 1;
    }
    fflush(NULL);
    pid_t child;
    int status = -1;
    if (start_shell(command, &child) == 0) {
        while (waitpid(child, &status, 0) < 0) {
            if (errno == EINTR) continue;
            status = -1;
            break;
        }
    }
    lua_pushinteger(L, status);
    return 1;
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
    struct mill_file_look look = mill_files_look(path);
    tidemill_status status =
        lua_toboolean(L, 2)
            ? mill_file_read_unpacked(&engine->memory, path, &bytes, &hash, &error)
            : mill_file_read(&engine->memory, path, &bytes, &hash, &error);
    if (status == TIDEMILL_OK) mill_files_learn(&engine->files, path, &look, hash);
    mill_lib_note(L, MILL_READ_FILE, path, hash);
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
    struct mill_worker *worker = mill_worker_of(L);
    if (worker) mill_trust_writes(&mill_engine_of(L)->lookup, worker, luaL_checkstring(L, 1));
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
    mill_lib_note(L, MILL_READ_LISTING, pattern, mill_glob_hash(&found));
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
    const char *path = luaL_checkstring(L, 1);
    struct stat status;
    mill_lib_note(L, MILL_READ_PRESENCE, path, mill_presence_hash(path));
    if (stat(path, &status) != 0) {
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
    mill_lib_note(L, MILL_READ_VARIABLE, name, mill_variable_hash(name));
    const char *text = getenv(name);
    if (text) {
        lua_pushstring(L, text);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- CSV -------------------------------------------------------------------------------
 * Options arrive checked from lua/tidemill/csv.lua.  Text and lists are kept alive by the table
 * of options and by userdata on the stack. */

static const char *text_field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

/* The list at the top of the stack as an array, which replaces it there; *count is -1 for nil. */
static const char **text_list(lua_State *L, int *count)
{
    *count = lua_isnil(L, -1) ? -1 : (int)lua_objlen(L, -1);
    size_t room = *count > 0 ? (size_t)*count : 0;
    const char **list = lua_newuserdata(L, (room + 1) * sizeof *list);
    for (int i = 0; i < *count; i++) {
        lua_rawgeti(L, -2, i + 1);
        list[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return *count < 0 ? NULL : list;
}

/* Sets columns and types from the fields `columns`, `type_columns`, `type_names` of a table. */
static void csv_columns(lua_State *L, int table, struct mill_csv_options *options)
{
    int count, types;
    luaL_checkstack(L, 12, "options");
    lua_getfield(L, table, "columns");
    options->columns = text_list(L, &count);
    options->column_count = count > 0 ? count : 0;
    lua_getfield(L, table, "type_columns");
    const char **names = text_list(L, &count);
    lua_getfield(L, table, "type_names");
    const char **type_names = text_list(L, &types);
    options->type_count = count < 0 ? 0 : count;
    struct mill_csv_type *list =
        lua_newuserdata(L, ((size_t)options->type_count + 1) * sizeof *list);
    for (int i = 0; i < options->type_count; i++) {
        enum mill_type type = mill_type_from_name(type_names[i], strlen(type_names[i]));
        list[i] = (struct mill_csv_type){names[i], type};
    }
    options->types = list;
}

static void csv_options(lua_State *L, struct mill_csv_options *options)
{
    struct tidemill *engine = mill_engine_of(L);
    memset(options, 0, sizeof *options);
    options->encoding = text_field(L, 2, "encoding");
    options->date_format = text_field(L, 2, "date_format");
    const char *delimiter = text_field(L, 2, "delimiter");
    if (delimiter) options->delimiter = *delimiter;
    lua_getfield(L, 2, "ignore_case");
    options->ignore_case = lua_toboolean(L, -1);
    lua_pop(L, 1);
    int count;
    lua_getfield(L, 2, "missing");
    options->missing = text_list(L, &count);
    options->missing_count = count > 0 ? count : 0;
    csv_columns(L, 2, options);
    options->memory = &engine->memory;
    if (engine->pool_open) {
        options->parallel = mill_pool_fan;
        options->with = &engine->pool;
    }
}

/* The file's names are given to the Lua function at stack index 3: it returns a table with the
 * fields that csv_columns reads, or nil to end the reading there. */
struct chooser {
    lua_State *L;
    bool raised, stopped;
};

static tidemill_status csv_choose(void *context, struct mill_csv_options *options,
                                  char *const *names, int count)
{
    struct chooser *chooser = context;
    lua_State *L = chooser->L;
    lua_pushvalue(L, 3);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    chooser->raised = lua_pcall(L, 1, 1, 0) != 0;
    if (chooser->raised) return TIDEMILL_ERROR;
    chooser->stopped = !lua_istable(L, -1);
    if (chooser->stopped) return TIDEMILL_CANCELLED;
    csv_columns(L, lua_gettop(L), options);
    return TIDEMILL_OK;
}

void mill_lib_push_array(lua_State *L, struct mill_array *array)
{
    struct mill_value column = mill_column(array);
    mill_decode(L, &column, NULL);
}

/* core.read_csv(path, options, choose) -> rows, names, arrays; nothing when `choose`, a function
 * or nil, has ended the reading. */
static int io_read_csv(lua_State *L)
{
    mill_lib_check_here(L);
    const char *path = luaL_checkstring(L, 1);
    lua_settop(L, 3);
    struct mill_csv_options options;
    csv_options(L, &options);
    struct chooser chooser = {.L = L};
    if (lua_isfunction(L, 3)) {
        options.choose = csv_choose;
        options.chooser = &chooser;
    }
    struct mill_csv csv = {0};
    struct mill_error error;
    struct mill_file_look look = mill_files_look(path);
    tidemill_status status = mill_csv_read(path, &options, &csv, &error);
    if (status != TIDEMILL_OK) { /* what a task makes of it depends on the file just the same */
        mill_lib_note(L, MILL_READ_FILE, path,
                      mill_files_hash(&mill_engine_of(L)->files, path));
        if (chooser.raised) return lua_error(L);
        if (chooser.stopped) return 0;
        return mill_lib_raise(L, &error);
    }
    mill_files_learn(&mill_engine_of(L)->files, path, &look, csv.hash);
    mill_lib_note(L, MILL_READ_FILE, path, csv.hash);
    lua_pushnumber(L, (double)csv.rows);
    lua_createtable(L, csv.columns, 0);
    lua_createtable(L, csv.columns, 0);
    for (int i = 0; i < csv.columns; i++) {
        lua_pushstring(L, csv.names[i]);
        lua_rawseti(L, -3, i + 1);
        mill_lib_push_array(L, csv.arrays[i]);
        lua_rawseti(L, -2, i + 1);
    }
    mill_csv_fini(&csv);
    return 3;
}

static const luaL_Reg io_functions[] = {
    {"env", io_env},
    {"execute", io_execute},
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
    luaL_register(L, NULL, io_functions);
}
