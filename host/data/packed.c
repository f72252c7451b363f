/* packed: the byte form of tables and functions: writing, reading, checking.
 * SPDX-License-Identifier: MIT */
#include "data/packed.h"

#include <stdlib.h>

#include "base/room.h"

/* ---- writing -------------------------------------------------------------------------- */

void mill_packer_init(struct mill_packer *packer)
{
    memset(packer, 0, sizeof *packer);
}

void mill_packer_fini(struct mill_packer *packer)
{
    for (uint32_t i = 0; i < packer->array_count; i++) mill_array_unref(packer->arrays[i]);
    for (uint32_t i = 0; i < packer->shared_count; i++) mill_shared_unref(packer->shared[i]);
    free(packer->arrays);
    free(packer->nodes);
    free(packer->shared);
    if (packer->buffer) {
        mill_buffer_unref(packer->buffer);
    } else {
        free(packer->bytes);
    }
    mill_packer_init(packer);
}

/* Many bytes lie in a buffer: it grows without a copy, and may spill. */
static uint8_t *grow_bytes(struct mill_packer *packer, size_t room)
{
    if (packer->buffer) {
        return mill_buffer_grow(packer->buffer, room) ? packer->buffer->data : NULL;
    }
    if (room < MILL_BUFFER_MAPPED) return realloc(packer->bytes, room);
    struct mill_buffer *buffer = mill_buffer_new(packer->memory, room);
    if (buffer == NULL) return NULL;
    if (packer->size) memcpy(buffer->data, packer->bytes, packer->size);
    free(packer->bytes);
    packer->buffer = buffer;
    return buffer->data;
}

static bool packer_reserve(struct mill_packer *packer, size_t size)
{
    if (packer->failed) return false;
    if (size <= packer->room - packer->size) return true;
    size_t room = packer->room ? packer->room * 2 : 256;
    while (room - packer->size < size) room *= 2;
    uint8_t *bytes = grow_bytes(packer, room);
    if (bytes == NULL) {
        packer->failed = true;
        return false;
    }
    packer->bytes = bytes;
    packer->room = room;
    return true;
}

void mill_packer_byte(struct mill_packer *packer, uint8_t byte)
{
    if (packer_reserve(packer, 1)) packer->bytes[packer->size++] = byte;
}

void mill_packer_bytes(struct mill_packer *packer, const void *bytes, size_t size)
{
    if (size == 0 || !packer_reserve(packer, size)) return;
    memcpy(packer->bytes + packer->size, bytes, size);
    packer->size += size;
}

void mill_packer_size(struct mill_packer *packer, uint64_t size)
{
    if (!packer_reserve(packer, 10)) return;
    while (size >= 0x80) {
        packer->bytes[packer->size++] = (uint8_t)(size | 0x80);
        size >>= 7;
    }
    packer->bytes[packer->size++] = (uint8_t)size;
}

void mill_packer_text(struct mill_packer *packer, const char *bytes, size_t size)
{
    mill_packer_size(packer, size);
    mill_packer_bytes(packer, bytes, size);
}

void mill_packer_word(struct mill_packer *packer, enum mill_mark mark, uint64_t bits)
{
    if (!packer_reserve(packer, 9)) return;
    packer->bytes[packer->size] = (uint8_t)mark;
    memcpy(packer->bytes + packer->size + 1, &bits, 8);
    packer->size += 9;
}

/* Grows a list of `count` elements before one more is put at its end. */
static bool list_reserve(struct mill_packer *packer, void *list, uint32_t count, size_t *room,
                         size_t element)
{
    if (packer->failed) return false;
    packer->failed = !mill_room_for_one(list, count, room, element, 4);
    return !packer->failed;
}

void mill_packer_array(struct mill_packer *packer, struct mill_array *array)
{
    if (!list_reserve(packer, &packer->arrays, packer->array_count, &packer->array_room,
                      sizeof *packer->arrays)) {
        return;
    }
    mill_packer_byte(packer, MILL_MARK_ARRAY);
    mill_packer_size(packer, packer->array_count);
    mill_array_publish(array);
    packer->arrays[packer->array_count++] = mill_array_ref(array);
}

void mill_packer_node(struct mill_packer *packer, uint32_t node)
{
    if (!list_reserve(packer, &packer->nodes, packer->node_count, &packer->node_room,
                      sizeof *packer->nodes)) {
        return;
    }
    mill_packer_byte(packer, MILL_MARK_NODE);
    mill_packer_size(packer, packer->node_count);
    packer->nodes[packer->node_count++] = node;
}

void mill_packer_shared(struct mill_packer *packer, struct mill_shared *shared)
{
    if (!list_reserve(packer, &packer->shared, packer->shared_count, &packer->shared_room,
                      sizeof *packer->shared)) {
        return;
    }
    mill_packer_byte(packer, MILL_MARK_SHARED);
    mill_packer_size(packer, packer->shared_count);
    packer->shared[packer->shared_count++] = mill_shared_ref(shared);
}

struct mill_value mill_packer_take(struct mill_packer *packer, bool *failed)
{
    struct mill_packed *packed = packer->failed ? NULL : calloc(1, sizeof *packed);
    if (packed == NULL) {
        *failed = true;
        mill_packer_fini(packer);
        return mill_nil();
    }
    atomic_init(&packed->refs, 1);
    packed->size = packer->size;
    if (packer->buffer) {
        mill_buffer_shrink(packer->buffer, packer->size);
        mill_buffer_publish(packer->buffer);
        packed->buffer = packer->buffer;
        packed->bytes = packer->buffer->data;
    } else {
        packed->bytes = realloc(packer->bytes, packer->size);
        if (packed->bytes == NULL)
            packed->bytes = packer->bytes; /* could not shrink: as it is */
    }
    packed->arrays = packer->arrays;
    packed->array_count = packer->array_count;
    packed->nodes = packer->nodes;
    packed->node_count = packer->node_count;
    packed->shared = packer->shared;
    packed->shared_count = packer->shared_count;
    mill_packer_init(packer);
    return (struct mill_value){.tag = MILL_TAG_PACKED, .packed = packed};
}

/* ---- reading -------------------------------------------------------------------------- */

uint8_t mill_unpacker_byte(struct mill_unpacker *unpacker)
{
    if (unpacker->at < unpacker->end) return *unpacker->at++;
    unpacker->bad = true;
    return 0;
}

uint64_t mill_unpacker_size(struct mill_unpacker *unpacker)
{
    uint64_t size = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = mill_unpacker_byte(unpacker);
        size |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return size;
    }
    unpacker->bad = true;
    return 0;
}

const void *mill_unpacker_bytes(struct mill_unpacker *unpacker, size_t size)
{
    if (size > (size_t)(unpacker->end - unpacker->at)) {
        unpacker->bad = true;
        return NULL;
    }
    const void *bytes = unpacker->at;
    unpacker->at += size;
    return bytes;
}

uint64_t mill_unpacker_word(struct mill_unpacker *unpacker)
{
    const void *bytes = mill_unpacker_bytes(unpacker, 8);
    uint64_t word = 0;
    if (bytes) memcpy(&word, bytes, 8);
    return word;
}

const char *mill_unpacker_text(struct mill_unpacker *unpacker, size_t *size)
{
    uint64_t wanted = mill_unpacker_size(unpacker);
    const char *text = mill_unpacker_bytes(unpacker, wanted > SIZE_MAX ? SIZE_MAX : wanted);
    *size = text ? (size_t)wanted : 0;
    return text;
}

/* ---- checking ------------------------------------------------------------------------- */

struct checker {
    struct mill_unpacker in;
    const struct mill_packed *packed;
    bool task; /* functions, nodes and shared objects are fine */
    bool data; /* names of builtins and modules are not */
    uint64_t objects, cells, environments;
};

static bool check_value(struct checker *checker, int depth);

static bool check_values(struct checker *checker, uint64_t count, int depth)
{
    /* A value takes a byte at least, so a count that lies ends soon. */
    for (uint64_t i = 0; i < count; i++) {
        if (!check_value(checker, depth)) return false;
    }
    return true;
}

static uint8_t next_mark(const struct checker *checker)
{
    return checker->in.at < checker->in.end ? *checker->in.at : MILL_MARK_NIL;
}

/* Lua knows no key nil or NaN. */
static bool check_key(const struct checker *checker)
{
    uint8_t mark = next_mark(checker);
    if (mark != MILL_MARK_NUMBER) return mark != MILL_MARK_NIL;
    struct mill_unpacker in = checker->in;
    mill_unpacker_byte(&in);
    uint64_t bits = mill_unpacker_word(&in);
    double number;
    memcpy(&number, &bits, 8);
    return number == number;
}

/* A table, or what may stand for one. */
static bool check_metatable(const struct checker *checker)
{
    uint8_t mark = next_mark(checker);
    return mark == MILL_MARK_TABLE || mark == MILL_MARK_SEEN || mark == MILL_MARK_BUILTIN ||
           mark == MILL_MARK_MODULE;
}

/* A number that was there before, or the next one: then *count is raised and *fresh set. */
static bool check_number(struct checker *checker, uint64_t *count, bool *fresh)
{
    uint64_t number = mill_unpacker_size(&checker->in);
    *fresh = number == *count;
    if (*fresh) ++*count;
    return !checker->in.bad && number < *count;
}

static bool check_upvalues(struct checker *checker, int depth)
{
    uint64_t upvalues = mill_unpacker_size(&checker->in);
    if (upvalues > UINT8_MAX) return false;
    for (uint64_t i = 0; i < upvalues; i++) {
        bool fresh;
        if (!check_number(checker, &checker->cells, &fresh)) return false;
        if (fresh && !check_value(checker, depth)) return false;
    }
    return true;
}

static bool check_environment(struct checker *checker, int depth)
{
    bool fresh;
    size_t size;
    if (!check_number(checker, &checker->environments, &fresh)) return false;
    uint64_t names = mill_unpacker_size(&checker->in);
    for (uint64_t i = 0; i < names; i++) {
        mill_unpacker_text(&checker->in, &size);
        uint8_t follows = mill_unpacker_byte(&checker->in);
        if (checker->in.bad || follows > 1) return false;
        if (follows && !check_value(checker, depth)) return false;
    }
    return !checker->in.bad;
}

static bool check_function(struct checker *checker, int depth)
{
    size_t size;
    checker->objects++;
    mill_unpacker_bytes(&checker->in, 16);
    mill_unpacker_text(&checker->in, &size);
    return !checker->in.bad && check_upvalues(checker, depth) &&
           check_environment(checker, depth);
}

static bool check_table(struct checker *checker, int depth)
{
    checker->objects++;
    uint64_t list = mill_unpacker_size(&checker->in);
    uint64_t pairs = mill_unpacker_size(&checker->in);
    uint8_t meta = mill_unpacker_byte(&checker->in);
    if (checker->in.bad || meta > 1 || pairs > UINT32_MAX || list > UINT32_MAX) return false;
    if (!check_values(checker, list, depth)) return false;
    for (uint64_t i = 0; i < pairs; i++) {
        if (!check_key(checker) || !check_values(checker, 2, depth)) return false;
    }
    return meta == 0 || (check_metatable(checker) && check_value(checker, depth));
}

static bool check_value(struct checker *checker, int depth)
{
    struct mill_unpacker *in = &checker->in;
    size_t size;
    if (depth > MILL_PACKED_DEPTH) return false;
    switch (mill_unpacker_byte(in)) {
    case MILL_MARK_NIL:
    case MILL_MARK_FALSE:
    case MILL_MARK_TRUE:
        break;
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        mill_unpacker_word(in);
        break;
    case MILL_MARK_STRING:
        mill_unpacker_text(in, &size);
        break;
    case MILL_MARK_BUILTIN:
        if (checker->data) return false;
        mill_unpacker_text(in, &size);
        break;
    case MILL_MARK_MODULE:
        if (checker->data) return false;
        mill_unpacker_bytes(in, 16);
        mill_unpacker_text(in, &size);
        mill_unpacker_text(in, &size);
        break;
    case MILL_MARK_TABLE:
        return check_table(checker, depth + 1);
    case MILL_MARK_SEEN:
        if (mill_unpacker_size(in) >= checker->objects) return false;
        break;
    case MILL_MARK_ARRAY:
        if (mill_unpacker_size(in) >= checker->packed->array_count) return false;
        break;
    case MILL_MARK_NODE:
        if (!checker->task || mill_unpacker_size(in) >= checker->packed->node_count) {
            return false;
        }
        break;
    case MILL_MARK_SHARED:
        if (!checker->task || mill_unpacker_size(in) >= checker->packed->shared_count) {
            return false;
        }
        break;
    case MILL_MARK_FUNCTION:
        return checker->task && check_function(checker, depth + 1);
    default:
        return false;
    }
    return !in->bad;
}

static bool check(const struct mill_packed *packed, bool task, bool data)
{
    struct checker checker = {
        .in = {packed->bytes, packed->bytes + packed->size, false},
        .packed = packed,
        .task = task,
        .data = data,
    };
    return check_value(&checker, 0) && checker.in.at == checker.in.end;
}

bool mill_packed_check(const struct mill_packed *packed)
{
    return check(packed, false, false);
}

bool mill_packed_check_task(const struct mill_packed *packed)
{
    return check(packed, true, false);
}

bool mill_packed_check_data(const struct mill_packed *packed)
{
    return check(packed, false, true);
}
