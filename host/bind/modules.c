/* modules: text of the script's Lua modules.  SPDX-License-Identifier: MIT */
#include "bind/modules.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct mill_module {
    char *name, *path, *text;
    size_t size;
    size_t number; /* how many came before it */
    struct mill_module *next;
};

static struct mill_module *find_module(struct tidemill *engine, const char *name)
{
    struct mill_module *module = engine->modules;
    while (module && strcmp(module->name, name) != 0) module = module->next;
    return module;
}

static void module_free(struct mill_module *module)
{
    if (module == NULL) return;
    free(module->name);
    free(module->path);
    free(module->text);
    free(module);
}

bool mill_modules_keep(struct tidemill *engine, const char *name, const char *path,
                       const char *text, size_t size)
{
    struct mill_module *module = calloc(1, sizeof *module);
    bool fine = module && (module->name = strdup(name)) && (module->path = strdup(path)) &&
                (module->text = malloc(size ? size : 1));
    if (!fine) {
        module_free(module);
        return false;
    }
    memcpy(module->text, text, size);
    module->size = size;
    pthread_mutex_lock(&engine->modules_lock);
    bool fresh = find_module(engine, name) == NULL;
    if (fresh) {
        module->number = engine->modules ? engine->modules->number + 1 : 0;
        module->next = engine->modules;
        engine->modules = module;
    }
    pthread_mutex_unlock(&engine->modules_lock);
    if (!fresh) module_free(module);
    return true;
}

/* A kept module is neither changed nor freed before the engine closes. */
static struct mill_module *find_kept(struct tidemill *engine, const char *name)
{
    pthread_mutex_lock(&engine->modules_lock);
    struct mill_module *module = find_module(engine, name);
    pthread_mutex_unlock(&engine->modules_lock);
    return module;
}

const char *mill_modules_find(struct tidemill *engine, const char *name, const char **path,
                              size_t *size)
{
    struct mill_module *module = find_kept(engine, name);
    if (module == NULL) return NULL;
    *path = module->path;
    *size = module->size;
    return module->text;
}

bool mill_modules_load(struct tidemill *engine, lua_State *L, const char *name)
{
    struct mill_module *module = find_kept(engine, name);
    if (module == NULL) return false;
    lua_pushfstring(L, "@%s", module->path);
    int failure = luaL_loadbuffer(L, module->text, module->size, lua_tostring(L, -1));
    lua_remove(L, -2);
    if (failure) lua_error(L);
    return true;
}

size_t mill_modules_count(struct tidemill *engine)
{
    pthread_mutex_lock(&engine->modules_lock);
    size_t count = engine->modules ? engine->modules->number + 1 : 0;
    pthread_mutex_unlock(&engine->modules_lock);
    return count;
}

void mill_modules_each(struct tidemill *engine, size_t first, size_t end,
                       void (*visit)(void *context, const char *name, const char *path,
                                     const char *text, size_t size),
                       void *context)
{
    pthread_mutex_lock(&engine->modules_lock);
    struct mill_module *module = engine->modules;
    pthread_mutex_unlock(&engine->modules_lock);
    /* Nothing changes behind the first of the list. */
    for (; module && module->number >= first; module = module->next) {
        if (module->number >= end) continue;
        visit(context, module->name, module->path, module->text, module->size);
    }
}

void mill_modules_fini(struct tidemill *engine)
{
    while (engine->modules) {
        struct mill_module *next = engine->modules->next;
        module_free(engine->modules);
        engine->modules = next;
    }
}
