/* wire: values as bytes for another process.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/flat.h"

enum {
    PART_ALIGNMENT = 64,
    MAX_DEPTH = 32,
    INLINE = 0,
    BESIDE = 1,
    ABSENT = 0,
    FOLLOWS = 1,
    LENT = 2
};

/* ---- writing ------------------------------------------------------------------------------ */

void mill_wire_init(struct mill_wire *wire)
{
    memset(wire, 0, sizeof *wire);
    mill_packer_init(&wire->out);
}

void mill_wire_fini(struct mill_wire *wire)
{
    for (int i = 0; i < wire->descriptor_count; i++) mill_buffer_unref(wire->buffers[i]);
    wire->descriptor_count = 0;
    mill_packer_fini(&wire->out);
}

bool mill_wire_is_fine(struct mill_wire *wire)
{
    if (wire->status == TIDEMILL_OK && wire->out.failed) {
        wire->status = mill_no_memory(&wire->error, "a message to another process");
    }
    return wire->status == TIDEMILL_OK;
}

static void put_inline(struct mill_wire *wire, const void *bytes, size_t size)
{
    static const uint8_t zeros[PART_ALIGNMENT];
    mill_packer_byte(&wire->out, INLINE);
    mill_packer_bytes(&wire->out, zeros, -wire->out.size % PART_ALIGNMENT);
    mill_packer_bytes(&wire->out, bytes, size);
}

/* The number of the descriptor of a buffer's memory; -1: it has to go inside. */
static int descriptor_of(struct mill_wire *wire, struct mill_buffer *buffer, size_t *offset)
{
    struct mill_error error;
    int descriptor = buffer ? mill_buffer_share(buffer, offset, &error) : -1;
    if (descriptor < 0) return -1; /* no mapping, or memory or descriptors are short */
    for (int i = 0; i < wire->descriptor_count; i++) {
        if (wire->descriptors[i] == descriptor) return i;
    }
    if (wire->descriptor_count == MILL_WIRE_DESCRIPTORS) return -1;
    wire->descriptors[wire->descriptor_count] = descriptor;
    wire->buffers[wire->descriptor_count] = mill_buffer_ref(buffer);
    return wire->descriptor_count++;
}

/* Bytes that lie in a buffer. */
static void put_part(struct mill_wire *wire, struct mill_buffer *buffer, const void *bytes,
                     size_t size)
{
    size_t offset = 0;
    int number =
        size >= MILL_WIRE_LARGE && !wire->whole ? descriptor_of(wire, buffer, &offset) : -1;
    if (number < 0) {
        put_inline(wire, bytes, size);
        return;
    }
    mill_packer_byte(&wire->out, BESIDE);
    mill_packer_size(&wire->out, (uint64_t)number);
    mill_packer_size(&wire->out, offset + (size_t)((const uint8_t *)bytes - buffer->data));
}

static void put_text(struct mill_wire *wire, const struct mill_packed *packed,
                     const void *bytes, size_t size)
{
    mill_packer_size(&wire->out, size);
    if (size >= MILL_WIRE_LARGE) {
        put_part(wire, packed->buffer, bytes, size);
    } else {
        mill_packer_bytes(&wire->out, bytes, size);
    }
}

/* Offsets count from the first text that the array has. */
static void put_offsets(struct mill_wire *wire, const struct mill_array *array)
{
    size_t size = ((size_t)array->length + 1) * 4;
    if (array->offsets[0] == 0) {
        put_part(wire, array->offsets_buffer, array->offsets, size);
        return;
    }
    put_inline(wire, array->offsets, size);
    if (wire->out.failed) return;
    uint8_t *at = wire->out.bytes + wire->out.size - size;
    for (int64_t i = 0; i <= array->length; i++) {
        int32_t offset = array->offsets[i] - array->offsets[0];
        memcpy(at + 4 * i, &offset, 4);
    }
}

static void put_array(struct mill_wire *wire, const struct mill_array *array)
{
    struct mill_flat_head head = mill_flat_head_of(array);
    bool text = array->type == MILL_UTF8;
    mill_packer_bytes(&wire->out, &head, sizeof head);
    mill_packer_bytes(&wire->out, array->shape,
                      (size_t)array->dimensions * sizeof array->shape[0]);
    const char *values = array->values;
    if (text) values += array->offsets[0];
    put_part(wire, array->values_buffer, values, (size_t)head.values_size);
    if (text) put_offsets(wire, array);
    if (array->validity) {
        put_part(wire, array->validity_buffer, array->validity, mill_flat_validity_size(&head));
    }
    if (array->dictionary) put_array(wire, array->dictionary);
}

static void put_value(struct mill_wire *wire, const struct mill_value *value,
                      const char *where);

static tidemill_status check_shared(struct mill_shared *shared, const char *where,
                                    struct mill_error *error)
{
    struct mill_share *share = mill_share_of(shared);
    if (share && shared->kind->hash) return TIDEMILL_OK;
    if (share) return mill_wire_check(&share->value, where, error);
    if (shared->kind->lends) return TIDEMILL_OK;
    return mill_fail(
        error, TIDEMILL_USAGE,
        "%s cannot be used in another process (%s); use it in a task of the thread "
        "lane, or pass what is needed of it as a value",
        shared->kind->name, where);
}

tidemill_status mill_wire_check(const struct mill_value *value, const char *where,
                                struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    if (value->tag == MILL_TAG_SHARED) return check_shared(value->shared, where, error);
    if (value->tag != MILL_TAG_PACKED) return status;
    for (uint32_t i = 0; i < value->packed->shared_count && status == TIDEMILL_OK; i++) {
        status = check_shared(value->packed->shared[i], where, error);
    }
    return status;
}

static void put_lent(struct mill_wire *wire, struct mill_shared *shared, const char *where)
{
    uint64_t words[2] = {0, 0};
    if (wire->lend) words[0] = wire->lend(wire->context, shared, &words[1]);
    if (words[0] == 0) {
        wire->status = mill_fail(&wire->error, TIDEMILL_USAGE,
                                 "%s cannot leave the process that it was made in (%s)",
                                 shared->kind->name, where);
        return;
    }
    mill_packer_bytes(&wire->out, words, sizeof words);
    mill_packer_byte(&wire->out, LENT);
}

static void put_shared(struct mill_wire *wire, struct mill_shared *shared, const char *where)
{
    struct mill_share *share = mill_share_of(shared);
    wire->status = check_shared(shared, where, &wire->error);
    if (wire->status != TIDEMILL_OK) return;
    if (share == NULL) {
        put_lent(wire, shared, where);
        return;
    }
    mill_packer_bytes(&wire->out, &share->hash, sizeof share->hash);
    /* One that holds what is lent has no hash, and goes each time. */
    bool there = wire->has && shared->kind->hash &&
                 wire->has(wire->context, share->hash, mill_value_size(&share->value));
    mill_packer_byte(&wire->out, there ? ABSENT : FOLLOWS);
    if (!there) put_value(wire, &share->value, where);
}

static void put_packed(struct mill_wire *wire, const struct mill_packed *packed,
                       const char *where)
{
    put_text(wire, packed, packed->bytes, packed->size);
    mill_packer_size(&wire->out, packed->node_count);
    mill_packer_size(&wire->out, packed->array_count);
    mill_packer_size(&wire->out, packed->shared_count);
    for (uint32_t i = 0; i < packed->array_count; i++) put_array(wire, packed->arrays[i]);
    for (uint32_t i = 0; i < packed->shared_count && wire->status == TIDEMILL_OK; i++) {
        put_shared(wire, packed->shared[i], where);
    }
}

static void put_tuple(struct mill_wire *wire, const struct mill_tuple *tuple, const char *where)
{
    mill_packer_size(&wire->out, tuple->count);
    for (uint32_t i = 0; i < tuple->count; i++) put_value(wire, &tuple->cells[i], where);
}

static void put_body(struct mill_wire *wire, const struct mill_value *value, const char *where)
{
    size_t size;
    const char *text = mill_value_text(value, &size);
    if (text) {
        put_text(wire, value->packed, text, size); /* of a short one none is looked at */
    } else if (value->tag == MILL_TAG_PACKED) {
        put_packed(wire, value->packed, where);
    } else if (value->tag == MILL_TAG_COLUMN) {
        put_array(wire, value->array);
    } else if (value->tag == MILL_TAG_SHARED) {
        put_shared(wire, value->shared, where);
    } else if (value->tag == MILL_TAG_TUPLE) {
        put_tuple(wire, value->tuple, where);
    } else if (value->tag == MILL_TAG_NUMBER || value->tag == MILL_TAG_INT64 ||
               value->tag == MILL_TAG_UINT64) {
        mill_packer_bytes(&wire->out, &value->natural, 8);
    }
}

static void put_value(struct mill_wire *wire, const struct mill_value *value, const char *where)
{
    if (wire->status != TIDEMILL_OK) return;
    if (wire->depth == MAX_DEPTH) {
        wire->status = mill_fail(&wire->error, TIDEMILL_USAGE,
                                 "shared values inside each other, more than %d deep (%s)",
                                 MAX_DEPTH, where);
        return;
    }
    wire->depth++;
    mill_packer_byte(&wire->out, value->tag);
    put_body(wire, value, where);
    wire->depth--;
}

void mill_wire_value(struct mill_wire *wire, const struct mill_value *value, const char *where)
{
    put_value(wire, value, where);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Memory that its sender could change or cut off would not be what was looked at. */
static bool is_sealed(int descriptor)
{
    int seals = fcntl(descriptor, F_GET_SEALS), wanted = F_SEAL_WRITE | F_SEAL_SHRINK;
    return seals >= 0 && (seals & wanted) == wanted;
}

/* Takes over the descriptor; NULL: *status. */
static struct mill_buffer *map(int descriptor, struct mill_memory *memory,
                               tidemill_status *status)
{
    struct stat file;
    struct mill_error error;
    if (!is_sealed(descriptor) || fstat(descriptor, &file) != 0 || file.st_size <= 0) {
        close(descriptor);
        *status = TIDEMILL_DATA;
        return NULL;
    }
    struct mill_buffer *buffer =
        mill_buffer_map(memory, descriptor, (size_t)file.st_size, &error);
    if (buffer == NULL) *status = error.status;
    return buffer;
}

void mill_wire_reader_init(struct mill_wire_reader *reader, struct mill_buffer *block,
                           const int *descriptors, int count, struct mill_memory *memory)
{
    memset(reader, 0, sizeof *reader);
    reader->in = (struct mill_unpacker){block->data, block->data + block->size, false};
    reader->block = block;
    reader->memory = memory;
    mill_buffer_publish(block);
    for (int i = 0; i < count; i++) {
        bool fine = reader->status == TIDEMILL_OK && i < MILL_WIRE_DESCRIPTORS;
        if (fine) {
            reader->maps[i] = map(descriptors[i], memory, &reader->status);
            if (reader->maps[i]) reader->map_count++;
        } else {
            close(descriptors[i]);
        }
    }
}

void mill_wire_reader_fini(struct mill_wire_reader *reader)
{
    for (int i = 0; i < reader->map_count; i++) mill_buffer_unref(reader->maps[i]);
    reader->map_count = 0;
}

bool mill_wire_is_read(const struct mill_wire_reader *reader)
{
    return reader->status == TIDEMILL_OK && !reader->in.bad && reader->in.at == reader->in.end;
}

static bool is_sound(struct mill_wire_reader *reader)
{
    if (reader->in.bad && reader->status == TIDEMILL_OK) reader->status = TIDEMILL_DATA;
    return reader->status == TIDEMILL_OK;
}

static void spoil(struct mill_wire_reader *reader)
{
    if (reader->status == TIDEMILL_OK) reader->status = TIDEMILL_DATA;
}

static struct mill_buffer *slice(struct mill_wire_reader *reader, struct mill_buffer *whole,
                                 uint64_t offset, size_t size)
{
    if (offset > whole->size || size > whole->size - offset || offset % 8 != 0) {
        spoil(reader);
        return NULL;
    }
    struct mill_buffer *part = mill_buffer_slice(whole, (size_t)offset, size);
    if (part == NULL) reader->status = TIDEMILL_MEMORY;
    return part;
}

static struct mill_buffer *take_part(struct mill_wire_reader *reader, size_t size)
{
    uint8_t place = mill_unpacker_byte(&reader->in);
    if (place == BESIDE) {
        uint64_t number = mill_unpacker_size(&reader->in);
        uint64_t offset = mill_unpacker_size(&reader->in);
        if (!is_sound(reader)) return NULL;
        if (number >= (uint64_t)reader->map_count) {
            spoil(reader);
            return NULL;
        }
        return slice(reader, reader->maps[number], offset, size);
    }
    size_t at = (size_t)(reader->in.at - reader->block->data);
    mill_unpacker_bytes(&reader->in, -at % PART_ALIGNMENT);
    at += -at % PART_ALIGNMENT;
    mill_unpacker_bytes(&reader->in, size);
    if (place != INLINE) spoil(reader);
    return is_sound(reader) ? slice(reader, reader->block, at, size) : NULL;
}

static struct mill_array *take_array(struct mill_wire_reader *reader, int depth)
{
    struct mill_flat_head head = {0};
    int64_t shape[MILL_MAX_DIMENSIONS] = {0};
    const void *bytes = mill_unpacker_bytes(&reader->in, sizeof head);
    if (bytes) memcpy(&head, bytes, sizeof head);
    if (bytes == NULL || depth > 1 || !mill_flat_is_sound(&head)) spoil(reader);
    if (!is_sound(reader)) return NULL;
    size_t shape_size = (size_t)head.dimensions * sizeof shape[0];
    bytes = mill_unpacker_bytes(&reader->in, shape_size);
    if (bytes) memcpy(shape, bytes, shape_size);
    struct mill_buffer *values = NULL, *offsets = NULL, *validity = NULL;
    struct mill_array *dictionary = NULL;
    if (is_sound(reader)) values = take_part(reader, (size_t)head.values_size);
    if (is_sound(reader) && head.type == MILL_UTF8) {
        offsets = take_part(reader, mill_flat_offsets_size(&head));
    }
    if (is_sound(reader) && head.has_validity) {
        validity = take_part(reader, mill_flat_validity_size(&head));
    }
    if (is_sound(reader) && head.has_dictionary) dictionary = take_array(reader, depth + 1);
    if (!is_sound(reader)) {
        mill_buffer_unref(values);
        mill_buffer_unref(offsets);
        mill_buffer_unref(validity);
        mill_array_unref(dictionary);
        return NULL;
    }
    return mill_flat_array(&head, shape, values, offsets, validity, dictionary,
                           &reader->status);
}

static struct mill_value take_value(struct mill_wire_reader *reader, bool nodes);

static struct mill_shared *take_shared(struct mill_wire_reader *reader)
{
    struct mill_hash hash = {0, 0};
    const void *bytes = mill_unpacker_bytes(&reader->in, sizeof hash);
    if (bytes) memcpy(&hash, bytes, sizeof hash);
    uint8_t follows = mill_unpacker_byte(&reader->in);
    if (!is_sound(reader)) return NULL;
    if (follows == LENT) {
        struct mill_shared *lent =
            reader->borrow ? reader->borrow(reader->context, hash.low, hash.high) : NULL;
        if (lent == NULL) spoil(reader);
        return lent;
    }
    if (follows != FOLLOWS) {
        struct mill_shared *known =
            follows == ABSENT && reader->find ? reader->find(reader->context, hash) : NULL;
        if (known == NULL) spoil(reader);
        return known ? mill_shared_ref(known) : NULL;
    }
    struct mill_value value = take_value(reader, false);
    if (!is_sound(reader)) return NULL;
    struct mill_shared *shared = mill_share_new(value);
    if (shared == NULL) {
        reader->status = TIDEMILL_MEMORY;
    } else if (reader->keep && shared->kind->hash) {
        reader->keep(reader->context, hash, shared);
    }
    return shared;
}

/* A list for `count` things that take `least` bytes each at least: what is allocated stays in
 * proportion to what has come. */
static void *list_for(struct mill_wire_reader *reader, uint64_t count, size_t least,
                      size_t element)
{
    if (count == 0 || !is_sound(reader)) return NULL;
    if (count > (size_t)(reader->in.end - reader->in.at) / least) {
        spoil(reader);
        return NULL;
    }
    void *list = calloc(count, element);
    if (list == NULL) reader->status = TIDEMILL_MEMORY;
    return list;
}

static void take_members(struct mill_wire_reader *reader, struct mill_packed *packed,
                         uint64_t arrays, uint64_t shared)
{
    packed->arrays =
        list_for(reader, arrays, sizeof(struct mill_flat_head), sizeof *packed->arrays);
    while (packed->array_count < arrays && is_sound(reader)) {
        struct mill_array *array = take_array(reader, 0);
        if (array) packed->arrays[packed->array_count++] = array;
    }
    packed->shared =
        list_for(reader, shared, sizeof(struct mill_hash) + 1, sizeof *packed->shared);
    while (packed->shared_count < shared && is_sound(reader)) {
        struct mill_shared *object = take_shared(reader);
        if (object) packed->shared[packed->shared_count++] = object;
    }
}

/* Bytes with their length, as a value's; NULL: failed. */
static struct mill_packed *take_text(struct mill_wire_reader *reader)
{
    uint64_t size = mill_unpacker_size(&reader->in);
    struct mill_packed *packed;
    if (size >= MILL_WIRE_LARGE) {
        struct mill_buffer *part = is_sound(reader) ? take_part(reader, size) : NULL;
        packed = part ? mill_packed_wrap(part) : NULL;
    } else {
        const void *bytes = mill_unpacker_bytes(&reader->in, size);
        packed = is_sound(reader) ? mill_packed_new(reader->memory, size) : NULL;
        if (packed) memcpy(packed->bytes, bytes, size);
    }
    if (packed == NULL && is_sound(reader)) reader->status = TIDEMILL_MEMORY;
    return packed;
}

static struct mill_value take_packed(struct mill_wire_reader *reader, bool nodes)
{
    struct mill_packed *packed = take_text(reader);
    if (packed == NULL) return mill_nil();
    uint64_t node_count = mill_unpacker_size(&reader->in);
    uint64_t arrays = mill_unpacker_size(&reader->in);
    uint64_t shared = mill_unpacker_size(&reader->in);
    if (node_count > (nodes ? packed->size / 2 : 0) || node_count > UINT32_MAX) spoil(reader);
    if (is_sound(reader) && node_count > 0) {
        packed->nodes = calloc(node_count, sizeof *packed->nodes);
        if (packed->nodes == NULL) reader->status = TIDEMILL_MEMORY;
        packed->node_count = packed->nodes ? (uint32_t)node_count : 0;
    }
    take_members(reader, packed, arrays, shared);
    if (is_sound(reader) && !mill_packed_check_task(packed)) spoil(reader);
    if (is_sound(reader)) return (struct mill_value){.tag = MILL_TAG_PACKED, .packed = packed};
    mill_packed_unref(packed);
    return mill_nil();
}

static struct mill_value take_tuple(struct mill_wire_reader *reader)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > (size_t)(reader->in.end - reader->in.at)) spoil(reader);
    if (!is_sound(reader)) return mill_nil();
    struct mill_value value = {.tag = MILL_TAG_TUPLE, .tuple = mill_tuple_new((uint32_t)count)};
    if (value.tuple == NULL) {
        reader->status = TIDEMILL_MEMORY;
        return mill_nil();
    }
    for (uint32_t i = 0; i < count && is_sound(reader); i++) {
        value.tuple->cells[i] = take_value(reader, false);
    }
    if (is_sound(reader)) return value;
    mill_value_unref(value);
    return mill_nil();
}

static struct mill_value take_string(struct mill_wire_reader *reader)
{
    struct mill_packed *packed = take_text(reader);
    if (packed == NULL) return mill_nil();
    struct mill_value value = {.tag = MILL_TAG_STRING, .packed = packed};
    if (packed->size > MILL_SHORT_MAX) return value;
    bool failed = false;
    struct mill_value inside = mill_string((const char *)packed->bytes, packed->size, &failed);
    mill_value_unref(value);
    return inside;
}

static struct mill_value take_tagged(struct mill_wire_reader *reader, uint8_t tag, bool nodes)
{
    struct mill_value value = {.tag = tag};
    switch (tag) {
    case MILL_TAG_NIL:
    case MILL_TAG_FALSE:
    case MILL_TAG_TRUE:
        return value;
    case MILL_TAG_NUMBER:
    case MILL_TAG_INT64:
    case MILL_TAG_UINT64:
        value.natural = mill_unpacker_word(&reader->in);
        return value;
    case MILL_TAG_SHORT:
    case MILL_TAG_STRING:
        return take_string(reader);
    case MILL_TAG_PACKED:
        return take_packed(reader, nodes);
    case MILL_TAG_COLUMN:
        value.array = take_array(reader, 0);
        return value;
    case MILL_TAG_SHARED:
        value.shared = take_shared(reader);
        return value;
    case MILL_TAG_TUPLE:
        return take_tuple(reader);
    default:
        spoil(reader);
        return mill_nil();
    }
}

static struct mill_value take_value(struct mill_wire_reader *reader, bool nodes)
{
    if (reader->depth == MAX_DEPTH) spoil(reader);
    uint8_t tag = mill_unpacker_byte(&reader->in);
    if (!is_sound(reader)) return mill_nil();
    reader->depth++;
    struct mill_value value = take_tagged(reader, tag, nodes);
    reader->depth--;
    return is_sound(reader) ? value : mill_nil();
}

struct mill_value mill_wire_read(struct mill_wire_reader *reader, bool nodes)
{
    return take_value(reader, nodes);
}
