/* encoder: what the walk of bind/encode.c remembers.  SPDX-License-Identifier: MIT */
#include "bind/encoder.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "bind/encode.h"
#include "bind/witness.h"

const char mill_builtins_key[] = "tidemill.builtins", mill_modules_key[] = "tidemill.modules",
           mill_names_key[] = "tidemill.names", mill_kinds_key[] = "tidemill.kinds",
           mill_refresh_key[] = "tidemill.refresh", mill_refused_key[] = "tidemill.refused",
           mill_wrap_key[] = "tidemill.wrap", mill_resolve_key[] = "tidemill.resolve",
           mill_frozen_key[] = "tidemill.frozen", mill_convert_key[] = "tidemill.convert";

static size_t slot_of(const struct mill_numbers *numbers, const void *pointer)
{
    size_t at = ((uintptr_t)pointer >> 4) * 0x9E3779B97F4A7C15u >> 32 & (numbers->room - 1);
    while (numbers->slots[at].pointer && numbers->slots[at].pointer != pointer) {
        at = (at + 1) & (numbers->room - 1);
    }
    return at;
}

static bool numbers_grow(struct mill_numbers *numbers)
{
    struct mill_numbers old = *numbers;
    numbers->room = old.room ? old.room * 2 : 32;
    numbers->slots = calloc(numbers->room, sizeof *numbers->slots);
    if (numbers->slots == NULL) {
        *numbers = old;
        return false;
    }
    for (uint32_t i = 0; i < old.room; i++) {
        if (old.slots[i].pointer) {
            numbers->slots[slot_of(numbers, old.slots[i].pointer)] = old.slots[i];
        }
    }
    free(old.slots);
    return true;
}

uint32_t mill_encoder_number(struct mill_encoder *encoder, struct mill_numbers *numbers,
                             const void *pointer, bool *fresh)
{
    *fresh = false;
    if (numbers->count * 2 >= numbers->room && !numbers_grow(numbers)) {
        encoder->out.failed = true;
        return 0;
    }
    struct mill_number *slot = &numbers->slots[slot_of(numbers, pointer)];
    if (slot->pointer == NULL) {
        *slot = (struct mill_number){pointer, numbers->count++};
        *fresh = true;
    }
    return slot->number;
}

/* ---- refusals -------------------------------------------------------------------------- */

void mill_encoder_path(const struct mill_encoder *encoder, char *out, size_t room)
{
    size_t used = (size_t)snprintf(out, room, "%s", encoder->where);
    bool fields = false;
    for (int i = 0; i < encoder->depth && used < room; i++) {
        const struct mill_encoder_step *place = &encoder->path[i];
        const char *lead = place->type == 0 ? ", " : fields ? "" : ", field ";
        fields = place->type != 0;
        if (place->type == LUA_TNUMBER) {
            used += (size_t)snprintf(out + used, room - used, "%s[%.14g]", lead, place->number);
        } else {
            used += (size_t)snprintf(out + used, room - used, "%s%s%.60s", lead,
                                     place->type == LUA_TSTRING ? "." : "", place->text);
        }
    }
}

/* For a program around the engine, which cannot wait for it. */
static const char *how_to_finish(const char *what)
{
    if (strncmp(what, "a lazy ", 7) == 0) return "return what its :compute() gives";
    return strcmp(what, "a future") == 0 ? "return what its :result() gives" : NULL;
}

bool mill_encoder_refuse(struct mill_encoder *encoder, const char *what, const char *advice)
{
    if (encoder->status != TIDEMILL_OK) return false;
    char path[600];
    mill_encoder_path(encoder, path, sizeof path);
    bool task = !encoder->kept && !encoder->leaves;
    if (!task) advice = encoder->leaves ? how_to_finish(what) : NULL; /* it is for tasks */
    encoder->status = mill_fail(encoder->error, TIDEMILL_USAGE, "cannot %s %s %s (%s)%s%s",
                                encoder->kept ? "keep" : "send", what,
                                task            ? "to a task"
                                : encoder->kept ? "in the cache"
                                                : "to the host program",
                                path, advice ? "; " : "", advice ? advice : "");
    return false;
}

bool mill_encoder_enter(struct mill_encoder *encoder, int type, const char *text, double number)
{
    if (encoder->depth >= MILL_PACKED_DEPTH) {
        char what[64];
        snprintf(what, sizeof what, "a value nested deeper than %d levels", MILL_PACKED_DEPTH);
        encoder->depth = 3; /* the beginning of the path is enough */
        return mill_encoder_refuse(encoder, what, NULL);
    }
    encoder->path[encoder->depth++] = (struct mill_encoder_step){type, text, number};
    return true;
}

void mill_encoder_leave(struct mill_encoder *encoder)
{
    encoder->depth--;
}

/* ---- objects known by name -------------------------------------------------------------- */

void mill_encoder_push_known(lua_State *L, const char *key, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, key);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

static bool push_module_part(struct mill_encoder *encoder, int index)
{
    mill_encoder_push_known(encoder->L, mill_modules_key, index);
    if (lua_isstring(encoder->L, -1)) return true;
    lua_pop(encoder->L, 1);
    return false;
}

void mill_encoder_refresh(struct mill_encoder *encoder)
{
    if (encoder->refreshed) return;
    encoder->refreshed = true;
    lua_getfield(encoder->L, LUA_REGISTRYINDEX, mill_refresh_key);
    lua_call(encoder->L, 0, 0);
}

bool mill_encoder_is_in(lua_State *L, const char *key, int index)
{
    mill_encoder_push_known(L, key, index);
    bool in = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return in;
}

static bool encode_builtin(struct mill_encoder *encoder, int index)
{
    mill_encoder_push_known(encoder->L, mill_builtins_key, index);
    bool known = !lua_isnil(encoder->L, -1);
    if (known) mill_encoder_string(encoder, MILL_MARK_BUILTIN, -1);
    lua_pop(encoder->L, 1);
    if (known && encoder->witness && lua_istable(encoder->L, index)) {
        mill_witness_library(encoder->L, encoder->witness, index);
    }
    return known;
}

/* A builtin or part of a loaded module: written by name.  Tables of data, by far the most, are
 * found to be neither without bringing the names up to date. */
bool mill_encoder_known(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!encoder->refreshed && lua_istable(L, index) &&
        !mill_encoder_is_in(L, mill_builtins_key, index) &&
        !mill_encoder_is_in(L, mill_modules_key, index)) {
        return false;
    }
    mill_encoder_refresh(encoder);
    if (encode_builtin(encoder, index)) return true;
    if (!push_module_part(encoder, index)) return false;
    encoder->unsteady = true;
    size_t size;
    const char *text = lua_tolstring(L, -1, &size); /* 16 bytes of hash, module, zero, path */
    const char *module = text + 16;
    size_t length = strlen(module);
    mill_packer_byte(&encoder->out, MILL_MARK_MODULE);
    mill_packer_bytes(&encoder->out, text, 16);
    mill_packer_text(&encoder->out, module, length);
    mill_packer_text(&encoder->out, module + length + 1, size - 17 - length);
    lua_pop(L, 1);
    return true;
}
