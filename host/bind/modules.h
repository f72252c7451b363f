/* modules: text of the script's Lua modules, so that every state loads what the script's state
 * has loaded, even when the file has changed since.  Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_MODULES_H
#define MILL_MODULES_H

#include "bind/engine.h"

/* Keeps `text` under `name`, unless the engine has that module already. */
bool mill_modules_keep(struct tidemill *engine, const char *name, const char *path,
                       const char *text, size_t size);

/* Pushes the loaded chunk of a kept module and returns true, or pushes nothing. Raises a Lua error
 * for text that does not compile. */
bool mill_modules_load(struct tidemill *engine, lua_State *L, const char *name);

/* Text and path of a kept module, which live as long as the engine; NULL: it is not kept. */
const char *mill_modules_find(struct tidemill *engine, const char *name, const char **path,
                              size_t *size);

/* How many are kept; they keep the numbers in which they came, from 0. */
size_t mill_modules_count(struct tidemill *engine);

/* Visits those from `first` to before `end`, in no order. */
void mill_modules_each(struct tidemill *engine, size_t first, size_t end,
                       void (*visit)(void *context, const char *name, const char *path,
                                     const char *text, size_t size),
                       void *context);

void mill_modules_fini(struct tidemill *engine);

#endif
