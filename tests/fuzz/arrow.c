/* arrow: structures of Arrow's C Data Interface, described by bytes that may be anything.  The interface
 * tells no sizes of buffers: these have just what lengths and formats ask for, and what a length of
 * nonsense would ask for is not there.  SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "data/arrow.h"
#include "data/arrow_format.h"
#include "data/frame.h"
#include "fuzz.h"

struct source {
    const uint8_t *at, *end;
};

enum { NODES = 24, DEPTH = 10 };

/* A schema and an array, with all that they point to. */
struct given {
    struct ArrowSchema schema, *schemas[4];
    struct ArrowArray array, *arrays[4];
    char format[24], name[4];
    const void *buffers[4];
    void *memory[4];
    int releases;
};

struct forest {
    struct source source;
    struct given nodes[NODES];
    int count;
};

static uint8_t draw(struct source *source)
{
    return source->at < source->end ? *source->at++ : 0;
}

/* Mostly a small number, now and then one where sums turn. */
static int64_t draw_size(struct source *source)
{
    uint8_t byte = draw(source);
    if (byte < 250) return byte % 40;
    static const int64_t odd[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 2, -2, INT64_MAX - 7};
    return odd[byte - 250];
}

static bool is_small(int64_t size)
{
    return size >= 0 && size < 100;
}

static void draw_format(struct source *source, char format[24])
{
    static const char *const formats[] = {
        "n",    "b",    "c",    "s",     "i",  "l",  "C",    "S",
        "I",    "L",    "f",    "g",     "u",  "U",  "tdD",  "tdm",
        "tss:", "tsm:", "tsu:", "tsn:x", "+s", "+s", "+w:1", "+w:2",
        "z",    "+w:",  "e",    "+w:0",  "ts", "+l", "d:1",  "+w:9223372036854775807"};
    uint8_t byte = draw(source);
    memset(format, 0, 24);
    if (byte < 224) {
        strcpy(format, formats[byte % 32]);
        return;
    }
    for (int i = 0; i < byte % 8; i++) format[i] = (char)draw(source);
}

static void release_given_schema(struct ArrowSchema *schema)
{
    for (int i = 0; i < 4; i++) {
        struct ArrowSchema *child = ((struct given *)schema->private_data)->schemas[i];
        if (child && child->release) child->release(child);
    }
    if (schema->dictionary && schema->dictionary->release) {
        schema->dictionary->release(schema->dictionary);
    }
    schema->release = NULL;
}

/* An array that is released twice, or not at all, is a failure. */
static void release_given_array(struct ArrowArray *array)
{
    struct given *given = array->private_data;
    if (given->releases++ > 0) abort();
    for (int i = 0; i < 4; i++) {
        struct ArrowArray *child = given->arrays[i];
        if (child && child->release) child->release(child);
        free(given->memory[i]);
    }
    if (array->dictionary && array->dictionary->release) {
        array->dictionary->release(array->dictionary);
    }
    array->release = NULL;
}

/* Memory of just a size, with bytes that follow; offsets are small numbers. */
static void *draw_memory(struct source *source, size_t size, size_t item)
{
    uint8_t *memory = malloc(size ? size : 1);
    memset(memory, 0, size);
    for (size_t i = 0; i < size && item == 1; i++) memory[i] = draw(source);
    for (size_t i = 0; i < size && item > 1; i += item) {
        int64_t offset = (int8_t)draw(source);
        memcpy(memory + i, &offset, item);
    }
    return memory;
}

/* As far as any offset goes: a column may be a part of what its parent has. */
static size_t size_of_text(const struct given *given, size_t item, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t offset = 0;
        memcpy(&offset, (const uint8_t *)given->memory[1] + i * item, item);
        if (offset >= 0 && offset < 128 && (size_t)offset > most) most = (size_t)offset;
    }
    return most;
}

static void draw_buffers(struct source *source, struct given *given,
                         const struct mill_arrow_format *format)
{
    int64_t length = given->array.length, offset = given->array.offset;
    if (!is_small(length) || !is_small(offset)) length = offset = 0;
    size_t total = (size_t)(length + offset), size = mill_type_size(format->type);
    if (draw(source) % 2) given->memory[0] = draw_memory(source, (total + 7) / 8, 1);
    if (format->form == MILL_ARROW_TEXT || format->form == MILL_ARROW_LARGE) {
        size_t item = format->form == MILL_ARROW_TEXT ? 4 : 8;
        given->memory[1] = draw_memory(source, (total + 1) * item, item);
        size_t bytes = size_of_text(given, item, total + 1);
        given->memory[2] = draw_memory(source, bytes, 1);
    } else if (format->form != MILL_ARROW_LIST && format->form != MILL_ARROW_STRUCT) {
        if (format->form == MILL_ARROW_SCALED) size = 8;
        given->memory[1] = draw_memory(source, total * size, 1);
    }
    for (int i = 0; i < 4; i++) given->buffers[i] = given->memory[i];
    uint8_t missing = draw(source); /* one of them, seldom */
    if (missing >= 240) given->buffers[missing % 4] = NULL;
}

static struct given *draw_node(struct forest *forest, int depth);

static void draw_children(struct forest *forest, struct given *given, int wanted, int depth)
{
    for (int i = 0; i < wanted && depth < DEPTH; i++) {
        struct given *child = draw_node(forest, depth + 1);
        if (child == NULL) return;
        given->schemas[i] = &child->schema;
        given->arrays[i] = &child->array;
        given->schema.n_children = given->array.n_children = i + 1;
    }
    if (wanted > 0 && draw(&forest->source) >= 250) given->array.n_children--;
}

static int64_t usual_buffers(const struct mill_arrow_format *format)
{
    static const int64_t buffers[] = {
        [MILL_ARROW_PLAIN] = 2, [MILL_ARROW_BITS] = 2,   [MILL_ARROW_TEXT] = 3,
        [MILL_ARROW_LARGE] = 3, [MILL_ARROW_SCALED] = 2, [MILL_ARROW_NOTHING] = 0,
        [MILL_ARROW_LIST] = 1,  [MILL_ARROW_STRUCT] = 1,
    };
    return buffers[format->form];
}

static struct given *draw_node(struct forest *forest, int depth)
{
    if (forest->count == NODES) return NULL;
    struct source *source = &forest->source;
    struct given *given = &forest->nodes[forest->count++];
    struct mill_arrow_format format = {.type = MILL_FLOAT64};
    draw_format(source, given->format);
    mill_arrow_parse(given->format, &format);
    given->name[0] = (char)draw(source);
    given->schema = (struct ArrowSchema){.format = given->format,
                                         .name = given->name,
                                         .children = given->schemas,
                                         .release = release_given_schema,
                                         .private_data = given};
    given->array = (struct ArrowArray){.length = draw_size(source),
                                       .offset = draw_size(source),
                                       .null_count = -1,
                                       .n_buffers = usual_buffers(&format),
                                       .buffers = given->buffers,
                                       .children = given->arrays,
                                       .release = release_given_array,
                                       .private_data = given};
    uint8_t odd = draw(source);
    if (odd >= 128) given->array.null_count = odd % 16;
    if (odd >= 240) given->array.n_buffers = odd % 4;
    draw_buffers(source, given, &format);
    int children = format.form == MILL_ARROW_STRUCT ? draw(source) % 5
                   : format.form == MILL_ARROW_LIST ? 1
                                                    : 0;
    draw_children(forest, given, children, depth);
    struct given *words =
        draw(source) >= 160 && depth < DEPTH ? draw_node(forest, depth + 1) : NULL;
    if (words) {
        given->schema.dictionary = &words->schema;
        given->array.dictionary = &words->array;
    }
    return given;
}

/* What came in can be looked at, and goes out again. */
static void use(const struct mill_value *value)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    mill_value_hash(value, NULL);
    if (mill_arrow_export(value, &schema, &array, NULL) != TIDEMILL_OK) abort();
    struct mill_value again;
    if (mill_arrow_import(&schema, &array, &again, NULL) != TIDEMILL_OK) abort();
    mill_value_unref(again);
}

void fuzz_arrow(const uint8_t *bytes, size_t size)
{
    struct forest *forest = calloc(1, sizeof *forest);
    forest->source = (struct source){bytes, bytes + size};
    struct given *root = draw_node(forest, 0);
    struct mill_value value;
    if (mill_arrow_import(&root->schema, &root->array, &value, NULL) == TIDEMILL_OK) {
        use(&value);
        mill_value_unref(value);
    }
    for (int i = 0; i < forest->count; i++) {
        if (forest->nodes[i].releases != 1) abort();
    }
    free(forest);
}
