/* api_kernel: kernels of the host, known by name and version in every state.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "bind/api_kernel.h"

struct mill_host_kernel {
    char *key;
    void (*address)(void);
    struct mill_host_kernel *next;
};

bool mill_host_kernel_add(struct tidemill *engine, const char *key, void (*address)(void))
{
    struct mill_host_kernel *kernel = calloc(1, sizeof *kernel);
    if (kernel) kernel->key = strdup(key);
    if (kernel == NULL || kernel->key == NULL) {
        free(kernel);
        return false;
    }
    kernel->address = address;
    kernel->next = atomic_load_explicit(&engine->host_kernels, memory_order_relaxed);
    /* Pairs with the acquire in mill_host_kernel_find, in any state. */
    atomic_store_explicit(&engine->host_kernels, kernel, memory_order_release);
    return true;
}

void (*mill_host_kernel_find(struct tidemill *engine, const char *key))(void)
{
    struct mill_host_kernel *kernel =
        atomic_load_explicit(&engine->host_kernels, memory_order_acquire);
    while (kernel && strcmp(kernel->key, key) != 0) kernel = kernel->next;
    return kernel ? kernel->address : NULL;
}

void mill_host_kernels_fini(struct tidemill *engine)
{
    struct mill_host_kernel *kernel =
        atomic_load_explicit(&engine->host_kernels, memory_order_relaxed);
    while (kernel) {
        struct mill_host_kernel *next = kernel->next;
        free(kernel->key);
        free(kernel);
        kernel = next;
    }
}

struct kernel_request {
    const char *declaration, *version;
    void (*kernel)(void);
};

/* (request): own_kernel.of_host(declaration, version, address) */
static int install_kernel(lua_State *L)
{
    const struct kernel_request *request = lua_touserdata(L, 1);
    void *address;
    memcpy(&address, &request->kernel, sizeof address);
    mill_state_require(L, "tidemill.own_kernel");
    lua_getfield(L, -1, "of_host");
    lua_pushstring(L, request->declaration);
    lua_pushstring(L, request->version);
    lua_pushlightuserdata(L, address);
    lua_call(L, 3, 0);
    return 0;
}

static tidemill_status add_kernel(struct tidemill *engine, struct kernel_request *request)
{
    if (request->declaration == NULL || request->kernel == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "kernel: the %s is NULL",
                         request->kernel ? "declaration" : "function");
    }
    if (request->version == NULL) request->version = engine->run;
    if (lua_cpcall(engine->L, install_kernel, request) == 0) return TIDEMILL_OK;
    const char *text = lua_tostring(engine->L, -1);
    mill_fail(&engine->error, TIDEMILL_USAGE, "%s", text ? text : "kernel: cannot be added");
    lua_pop(engine->L, 1);
    return TIDEMILL_USAGE;
}

tidemill_status tidemill_register_kernel(tidemill *engine, const char *declaration,
                                         void (*kernel)(void), const char *version)
{
    struct kernel_request request = {declaration, version, kernel};
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) status = add_kernel(engine, &request);
    return mill_api_end(engine, status);
}
