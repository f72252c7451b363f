/* confine: what a script that the host did not write may use; lua/tidemill/confine.lua puts it into force in
 * each state.  SPDX-License-Identifier: MIT */
#ifndef MILL_CONFINE_H
#define MILL_CONFINE_H

#include <lua.h>
#include <stdbool.h>

#include "base/status.h"

/* Zeros: nothing is confined.  Fixed before the first state opens. */
struct mill_confine {
    bool on;
    char **allow, **modules; /* owned lists that end with NULL; NULL: empty */
};

/* Copies the lists, which end with NULL or are NULL. */
tidemill_status mill_confine_set(struct mill_confine *confine, const char *const *allow,
                                 const char *const *modules, struct mill_error *error);
void mill_confine_fini(struct mill_confine *confine);

/* Whether the host has opened a name. */
bool mill_confine_allows(const struct mill_confine *confine, const char *name);

/* Pushes {allow = {..}, modules = {..}}, or nil when nothing is confined. */
void mill_confine_push(lua_State *L, const struct mill_confine *confine);

/* Makes the globals of the script's state, when it is confined.  TIDEMILL_USAGE: `allow` names what there is
 * not. */
tidemill_status mill_confine_install(lua_State *L, const struct mill_confine *confine,
                                     struct mill_error *error);

/* Pushes the globals of the script, or of tasks: those of the state unless they are confined. */
void mill_confine_push_globals(lua_State *L);

/* The function on top gets them. */
void mill_confine_function(lua_State *L);

/* What a script may be loaded as, for luaL_loadbufferx: "t", or NULL for anything. */
const char *mill_confine_mode(const struct mill_confine *confine);

#endif
