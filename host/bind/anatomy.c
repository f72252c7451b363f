/* anatomy: a packed function taken apart.
 * One walk, depth first, over the form of data/packed.h.  A name leads to what it stands for: an upvalue,
 * a global, a field of one; a function that is met again is one more call on another way, so that
 * distances are found when all calls are known.  SPDX-License-Identifier: MIT */
#include "bind/anatomy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/room.h"
#include "bind/upvalues.h"
#include "data/brief.h"

enum {
    NAME = 120,    /* bytes of a name */
    FIELDS = 16,   /* a table with more is told as a whole */
    LEVELS = 4,    /* and so is one that is deeper inside others */
    PARTS = 256,   /* more are left out */
    VALUE = 48,    /* bytes of a value as text */
    NOTHING = -1,  /* no function */
    FAR = 1 << 20, /* calls away: not reached */
};

struct function {
    char name[NAME];
    struct mill_hash body;
    int distance;
};

struct walker {
    struct mill_unpacker in;
    const struct mill_packed *packed;
    struct mill_packer *out;
    struct object {
        struct mill_hash hash;
        int function; /* NOTHING: a table */
    } * objects;
    struct function *functions;
    struct call {
        int from, to;
    } * calls;
    uint32_t object_count, function_count, call_count;
    size_t object_room, function_room, call_room;
    uint64_t cells; /* met so far */
    int function;   /* inside which we are */
    int parts;
    char *opaque; /* where to say which part has no content; NULL: nobody asks */
    size_t opaque_room;
    bool failed; /* no memory: the rest is not told */
};

/* What a value is known by. */
struct place {
    enum mill_part_kind kind;
    char name[NAME];
    const char *owner; /* the helper that it belongs to; NULL: the task's function */
    int depth;         /* tables around it */
    bool told;         /* one by one; else what is around it is told as a whole */
};

/* Room for one more; false: no memory, and the walk has failed. */
static bool grow_list(struct walker *walker, void *list, uint32_t count, size_t *room,
                      size_t element)
{
    bool grown = mill_room_for_one(list, count, room, element, 16);
    if (!grown) walker->failed = true;
    return grown;
}

static struct object *append_object(struct walker *walker)
{
    bool grown = grow_list(walker, &walker->objects, walker->object_count, &walker->object_room,
                           sizeof *walker->objects);
    return grown ? &walker->objects[walker->object_count++] : NULL;
}

static struct function *append_function(struct walker *walker)
{
    bool grown = grow_list(walker, &walker->functions, walker->function_count,
                           &walker->function_room, sizeof *walker->functions);
    return grown ? &walker->functions[walker->function_count++] : NULL;
}

static struct call *append_call(struct walker *walker)
{
    bool grown = grow_list(walker, &walker->calls, walker->call_count, &walker->call_room,
                           sizeof *walker->calls);
    return grown ? &walker->calls[walker->call_count++] : NULL;
}

static void tell_part(struct walker *walker, const struct place *place, struct mill_hash hash,
                      const char *text)
{
    char label[NAME + NAME + 8];
    if (!place->told || walker->parts++ >= PARTS) return;
    snprintf(label, sizeof label, "%s%s%s", place->name, place->owner ? " of " : "",
             place->owner ? place->owner : "");
    mill_parts_add(walker->out, place->kind, label, hash, text);
}

__attribute__((format(printf, 3, 4))) static struct place
inside(const struct place *place, bool deeper, const char *format, ...)
{
    struct place field = *place;
    size_t used = strlen(field.name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(field.name + used, sizeof field.name - used, format, arguments);
    va_end(arguments);
    field.depth += deeper;
    return field;
}

static struct mill_hash walk(struct walker *walker, const struct place *place);

/* ---- tables ---------------------------------------------------------------------------------- */

/* The key is named, and walked over. */
static struct place pass_key(struct walker *walker, const struct place *place,
                             struct mill_hasher *hasher)
{
    struct mill_unpacker ahead = walker->in;
    struct place hidden = *place, field;
    size_t size;
    double number;
    uint64_t bits;
    switch (mill_unpacker_byte(&ahead)) {
    case MILL_MARK_STRING: {
        const char *text = mill_unpacker_text(&ahead, &size);
        field = inside(place, true, ".%.*s", text ? (int)(size < 40 ? size : 40) : 0,
                       text ? text : "");
        break;
    }
    case MILL_MARK_NUMBER:
        bits = mill_unpacker_word(&ahead);
        memcpy(&number, &bits, sizeof number);
        field = inside(place, true, "[%.14g]", number);
        break;
    default:
        field = inside(place, true, "[..]");
    }
    hidden.told = false;
    mill_hasher_hash(hasher, walk(walker, &hidden));
    return field;
}

static struct mill_hash walk_table(struct walker *walker, const struct place *place)
{
    uint32_t self = walker->object_count;
    struct object *object = append_object(walker);
    if (object == NULL) return (struct mill_hash){0, 0};
    *object = (struct object){.function = NOTHING};
    uint64_t list = mill_unpacker_size(&walker->in), pairs = mill_unpacker_size(&walker->in);
    uint8_t meta = mill_unpacker_byte(&walker->in);
    bool whole = list + pairs > FIELDS || place->depth >= LEVELS || list + pairs + meta == 0;
    struct place around = *place;
    if (whole) around.told = false;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "table");
    mill_hasher_number(&hasher, list);
    for (uint64_t i = 1; i <= list && !walker->in.bad && !walker->failed; i++) {
        struct place field = inside(&around, true, "[%d]", (int)i);
        mill_hasher_hash(&hasher, walk(walker, &field));
    }
    for (uint64_t i = 0; i < pairs && !walker->in.bad && !walker->failed; i++) {
        struct place field = pass_key(walker, &around, &hasher);
        mill_hasher_hash(&hasher, walk(walker, &field));
    }
    if (meta) {
        struct place field = inside(&around, true, "'s metatable");
        mill_hasher_hash(&hasher, walk(walker, &field));
    }
    struct mill_hash hash = mill_hasher_end(&hasher);
    if (self < walker->object_count) walker->objects[self].hash = hash;
    char text[VALUE];
    snprintf(text, sizeof text, list + pairs ? "a table of %d" : "{}", (int)(list + pairs));
    if (whole) tell_part(walker, place, hash, text);
    return hash;
}

/* ---- functions --------------------------------------------------------------------------------- */

static void note_call(struct walker *walker, int to)
{
    if (walker->function == NOTHING || to == NOTHING) return;
    struct call *call = append_call(walker);
    if (call) *call = (struct call){walker->function, to};
}

static void walk_upvalues(struct walker *walker, struct mill_upvalues names, const char *owner)
{
    uint64_t count = mill_unpacker_size(&walker->in);
    for (uint64_t i = 0; i < count && !walker->in.bad && !walker->failed; i++) {
        const char *name = mill_upvalues_next(&names);
        if (mill_unpacker_size(&walker->in) < walker->cells) continue;
        walker->cells++;
        struct place place = {.kind = MILL_PART_UPVALUE, .owner = owner, .told = true};
        snprintf(place.name, sizeof place.name, "%s", *name ? name : "(no name)");
        walk(walker, &place);
    }
}

static void walk_globals(struct walker *walker)
{
    mill_unpacker_size(&walker->in); /* the environment */
    uint64_t count = mill_unpacker_size(&walker->in);
    for (uint64_t i = 0; i < count && !walker->in.bad && !walker->failed; i++) {
        size_t size;
        const char *name = mill_unpacker_text(&walker->in, &size);
        if (mill_unpacker_byte(&walker->in) == 0) continue;
        struct place place = {.kind = MILL_PART_GLOBAL, .told = true};
        snprintf(place.name, sizeof place.name, "%.*s", name ? (int)size : 0, name ? name : "");
        walk(walker, &place);
    }
}

/* Two helpers of one name are numbered. */
static void name_function(struct walker *walker, struct function *function, const char *name)
{
    int alike = 0;
    for (struct function *other = walker->functions; other < function; other++) {
        size_t size = strlen(name);
        if (strncmp(other->name, name, size) == 0 &&
            (other->name[size] == '\0' || other->name[size] == '#')) {
            alike++;
        }
    }
    snprintf(function->name, sizeof function->name, alike ? "%.100s#%d" : "%.100s", name,
             alike + 1);
}

static struct mill_hash walk_function(struct walker *walker, const struct place *place)
{
    int self = (int)walker->function_count, outer = walker->function;
    note_call(walker, self);
    struct function *function = append_function(walker);
    struct object *object = function ? append_object(walker) : NULL;
    if (object == NULL) return (struct mill_hash){0, 0};
    *function = (struct function){.distance = FAR};
    name_function(walker, function, place->name);
    const void *body = mill_unpacker_bytes(&walker->in, sizeof function->body);
    if (body) memcpy(&function->body, body, sizeof function->body);
    *object = (struct object){function->body, self};
    struct mill_hash hash = function->body;
    size_t size;
    const char *dump = mill_unpacker_text(&walker->in, &size);
    char owner[NAME];
    snprintf(owner, sizeof owner, "%s", function->name);
    walker->function = self;
    struct mill_upvalues names = {NULL, NULL};
    if (dump) names = mill_upvalues_of(dump, size);
    walk_upvalues(walker, names, self == 0 ? NULL : owner);
    walk_globals(walker);
    walker->function = outer;
    return hash;
}

/* ---- any value --------------------------------------------------------------------------------- */

static struct mill_hash walk_seen(struct walker *walker)
{
    uint64_t number = mill_unpacker_size(&walker->in);
    if (number >= walker->object_count) return (struct mill_hash){0, 0};
    note_call(walker, walker->objects[number].function);
    return walker->objects[number].hash;
}

static struct mill_hash walk_module(struct walker *walker, const struct place *place)
{
    struct mill_hash source = {0, 0};
    struct place module = {.kind = MILL_PART_MODULE, .told = true};
    const void *bytes = mill_unpacker_bytes(&walker->in, sizeof source);
    if (bytes) memcpy(&source, bytes, sizeof source);
    size_t size, path_size;
    const char *name = mill_unpacker_text(&walker->in, &size);
    const char *path = mill_unpacker_text(&walker->in, &path_size);
    if (name == NULL || path == NULL) return source;
    snprintf(module.name, sizeof module.name, "%.*s", (int)size, name);
    bool own = mill_hash_is_zero(source); /* the engine's version stands for it */
    if (!own) tell_part(walker, &module, source, "");
    char text[VALUE + 8];
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)(size < 24 ? size : 24), name,
             path_size ? "." : "", (int)(path_size < 20 ? path_size : 20), path);
    struct mill_hash hash = mill_hash_bytes(path, path_size);
    hash.low += mill_hash_bytes(name, size).low;
    tell_part(walker, place, hash, text);
    return hash;
}

/* A leaf that fits a cell. */
static struct mill_hash walk_cell(struct walker *walker, const struct place *place,
                                  struct mill_value value)
{
    char text[VALUE];
    struct mill_brief brief;
    mill_brief_init(&brief, text, sizeof text);
    mill_brief_value(&brief, &value);
    struct mill_hash hash = mill_value_hash(&value, NULL);
    tell_part(walker, place, hash, text);
    return hash;
}

static struct mill_hash walk_text(struct walker *walker, const struct place *place,
                                  const char *lead)
{
    size_t size;
    const char *bytes = mill_unpacker_text(&walker->in, &size);
    if (bytes == NULL) return (struct mill_hash){0, 0};
    char text[VALUE];
    struct mill_brief brief;
    mill_brief_init(&brief, text, sizeof text);
    if (*lead) {
        snprintf(text, sizeof text, "%s%.*s", lead, (int)(size < 36 ? size : 36), bytes);
    } else {
        mill_brief_text(&brief, bytes, size);
    }
    struct mill_hash hash = mill_hash_bytes(bytes, size);
    hash.high += *lead != '\0';
    tell_part(walker, place, hash, text);
    return hash;
}

static struct mill_hash walk_array(struct walker *walker, const struct place *place)
{
    uint64_t index = mill_unpacker_size(&walker->in);
    if (index >= walker->packed->array_count) return (struct mill_hash){0, 0};
    struct mill_value value = mill_column(walker->packed->arrays[index]); /* lent */
    return walk_cell(walker, place, value);
}

/* Where it is, as messages say it: ", upvalue held, field .deep[1]". */
static void walk_shared(struct walker *walker, const struct place *place)
{
    uint64_t index = mill_unpacker_size(&walker->in);
    const struct mill_packed *packed = walker->packed;
    if (index >= packed->shared_count || packed->shared[index]->kind->hash) return;
    if (walker->opaque == NULL || walker->opaque[0]) return;
    static const char own[] = ".handle"; /* where the library's objects keep it */
    size_t name = strcspn(place->name, ".["), size = strlen(place->name);
    if (size >= sizeof own - 1 && strcmp(place->name + size - (sizeof own - 1), own) == 0) {
        size -= sizeof own - 1;
    }
    if (size < name) name = size;
    const char *kind = place->kind == MILL_PART_UPVALUE  ? ", upvalue "
                       : place->kind == MILL_PART_GLOBAL ? ", global "
                                                         : "";
    snprintf(walker->opaque, walker->opaque_room, "%s%.*s%s%.*s", kind, (int)name, place->name,
             name < size ? ", field " : "", (int)(size - name), place->name + name);
}

static struct mill_hash walk(struct walker *walker, const struct place *place)
{
    struct mill_value value = {.tag = MILL_TAG_NIL};
    struct mill_hash none = {0, 0};
    uint8_t mark = mill_unpacker_byte(&walker->in);
    if (walker->in.bad || walker->failed) return none;
    switch (mark) {
    case MILL_MARK_NIL:
    case MILL_MARK_FALSE:
    case MILL_MARK_TRUE:
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        value.tag = mark; /* the same numbers as tags */
        if (mark >= MILL_MARK_NUMBER) value.natural = mill_unpacker_word(&walker->in);
        return walk_cell(walker, place, value);
    case MILL_MARK_STRING:
        return walk_text(walker, place, "");
    case MILL_MARK_BUILTIN:
        return walk_text(walker, place, "builtin ");
    case MILL_MARK_MODULE:
        return walk_module(walker, place);
    case MILL_MARK_TABLE:
        return walk_table(walker, place);
    case MILL_MARK_FUNCTION:
        return walk_function(walker, place);
    case MILL_MARK_SEEN:
        return walk_seen(walker);
    case MILL_MARK_ARRAY:
        return walk_array(walker, place);
    case MILL_MARK_SHARED:
        walk_shared(walker, place);
        return none;
    default: /* a node */
        mill_unpacker_size(&walker->in);
        return none;
    }
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* Each round takes one call more; there are never many functions. */
static void measure_calls(struct walker *walker)
{
    bool changed = true;
    walker->functions[0].distance = 0;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < walker->call_count; i++) {
            const struct call *call = &walker->calls[i];
            int distance = walker->functions[call->from].distance + 1;
            if (walker->functions[call->to].distance <= distance) continue;
            walker->functions[call->to].distance = distance;
            changed = true;
        }
    }
}

static void tell_functions(struct walker *walker)
{
    mill_parts_add(walker->out, MILL_PART_BODY, "", walker->functions[0].body, "");
    for (uint32_t i = 1; i < walker->function_count && walker->parts++ < PARTS; i++) {
        const struct function *function = &walker->functions[i];
        char text[24];
        snprintf(text, sizeof text, "%d", function->distance);
        mill_parts_add(walker->out, MILL_PART_HELPER, function->name, function->body, text);
    }
}

static void walk_whole(struct walker *walker, const struct mill_packed *packed)
{
    struct place place = {.kind = MILL_PART_BODY,
                          .told = true}; /* no function: a builtin, or data */
    walker->packed = packed;
    walker->in = (struct mill_unpacker){packed->bytes, packed->bytes + packed->size, false};
    walker->function = NOTHING;
    walk(walker, &place);
}

static void walker_fini(struct walker *walker)
{
    free(walker->objects);
    free(walker->functions);
    free(walker->calls);
}

void mill_anatomy_of(const struct mill_value *code, struct mill_packer *parts)
{
    if (code->tag != MILL_TAG_PACKED) return;
    struct walker walker = {.out = parts};
    walk_whole(&walker, code->packed);
    if (walker.function_count > 0 && !walker.failed) {
        measure_calls(&walker);
        tell_functions(&walker);
    }
    walker_fini(&walker);
}

void mill_anatomy_opaque(const struct mill_value *value, char *out, size_t room)
{
    out[0] = '\0';
    if (value->tag != MILL_TAG_PACKED) return;
    struct mill_packer parts;
    mill_packer_init(&parts);
    struct walker walker = {.out = &parts, .opaque = out, .opaque_room = room};
    walk_whole(&walker, value->packed);
    walker_fini(&walker);
    mill_packer_fini(&parts);
}
