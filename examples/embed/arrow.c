/* arrow: columns of another library handed to a script, and its result back, in place, by Arrow's C Data
 * Interface.  Here the columns are made by hand; pyarrow, DuckDB or Polars fill the same two structs.
 * cc arrow.c $(pkg-config --cflags --libs tidemill) */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill.h>

static const char script[] = "function spread(bars)\n"
                             "  return bars.high:sub(bars.low):compute()\n"
                             "end\n";

static const double high[] = {71, 73, 72.5}, low[] = {69, 70, 71};
static const void *high_buffers[] = {NULL, high}, *low_buffers[] = {NULL, low};

/* Who fills a struct says how it is released; these two have nothing to free. */
static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

/* The columns of a frame, "high" and "low": float64 ("g"), no nulls. */
static tidemill_status frame_of_bars(tidemill *engine, tidemill_value *bars)
{
    struct ArrowSchema columns[2], *schemas[] = {&columns[0], &columns[1]};
    struct ArrowArray children[2], *arrays[] = {&children[0], &children[1]};
    static const void *none[] = {NULL};
    for (int i = 0; i < 2; i++) {
        columns[i] = (struct ArrowSchema){
            .format = "g", .name = i ? "low" : "high", .release = release_schema};
        children[i] = (struct ArrowArray){.length = 3,
                                          .n_buffers = 2,
                                          .buffers = i ? low_buffers : high_buffers,
                                          .release = release_array};
    }
    struct ArrowSchema schema = {
        .format = "+s", .n_children = 2, .children = schemas, .release = release_schema};
    struct ArrowArray array = {.length = 3,
                               .n_buffers = 1,
                               .buffers = none,
                               .n_children = 2,
                               .children = arrays,
                               .release = release_array};
    return tidemill_from_arrow(engine, &schema, &array, bars); /* takes both over */
}

/* Reads an array of doubles as any consumer of the interface would. */
static tidemill_status print_array(tidemill *engine, tidemill_value value)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    tidemill_status status = tidemill_to_arrow(engine, value, &schema, &array);
    if (status != TIDEMILL_OK) return status;
    const double *numbers = (const double *)array.buffers[1] + array.offset;
    printf("%s:", schema.format);
    for (int64_t i = 0; i < array.length; i++) printf(" %g", numbers[i]);
    printf("\n");
    schema.release(&schema);
    array.release(&array);
    return TIDEMILL_OK;
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill_value bars = {{0}}, spread = {{0}};
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = tidemill_run_string(engine, script, "script", 0, NULL);
    if (status == TIDEMILL_OK) status = frame_of_bars(engine, &bars);
    if (status == TIDEMILL_OK) status = tidemill_call(engine, "spread", &bars, 1, &spread, 1);
    if (status == TIDEMILL_OK) status = print_array(engine, spread);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    tidemill_release(spread);
    tidemill_release(bars);
    tidemill_close(engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Output:
 * g: 2 3 1.5
 */
