/* lib_kernel: shared objects with kernels of the user's.  What their functions take is checked in
 * lua/tidemill/own_kernel.lua.  SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/compile.h"
#include "base/folders.h"
#include "base/library.h"
#include "bind/api_kernel.h"
#include "bind/lib.h"

/* core.file_hash(path) -> 32 hexadecimal digits, or nil: there is no such file.  A read of the file. */
static int kernel_file_hash(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct mill_hash hash = mill_files_hash(&mill_engine_of(L)->files, path), none = {0, 0};
    mill_lib_note(L, MILL_READ_FILE, path, hash);
    if (mill_hash_equal(hash, none)) return 0;
    char text[33];
    mill_hash_text(hash, text);
    lua_pushstring(L, text);
    return 1;
}

/* core.open_library(path) -> handle, or nil and a reason.  It stays open: functions of it may run in
 * any state. */
static int kernel_open_library(lua_State *L)
{
    struct mill_error error;
    void *handle = mill_library_open(luaL_checkstring(L, 1), &error);
    if (handle == NULL) {
        lua_pushnil(L);
        lua_pushstring(L, error.text);
        return 2;
    }
    lua_pushlightuserdata(L, handle);
    return 1;
}

/* core.find_symbol(handle, name) -> address or nil */
static int kernel_find_symbol(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    void *address = dlsym(lua_touserdata(L, 1), luaL_checkstring(L, 2));
    if (address == NULL) return 0;
    lua_pushlightuserdata(L, address);
    return 1;
}

/* core.host_kernel(key, address): the host program's function of that key from now on;
 * core.host_kernel(key) -> its address, or nil */
static int kernel_host(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    const char *key = luaL_checkstring(L, 1);
    void *address = lua_touserdata(L, 2);
    void (*kernel)(void);
    if (address) {
        memcpy(&kernel, &address, sizeof kernel);
        if (!mill_host_kernel_add(engine, key, kernel)) luaL_error(L, "kernel: no memory");
        return 0;
    }
    kernel = mill_host_kernel_find(engine, key);
    if (kernel == NULL) return 0;
    memcpy(&address, &kernel, sizeof address);
    lua_pushlightuserdata(L, address);
    return 1;
}

/* core.user_cache() -> the path of the user's cache, whether it is used or not; nil: there is no home */
static int kernel_user_cache(lua_State *L)
{
    char *path = mill_user_file("XDG_CACHE_HOME", ".cache", "cache.db");
    lua_pushstring(L, path);
    free(path);
    return 1;
}

/* Whether the call that compiles is to end: the engine was interrupted, or the task's run cancelled. */
static bool compile_stopped(void *context)
{
    lua_State *L = context;
    struct mill_worker *worker = mill_worker_of(L);
    return atomic_load(&mill_engine_of(L)->interrupted) ||
           (worker && worker->task && mill_run_cancelled(worker->task->run));
}

/* core.compile(words, folder, name, source, target) -> true; or nil, a reason and what the compiler
 * says */
static int kernel_compile(lua_State *L)
{
    mill_lib_check_here(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    int count = (int)lua_objlen(L, 1);
    const char **words = lua_newuserdata(L, ((size_t)count + 1) * sizeof *words);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        words[i] = luaL_checkstring(L, -1); /* the list keeps it */
        lua_pop(L, 1);
    }
    words[count] = NULL;
    struct mill_compile job = {.words = words,
                               .folder = luaL_checkstring(L, 2),
                               .name = luaL_checkstring(L, 3),
                               .source = luaL_checkstring(L, 4),
                               .target = luaL_checkstring(L, 5),
                               .stopped = compile_stopped,
                               .context = L};
    struct mill_error error;
    char *log = lua_newuserdata(L, MILL_COMPILE_LOG);
    if (mill_compile(&job, log, &error) == TIDEMILL_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, error.text);
    lua_pushstring(L, log);
    return 3;
}

void mill_lib_kernel(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"compile", kernel_compile},
        {"file_hash", kernel_file_hash},
        {"find_symbol", kernel_find_symbol},
        {"host_kernel", kernel_host},
        {"open_library", kernel_open_library},
        {"user_cache", kernel_user_cache},
        {NULL, NULL},
    };
    luaL_register(L, NULL, functions);
}
