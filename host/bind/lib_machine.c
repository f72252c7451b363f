/* lib_machine: the machine as it is for this process.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "base/cpus.h"
#include "base/machine.h"
#include "bind/lib.h"

static void push_field(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

/* What is not there, or not known, has no field. */
static void push_positive(lua_State *L, const char *name, double number)
{
    if (number > 0) push_field(L, name, number);
}

/* core.machine() -> {cpus, online, affinity, quota, memory, installed, limit, available, used}:
 * CPUs that may be used, of the machine, of the mask, of the group; bytes that the process may
 * have, of the machine, of the group, that are to be had now, and that are not. */
static int core_machine(lua_State *L)
{
    struct mill_cpus cpus;
    struct mill_machine_memory memory;
    mill_cpus_count(&cpus);
    mill_machine_memory("", &memory);
    lua_createtable(L, 0, 9);
    push_field(L, "cpus", cpus.usable);
    push_field(L, "online", cpus.online);
    push_field(L, "affinity", cpus.affinity);
    push_positive(L, "quota", cpus.quota);
    push_positive(L, "installed", (double)memory.installed);
    push_positive(L, "limit", (double)memory.limit);
    if (memory.total > 0) {
        push_field(L, "memory", (double)memory.total);
        push_field(L, "available", (double)memory.available);
        push_field(L, "used", (double)memory.used);
    }
    return 1;
}

void mill_lib_machine(lua_State *L)
{
    static const luaL_Reg functions[] = {{"machine", core_machine}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
