/* frame: named columns of one length, for who has no Lua state.  SPDX-License-Identifier: MIT */
#include "data/frame.h"

#include <stdlib.h>
#include <string.h>

#include "data/part.h"

static const char frame_module[] = "tidemill.frame", frame_path[] = "meta";

static const struct mill_packed *table_of(const struct mill_value *value)
{
    bool table = value->tag == MILL_TAG_PACKED && value->packed->bytes[0] == MILL_MARK_TABLE;
    return table ? value->packed : NULL;
}

/* The metatable lies behind the pairs: a module's field, with a hash of zeros. */
bool mill_frame_is(const struct mill_value *value)
{
    const struct mill_packed *packed = table_of(value);
    struct mill_place place = {0};
    struct mill_table_head head;
    if (packed == NULL || !mill_part_table(packed, &place, &head) || !head.meta) return false;
    for (uint64_t i = 0; i < head.list + 2 * head.pairs; i++) mill_part_skip(packed, &place);
    struct mill_unpacker in = {packed->bytes + place.at, packed->bytes + packed->size, false};
    if (mill_unpacker_byte(&in) != MILL_MARK_MODULE) return false;
    mill_unpacker_bytes(&in, 16);
    size_t size;
    const char *text = mill_unpacker_text(&in, &size);
    if (size != sizeof frame_module - 1 || memcmp(text, frame_module, size) != 0) return false;
    text = mill_unpacker_text(&in, &size);
    return size == sizeof frame_path - 1 && memcmp(text, frame_path, size) == 0;
}

bool mill_frame_init(struct mill_frame *frame, size_t count, int64_t rows)
{
    *frame = (struct mill_frame){.rows = rows, .count = count};
    frame->names = calloc(count + 1, sizeof *frame->names);
    frame->arrays = calloc(count + 1, sizeof *frame->arrays);
    if (frame->names == NULL || frame->arrays == NULL) frame->count = 0;
    return frame->names && frame->arrays;
}

void mill_frame_fini(struct mill_frame *frame)
{
    for (size_t i = 0; i < frame->count; i++) {
        free(frame->names[i]);
        mill_array_unref(frame->arrays[i]);
    }
    free(frame->names);
    free(frame->arrays);
    *frame = (struct mill_frame){0};
}

/* ---- reading ---------------------------------------------------------------------------- */

/* What a script can do to a frame, which is a table. */
static tidemill_status spoilt(struct mill_error *error, const char *what)
{
    return mill_fail(error, TIDEMILL_USAGE, "a frame that was changed: %s", what);
}

/* The three fields of a frame, each with a reference. */
struct frame_fields {
    struct mill_value arrays, columns, rows;
};

static void release_fields(struct frame_fields *fields)
{
    mill_value_unref(fields->arrays);
    mill_value_unref(fields->columns);
    mill_value_unref(fields->rows);
}

static struct mill_value *field_called(struct frame_fields *fields, const char *name,
                                       size_t size)
{
    if (size == 6 && memcmp(name, "arrays", 6) == 0) return &fields->arrays;
    if (size == 7 && memcmp(name, "columns", 7) == 0) return &fields->columns;
    if (size == 4 && memcmp(name, "rows", 4) == 0) return &fields->rows;
    return NULL;
}

static tidemill_status take_fields(const struct mill_packed *packed,
                                   struct frame_fields *fields)
{
    struct mill_place place = {0};
    struct mill_table_head head;
    tidemill_status status = TIDEMILL_OK;
    *fields = (struct frame_fields){mill_nil(), mill_nil(), mill_nil()};
    mill_part_table(packed, &place, &head);
    for (uint64_t i = 0; i < head.list; i++) mill_part_skip(packed, &place);
    for (uint64_t i = 0; i < head.pairs && status == TIDEMILL_OK; i++) {
        size_t size;
        const char *name = mill_part_text(packed, &place, &size);
        struct mill_value *field = name ? field_called(fields, name, size) : NULL;
        if (name == NULL) mill_part_skip(packed, &place);
        if (field) {
            status = mill_part_take(packed, &place, field);
        } else {
            mill_part_skip(packed, &place);
        }
    }
    return status;
}

static tidemill_status take_frame_names(const struct mill_packed *columns,
                                        struct mill_frame *frame, struct mill_error *error)
{
    struct mill_place place = {0};
    struct mill_table_head head = {0};
    mill_part_table(columns, &place, &head);
    if (!mill_frame_init(frame, head.list, frame->rows)) return mill_no_memory(error, "frame");
    for (uint64_t i = 0; i < head.list; i++) {
        size_t size;
        const char *name = mill_part_text(columns, &place, &size);
        if (name == NULL || memchr(name, 0, size)) {
            return spoilt(error, "a column's name is no text");
        }
        frame->names[i] = strndup(name, size);
        if (frame->names[i] == NULL) return mill_no_memory(error, "frame");
    }
    return TIDEMILL_OK;
}

/* A column's place in the frame, for a search by name. */
struct named_place {
    const char *name;
    size_t place;
};

static int compare_named_places(const void *a, const void *b)
{
    const struct named_place *first = a, *second = b;
    return strcmp(first->name, second->name);
}

/* The places in the order of the bytes of their names; NULL: no memory. */
static struct named_place *sort_places(const struct mill_frame *frame)
{
    struct named_place *places = malloc((frame->count + 1) * sizeof *places);
    if (places == NULL) return NULL;
    for (size_t i = 0; i < frame->count; i++) {
        places[i] = (struct named_place){frame->names[i], i};
    }
    qsort(places, frame->count, sizeof *places, compare_named_places);
    return places;
}

/* The next pair of `arrays`: an array goes to its column, another key or value is left out. */
static tidemill_status take_frame_array(const struct mill_packed *arrays,
                                        struct mill_place *place, struct mill_frame *frame,
                                        const struct named_place *places)
{
    struct mill_value value;
    size_t size;
    const char *text = mill_part_text(arrays, place, &size);
    if (text == NULL) mill_part_skip(arrays, place);
    char *name = text && !memchr(text, 0, size) ? strndup(text, size) : NULL;
    tidemill_status status = mill_part_take(arrays, place, &value);
    if (status != TIDEMILL_OK || name == NULL || value.tag != MILL_TAG_COLUMN) {
        free(name);
        mill_value_unref(value);
        return status;
    }
    struct named_place wanted = {name, 0};
    const struct named_place *found =
        bsearch(&wanted, places, frame->count, sizeof *places, compare_named_places);
    free(name);
    if (found && frame->arrays[found->place] == NULL) {
        frame->arrays[found->place] = value.array;
    } else {
        mill_value_unref(value);
    }
    return TIDEMILL_OK;
}

static tidemill_status take_frame_arrays(const struct mill_packed *arrays,
                                         struct mill_frame *frame, struct mill_error *error)
{
    struct mill_place place = {0};
    struct mill_table_head head = {0};
    struct named_place *places = sort_places(frame);
    if (places == NULL) return mill_no_memory(error, "frame");
    tidemill_status status = TIDEMILL_OK;
    mill_part_table(arrays, &place, &head);
    for (uint64_t i = 0; i < head.list; i++) mill_part_skip(arrays, &place);
    for (uint64_t i = 0; i < head.pairs && status == TIDEMILL_OK; i++) {
        status = take_frame_array(arrays, &place, frame, places);
    }
    free(places);
    if (status == TIDEMILL_MEMORY) return mill_no_memory(error, "frame");
    if (status != TIDEMILL_OK) return spoilt(error, "what is among its columns is no array");
    for (size_t i = 0; i < frame->count; i++) {
        struct mill_array *array = frame->arrays[i];
        if (array && array->shape[0] == frame->rows) continue;
        return mill_fail(error, TIDEMILL_USAGE,
                         "a frame that was changed: column \"%.60s\" is no array of its %lld "
                         "rows",
                         frame->names[i], (long long)frame->rows);
    }
    return TIDEMILL_OK;
}

tidemill_status mill_frame_read(const struct mill_value *value, struct mill_frame *frame,
                                struct mill_error *error)
{
    struct frame_fields fields;
    *frame = (struct mill_frame){0};
    tidemill_status status = take_fields(table_of(value), &fields);
    double rows = fields.rows.number;
    if (status == TIDEMILL_MEMORY) {
        mill_no_memory(error, "frame");
    } else if (status != TIDEMILL_OK) {
        status = spoilt(error, "it holds what cannot be copied");
    } else if (!table_of(&fields.arrays) || !table_of(&fields.columns)) {
        status = spoilt(error, "it has no columns");
    } else if (fields.rows.tag != MILL_TAG_NUMBER || !(rows >= 0 && rows < 0x1p53)) {
        status = spoilt(error, "its number of rows is none");
    } else {
        frame->rows = (int64_t)rows;
        status = take_frame_names(fields.columns.packed, frame, error);
    }
    if (status == TIDEMILL_OK) status = take_frame_arrays(fields.arrays.packed, frame, error);
    release_fields(&fields);
    if (status != TIDEMILL_OK) mill_frame_fini(frame);
    return status;
}

/* ---- making ----------------------------------------------------------------------------- */

static void put_frame_text(struct mill_packer *out, const char *text)
{
    mill_packer_byte(out, MILL_MARK_STRING);
    mill_packer_text(out, text, strlen(text));
}

static void put_frame_table(struct mill_packer *out, size_t list, size_t pairs, bool meta)
{
    mill_packer_byte(out, MILL_MARK_TABLE);
    mill_packer_size(out, list);
    mill_packer_size(out, pairs);
    mill_packer_byte(out, meta);
}

static void put_frame(struct mill_packer *out, const struct mill_frame *frame,
                      const struct named_place *places)
{
    static const uint8_t own[16];
    put_frame_table(out, 0, 3, true);
    put_frame_text(out, "arrays");
    put_frame_table(out, 0, frame->count, false);
    for (size_t i = 0; i < frame->count; i++) {
        put_frame_text(out, places[i].name);
        mill_packer_array(out, frame->arrays[places[i].place]);
    }
    put_frame_text(out, "columns");
    put_frame_table(out, frame->count, 0, false);
    for (size_t i = 0; i < frame->count; i++) put_frame_text(out, frame->names[i]);
    put_frame_text(out, "rows");
    double rows = (double)frame->rows;
    uint64_t bits;
    memcpy(&bits, &rows, sizeof bits);
    mill_packer_word(out, MILL_MARK_NUMBER, bits);
    mill_packer_byte(out, MILL_MARK_MODULE);
    mill_packer_bytes(out, own, sizeof own);
    mill_packer_text(out, frame_module, sizeof frame_module - 1);
    mill_packer_text(out, frame_path, sizeof frame_path - 1);
}

tidemill_status mill_frame_value(const struct mill_frame *frame, struct mill_value *value,
                                 struct mill_error *error)
{
    *value = mill_nil();
    struct named_place *places = sort_places(frame);
    if (places == NULL) return mill_no_memory(error, "frame");
    for (size_t i = 1; i < frame->count; i++) {
        if (strcmp(places[i - 1].name, places[i].name) != 0) continue;
        mill_fail(error, TIDEMILL_USAGE, "two columns are called \"%.60s\"", places[i].name);
        free(places);
        return TIDEMILL_USAGE;
    }
    struct mill_packer out;
    bool failed = false;
    mill_packer_init(&out);
    put_frame(&out, frame, places);
    free(places);
    *value = mill_packer_take(&out, &failed);
    return failed ? mill_no_memory(error, "frame") : TIDEMILL_OK;
}
