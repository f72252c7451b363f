/* codec: a value as one block of bytes, arrays included.  SPDX-License-Identifier: MIT */
#include "data/codec.h"

#include <stdlib.h>

#include "data/flat.h"
#include "data/packed.h"

enum { VALUE_ALIGNMENT = 64, VALUE_HEAD = 8 };
static const char value_magic[4] = "TMV1";

static size_t aligned(size_t at)
{
    return (at + VALUE_ALIGNMENT - 1) / VALUE_ALIGNMENT * VALUE_ALIGNMENT;
}

/* An array lies in the block as its head (data/flat.h) and sizes, then, aligned, its values, offsets
 * and validity, then its dictionary's own head. */

/* ---- saving: the same walk measures (bytes == NULL) and writes ------------------------- */

struct writer {
    uint8_t *bytes;
    size_t at;
};

static void write_bytes(struct writer *writer, const void *bytes, size_t size)
{
    if (writer->bytes && size) memcpy(writer->bytes + writer->at, bytes, size);
    writer->at += size;
}

static void put_aligned(struct writer *writer, const void *bytes, size_t size)
{
    size_t at = aligned(writer->at);
    if (writer->bytes) memset(writer->bytes + writer->at, 0, at - writer->at);
    writer->at = at;
    write_bytes(writer, bytes, size);
}

static void put_text_array(struct writer *writer, const struct mill_array *array)
{
    const int32_t *offsets = array->offsets;
    int32_t first = offsets[0];
    put_aligned(writer, (const char *)array->values + first,
                (size_t)(offsets[array->length] - first));
    put_aligned(writer, NULL, 0);
    for (int64_t i = 0; i <= array->length; i++) {
        int32_t offset = offsets[i] - first;
        write_bytes(writer, &offset, sizeof offset);
    }
}

static void write_array(struct writer *writer, const struct mill_array *array)
{
    struct mill_flat_head head = mill_flat_head_of(array);
    put_aligned(writer, &head, sizeof head);
    write_bytes(writer, array->shape, (size_t)array->dimensions * sizeof array->shape[0]);
    if (array->type == MILL_UTF8) {
        put_text_array(writer, array);
    } else {
        put_aligned(writer, array->values, (size_t)head.values_size);
    }
    if (array->validity) put_aligned(writer, array->validity, mill_flat_validity_size(&head));
    if (array->dictionary) write_array(writer, array->dictionary);
}

static void write_value(struct writer *writer, const struct mill_value *value)
{
    uint32_t reserved = 0;
    write_bytes(writer, value_magic, sizeof value_magic);
    write_bytes(writer, &reserved, sizeof reserved);
    write_bytes(writer, &value->tag, 1);
    size_t size;
    const char *text = mill_value_text(value, &size);
    if (text) {
        uint64_t wide = size;
        write_bytes(writer, &wide, 8);
        write_bytes(writer, text, size);
    } else if (value->tag == MILL_TAG_PACKED) {
        uint64_t sizes[2] = {value->packed->size, value->packed->array_count};
        write_bytes(writer, sizes, sizeof sizes);
        write_bytes(writer, value->packed->bytes, value->packed->size);
        for (uint32_t i = 0; i < value->packed->array_count; i++) {
            write_array(writer, value->packed->arrays[i]);
        }
    } else if (value->tag == MILL_TAG_COLUMN) {
        write_array(writer, value->array);
    } else if (value->tag == MILL_TAG_TUPLE) { /* a name: its values are kept by themselves */
        uint64_t count = value->tuple->count;
        write_bytes(writer, &count, 8);
    } else if (value->tag == MILL_TAG_SHARED) { /* no address gets out; nothing to load */
        uint64_t none = 0;
        write_bytes(writer, &none, 8);
    } else {
        write_bytes(writer, &value->natural, 8);
    }
}

struct mill_buffer *mill_codec_save(const struct mill_value *value, struct mill_memory *memory)
{
    struct writer writer = {NULL, 0};
    write_value(&writer, value);
    struct mill_buffer *block = mill_buffer_new(memory, writer.at);
    if (block == NULL) return NULL;
    writer = (struct writer){block->data, 0};
    write_value(&writer, value);
    return block;
}

/* ---- loading -------------------------------------------------------------------------- */

struct reader {
    struct mill_buffer *block; /* that arrays become slices of; NULL: there must be none */
    struct mill_memory *memory;
    const uint8_t *bytes;
    size_t size, at;
    tidemill_status status;
};

static const void *read_bytes(struct reader *reader, size_t size)
{
    if (reader->status != TIDEMILL_OK || size > reader->size - reader->at) {
        if (reader->status == TIDEMILL_OK) reader->status = TIDEMILL_DATA;
        return NULL;
    }
    const void *bytes = reader->bytes + reader->at;
    reader->at += size;
    return bytes;
}

static void take_into(struct reader *reader, void *out, size_t size)
{
    const void *bytes = read_bytes(reader, size);
    if (bytes) memcpy(out, bytes, size);
}

static void align(struct reader *reader)
{
    size_t at = aligned(reader->at);
    if (at > reader->size) {
        reader->status = TIDEMILL_DATA;
    } else {
        reader->at = at;
    }
}

static struct mill_buffer *take_slice(struct reader *reader, size_t size)
{
    align(reader);
    size_t at = reader->at;
    if (read_bytes(reader, size) == NULL) return NULL;
    struct mill_buffer *slice = mill_buffer_slice(reader->block, at, size);
    if (slice == NULL) reader->status = TIDEMILL_MEMORY;
    return slice;
}

static struct mill_array *read_array(struct reader *reader, int depth)
{
    struct mill_flat_head head = {0};
    int64_t shape[MILL_MAX_DIMENSIONS] = {0};
    if (reader->block == NULL && reader->status == TIDEMILL_OK) {
        reader->status = TIDEMILL_UNSUPPORTED;
    }
    align(reader);
    take_into(reader, &head, sizeof head);
    if (reader->status == TIDEMILL_OK && (depth > 1 || !mill_flat_is_sound(&head))) {
        reader->status = TIDEMILL_DATA;
    }
    if (reader->status != TIDEMILL_OK) return NULL;
    take_into(reader, shape, (size_t)head.dimensions * sizeof shape[0]);
    struct mill_buffer *values = take_slice(reader, (size_t)head.values_size);
    struct mill_buffer *offsets = NULL, *validity = NULL;
    struct mill_array *dictionary = NULL;
    if (head.type == MILL_UTF8) offsets = take_slice(reader, mill_flat_offsets_size(&head));
    if (head.has_validity) validity = take_slice(reader, mill_flat_validity_size(&head));
    if (head.has_dictionary) dictionary = read_array(reader, depth + 1);
    if (reader->status != TIDEMILL_OK) {
        mill_buffer_unref(values);
        mill_buffer_unref(offsets);
        mill_buffer_unref(validity);
        mill_array_unref(dictionary);
        return NULL;
    }
    return mill_flat_array(&head, shape, values, offsets, validity, dictionary,
                           &reader->status);
}

static void read_string(struct reader *reader, struct mill_value *value)
{
    uint64_t size = 0;
    take_into(reader, &size, 8);
    const void *bytes = read_bytes(reader, size);
    bool failed = false;
    if (bytes) *value = mill_string_in(reader->memory, bytes, size, &failed);
    if (failed) reader->status = TIDEMILL_MEMORY;
}

static void read_packed(struct reader *reader, struct mill_value *value)
{
    uint64_t sizes[2] = {0, 0};
    take_into(reader, sizes, sizeof sizes);
    const void *bytes = read_bytes(reader, sizes[0]);
    /* No more arrays than there is room for: what is allocated stays in proportion. */
    size_t room = (reader->size - reader->at) / sizeof(struct mill_flat_head);
    if (bytes && sizes[1] > room) reader->status = TIDEMILL_DATA;
    if (bytes == NULL || reader->status != TIDEMILL_OK) return;
    struct mill_packed *packed = mill_packed_new(reader->memory, sizes[0]);
    if (packed && sizes[1]) packed->arrays = calloc(sizes[1], sizeof *packed->arrays);
    if (packed == NULL || (sizes[1] && packed->arrays == NULL)) {
        reader->status = TIDEMILL_MEMORY;
        if (packed) mill_packed_unref(packed);
        return;
    }
    memcpy(packed->bytes, bytes, sizes[0]);
    mill_buffer_publish(packed->buffer);
    while (packed->array_count < sizes[1]) {
        struct mill_array *array = read_array(reader, 0);
        if (array == NULL) break;
        packed->arrays[packed->array_count++] = array;
    }
    if (reader->status == TIDEMILL_OK && !mill_packed_check(packed)) {
        reader->status = TIDEMILL_DATA;
    }
    if (reader->status != TIDEMILL_OK) {
        mill_packed_unref(packed);
        return;
    }
    *value = (struct mill_value){.tag = MILL_TAG_PACKED, .packed = packed};
}

static tidemill_status read_value(struct reader *reader, struct mill_value *value)
{
    *value = mill_nil();
    const void *head = read_bytes(reader, VALUE_HEAD);
    if (head == NULL || memcmp(head, value_magic, sizeof value_magic) != 0)
        return TIDEMILL_DATA;
    uint8_t tag = MILL_TAG_GONE;
    take_into(reader, &tag, 1);
    switch (tag) {
    case MILL_TAG_SHORT:
    case MILL_TAG_STRING:
        read_string(reader, value);
        break;
    case MILL_TAG_PACKED:
        read_packed(reader, value);
        break;
    case MILL_TAG_COLUMN: {
        struct mill_array *array = read_array(reader, 0);
        if (array) *value = mill_column(array);
        break;
    }
    case MILL_TAG_NIL:
    case MILL_TAG_FALSE:
    case MILL_TAG_TRUE:
    case MILL_TAG_NUMBER:
    case MILL_TAG_INT64:
    case MILL_TAG_UINT64:
        value->tag = tag;
        take_into(reader, &value->natural, 8);
        break;
    default:
        return TIDEMILL_DATA;
    }
    if (reader->status == TIDEMILL_OK && reader->at != reader->size) {
        reader->status = TIDEMILL_DATA;
        mill_value_unref(*value);
    }
    if (reader->status != TIDEMILL_OK) *value = mill_nil();
    return reader->status;
}

tidemill_status mill_codec_load(struct mill_buffer *block, struct mill_value *value)
{
    struct reader reader = {.block = block,
                            .memory = block->memory,
                            .bytes = block->data,
                            .size = block->size,
                            .status = TIDEMILL_OK};
    tidemill_status status = read_value(&reader, value);
    mill_buffer_publish(block); /* the value's arrays are parts of it */
    return status;
}

tidemill_status mill_codec_load_copy(const void *bytes, size_t size, struct mill_memory *memory,
                                     struct mill_value *value)
{
    struct reader reader = {
        .memory = memory, .bytes = bytes, .size = size, .status = TIDEMILL_OK};
    return read_value(&reader, value);
}
