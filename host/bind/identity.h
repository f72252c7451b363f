/* identity: what stands for the engine in every key, and for libraries in the keys of results that
 * depend on them.  A release is not in it: MILL_SEMANTICS is raised when the same call computes
 * something else.  SPDX-License-Identifier: MIT */
#ifndef MILL_IDENTITY_H
#define MILL_IDENTITY_H

#include <lua.h>

#include "base/hash.h"
#include "cache/files.h"
#include "data/blas.h"

/* Raised when a release computes another result for the same call: part of every key. */
enum { MILL_SEMANTICS = 1 };

struct mill_identity {
    int semantics;
    char luajit[96]; /* version and build: "LuaJIT 2.1.1741730670 x64 Linux gc64" */
};

/* That of this engine in the LuaJIT of the state. */
void mill_identity_take(lua_State *L, struct mill_identity *identity);

struct mill_hash mill_identity_hash(const struct mill_identity *identity);

/* In words: "1, LuaJIT ..". */
void mill_identity_text(const struct mill_identity *identity, char *out, size_t room);

/* Hash of version and instruction set of a library ("libm"); zeros: there is none of that name. */
struct mill_hash mill_identity_library(const char *name);

/* The same of the BLAS, which this opens, or of its absence. */
struct mill_hash mill_identity_blas(struct mill_blas *blas, struct mill_files *files);

/* What the C library calls itself: "glibc 2.36". */
void mill_identity_libm(char *out, size_t room);

#endif
