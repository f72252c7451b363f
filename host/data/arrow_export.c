/* arrow_export: arrays and frames as structures of Arrow's C Data Interface.  Each structure, children
 * too, owns what it points to by itself: a consumer may move a child out and release its parent.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/arrow.h"
#include "data/frame.h"

/* ---- schemas ---------------------------------------------------------------------------- */

/* What an exported schema owns. */
struct schema_node {
    char format[32];
    char *name;
    struct ArrowSchema dictionary;
    struct ArrowSchema **pointers; /* to the children, which lie behind this struct */
    struct ArrowSchema children[];
};

static void release_schema(struct ArrowSchema *schema)
{
    struct schema_node *node = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (node->children[i].release) node->children[i].release(&node->children[i]);
    }
    if (node->dictionary.release) node->dictionary.release(&node->dictionary);
    free(node->pointers);
    free(node->name);
    free(node);
    schema->release = NULL;
}

/* A schema whose children and dictionary are still released; false: no memory. */
static bool make_schema(struct ArrowSchema *schema, const char *format, const char *name,
                        int64_t flags, size_t children)
{
    struct schema_node *node = calloc(1, sizeof *node + children * sizeof node->children[0]);
    struct ArrowSchema **pointers = calloc(children + 1, sizeof *pointers);
    char *copy = strdup(name);
    if (node == NULL || pointers == NULL || copy == NULL) {
        free(node);
        free(pointers);
        free(copy);
        return false;
    }
    snprintf(node->format, sizeof node->format, "%s", format);
    node->name = copy;
    node->pointers = pointers;
    for (size_t i = 0; i < children; i++) pointers[i] = &node->children[i];
    *schema = (struct ArrowSchema){
        .format = node->format,
        .name = node->name,
        .flags = flags,
        .n_children = (int64_t)children,
        .children = children ? node->pointers : NULL,
        .release = release_schema,
        .private_data = node,
    };
    return true;
}

static const char *format_of(const struct mill_array *array)
{
    static const char *const formats[] = {
        [MILL_BOOL] = "b",       [MILL_INT8] = "c",    [MILL_INT16] = "s",
        [MILL_INT32] = "i",      [MILL_INT64] = "l",   [MILL_UINT8] = "C",
        [MILL_UINT16] = "S",     [MILL_UINT32] = "I",  [MILL_UINT64] = "L",
        [MILL_FLOAT32] = "f",    [MILL_FLOAT64] = "g", [MILL_UTF8] = "u",
        [MILL_DICTIONARY] = "i", [MILL_DATE] = "tdD",  [MILL_TIMESTAMP] = "tsu:UTC",
    };
    return formats[array->type];
}

/* Of the axes from `axis` on. */
static bool export_array_schema(const struct mill_array *array, int axis, const char *name,
                                struct ArrowSchema *schema)
{
    if (axis + 1 < array->dimensions) {
        char format[32];
        snprintf(format, sizeof format, "+w:%lld", (long long)array->shape[axis + 1]);
        return make_schema(schema, format, name, ARROW_FLAG_NULLABLE, 1) &&
               export_array_schema(array, axis + 1, "item", schema->children[0]);
    }
    if (!make_schema(schema, format_of(array), name, ARROW_FLAG_NULLABLE, 0)) return false;
    if (array->type != MILL_DICTIONARY) return true;
    struct schema_node *node = schema->private_data;
    schema->dictionary = &node->dictionary;
    return make_schema(schema->dictionary, "u", "", ARROW_FLAG_NULLABLE, 0);
}

static bool export_frame_schema(const struct mill_frame *frame, struct ArrowSchema *schema)
{
    if (!make_schema(schema, "+s", "", 0, frame->count)) return false;
    for (size_t i = 0; i < frame->count; i++) {
        if (!export_array_schema(frame->arrays[i], 0, frame->names[i], schema->children[i])) {
            return false;
        }
    }
    return true;
}

/* ---- arrays ----------------------------------------------------------------------------- */

/* What an exported array owns. */
struct array_node {
    struct mill_array *array; /* NULL: it has no memory of its own */
    struct mill_buffer *bits;
    const void *buffers[3];
    struct ArrowArray dictionary;
    struct ArrowArray **pointers; /* to the children, which lie behind this struct */
    struct ArrowArray children[];
};

static void release_array(struct ArrowArray *array)
{
    struct array_node *node = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (node->children[i].release) node->children[i].release(&node->children[i]);
    }
    if (node->dictionary.release) node->dictionary.release(&node->dictionary);
    mill_array_unref(node->array);
    mill_buffer_unref(node->bits);
    free(node->pointers);
    free(node);
    array->release = NULL;
}

/* One without nulls and memory, whose children are still released; NULL: no memory. */
static struct array_node *make_array(struct ArrowArray *array, int64_t length, int64_t buffers,
                                     size_t children)
{
    struct array_node *node = calloc(1, sizeof *node + children * sizeof node->children[0]);
    struct ArrowArray **pointers = calloc(children + 1, sizeof *pointers);
    if (node == NULL || pointers == NULL) {
        free(node);
        free(pointers);
        return NULL;
    }
    node->pointers = pointers;
    for (size_t i = 0; i < children; i++) pointers[i] = &node->children[i];
    *array = (struct ArrowArray){
        .length = length,
        .n_buffers = buffers,
        .n_children = (int64_t)children,
        .buffers = node->buffers,
        .children = children ? node->pointers : NULL,
        .release = release_array,
        .private_data = node,
    };
    return node;
}

static struct mill_buffer *bits_of_bools(const struct mill_array *array)
{
    const uint8_t *bools = array->values;
    struct mill_buffer *bits = mill_buffer_new(NULL, ((size_t)array->length + 7) / 8);
    if (bits == NULL) return NULL;
    memset(bits->data, 0, bits->size);
    for (int64_t i = 0; i < array->length; i++) {
        bits->data[i >> 3] |= (uint8_t)((bools[i] != 0) << (i & 7));
    }
    return bits;
}

/* All elements along one axis. */
static bool export_elements(struct mill_array *array, struct ArrowArray *out)
{
    bool text = array->type == MILL_UTF8;
    struct array_node *node = make_array(out, array->length, text ? 3 : 2, 0);
    if (node == NULL) return false;
    mill_array_publish(array);
    node->array = mill_array_ref(array);
    out->null_count = array->nulls;
    node->buffers[0] = array->nulls ? array->validity : NULL;
    node->buffers[1] = text ? (const void *)array->offsets : array->values;
    node->buffers[2] = text ? array->values : NULL;
    if (array->type == MILL_BOOL) {
        node->bits = bits_of_bools(array);
        if (node->bits == NULL) return false;
        node->buffers[1] = node->bits->data;
    }
    if (array->type != MILL_DICTIONARY) return true;
    out->dictionary = &node->dictionary;
    return export_elements(array->dictionary, out->dictionary);
}

/* The axes from `axis` on; `length`: of this one, as often as those before it ask for. */
static bool export_array(struct mill_array *array, int axis, int64_t length,
                         struct ArrowArray *out)
{
    if (axis + 1 == array->dimensions) return export_elements(array, out);
    if (make_array(out, length, 1, 1) == NULL) return false;
    return export_array(array, axis + 1, length * array->shape[axis + 1], out->children[0]);
}

static bool export_frame(const struct mill_frame *frame, struct ArrowArray *out)
{
    if (make_array(out, frame->rows, 1, frame->count) == NULL) return false;
    for (size_t i = 0; i < frame->count; i++) {
        struct mill_array *array = frame->arrays[i];
        if (!export_array(array, 0, array->shape[0], out->children[i])) return false;
    }
    return true;
}

tidemill_status mill_arrow_export(const struct mill_value *value, struct ArrowSchema *schema,
                                  struct ArrowArray *array, struct mill_error *error)
{
    struct mill_frame frame = {0};
    bool fine;
    *schema = (struct ArrowSchema){0};
    *array = (struct ArrowArray){0};
    if (value->tag == MILL_TAG_COLUMN) {
        fine = export_array_schema(value->array, 0, "", schema) &&
               export_array(value->array, 0, value->array->shape[0], array);
    } else if (mill_frame_is(value)) {
        tidemill_status status = mill_frame_read(value, &frame, error);
        if (status != TIDEMILL_OK) return status;
        fine = export_frame_schema(&frame, schema) && export_frame(&frame, array);
        mill_frame_fini(&frame);
    } else {
        return mill_fail(error, TIDEMILL_USAGE,
                         "to export to Arrow: expected an array or a frame");
    }
    if (fine) return TIDEMILL_OK;
    if (schema->release) schema->release(schema);
    if (array->release) array->release(array);
    return mill_no_memory(error, "an export to Arrow");
}
