/* confine: what a script that the host did not write may use.  SPDX-License-Identifier: MIT */
#include "bind/confine.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/state.h"

static const char globals_key[] = "tidemill.globals"; /* as lua/tidemill/confine.lua has it */

/* ---- lists ------------------------------------------------------------------------------ */

static void free_names(char **list)
{
    for (char **entry = list; entry && *entry; entry++) free(*entry);
    free(list);
}

/* False: no memory. */
static bool copy_names(const char *const *list, char ***copy)
{
    size_t count = 0;
    while (list && list[count]) count++;
    *copy = calloc(count + 1, sizeof **copy);
    for (size_t i = 0; *copy && i < count; i++) {
        (*copy)[i] = strdup(list[i]);
        if ((*copy)[i] == NULL) return false;
    }
    return *copy != NULL;
}

tidemill_status mill_confine_set(struct mill_confine *confine, const char *const *allow,
                                 const char *const *modules, struct mill_error *error)
{
    confine->on = true;
    if (copy_names(allow, &confine->allow) && copy_names(modules, &confine->modules)) {
        return TIDEMILL_OK;
    }
    return mill_no_memory(error, "a sandbox's lists");
}

void mill_confine_fini(struct mill_confine *confine)
{
    free_names(confine->allow);
    free_names(confine->modules);
    *confine = (struct mill_confine){0};
}

bool mill_confine_allows(const struct mill_confine *confine, const char *name)
{
    for (char **entry = confine->allow; entry && *entry; entry++) {
        if (strcmp(*entry, name) == 0) return true;
    }
    return !confine->on;
}

/* ---- in a state -------------------------------------------------------------------------- */

static void push_names(lua_State *L, char **list)
{
    lua_newtable(L);
    for (int i = 0; list && list[i]; i++) {
        lua_pushstring(L, list[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

void mill_confine_push(lua_State *L, const struct mill_confine *confine)
{
    if (!confine->on) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 2);
    push_names(L, confine->allow);
    lua_setfield(L, -2, "allow");
    push_names(L, confine->modules);
    lua_setfield(L, -2, "modules");
}

static int install_globals(lua_State *L)
{
    mill_state_require(L, "tidemill.confine");
    lua_getfield(L, -1, "install");
    lua_call(L, 0, 0);
    return 0;
}

tidemill_status mill_confine_install(lua_State *L, const struct mill_confine *confine,
                                     struct mill_error *error)
{
    if (!confine->on) return TIDEMILL_OK;
    if (lua_cpcall(L, install_globals, NULL) == 0) return TIDEMILL_OK;
    const char *text = lua_tostring(L, -1);
    mill_fail(error, TIDEMILL_USAGE, "%s", text ? text : "an error without a message");
    lua_pop(L, 1);
    return TIDEMILL_USAGE;
}

void mill_confine_push_globals(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, globals_key);
    if (lua_istable(L, -1)) return;
    lua_pop(L, 1);
    lua_pushvalue(L, LUA_GLOBALSINDEX);
}

void mill_confine_function(lua_State *L)
{
    mill_confine_push_globals(L);
    lua_setfenv(L, -2);
}

const char *mill_confine_mode(const struct mill_confine *confine)
{
    return confine->on ? "t" : NULL;
}
