/* value_check: random values and how they are compared, for tests of the byte forms of values.
 * For one file of a test program, which sets random_state.  SPDX-License-Identifier: MIT */
#ifndef VALUE_CHECK_H
#define VALUE_CHECK_H

#include "check.h"
#include "data/packed.h"
#include "random_check.h"

static uint64_t random_word(void)
{
    return (uint64_t)random_below(1u << 31) << 33 ^ (uint64_t)random_below(1u << 31) << 11 ^
           random_below(1u << 11);
}

/* ---- random values ------------------------------------------------------------------------- */

static struct mill_buffer *random_buffer(size_t size, uint32_t limit)
{
    struct mill_buffer *buffer = mill_buffer_new(NULL, size);
    for (size_t i = 0; i < size; i++) buffer->data[i] = (uint8_t)random_below(limit);
    return buffer;
}

static struct mill_buffer *random_validity(int64_t length, int64_t *nulls)
{
    *nulls = 0;
    if (random_below(2)) return NULL;
    struct mill_buffer *bits = random_buffer(((size_t)length + 7) / 8, 256);
    *nulls = mill_bitmap_count_zeros(bits->data, length);
    return bits;
}

static struct mill_array *random_text_array(int64_t length)
{
    struct mill_buffer *offsets = mill_buffer_new(NULL, ((size_t)length + 1) * 4);
    int32_t *offset = (int32_t *)(void *)offsets->data;
    offset[0] = 0;
    for (int64_t i = 0; i < length; i++) offset[i + 1] = offset[i] + (int32_t)random_below(9);
    int64_t nulls;
    struct mill_buffer *validity = random_validity(length, &nulls);
    return mill_array_wrap(MILL_UTF8, length, random_buffer((size_t)offset[length], 128),
                           offsets, validity, nulls, NULL);
}

static struct mill_array *random_dictionary_array(int64_t length)
{
    struct mill_buffer *codes = mill_buffer_new(NULL, (size_t)length * 4);
    int32_t *code = (int32_t *)(void *)codes->data;
    for (int64_t i = 0; i < length; i++) code[i] = (int32_t)random_below(4);
    int64_t nulls;
    struct mill_buffer *validity = random_validity(length, &nulls);
    return mill_array_wrap(MILL_DICTIONARY, length, codes, NULL, validity, nulls,
                           random_text_array(4));
}

static struct mill_array *random_plain_array(enum mill_type type, int64_t length)
{
    int64_t nulls;
    struct mill_buffer *validity = random_validity(length, &nulls);
    struct mill_array *array = mill_array_wrap(
        type, length,
        random_buffer((size_t)length * mill_type_size(type), type == MILL_BOOL ? 2 : 256), NULL,
        validity, nulls, NULL);
    if (length % 6 == 0 && random_below(2)) {
        array->dimensions = 3;
        array->shape[0] = 2;
        array->shape[1] = length / 6;
        array->shape[2] = 3;
    }
    return array;
}

static struct mill_array *array_of(enum mill_type type, int64_t length)
{
    if (type == MILL_UTF8) return random_text_array(length);
    if (type == MILL_DICTIONARY) return random_dictionary_array(length);
    return random_plain_array(type, length);
}

static struct mill_array *random_array(void)
{
    enum mill_type type = (enum mill_type)(1 + random_below(MILL_TIMESTAMP));
    struct mill_array *array = array_of(type, random_below(40));
    if (array->dimensions > 1 || array->length == 0 || random_below(2)) return array;
    int64_t first = random_below((uint32_t)array->length);
    struct mill_array *slice = mill_array_slice(array, first, array->length - first);
    mill_array_unref(array);
    return slice;
}

struct making {
    struct mill_packer packer;
    uint64_t objects;
};

static void pack_random(struct making *making, int depth);

static void pack_string(struct mill_packer *packer)
{
    char bytes[300];
    size_t size = random_below(4) ? random_below(9) : random_below(300);
    for (size_t i = 0; i < size; i++) bytes[i] = (char)random_below(256);
    mill_packer_byte(packer, MILL_MARK_STRING);
    mill_packer_text(packer, bytes, size);
}

static void pack_module(struct mill_packer *packer)
{
    mill_packer_byte(packer, MILL_MARK_MODULE);
    mill_packer_bytes(packer, "0123456789abcdef", 16);
    mill_packer_text(packer, "a.module", 8);
    mill_packer_text(packer, "name", random_below(5));
}

static void pack_table(struct making *making, int depth)
{
    struct mill_packer *packer = &making->packer;
    uint32_t list = random_below(5), pairs = random_below(4), meta = random_below(5) == 0;
    making->objects++;
    mill_packer_byte(packer, MILL_MARK_TABLE);
    mill_packer_size(packer, list);
    mill_packer_size(packer, pairs);
    mill_packer_byte(packer, (uint8_t)meta);
    for (uint32_t i = 0; i < list; i++) pack_random(making, depth + 1);
    for (uint32_t i = 0; i < pairs; i++) {
        pack_string(packer);
        pack_random(making, depth + 1);
    }
    if (meta) pack_table(making, depth + 1);
}

static void pack_random(struct making *making, int depth)
{
    struct mill_packer *packer = &making->packer;
    static const enum mill_mark words[] = {MILL_MARK_NUMBER, MILL_MARK_INT64, MILL_MARK_UINT64};
    switch (random_below(depth > 6 ? 8 : 12)) {
    case 0:
    case 1:
        mill_packer_byte(packer, (uint8_t)random_below(3));
        break;
    case 2:
        mill_packer_word(packer, words[random_below(3)], random_word());
        break;
    case 3:
        pack_string(packer);
        break;
    case 4:
        mill_packer_byte(packer, MILL_MARK_BUILTIN);
        mill_packer_text(packer, "string.format", 13);
        break;
    case 5:
        pack_module(packer);
        break;
    case 6: {
        struct mill_array *array = random_array();
        mill_packer_array(packer, array);
        mill_array_unref(array);
        break;
    }
    case 7:
        if (making->objects == 0) {
            mill_packer_byte(packer, MILL_MARK_NIL);
            break;
        }
        mill_packer_byte(packer, MILL_MARK_SEEN);
        mill_packer_size(packer, random_below((uint32_t)making->objects));
        break;
    default:
        pack_table(making, depth);
    }
}

static struct mill_value random_packed(void)
{
    struct making making = {.objects = 0};
    mill_packer_init(&making.packer);
    pack_table(&making, 0);
    bool failed = false;
    struct mill_value value = mill_packer_take(&making.packer, &failed);
    CHECK(!failed && mill_packed_check(value.packed));
    return value;
}

static struct mill_value random_leaf(void)
{
    static const enum mill_tag tags[] = {MILL_TAG_NIL,    MILL_TAG_FALSE, MILL_TAG_TRUE,
                                         MILL_TAG_NUMBER, MILL_TAG_INT64, MILL_TAG_UINT64};
    enum mill_tag tag = tags[random_below(6)];
    uint64_t bits = tag >= MILL_TAG_NUMBER ? random_word() : 0;
    return (struct mill_value){.tag = (uint8_t)tag, .natural = bits};
}

static struct mill_value random_string(void)
{
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)random_below(256);
    bool failed = false;
    return mill_string(bytes, random_below(2) ? random_below(16) : random_below(200), &failed);
}

__attribute__((unused)) static struct mill_value random_value(void)
{
    switch (random_below(8)) {
    case 0:
        return random_leaf();
    case 1:
        return random_string();
    case 2:
        return mill_column(random_array());
    default:
        return random_packed();
    }
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool same_array(const struct mill_array *a, const struct mill_array *b)
{
    if (a->type != b->type || a->length != b->length || a->nulls != b->nulls ||
        a->dimensions != b->dimensions || (a->validity == NULL) != (b->validity == NULL) ||
        (a->dictionary == NULL) != (b->dictionary == NULL) ||
        !same_bytes(a->shape, b->shape, (size_t)a->dimensions * 8)) {
        return false;
    }
    for (int64_t i = 0; i < a->length; i++) {
        if (mill_array_present(a, i) != mill_array_present(b, i)) return false;
    }
    if (a->dictionary && !same_array(a->dictionary, b->dictionary)) return false;
    if (a->type != MILL_UTF8) {
        return same_bytes(a->values, b->values,
                          (size_t)a->length * mill_type_size((enum mill_type)a->type));
    }
    for (int64_t i = 0; i < a->length; i++) {
        size_t size = (size_t)(a->offsets[i + 1] - a->offsets[i]);
        if (size != (size_t)(b->offsets[i + 1] - b->offsets[i]) ||
            !same_bytes((char *)a->values + a->offsets[i], (char *)b->values + b->offsets[i],
                        size)) {
            return false;
        }
    }
    return true;
}

static bool same_packed(const struct mill_packed *a, const struct mill_packed *b)
{
    if (a->size != b->size || a->array_count != b->array_count || b->node_count ||
        !same_bytes(a->bytes, b->bytes, a->size)) {
        return false;
    }
    for (uint32_t i = 0; i < a->array_count; i++) {
        if (!same_array(a->arrays[i], b->arrays[i])) return false;
    }
    return true;
}

static bool same_value(const struct mill_value *a, const struct mill_value *b)
{
    if (a->tag != b->tag) return false;
    size_t size_a, size_b;
    const char *text_a = mill_value_text(a, &size_a), *text_b = mill_value_text(b, &size_b);
    if (text_a) return size_a == size_b && same_bytes(text_a, text_b, size_a);
    if (a->tag == MILL_TAG_PACKED) return same_packed(a->packed, b->packed);
    if (a->tag == MILL_TAG_COLUMN) return same_array(a->array, b->array);
    return a->natural == b->natural;
}

#endif
