/* arrow_import: values of structures of Arrow's C Data Interface, which are taken over.  Each column of a
 * frame is moved out of its struct, so that it is released when nobody has that column any more.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "data/arrow.h"
#include "data/arrow_column.h"
#include "data/frame.h"

/* The format of a column.  TIDEMILL_UNSUPPORTED: it is none of ours. */
static tidemill_status parse_column(const struct mill_arrow_column *column,
                                    struct mill_arrow_format *format)
{
    const char *text = column->schema->format;
    if (mill_arrow_parse(text, format)) return TIDEMILL_OK;
    const char *words = mill_arrow_describe(text);
    return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED, "there are no arrays of %s here",
                             *words ? words : "this type");
}

/* ---- arrays ----------------------------------------------------------------------------- */

/* From lists of one size to what they hold, which is the next axis. */
static tidemill_status enter_lists(struct mill_arrow_column *column, int64_t size)
{
    int64_t nulls;
    tidemill_status status = mill_arrow_open(column, 1, 1);
    if (status == TIDEMILL_OK) status = mill_arrow_count_nulls(column, &nulls);
    if (status != TIDEMILL_OK) return status;
    if (nulls > 0) {
        return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED,
                                 "lists that are null; here only elements can be");
    }
    const struct ArrowSchema *schema = column->schema->children[0];
    const struct ArrowArray *array = column->array->children[0];
    if (schema == NULL || schema->format == NULL || array == NULL) {
        return mill_arrow_refuse(column, TIDEMILL_DATA, "its child is missing");
    }
    if (__builtin_mul_overflow(column->first, size, &column->first) ||
        __builtin_mul_overflow(column->length, size, &column->length)) {
        return mill_arrow_refuse(column, TIDEMILL_DATA, "too many elements");
    }
    column->schema = schema;
    column->array = array;
    return TIDEMILL_OK;
}

/* The array of a column that is not opened yet. */
static tidemill_status import_column(struct mill_arrow_column *column,
                                     struct mill_array **array)
{
    int64_t shape[MILL_MAX_DIMENSIONS] = {column->length};
    int dimensions = 1;
    struct mill_arrow_format format;
    tidemill_status status = parse_column(column, &format);
    while (status == TIDEMILL_OK && format.form == MILL_ARROW_LIST) {
        if (dimensions == MILL_MAX_DIMENSIONS) {
            return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED, "more than %d axes",
                                     MILL_MAX_DIMENSIONS);
        }
        shape[dimensions++] = format.size;
        status = enter_lists(column, format.size);
        if (status == TIDEMILL_OK) status = parse_column(column, &format);
    }
    if (status != TIDEMILL_OK) return status;
    if (format.form == MILL_ARROW_STRUCT) {
        return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED,
                                 "there are no arrays of structs here");
    }
    status = mill_arrow_elements(column, &format, array);
    if (status != TIDEMILL_OK) return status;
    (*array)->dimensions = dimensions;
    memcpy((*array)->shape, shape, sizeof shape);
    return TIDEMILL_OK;
}

/* The wanted elements of an array, which it moves away. */
static tidemill_status take_column(const char *name, const struct ArrowSchema *schema,
                                   struct ArrowArray *given, int64_t first, int64_t length,
                                   struct mill_array **array, struct mill_error *error)
{
    *array = NULL;
    struct mill_arrow_hold *hold = mill_arrow_hold(given);
    if (hold == NULL) return mill_no_memory(error, "an import from Arrow");
    struct mill_arrow_column column = {name, schema, &hold->array, hold, first, length, error};
    tidemill_status status = import_column(&column, array);
    mill_arrow_let_go(hold);
    return status;
}

/* ---- frames ----------------------------------------------------------------------------- */

static tidemill_status take_child(const struct mill_arrow_column *rows, size_t number,
                                  struct mill_frame *frame)
{
    const struct ArrowSchema *schema = rows->schema->children[number];
    struct ArrowArray *array = rows->array->children[number];
    if (schema == NULL || schema->format == NULL || array == NULL || array->release == NULL) {
        return mill_arrow_refuse(rows, TIDEMILL_DATA,
                                 "its child %zu is missing or has been released", number + 1);
    }
    char *name = strdup(schema->name ? schema->name : "");
    if (name == NULL) return mill_arrow_no_memory(rows);
    frame->names[number] = name;
    return take_column(name, schema, array, rows->first, rows->length, &frame->arrays[number],
                       rows->error);
}

static tidemill_status take_children(const struct mill_arrow_column *rows,
                                     struct mill_value *value)
{
    struct mill_frame frame;
    tidemill_status status = TIDEMILL_OK;
    if (!mill_frame_init(&frame, (size_t)rows->array->n_children, rows->length)) {
        status = mill_arrow_no_memory(rows);
    }
    for (size_t i = 0; i < frame.count && status == TIDEMILL_OK; i++) {
        status = take_child(rows, i, &frame);
    }
    if (status == TIDEMILL_OK) status = mill_frame_value(&frame, value, rows->error);
    mill_frame_fini(&frame);
    return status == TIDEMILL_USAGE ? TIDEMILL_DATA : status;
}

static tidemill_status take_struct(const struct ArrowSchema *schema, struct ArrowArray *array,
                                   struct mill_value *value, struct mill_error *error)
{
    struct mill_arrow_column rows = {
        .schema = schema, .array = array, .length = array->length, .error = error};
    int64_t nulls;
    if (array->n_children < 0 || array->n_children > INT32_MAX) {
        return mill_arrow_refuse(&rows, TIDEMILL_DATA, "%lld children",
                                 (long long)array->n_children);
    }
    tidemill_status status = mill_arrow_open(&rows, 1, array->n_children);
    if (status == TIDEMILL_OK) status = mill_arrow_count_nulls(&rows, &nulls);
    if (status != TIDEMILL_OK) return status;
    if (nulls > 0) {
        return mill_arrow_refuse(&rows, TIDEMILL_UNSUPPORTED,
                                 "rows that are null; here only cells can be");
    }
    return take_children(&rows, value);
}

/* ---- both ------------------------------------------------------------------------------- */

static tidemill_status take_structures(const struct ArrowSchema *schema,
                                       struct ArrowArray *array, struct mill_value *value,
                                       struct mill_error *error)
{
    if (schema->release == NULL || array->release == NULL || schema->format == NULL) {
        return mill_fail(error, TIDEMILL_DATA, "an Arrow %s that has been released",
                         schema->release && schema->format ? "array" : "schema");
    }
    if (strcmp(schema->format, "+s") == 0) return take_struct(schema, array, value, error);
    struct mill_array *made;
    tidemill_status status = take_column(NULL, schema, array, 0, array->length, &made, error);
    if (status == TIDEMILL_OK) *value = mill_column(made);
    return status;
}

tidemill_status mill_arrow_import(struct ArrowSchema *schema, struct ArrowArray *array,
                                  struct mill_value *value, struct mill_error *error)
{
    *value = mill_nil();
    tidemill_status status = take_structures(schema, array, value, error);
    if (array->release) array->release(array);
    if (schema->release) schema->release(schema);
    return status;
}
