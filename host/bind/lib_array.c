/* lib_array: arrays in files.  Options arrive checked from lua/tidemill/npy.lua.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/lib.h"
#include "cache/trust.h"
#include "data/npy.h"

/* A cached task depends on the whole file, whatever part of it is read.  Noted before and after: a file
 * that changes meanwhile has two hashes, and the result is not kept. */
static void note_file(lua_State *L, const char *path)
{
    if (!mill_lib_notes(L)) return;
    mill_lib_note(L, MILL_READ_FILE, path, mill_files_hash(&mill_engine_of(L)->files, path));
}

/* core.read_npy(path, map, first, last) -> array; map: true, false or nil; first and last: rows, from 1,
 * or nil */
static int array_read_npy(lua_State *L)
{
    mill_lib_check_here(L);
    const char *path = luaL_checkstring(L, 1);
    struct mill_npy_options options = {.memory = &mill_engine_of(L)->memory,
                                       .map = lua_isnoneornil(L, 2) ? MILL_NPY_AUTO
                                              : lua_toboolean(L, 2) ? MILL_NPY_MAP
                                                                    : MILL_NPY_COPY};
    if (!lua_isnoneornil(L, 3)) {
        options.rows = true;
        options.first = (int64_t)luaL_checknumber(L, 3);
        options.last = (int64_t)luaL_checknumber(L, 4);
    }
    struct mill_array *array = NULL;
    struct mill_error error;
    note_file(L, path);
    tidemill_status status = mill_npy_read(path, &options, &array, &error);
    note_file(L, path);
    if (status != TIDEMILL_OK) return mill_lib_raise(L, &error);
    mill_lib_push_array(L, array);
    mill_array_unref(array);
    return 1;
}

/* core.write_npy(path, array) */
static int array_write_npy(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const struct mill_array *array = *(struct mill_array *const *)lua_topointer(L, 2);
    struct mill_worker *worker = mill_worker_of(L);
    struct mill_error error;
    if (worker) mill_trust_writes(&mill_engine_of(L)->lookup, worker, path);
    if (mill_npy_write(path, array, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    return 0;
}

void mill_lib_array(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"read_npy", array_read_npy}, {"write_npy", array_write_npy}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
