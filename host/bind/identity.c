/* identity: what stands for the engine in every key.  SPDX-License-Identifier: MIT */
#include "bind/identity.h"

#include <gnu/libc-version.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"

/* What a build of LuaJIT says of itself; newer ones have the time of their commit in their version. */
static const char build_text[] = "local ffi = require('ffi')\n"
                                 "local parts = { jit.version, jit.arch, jit.os }\n"
                                 "for _, name in ipairs({ 'gc64', 'fpu', 'softfp', 'be' }) do\n"
                                 "  if ffi.abi(name) then parts[#parts + 1] = name end\n"
                                 "end\n"
                                 "return table.concat(parts, ' ')";

void mill_identity_take(lua_State *L, struct mill_identity *identity)
{
    int top = lua_gettop(L);
    identity->semantics = MILL_SEMANTICS;
    const char *text = luaL_dostring(L, build_text) == 0 ? lua_tostring(L, -1) : NULL;
    snprintf(identity->luajit, sizeof identity->luajit, "%s", text ? text : "LuaJIT");
    lua_settop(L, top);
}

struct mill_hash mill_identity_hash(const struct mill_identity *identity)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "engine");
    mill_hasher_number(&hasher, (uint64_t)identity->semantics);
    mill_hasher_bytes(&hasher, identity->luajit, strlen(identity->luajit));
    return mill_hasher_end(&hasher);
}

void mill_identity_text(const struct mill_identity *identity, char *out, size_t room)
{
    snprintf(out, room, "%d, %s", identity->semantics, identity->luajit);
}

void mill_identity_libm(char *out, size_t room)
{
    snprintf(out, room, "glibc %s", gnu_get_libc_version());
}

struct mill_hash mill_identity_blas(struct mill_blas *blas, struct mill_files *files)
{
    struct mill_hasher hasher;
    bool there = mill_blas_open(blas) == MILL_BLAS_THERE;
    mill_hasher_init(&hasher, "BLAS/1");
    /* OpenBLAS names its kernels for this processor with its version; of others the file stands
     * for the version. */
    const char *text = there ? blas->text : "none";
    mill_hasher_bytes(&hasher, text, strlen(text));
    if (there && !blas->is_openblas) {
        struct mill_hash file = mill_files_hash(files, blas->path);
        mill_hasher_bytes(&hasher, &file, sizeof file);
    }
    return mill_hasher_end(&hasher);
}

struct mill_hash mill_identity_library(const char *name)
{
    char version[64];
    struct mill_hasher hasher;
    if (strcmp(name, "libm") != 0) return (struct mill_hash){0, 0};
    mill_identity_libm(version, sizeof version);
    const char *set = tidemill_kernel_isa();
    mill_hasher_init(&hasher, "library/1");
    mill_hasher_bytes(&hasher, name, strlen(name));
    mill_hasher_bytes(&hasher, version, strlen(version));
    mill_hasher_bytes(&hasher, set, strlen(set));
    return mill_hasher_end(&hasher);
}
