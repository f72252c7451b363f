/* A host that hands arrays and frames in and out by Arrow's C Data Interface, and knows tidemill.h and
 * that interface alone.  SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

/* ---- a producer --------------------------------------------------------------------------- */

/* Arrays may be released by a thread of the engine. */
static _Atomic int schemas_released, arrays_released;

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    atomic_fetch_add(&schemas_released, 1);
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    atomic_fetch_add(&arrays_released, 1);
    array->release = NULL;
}

static double closes[] = {10, 11, 0, 13};
static const uint8_t present[] = {0x0B};
static const int32_t ends[] = {0, 1, 3, 3, 6};
static const int32_t days[] = {17569, 17570, 17571, 17572};

/* A table of four rows: close (the third is null), name, day. */
struct table {
    struct ArrowSchema schema, columns[3], *schemas[3];
    struct ArrowArray array, children[3], *arrays[3];
    const void *none[1], *close[2], *name[3], *day[2];
};

static void fill_column(struct table *table, int i, const char *format, const char *name,
                        const void **buffers)
{
    table->columns[i] =
        (struct ArrowSchema){.format = format, .name = name, .release = release_schema};
    table->children[i] = (struct ArrowArray){.length = 4,
                                             .null_count = i == 0,
                                             .n_buffers = i == 1 ? 3 : 2,
                                             .buffers = buffers,
                                             .release = release_array};
    table->schemas[i] = &table->columns[i];
    table->arrays[i] = &table->children[i];
}

static void fill(struct table *table)
{
    *table = (struct table){
        .close = {present, closes}, .name = {NULL, ends, "abbccc"}, .day = {NULL, days}};
    fill_column(table, 0, "g", "close", table->close);
    fill_column(table, 1, "u", "name", table->name);
    fill_column(table, 2, "tdD", "day", table->day);
    table->schema = (struct ArrowSchema){
        .format = "+s", .n_children = 3, .children = table->schemas, .release = release_schema};
    table->array = (struct ArrowArray){.length = 4,
                                       .n_buffers = 1,
                                       .buffers = table->none,
                                       .n_children = 3,
                                       .children = table->arrays,
                                       .release = release_array};
}

/* ---- a consumer ----------------------------------------------------------------------------- */

static int column_of(const struct ArrowSchema *schema, const char *name)
{
    for (int i = 0; i < schema->n_children; i++) {
        if (strcmp(schema->children[i]->name, name) == 0) return i;
    }
    return -1;
}

static void check_frame(tidemill *engine, tidemill_value frame)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    expect(tidemill_to_arrow(engine, frame, &schema, &array) == TIDEMILL_OK,
           "a frame of the script goes out");
    expect(strcmp(tidemill_error(engine), "") == 0, "without a problem");
    expect(strcmp(schema.format, "+s") == 0 && array.length == 4, "as a struct");
    int up = column_of(&schema, "up"), close = column_of(&schema, "close");
    expect(up >= 0 && close >= 0, "with its columns");
    if (up < 0 || close < 0) return;
    const struct ArrowArray *ups = array.children[up], *given = array.children[close];
    expect(strcmp(schema.children[up]->format, "b") == 0, "a bool is one");
    expect((*(const uint8_t *)ups->buffers[1] & 0x0F) == 0x02, "in bits");
    expect(given->null_count == 1 && given->buffers[0] == present, "the bitmap is ours");
    const double *prices = given->buffers[1];
    expect(prices[3] == 13 && isnan(prices[2]), "prices, and what is missing");
    expect(array.children[column_of(&schema, "day")]->buffers[1] == days, "days in place");
    schema.release(&schema);
    array.release(&array);
}

/* ---- both, with a script between ---------------------------------------------------------------- */

static const char script[] =
    "local function rising(t)\n"
    "  local up = {}\n"
    "  for i = 1, t.rows do up[i] = i > 1 and t.close[i] > t.close[i - 1] end\n"
    "  return up\n"
    "end\n"
    "function describe(t)\n"
    "  return t.rows .. ' ' .. table.concat(t.columns, ',') .. ' ' .. t.name[4] .. ' ' ..\n"
    "    tostring(t.close[3] ~= t.close[3]) .. ' ' .. t.close.nulls\n"
    "end\n"
    "function widen(t)\n"
    "  local up = tm.submit(rising, t):result()\n"
    "  local new = setmetatable({ rows = t.rows, columns = { 'up', 'close', 'day' }, arrays = "
    "{\n"
    "    up = tm.array(up, 'bool'), close = t.close, day = t.day } }, getmetatable(t))\n"
    "  return new\n"
    "end\n"
    "function spoil(t)\n"
    "  t.arrays.close = 1\n"
    "  return t\n"
    "end\n"
    "function sum(a) return a:sum():compute() end\n"
    "function square() return tm.array{ { 1, 2, 3 }, { 4, 5, 6 } } end\n";

static void check_table(tidemill *engine)
{
    struct table table;
    tidemill_value frame, text, wide;
    size_t size;
    fill(&table);
    expect(tidemill_from_arrow(engine, &table.schema, &table.array, &frame) == TIDEMILL_OK,
           tidemill_error(engine));
    expect(tidemill_kind_of(frame) == TIDEMILL_KIND_FRAME, "a struct comes in as a frame");
    expect(tidemill_length(frame) == 4, "with its rows");
    expect(schemas_released == 4 && arrays_released == 1, "what is not needed is released");
    expect(tidemill_call(engine, "describe", &frame, 1, &text, 1) == TIDEMILL_OK,
           tidemill_error(engine));
    const char *bytes = tidemill_to_string(&text, &size);
    static const char described[] = "4 close,name,day ccc true 1";
    expect(bytes && size == sizeof described - 1 && memcmp(bytes, described, size) == 0,
           "the script sees it");
    tidemill_release(text);
    expect(tidemill_call(engine, "widen", &frame, 1, &wide, 1) == TIDEMILL_OK,
           tidemill_error(engine));
    tidemill_release(frame);
    check_frame(engine, wide);
    expect(tidemill_call(engine, "spoil", &wide, 1, &frame, 1) == TIDEMILL_OK,
           tidemill_error(engine));
    struct ArrowSchema schema;
    struct ArrowArray array;
    expect(tidemill_to_arrow(engine, frame, &schema, &array) == TIDEMILL_USAGE,
           "what a script has spoilt does not go out");
    expect(strstr(tidemill_error(engine), "column \"close\"") != NULL, tidemill_error(engine));
    expect(schema.release == NULL && array.release == NULL, "and nothing is to be released");
    tidemill_release(frame);
    tidemill_release(wide);
}

static void check_array(tidemill *engine)
{
    static const void *buffers[] = {NULL, closes};
    struct ArrowSchema schema = {.format = "g", .release = release_schema};
    struct ArrowArray array = {
        .length = 2, .offset = 1, .n_buffers = 2, .buffers = buffers, .release = release_array};
    tidemill_value prices, sum, square;
    double total = 0;
    expect(tidemill_from_arrow(NULL, &schema, &array, &prices) == TIDEMILL_OK, "an array");
    expect(tidemill_call(engine, "sum", &prices, 1, &sum, 1) == TIDEMILL_OK,
           tidemill_error(engine));
    expect(tidemill_to_number(sum, &total) && total == 11, "a slice has its elements");
    expect(tidemill_to_arrow(NULL, prices, &schema, &array) == TIDEMILL_OK, "and back");
    tidemill_release(prices);
    expect(array.buffers[1] == closes + 1, "in place");
    schema.release(&schema);
    array.release(&array);
    expect(tidemill_call(engine, "square", NULL, 0, &square, 1) == TIDEMILL_OK,
           tidemill_error(engine));
    expect(tidemill_to_arrow(NULL, square, &schema, &array) == TIDEMILL_OK, "two axes");
    tidemill_release(square);
    expect(strcmp(schema.format, "+w:3") == 0 && array.length == 2, "as lists");
    expect(((const double *)array.children[0]->buffers[1])[5] == 6, "with the elements");
    schema.release(&schema);
    array.release(&array);
}

static void check_refusal(tidemill *engine)
{
    struct table table;
    tidemill_value value;
    fill(&table);
    table.columns[2].format = "d:10,2";
    expect(tidemill_from_arrow(engine, &table.schema, &table.array, &value) ==
               TIDEMILL_UNSUPPORTED,
           "a type that is not there");
    expect(strcmp(tidemill_error(engine),
                  "column \"day\" (Arrow format \"d:10,2\"): there are no arrays of "
                  "decimal numbers here") == 0,
           tidemill_error(engine));
    expect(tidemill_kind_of(value) == TIDEMILL_KIND_NIL, "gives nil");
    expect(table.schema.release == NULL && table.array.release == NULL, "and is released");
    expect(tidemill_to_arrow(engine, tidemill_from_number(1), &table.schema, &table.array) ==
               TIDEMILL_USAGE,
           "a number does not go out");
    expect(strstr(tidemill_error(engine), "expected an array or a frame") != NULL,
           "and says why");
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = tidemill_run_string(engine, script, "=script", 0, NULL);
    expect(status == TIDEMILL_OK, tidemill_error(engine));
    check_table(engine);
    check_array(engine);
    check_refusal(engine);
    tidemill_close(engine);
    expect(arrays_released == 4 + 1 + 4, "every array is released once");
    expect(schemas_released == 4 + 1 + 4, "every schema, too");
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
