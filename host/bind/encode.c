/* encode: values of a Lua state become cells that cross.
 * One walk, depth first.  Tables and functions are numbered when they are met; met again they
 * are named by number.  Pairs go out in a fixed order, so that equal tables pack alike in every
 * state.  SPDX-License-Identifier: MIT */
#include "bind/encode.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bytecode.h"
#include "bind/engine.h"
#include "bind/shared.h"
#include "bind/witness.h"
#include "data/packed.h"

const char mill_builtins_key[] = "tidemill.builtins", mill_modules_key[] = "tidemill.modules",
           mill_names_key[] = "tidemill.names", mill_kinds_key[] = "tidemill.kinds",
           mill_refresh_key[] = "tidemill.refresh", mill_refused_key[] = "tidemill.refused",
           mill_wrap_key[] = "tidemill.wrap", mill_resolve_key[] = "tidemill.resolve",
           mill_frozen_key[] = "tidemill.frozen", mill_convert_key[] = "tidemill.convert";

/* The name under which a changed metatable of strings goes into an environment; the worker's loop
 * puts it into force (lua/tidemill/runner.lua). */
static const char string_metatable[] = "(string metatable)";

enum { LUA_TCDATA = 10 };

/* ---- the walk's memory ----------------------------------------------------------------- */

/* Pointers to small numbers: objects, cells, environments met so far. */
struct numbers {
    struct number {
        const void *pointer;
        uint32_t number;
    } * slots; /* pointer NULL: empty */
    uint32_t count, room;
};

struct place { /* one step of the path, for messages */
    int type;  /* LUA_TSTRING: text; LUA_TNUMBER: number; 0: `text` is a phrase */
    const char *text;
    double number;
};

struct encoder {
    lua_State *L;
    struct mill_packer out;
    struct numbers objects, cells, environments;
    struct global { /* names that an environment has got already */
        uint32_t environment;
        const char *name; /* a Lua string that the environment keeps alive */
    } * globals;
    uint32_t global_count, global_room;
    struct place path[MILL_PACKED_DEPTH + 2];
    int depth;
    bool nodes, refreshed;
    int witness;   /* stack index of what to take down in; 0: nobody asks */
    bool unsteady; /* met something that may change without the witness noticing */
    bool loops;    /* met a function that has some */
    const char *where;
    struct mill_error *error;
    tidemill_status status;
};

static size_t slot_of(const struct numbers *numbers, const void *pointer)
{
    size_t at = ((uintptr_t)pointer >> 4) * 0x9E3779B97F4A7C15u >> 32 & (numbers->room - 1);
    while (numbers->slots[at].pointer && numbers->slots[at].pointer != pointer) {
        at = (at + 1) & (numbers->room - 1);
    }
    return at;
}

static bool numbers_grow(struct numbers *numbers)
{
    struct numbers old = *numbers;
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

/* The number of `pointer`; *fresh when it was met for the first time. */
static uint32_t number_of(struct encoder *encoder, struct numbers *numbers, const void *pointer,
                          bool *fresh)
{
    *fresh = false;
    if (numbers->count * 2 >= numbers->room && !numbers_grow(numbers)) {
        encoder->out.failed = true;
        return 0;
    }
    struct number *slot = &numbers->slots[slot_of(numbers, pointer)];
    if (slot->pointer == NULL) {
        *slot = (struct number){pointer, numbers->count++};
        *fresh = true;
    }
    return slot->number;
}

/* ---- refusals -------------------------------------------------------------------------- */

static void write_path(const struct encoder *encoder, char *out, size_t room)
{
    size_t used = (size_t)snprintf(out, room, "%s", encoder->where);
    bool fields = false;
    for (int i = 0; i < encoder->depth && used < room; i++) {
        const struct place *place = &encoder->path[i];
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

static bool refuse(struct encoder *encoder, const char *what, const char *advice)
{
    if (encoder->status != TIDEMILL_OK) return false;
    char path[600];
    write_path(encoder, path, sizeof path);
    encoder->status =
        mill_fail(encoder->error, TIDEMILL_USAGE, "cannot send %s to a task (%s)%s%s", what,
                  path, advice ? "; " : "", advice ? advice : "");
    return false;
}

static bool enter(struct encoder *encoder, int type, const char *text, double number)
{
    if (encoder->depth >= MILL_PACKED_DEPTH) {
        char what[64];
        snprintf(what, sizeof what, "a value nested deeper than %d levels", MILL_PACKED_DEPTH);
        encoder->depth = 3; /* the beginning of the path is enough */
        return refuse(encoder, what, NULL);
    }
    encoder->path[encoder->depth++] = (struct place){type, text, number};
    return true;
}

static void leave(struct encoder *encoder)
{
    encoder->depth--;
}

/* ---- leaves ---------------------------------------------------------------------------- */

static bool encode(struct encoder *encoder, int index);

static void put_number(struct encoder *encoder, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, 8);
    mill_packer_word(&encoder->out, MILL_MARK_NUMBER, bits);
}

static void put_string(struct encoder *encoder, enum mill_mark mark, int index)
{
    size_t size;
    const char *text = lua_tolstring(encoder->L, index, &size);
    mill_packer_byte(&encoder->out, (uint8_t)mark);
    mill_packer_text(&encoder->out, text, size);
}

static enum mill_kind kind_of(lua_State *L, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, mill_kinds_key);
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    enum mill_kind kind = (enum mill_kind)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return kind;
}

static const char *const node_advice =
    "pass it as an argument of the call, so that its result is used";

static bool encode_cdata(struct encoder *encoder, int index)
{
    const void *payload = lua_topointer(encoder->L, index);
    uint64_t bits;
    switch (kind_of(encoder->L, index)) {
    case MILL_KIND_INT64:
        memcpy(&bits, payload, 8);
        mill_packer_word(&encoder->out, MILL_MARK_INT64, bits);
        return true;
    case MILL_KIND_UINT64:
        memcpy(&bits, payload, 8);
        mill_packer_word(&encoder->out, MILL_MARK_UINT64, bits);
        return true;
    case MILL_KIND_ARRAY:
        mill_packer_array(&encoder->out, *(struct mill_array *const *)payload);
        return true;
    case MILL_KIND_NODE:
        if (!encoder->nodes) return refuse(encoder, "a lazy node", node_advice);
        memcpy(&bits, payload, 8);
        mill_packer_node(&encoder->out, (uint32_t)bits);
        return true;
    default:
        return refuse(encoder, "a C object (cdata)", NULL);
    }
}

static bool encode_userdata(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    struct mill_shared *shared = mill_shared_at(L, index);
    if (shared) {
        mill_packer_shared(&encoder->out, shared);
        return true;
    }
    bool file = false;
    if (lua_getmetatable(L, index)) {
        lua_getfield(L, LUA_REGISTRYINDEX, LUA_FILEHANDLE);
        file = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (file) return refuse(encoder, "a file", "open it inside the task");
    return refuse(encoder, "a userdata", NULL);
}

/* ---- objects known by name -------------------------------------------------------------- */

/* Pushes registry[key][value at index]; nil when it has none. */
static void push_known(lua_State *L, const char *key, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, key);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

static bool push_module_part(struct encoder *encoder, int index)
{
    push_known(encoder->L, mill_modules_key, index);
    if (lua_isstring(encoder->L, -1)) return true;
    lua_pop(encoder->L, 1);
    return false;
}

/* Brings builtins and modules up to date, once a walk. */
static void refresh(struct encoder *encoder)
{
    if (encoder->refreshed) return;
    encoder->refreshed = true;
    lua_getfield(encoder->L, LUA_REGISTRYINDEX, mill_refresh_key);
    lua_call(encoder->L, 0, 0);
}

static bool is_in(lua_State *L, const char *key, int index)
{
    push_known(L, key, index);
    bool in = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return in;
}

static bool encode_builtin(struct encoder *encoder, int index)
{
    push_known(encoder->L, mill_builtins_key, index);
    bool known = !lua_isnil(encoder->L, -1);
    if (known) put_string(encoder, MILL_MARK_BUILTIN, -1);
    lua_pop(encoder->L, 1);
    if (known && encoder->witness && lua_istable(encoder->L, index)) {
        mill_witness_library(encoder->L, encoder->witness, index);
    }
    return known;
}

/* A builtin or part of a loaded module: written by name.  Tables of data, by far the most, are
 * found to be neither without bringing the names up to date. */
static bool encode_known(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!encoder->refreshed && lua_istable(L, index) && !is_in(L, mill_builtins_key, index) &&
        !is_in(L, mill_modules_key, index)) {
        return false;
    }
    refresh(encoder);
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

/* ---- tables ---------------------------------------------------------------------------- */

/* A key of the hash part, in the order in which pairs are packed. */
struct key {
    int rank; /* 0 number, 1 string, 2 false, 3 true, 4 others, as they come */
    double number;
    const char *text; /* a Lua string that its table keeps alive */
    size_t size;
    int other; /* stack index of a copy, for rank 4 */
};

static int compare_keys(const void *a_, const void *b_)
{
    const struct key *a = a_, *b = b_;
    if (a->rank != b->rank) return a->rank - b->rank;
    if (a->rank == 0) return a->number < b->number ? -1 : a->number > b->number;
    if (a->rank != 1) return a->other - b->other;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

struct keys {
    struct key few[16];
    struct key *list;
    size_t count, room;
    int others; /* copies of keys on the stack */
};

static bool add_key(struct encoder *encoder, struct keys *keys)
{
    lua_State *L = encoder->L;
    if (keys->count == keys->room) {
        size_t room = keys->room * 2;
        struct key *grown = malloc(room * sizeof *grown);
        if (grown == NULL) {
            encoder->out.failed = true;
            return false;
        }
        memcpy(grown, keys->list, keys->count * sizeof *grown);
        if (keys->list != keys->few) free(keys->list);
        keys->list = grown;
        keys->room = room;
    }
    struct key *key = &keys->list[keys->count++];
    memset(key, 0, sizeof *key);
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        key->number = lua_tonumber(L, -1);
        break;
    case LUA_TSTRING:
        key->rank = 1;
        key->text = lua_tolstring(L, -1, &key->size);
        break;
    case LUA_TBOOLEAN:
        key->rank = lua_toboolean(L, -1) ? 3 : 2;
        break;
    default:
        key->rank = 4;
    }
    return true;
}

static void push_key(lua_State *L, const struct key *key)
{
    switch (key->rank) {
    case 0:
        lua_pushnumber(L, key->number);
        break;
    case 1:
        lua_pushlstring(L, key->text, key->size);
        break;
    case 2:
    case 3:
        lua_pushboolean(L, key->rank == 3);
        break;
    default:
        lua_pushvalue(L, key->other);
    }
}

/* Collects the keys that are not in 1..list.  Keys of rank 4 stay on the stack. */
static bool collect_keys(struct encoder *encoder, int table, size_t list, struct keys *keys)
{
    lua_State *L = encoder->L;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            double number = lua_tonumber(L, -1);
            if (number >= 1 && number <= (double)list && number == (double)(size_t)number) {
                continue;
            }
        }
        if (!add_key(encoder, keys)) {
            lua_pop(L, 1);
            return false;
        }
        struct key *key = &keys->list[keys->count - 1];
        if (key->rank == 4) {
            if (!lua_checkstack(L, 8))
                return refuse(encoder, "a table with so many keys", NULL);
            lua_pushvalue(L, -1); /* lua_next goes on with the upper one */
            key->other = lua_gettop(L) - 1;
            keys->others++;
        }
    }
    return true;
}

static bool encode_pair(struct encoder *encoder, int table, const struct key *key)
{
    lua_State *L = encoder->L;
    push_key(L, key);
    bool fine;
    if (key->rank == 1) {
        fine = enter(encoder, LUA_TSTRING, key->text, 0);
    } else if (key->rank == 0) {
        fine = enter(encoder, LUA_TNUMBER, NULL, key->number);
    } else {
        fine = enter(encoder, 0, "a key that is not a string", 0);
    }
    if (!fine) {
        lua_pop(L, 1);
        return false;
    }
    fine = encode(encoder, lua_gettop(L));
    if (fine) {
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        fine = encode(encoder, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    leave(encoder);
    return fine;
}

static bool encode_list(struct encoder *encoder, int table, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        if (!enter(encoder, LUA_TNUMBER, NULL, (double)i)) return false;
        lua_rawgeti(encoder->L, table, (int)i);
        bool fine = encode(encoder, lua_gettop(encoder->L));
        lua_pop(encoder->L, 1);
        leave(encoder);
        if (!fine) return false;
    }
    return true;
}

/* The longest run 1..n without a hole: the same for equal tables, however they were filled. */
static size_t list_length(lua_State *L, int table)
{
    size_t count = lua_objlen(L, table);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, table, (int)i);
        bool hole = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (hole) return i - 1;
    }
    return count;
}

static bool encode_metatable(struct encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    if (!lua_getmetatable(L, table)) return true;
    bool fine = enter(encoder, 0, "its metatable", 0);
    if (fine) {
        refresh(encoder);
        fine = encode(encoder, lua_gettop(L));
        leave(encoder);
    }
    lua_pop(L, 1);
    return fine;
}

/* Whether a table may not cross; says so. */
static bool refuse_table(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (lua_rawequal(L, index, LUA_GLOBALSINDEX)) {
        refuse(encoder, "the table of all globals", "name the global that is needed");
        return true;
    }
    if (!lua_getmetatable(L, index)) return false;
    push_known(L, mill_refused_key, lua_gettop(L));
    const char *what = lua_tostring(L, -1); /* what, zero, advice */
    if (what) refuse(encoder, what, what + strlen(what) + 1);
    lua_pop(L, 2);
    return what != NULL;
}

/* Pushes the function that gives the node which stands for an object, such as a future. */
static bool push_converter(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) return false;
    lua_getfield(L, LUA_REGISTRYINDEX, mill_convert_key);
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, -2);
        lua_replace(L, -2);
    }
    lua_replace(L, -2);
    if (lua_isfunction(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

/* The converter is on top. */
static bool encode_converted(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!encoder->nodes) {
        lua_pop(L, 1);
        return refuse(encoder, "a future",
                      "pass it as an argument, so that its result is used");
    }
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, 1); /* the node must not be collected while we walk */
    bool fine = encode_cdata(encoder, lua_gettop(L));
    lua_pop(L, 1);
    return fine;
}

static bool encode_table(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (push_converter(L, index)) return encode_converted(encoder, index);
    if (encode_known(encoder, index)) return true;
    if (refuse_table(encoder, index)) return false;
    encoder->unsteady = true;
    bool fresh;
    uint32_t number = number_of(encoder, &encoder->objects, lua_topointer(L, index), &fresh);
    if (!fresh) {
        mill_packer_byte(&encoder->out, MILL_MARK_SEEN);
        mill_packer_size(&encoder->out, number);
        return true;
    }
    if (!lua_checkstack(L, 16)) return refuse(encoder, "a value nested so deeply", NULL);
    int top = lua_gettop(L);
    size_t list = list_length(L, index);
    struct keys keys = {.room = 16};
    keys.list = keys.few;
    bool fine = collect_keys(encoder, index, list, &keys);
    if (fine) {
        qsort(keys.list, keys.count, sizeof *keys.list, compare_keys);
        bool meta = lua_getmetatable(L, index);
        if (meta) lua_pop(L, 1);
        mill_packer_byte(&encoder->out, MILL_MARK_TABLE);
        mill_packer_size(&encoder->out, list);
        mill_packer_size(&encoder->out, keys.count);
        mill_packer_byte(&encoder->out, meta);
        fine = encode_list(encoder, index, list);
    }
    for (size_t i = 0; fine && i < keys.count; i++) {
        fine = encode_pair(encoder, index, &keys.list[i]);
    }
    fine = fine && encode_metatable(encoder, index);
    if (keys.list != keys.few) free(keys.list);
    lua_settop(L, top);
    return fine;
}

/* ---- functions -------------------------------------------------------------------------- */

static int collect_dump(lua_State *L, const void *bytes, size_t size, void *packer)
{
    (void)L;
    mill_packer_bytes(packer, bytes, size);
    return 0;
}

static bool encode_upvalue(struct encoder *encoder, int function, int i, const char *name)
{
    lua_State *L = encoder->L;
    bool fresh;
    uint32_t cell = number_of(encoder, &encoder->cells, lua_upvalueid(L, function, i), &fresh);
    mill_packer_size(&encoder->out, cell);
    if (!fresh) return true;
    char phrase[80];
    snprintf(phrase, sizeof phrase, "upvalue %.60s", name && *name ? name : "(no name)");
    if (!enter(encoder, 0, phrase, 0)) return false;
    lua_getupvalue(L, function, i);
    if (encoder->witness) mill_witness_upvalue(L, encoder->witness, function, i);
    bool nodes = encoder->nodes;
    encoder->nodes = false; /* as upvalues they are refused */
    bool fine = encode(encoder, lua_gettop(L));
    encoder->nodes = nodes;
    lua_pop(L, 1);
    leave(encoder);
    return fine;
}

static bool has_global(const struct encoder *encoder, uint32_t environment, const char *name)
{
    for (uint32_t i = 0; i < encoder->global_count; i++) {
        const struct global *global = &encoder->globals[i];
        if (global->environment == environment && strcmp(global->name, name) == 0) return true;
    }
    return false;
}

static bool add_global(struct encoder *encoder, uint32_t environment, const char *name)
{
    if (encoder->global_count == encoder->global_room) {
        uint32_t room = encoder->global_room ? encoder->global_room * 2 : 16;
        void *grown = realloc(encoder->globals, room * sizeof *encoder->globals);
        if (grown == NULL) {
            encoder->out.failed = true;
            return false;
        }
        encoder->globals = grown;
        encoder->global_room = room;
    }
    lua_pushstring(encoder->L, name);
    const char *kept = lua_tostring(encoder->L, -1);
    lua_pushboolean(encoder->L, 1);
    lua_rawset(encoder->L, 1); /* slot 1 keeps names and values alive while we walk */
    encoder->globals[encoder->global_count++] = (struct global){environment, kept};
    return true;
}

/* The value on top, which is popped, as `name` of an environment. */
static bool encode_global(struct encoder *encoder, uint32_t environment, const char *name)
{
    lua_State *L = encoder->L;
    mill_packer_text(&encoder->out, name, strlen(name));
    bool known = has_global(encoder, environment, name), fine = known;
    mill_packer_byte(&encoder->out, !known);
    char phrase[80];
    snprintf(phrase, sizeof phrase, "global %.60s", name);
    if (!known && add_global(encoder, environment, name) && enter(encoder, 0, phrase, 0)) {
        bool nodes = encoder->nodes;
        encoder->nodes = false;
        lua_pushvalue(L, -1);
        lua_rawseti(L, 1, (int)encoder->global_count); /* a metamethod may have just made it */
        fine = encode(encoder, lua_gettop(L));
        encoder->nodes = nodes;
        leave(encoder);
    }
    lua_pop(L, 1);
    return fine;
}

/* Pushes the metatable of strings when the script has changed it or the methods that it names. */
static bool push_string_metatable(struct encoder *encoder)
{
    lua_State *L = encoder->L;
    int members = 0;
    bool plain = true;
    lua_pushliteral(L, "");
    if (!lua_getmetatable(L, -1)) lua_newtable(L);
    lua_remove(L, -2);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        plain = plain && is_in(L, mill_builtins_key, lua_gettop(L));
        lua_pop(L, 1);
        members++;
    }
    if (!plain || members != 1) return true;
    if (encoder->witness && !mill_witness_strings(L, encoder->witness, lua_gettop(L))) {
        encoder->unsteady = true;
    }
    lua_pop(L, 1);
    return false;
}

static bool check_assignments(struct encoder *encoder, int function,
                              const struct mill_bytecode *code)
{
    const char *kind = NULL, *name = NULL;
    if (code->assigned_upvalue >= 0) {
        kind = "upvalue";
        name = lua_getupvalue(encoder->L, function, code->assigned_upvalue + 1);
        if (name) lua_pop(encoder->L, 1);
    } else if (code->writes) {
        kind = "global";
        name = code->writes;
    }
    if (kind == NULL) return true;
    char path[600];
    write_path(encoder, path, sizeof path);
    encoder->status =
        mill_fail(encoder->error, TIDEMILL_USAGE, "%s assigns %s %s; return the value instead",
                  path, kind, name && *name ? name : "(no name)");
    return false;
}

static bool encode_body(struct encoder *encoder, int function, const struct mill_bytecode *code,
                        const char *dump, size_t size)
{
    lua_State *L = encoder->L;
    mill_packer_byte(&encoder->out, MILL_MARK_FUNCTION);
    mill_packer_bytes(&encoder->out, &code->hash, sizeof code->hash);
    mill_packer_text(&encoder->out, dump, size);
    mill_packer_size(&encoder->out, (uint64_t)code->upvalues);
    for (int i = 1; i <= code->upvalues; i++) {
        const char *name = lua_getupvalue(L, function, i);
        if (name) lua_pop(L, 1);
        if (!encode_upvalue(encoder, function, i, name)) return false;
    }
    lua_getfenv(L, function);
    int environment = lua_gettop(L);
    if (encoder->witness) {
        mill_witness_environment(L, encoder->witness, function, environment);
    }
    bool fresh;
    uint32_t number =
        number_of(encoder, &encoder->environments, lua_topointer(L, environment), &fresh);
    mill_packer_size(&encoder->out, number);
    bool strings = push_string_metatable(encoder);
    mill_packer_size(&encoder->out, (uint64_t)code->read_count + strings);
    bool fine = !strings || encode_global(encoder, number, string_metatable);
    for (int i = 0; fine && i < code->read_count; i++) {
        lua_getfield(L, environment, code->reads[i]);
        if (encoder->witness) {
            mill_witness_global(L, encoder->witness, environment, code->reads[i]);
        }
        fine = encode_global(encoder, number, code->reads[i]);
    }
    lua_pop(L, 1);
    return fine;
}

static bool encode_function(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!lua_checkstack(L, 16)) return refuse(encoder, "a value nested so deeply", NULL);
    if (encode_known(encoder, index)) return true;
    if (lua_iscfunction(L, index)) return refuse(encoder, "a C function", NULL);
    bool fresh;
    uint32_t number = number_of(encoder, &encoder->objects, lua_topointer(L, index), &fresh);
    if (!fresh) {
        mill_packer_byte(&encoder->out, MILL_MARK_SEEN);
        mill_packer_size(&encoder->out, number);
        return true;
    }
    struct mill_packer dump;
    mill_packer_init(&dump);
    lua_pushvalue(L, index);
    int failure = lua_dump(L, collect_dump, &dump);
    lua_pop(L, 1);
    if (failure || dump.failed) {
        mill_packer_fini(&dump);
        return refuse(encoder, "a function without bytecode", NULL);
    }
    struct mill_bytecode code;
    struct mill_error error;
    bool fine = mill_bytecode_read(dump.bytes, dump.size, &code, &error) == TIDEMILL_OK;
    if (!fine && error.status == TIDEMILL_MEMORY) {
        encoder->out.failed = true;
    } else if (!fine) {
        refuse(encoder, "a function", error.text);
    } else {
        encoder->loops = encoder->loops || code.loops;
        fine = check_assignments(encoder, index, &code) &&
               encode_body(encoder, index, &code, (const char *)dump.bytes, dump.size);
        mill_bytecode_fini(&code);
    }
    mill_packer_fini(&dump);
    return fine;
}

/* ---- any value -------------------------------------------------------------------------- */

static bool encode(struct encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (encoder->out.failed) return false;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        mill_packer_byte(&encoder->out, MILL_MARK_NIL);
        return true;
    case LUA_TBOOLEAN:
        mill_packer_byte(&encoder->out,
                         lua_toboolean(L, index) ? MILL_MARK_TRUE : MILL_MARK_FALSE);
        return true;
    case LUA_TNUMBER:
        put_number(encoder, lua_tonumber(L, index));
        return true;
    case LUA_TSTRING:
        put_string(encoder, MILL_MARK_STRING, index);
        return true;
    case LUA_TTABLE:
        return encode_table(encoder, index);
    case LUA_TFUNCTION:
        return encode_function(encoder, index);
    case LUA_TCDATA:
        return encode_cdata(encoder, index);
    case LUA_TTHREAD:
        return refuse(encoder, "a coroutine", NULL);
    case LUA_TLIGHTUSERDATA:
        return refuse(encoder, "a pointer", NULL);
    default:
        return encode_userdata(encoder, index);
    }
}

/* Values that fit a cell, without the walk. */
static bool encode_cell(lua_State *L, int index, bool nodes, struct mill_value *value,
                        bool *failed)
{
    size_t size;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        *value = mill_nil();
        return true;
    case LUA_TBOOLEAN:
        *value = mill_nil();
        value->tag = lua_toboolean(L, index) ? MILL_TAG_TRUE : MILL_TAG_FALSE;
        return true;
    case LUA_TNUMBER:
        *value = mill_number(lua_tonumber(L, index));
        return true;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &size);
        if (size < MILL_BUFFER_MAPPED) {
            *value = mill_string(text, size, failed);
        } else {
            *value = mill_string_in(&mill_engine_of(L)->memory, text, size, failed);
        }
        return true;
    }
    case LUA_TCDATA: {
        const void *payload = lua_topointer(L, index);
        enum mill_kind kind = kind_of(L, index);
        if (kind == MILL_KIND_ARRAY) {
            struct mill_array *array = *(struct mill_array *const *)payload;
            mill_array_publish(array);
            *value = mill_column(mill_array_ref(array));
            return true;
        }
        if (kind == MILL_KIND_OTHER || (kind == MILL_KIND_NODE && !nodes)) return false;
        *value = mill_nil();
        value->tag = kind == MILL_KIND_NODE    ? MILL_TAG_NODE
                     : kind == MILL_KIND_INT64 ? MILL_TAG_INT64
                                               : MILL_TAG_UINT64;
        memcpy(&value->natural, payload, 8);
        if (kind == MILL_KIND_NODE) value->natural = (uint32_t)value->natural;
        return true;
    }
    default:
        return false;
    }
}

static void encoder_fini(struct encoder *encoder)
{
    mill_packer_fini(&encoder->out);
    free(encoder->objects.slots);
    free(encoder->cells.slots);
    free(encoder->environments.slots);
    free(encoder->globals);
}

/* The walk may raise (Lua out of memory, a metamethod of a script): it runs protected, so that
 * what it holds is freed. (encoder, value, witness) */
static int walk_protected(lua_State *L)
{
    struct encoder *encoder = lua_touserdata(L, 1);
    lua_remove(L, 1);
    lua_newtable(L); /* what must stay alive */
    lua_insert(L, 1);
    if (encoder->witness) encoder->witness = 3;
    encode(encoder, 2);
    return 0;
}

static tidemill_status status_of(int raised)
{
    return raised == LUA_ERRMEM ? TIDEMILL_MEMORY : TIDEMILL_ERROR;
}

/* Into encoder->out, which is the caller's; `witness` is a stack index, 0: none. */
static void walk(struct encoder *encoder, int index, int witness)
{
    lua_State *L = encoder->L;
    mill_packer_init(&encoder->out);
    encoder->out.memory = &mill_engine_of(L)->memory;
    encoder->witness = witness;
    lua_pushcfunction(L, walk_protected);
    lua_pushlightuserdata(L, encoder);
    lua_pushvalue(L, index);
    if (witness) lua_pushvalue(L, witness);
    int raised = lua_pcall(L, 2 + (witness != 0), 0, 0);
    if (raised) {
        const char *text = lua_tostring(L, -1);
        encoder->status = mill_fail(encoder->error, status_of(raised), "%s (%s)",
                                    text ? text : "an error", encoder->where);
        lua_pop(L, 1);
    }
}

/* What the walk has made, and its end. */
static tidemill_status take(struct encoder *encoder, struct mill_value *value)
{
    bool failed = false;
    if (encoder->status == TIDEMILL_OK) {
        *value = mill_packer_take(&encoder->out, &failed);
        if (failed) encoder->status = mill_no_memory(encoder->error, encoder->where);
    }
    encoder_fini(encoder);
    return encoder->status;
}

tidemill_status mill_encode(lua_State *L, int index, const char *where, bool nodes,
                            struct mill_value *value, struct mill_error *error)
{
    bool failed = false;
    *value = mill_nil();
    if (index < 0) index = lua_gettop(L) + index + 1;
    if (encode_cell(L, index, nodes, value, &failed)) {
        return failed ? mill_no_memory(error, where) : TIDEMILL_OK;
    }
    struct encoder encoder = {.L = L, .nodes = nodes, .where = where, .error = error};
    walk(&encoder, index, 0);
    return take(&encoder, value);
}

tidemill_status mill_encode_function(lua_State *L, int index, const char *where, int witness,
                                     struct mill_encoded *encoded, struct mill_error *error)
{
    encoded->code = mill_nil();
    struct encoder encoder = {.L = L, .where = where, .error = error};
    walk(&encoder, index, witness);
    encoded->steady = !encoder.unsteady;
    encoded->loops = encoder.loops;
    return take(&encoder, &encoded->code);
}
