/* value: what crosses from one Lua state to another.  SPDX-License-Identifier: MIT */
#include "data/value.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/room.h"
#include "data/packed.h"

struct mill_packed *mill_packed_new(struct mill_memory *memory, size_t size)
{
    struct mill_packed *packed = calloc(1, sizeof *packed);
    if (packed == NULL) return NULL;
    if (size >= MILL_BUFFER_MAPPED) {
        packed->buffer = mill_buffer_new(memory, size);
        if (packed->buffer) packed->bytes = packed->buffer->data;
    } else {
        packed->bytes = malloc(size ? size : 1);
    }
    if (packed->bytes == NULL) {
        free(packed);
        return NULL;
    }
    atomic_init(&packed->refs, 1);
    packed->size = size;
    return packed;
}

struct mill_packed *mill_packed_wrap(struct mill_buffer *buffer)
{
    struct mill_packed *packed = calloc(1, sizeof *packed);
    if (packed == NULL) {
        mill_buffer_unref(buffer);
        return NULL;
    }
    atomic_init(&packed->refs, 1);
    mill_buffer_publish(buffer);
    packed->buffer = buffer;
    packed->bytes = buffer->data;
    packed->size = buffer->size;
    return packed;
}

void mill_packed_unref(struct mill_packed *packed)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&packed->refs, 1, memory_order_acq_rel) > 1) return;
    for (uint32_t i = 0; i < packed->array_count; i++) mill_array_unref(packed->arrays[i]);
    for (uint32_t i = 0; i < packed->shared_count; i++) mill_shared_unref(packed->shared[i]);
    free(packed->arrays);
    free(packed->nodes);
    free(packed->shared);
    if (packed->buffer) {
        mill_buffer_unref(packed->buffer);
    } else {
        free(packed->bytes);
    }
    free(packed);
}

struct mill_tuple *mill_tuple_new(uint32_t count)
{
    struct mill_tuple *tuple = calloc(1, sizeof *tuple + count * sizeof tuple->cells[0]);
    if (tuple == NULL) return NULL;
    atomic_init(&tuple->refs, 1);
    tuple->count = count;
    return tuple;
}

static void tuple_unref(struct mill_tuple *tuple)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&tuple->refs, 1, memory_order_acq_rel) > 1) return;
    for (uint32_t i = 0; i < tuple->count; i++) mill_value_unref(tuple->cells[i]);
    free(tuple);
}

struct mill_value mill_string(const char *bytes, size_t size, bool *failed)
{
    return mill_string_in(NULL, bytes, size, failed);
}

struct mill_value mill_string_in(struct mill_memory *memory, const char *bytes, size_t size,
                                 bool *failed)
{
    struct mill_value value = {.tag = MILL_TAG_SHORT, .size = (uint8_t)size};
    if (size <= MILL_SHORT_MAX) {
        memcpy((char *)&value + 2, bytes, size);
        return value;
    }
    struct mill_packed *packed = mill_packed_new(memory, size);
    if (packed == NULL) {
        *failed = true;
        return mill_nil();
    }
    memcpy(packed->bytes, bytes, size);
    mill_buffer_publish(packed->buffer);
    return (struct mill_value){.tag = MILL_TAG_STRING, .packed = packed};
}

const char *mill_value_text(const struct mill_value *value, size_t *size)
{
    if (value->tag == MILL_TAG_SHORT) {
        *size = value->size;
        return (const char *)value + 2;
    }
    if (value->tag != MILL_TAG_STRING) return NULL;
    *size = value->packed->size;
    return (const char *)value->packed->bytes;
}

struct mill_value mill_column(struct mill_array *array)
{
    return (struct mill_value){.tag = MILL_TAG_COLUMN, .array = array};
}

struct mill_value mill_value_ref(struct mill_value value)
{
    switch (value.tag) {
    case MILL_TAG_COLUMN:
        mill_array_ref(value.array);
        break;
    case MILL_TAG_STRING:
    case MILL_TAG_PACKED:
        atomic_fetch_add_explicit(&value.packed->refs, 1, memory_order_relaxed);
        break;
    case MILL_TAG_SHARED:
        mill_shared_ref(value.shared);
        break;
    case MILL_TAG_TUPLE:
        atomic_fetch_add_explicit(&value.tuple->refs, 1, memory_order_relaxed);
        break;
    default:
        break;
    }
    return value;
}

void mill_value_release(struct mill_value value)
{
    switch (value.tag) {
    case MILL_TAG_COLUMN:
        mill_array_unref(value.array);
        break;
    case MILL_TAG_STRING:
    case MILL_TAG_PACKED:
        mill_packed_unref(value.packed);
        break;
    case MILL_TAG_SHARED:
        mill_shared_unref(value.shared);
        break;
    case MILL_TAG_TUPLE:
        tuple_unref(value.tuple);
        break;
    default:
        break;
    }
}

bool mill_value_is_data(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_PACKED) {
        return value->packed->shared_count == 0 && mill_packed_check_data(value->packed);
    }
    return value->tag <= MILL_TAG_STRING || value->tag == MILL_TAG_COLUMN;
}

bool mill_value_is_opaque(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_SHARED) return value->shared->kind->hash == NULL;
    if (value->tag == MILL_TAG_TUPLE) {
        for (uint32_t i = 0; i < value->tuple->count; i++) {
            if (mill_value_is_opaque(&value->tuple->cells[i])) return true;
        }
    }
    if (value->tag != MILL_TAG_PACKED) return false;
    for (uint32_t i = 0; i < value->packed->shared_count; i++) {
        if (value->packed->shared[i]->kind->hash == NULL) return true;
    }
    return false;
}

static size_t array_size(const struct mill_array *array)
{
    size_t size = array->values_buffer->size;
    if (array->offsets_buffer) size += array->offsets_buffer->size;
    if (array->validity_buffer) size += array->validity_buffer->size;
    return array->dictionary ? size + array_size(array->dictionary) : size;
}

size_t mill_value_size(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_COLUMN) return array_size(value->array);
    if (value->tag == MILL_TAG_TUPLE) {
        size_t sum = value->tuple->count * sizeof *value;
        for (uint32_t i = 0; i < value->tuple->count; i++) {
            sum += mill_value_size(&value->tuple->cells[i]);
        }
        return sum;
    }
    if (value->tag != MILL_TAG_STRING && value->tag != MILL_TAG_PACKED) return 0;
    size_t size = value->packed->size;
    for (uint32_t i = 0; i < value->packed->array_count; i++) {
        size += array_size(value->packed->arrays[i]);
    }
    return size;
}

/* ---- content hash ---------------------------------------------------------------------
 * A leaf is a record in its parent's stream; a table, function, upvalue or global has a hash of
 * its own, so that a shared one costs one walk and counts by value.  Met again inside itself it
 * is named by its place: how many of these a walk meets before it that follows shared ones each
 * time.  So the name does not depend on what is shared, and two values in which it means
 * different things never hash alike. */

struct known {
    struct mill_hash hash; /* once closed */
    uint64_t place, size;  /* size: places that it takes, itself included; wraps */
    bool open;
};

struct global {
    struct known known;
    uint64_t environment;
    const char *name;
    size_t size;
};

struct digester {
    struct mill_unpacker in;
    const struct mill_packed *packed;
    const struct mill_hash *nodes;
    uint64_t places;
    struct known *objects, *cells;
    struct global *globals;
    uint32_t object_count, cell_count, global_count;
    size_t object_room, cell_room, global_room;
    bool failed;
};

/* Room for one more element of a digester's list; its index, or UINT32_MAX. */
static uint32_t walker_push(struct digester *digester, void *list, uint32_t *count,
                            size_t *room, size_t element)
{
    if (mill_room_for_one(list, *count, room, element, 16)) return (*count)++;
    digester->failed = true;
    return UINT32_MAX;
}

static struct known opened(struct digester *digester)
{
    return (struct known){.place = digester->places++, .open = true};
}

static uint32_t push_known(struct digester *digester, struct known **list, uint32_t *count,
                           size_t *room)
{
    uint32_t index = walker_push(digester, list, count, room, sizeof **list);
    if (index != UINT32_MAX) (*list)[index] = opened(digester);
    return index;
}

static struct mill_hash close_known(struct digester *digester, struct known *known,
                                    const struct mill_hasher *hasher)
{
    known->hash = mill_hasher_end(hasher);
    known->size = digester->places - known->place;
    known->open = false;
    return known->hash;
}

static struct mill_hash known_again(struct digester *digester, const struct known *known)
{
    if (!known->open) {
        digester->places += known->size;
        return known->hash;
    }
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "open");
    mill_hasher_number(&hasher, known->place);
    return mill_hasher_end(&hasher);
}

static void digest(struct digester *digester, struct mill_hasher *hasher);

static uint64_t canonical_bits(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, 8);
    return number == number ? bits : 0x7FF8000000000000u;
}

static void digest_table(struct digester *digester, struct mill_hasher *parent)
{
    uint32_t self = push_known(digester, &digester->objects, &digester->object_count,
                               &digester->object_room);
    if (self == UINT32_MAX) return;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "table");
    uint64_t list = mill_unpacker_size(&digester->in);
    uint64_t pairs = mill_unpacker_size(&digester->in);
    uint64_t meta = mill_unpacker_byte(&digester->in);
    mill_hasher_number(&hasher, list);
    mill_hasher_number(&hasher, pairs);
    for (uint64_t i = 0; i < list + 2 * pairs + meta && !digester->failed; i++) {
        digest(digester, &hasher);
    }
    mill_hasher_hash(parent, close_known(digester, &digester->objects[self], &hasher));
}

static void walk_upvalue(struct digester *digester, struct mill_hasher *hasher)
{
    uint64_t cell = mill_unpacker_size(&digester->in);
    if (cell < digester->cell_count) {
        mill_hasher_hash(hasher, known_again(digester, &digester->cells[cell]));
        return;
    }
    uint32_t self =
        push_known(digester, &digester->cells, &digester->cell_count, &digester->cell_room);
    if (self == UINT32_MAX) return;
    struct mill_hasher value;
    mill_hasher_init(&value, "upvalue");
    digest(digester, &value);
    mill_hasher_hash(hasher, close_known(digester, &digester->cells[self], &value));
}

static const struct global *find_global(const struct digester *digester, uint64_t environment,
                                        const char *name, size_t size)
{
    for (uint32_t i = 0; i < digester->global_count; i++) {
        const struct global *global = &digester->globals[i];
        if (global->environment == environment && global->size == size &&
            memcmp(global->name, name, size) == 0) {
            return global;
        }
    }
    return NULL;
}

static void walk_global(struct digester *digester, uint64_t environment,
                        struct mill_hasher *hasher)
{
    size_t size;
    const char *name = mill_unpacker_text(&digester->in, &size);
    mill_hasher_bytes(hasher, name, size);
    if (mill_unpacker_byte(&digester->in) == 0) {
        const struct global *global = find_global(digester, environment, name, size);
        if (global) mill_hasher_hash(hasher, known_again(digester, &global->known));
        return;
    }
    uint32_t self = walker_push(digester, &digester->globals, &digester->global_count,
                                &digester->global_room, sizeof *digester->globals);
    if (self == UINT32_MAX) return;
    digester->globals[self] = (struct global){opened(digester), environment, name, size};
    struct mill_hasher value;
    mill_hasher_init(&value, "global");
    digest(digester, &value);
    mill_hasher_hash(hasher, close_known(digester, &digester->globals[self].known, &value));
}

static void digest_function(struct digester *digester, struct mill_hasher *parent)
{
    uint32_t self = push_known(digester, &digester->objects, &digester->object_count,
                               &digester->object_room);
    if (self == UINT32_MAX) return;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "function");
    size_t size;
    const void *canonical = mill_unpacker_bytes(&digester->in, 16);
    mill_hasher_bytes(&hasher, canonical, 16);
    mill_unpacker_text(&digester->in, &size); /* the dump has line numbers: not in the hash */
    uint64_t upvalues = mill_unpacker_size(&digester->in);
    mill_hasher_number(&hasher, upvalues);
    for (uint64_t i = 0; i < upvalues && !digester->failed; i++)
        walk_upvalue(digester, &hasher);
    uint64_t environment = mill_unpacker_size(&digester->in);
    uint64_t names = mill_unpacker_size(&digester->in);
    for (uint64_t i = 0; i < names && !digester->failed; i++) {
        walk_global(digester, environment, &hasher);
    }
    mill_hasher_hash(parent, close_known(digester, &digester->objects[self], &hasher));
}

static void digest_array(struct digester *digester, struct mill_hasher *hasher)
{
    uint64_t index = mill_unpacker_size(&digester->in);
    mill_hasher_hash(hasher, mill_array_hash(digester->packed->arrays[index]));
}

/* One without content is like nothing else, itself included: what mentions it is never found. */
static struct mill_hash shared_hash(const struct mill_shared *shared)
{
    if (shared->kind->hash) return shared->kind->hash(shared);
    uint64_t once[3] = {(uint64_t)(uintptr_t)shared, (uint64_t)mill_clock_now(), 0};
    if (getrandom(&once[2], sizeof once[2], GRND_NONBLOCK) < 0) once[2] = once[1] * once[0];
    return mill_hash_bytes(once, sizeof once);
}

static void digest_shared(struct digester *digester, struct mill_hasher *hasher)
{
    uint64_t index = mill_unpacker_size(&digester->in);
    mill_hasher_hash(hasher, shared_hash(digester->packed->shared[index]));
}

static void digest_seen(struct digester *digester, struct mill_hasher *hasher)
{
    uint64_t number = mill_unpacker_size(&digester->in);
    mill_hasher_hash(hasher, known_again(digester, &digester->objects[number]));
}

static void digest_text(struct digester *digester, struct mill_hasher *hasher, uint8_t mark)
{
    size_t size;
    const char *text = mill_unpacker_text(&digester->in, &size);
    mill_hasher_number(hasher, mark);
    mill_hasher_bytes(hasher, text, size);
}

static void digest(struct digester *digester, struct mill_hasher *hasher)
{
    uint8_t mark = mill_unpacker_byte(&digester->in);
    switch (mark) {
    case MILL_MARK_NUMBER:
        mill_hasher_number(hasher, mark);
        mill_hasher_number(hasher, canonical_bits(mill_unpacker_word(&digester->in)));
        break;
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        mill_hasher_number(hasher, mark);
        mill_hasher_number(hasher, mill_unpacker_word(&digester->in));
        break;
    case MILL_MARK_MODULE:
        mill_hasher_bytes(hasher, mill_unpacker_bytes(&digester->in, 16), 16);
        digest_text(digester, hasher, mark); /* fall through */
    case MILL_MARK_STRING:
    case MILL_MARK_BUILTIN:
        digest_text(digester, hasher, mark);
        break;
    case MILL_MARK_TABLE:
        digest_table(digester, hasher);
        break;
    case MILL_MARK_FUNCTION:
        digest_function(digester, hasher);
        break;
    case MILL_MARK_SEEN:
        digest_seen(digester, hasher);
        break;
    case MILL_MARK_ARRAY:
        digest_array(digester, hasher);
        break;
    case MILL_MARK_SHARED:
        digest_shared(digester, hasher);
        break;
    case MILL_MARK_NODE:
        mill_hasher_hash(hasher, digester->nodes[mill_unpacker_size(&digester->in)]);
        break;
    default:
        mill_hasher_number(hasher, mark);
    }
}

static struct mill_hash packed_hash(const struct mill_packed *packed,
                                    const struct mill_hash *nodes)
{
    struct digester digester = {
        .in = {packed->bytes, packed->bytes + packed->size, false},
        .packed = packed,
        .nodes = nodes,
    };
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "value/1");
    digest(&digester, &hasher);
    /* Short of memory: a hash that nothing else has, which is a miss and no more. */
    if (digester.failed) mill_hasher_number(&hasher, (uint64_t)(uintptr_t)packed);
    free(digester.objects);
    free(digester.cells);
    free(digester.globals);
    return mill_hasher_end(&hasher);
}

static struct mill_hash tuple_hash(const struct mill_tuple *tuple)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "tuple");
    for (uint32_t i = 0; i < tuple->count; i++) {
        mill_hasher_hash(&hasher, mill_value_hash(&tuple->cells[i], NULL));
    }
    return mill_hasher_end(&hasher);
}

struct mill_hash mill_value_hash(const struct mill_value *value, const struct mill_hash *nodes)
{
    if (value->tag == MILL_TAG_TUPLE) return tuple_hash(value->tuple);
    if (value->tag == MILL_TAG_SHARED) return shared_hash(value->shared);
    if (value->tag == MILL_TAG_NODE) return nodes[0];
    if (value->tag == MILL_TAG_PACKED) return packed_hash(value->packed, nodes);
    if (value->tag == MILL_TAG_COLUMN) {
        struct mill_hasher column;
        mill_hasher_init(&column, "value/1");
        mill_hasher_hash(&column, mill_array_hash(value->array));
        return mill_hasher_end(&column);
    }
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "value/1");
    size_t size;
    const char *text = mill_value_text(value, &size);
    if (text) {
        mill_hasher_number(&hasher, MILL_MARK_STRING);
        mill_hasher_bytes(&hasher, text, size);
    } else {
        mill_hasher_number(&hasher, value->tag);
        if (value->tag == MILL_TAG_NUMBER) {
            mill_hasher_number(&hasher, canonical_bits(value->natural));
        } else if (value->tag == MILL_TAG_INT64 || value->tag == MILL_TAG_UINT64) {
            mill_hasher_number(&hasher, value->natural);
        }
    }
    return mill_hasher_end(&hasher);
}
