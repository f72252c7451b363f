/* Arrays over a host's memory, in and out without a copy.  SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

static atomic_int released;

static void give_back(void *context, void *data)
{
    atomic_fetch_add((atomic_int *)context, 1);
    free(data);
}

static void count_only(void *context, void *data)
{
    (void)data;
    atomic_fetch_add((atomic_int *)context, 1);
}

static tidemill_array describe(const char *type, const void *data, int64_t rows,
                               int64_t columns)
{
    return (tidemill_array){.size = sizeof(tidemill_array),
                            .type = type,
                            .dimensions = columns ? 2 : 1,
                            .shape = {rows, columns},
                            .data = data};
}

static int release_count(int before)
{
    return atomic_load(&released) - before;
}

static void check_round(tidemill *engine)
{
    enum { ROWS = 1000, COLUMNS = 8 };
    int before = atomic_load(&released);
    double *data = malloc(sizeof *data * ROWS * COLUMNS);
    for (int i = 0; i < ROWS * COLUMNS; i++) data[i] = i;
    tidemill_array in = describe("float64", data, ROWS, COLUMNS), out = {.size = sizeof out};
    tidemill_value array, back;
    expect(tidemill_from_array(engine, &in, give_back, &released, &array) == TIDEMILL_OK, "in");
    expect(tidemill_kind_of(array) == TIDEMILL_KIND_ARRAY, "an array");
    expect(tidemill_length(array) == ROWS * COLUMNS, "its length");
    expect(number_of(call1(engine, "corner", array)) == ROWS * COLUMNS - 1, "an element");
    expect(number_of(call1(engine, "total", array)) == 31996000.0, "the sum");
    back = call1(engine, "echo", array);
    tidemill_release(array);
    expect(tidemill_to_array(back, &out) == 1, "out");
    expect(out.data == data && out.dimensions == 2 && out.shape[1] == COLUMNS &&
               strcmp(out.type, "float64") == 0 && out.validity == NULL,
           "the same memory");
    tidemill_value doubled = call1(engine, "doubled", back);
    tidemill_release(back);
    expect(tidemill_to_array(doubled, &out) == 1 && ((const double *)out.data)[7] == 14,
           "a result in place");
    tidemill_release(doubled);
    expect(release_count(before) == 0, "the script's state may still hold it");
    call1(engine, "collect", (tidemill_value){{0, 0}});
    expect(release_count(before) == 1, "released once");
}

static void check_lazy(tidemill *engine)
{
    static const double data[] = {1, 2, 3};
    tidemill_array in = describe("float64", data, 3, 0);
    tidemill_value value, result;
    tidemill_from_array(engine, &in, NULL, NULL, &value);
    expect(tidemill_call(engine, "lazy", &value, 1, &result, 1) == TIDEMILL_USAGE, "lazy");
    expect(strstr(tidemill_error(engine),
                  "cannot send a lazy array to the host program (result "
                  "1); return what its :compute() gives") != NULL,
           "says what to do");
    tidemill_release(value);
}

static void check_types(tidemill *engine)
{
    static const char *const types[] = {"int8",   "int16",  "int32",    "int64",   "uint8",
                                        "uint16", "uint32", "uint64",   "float32", "float64",
                                        "bool",   "date",   "timestamp"};
    static int64_t zeros[4];
    int before = atomic_load(&released);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        tidemill_array in = describe(types[i], zeros, 4, 0), out = {.size = sizeof out};
        tidemill_value value;
        expect(tidemill_from_array(engine, &in, count_only, &released, &value) == TIDEMILL_OK,
               types[i]);
        tidemill_value back = call1(engine, "echo", value);
        expect(tidemill_to_array(back, &out) && strcmp(out.type, types[i]) == 0, types[i]);
        tidemill_release(value);
        tidemill_release(back);
    }
    call1(engine, "collect", (tidemill_value){{0, 0}});
    expect(release_count(before) == (int)(sizeof types / sizeof types[0]), "each once");
}

static void check_validity(tidemill *engine)
{
    static const double dirty[] = {1, 2, 3}, clean[] = {1, 0.0 / 0.0, 3};
    static const int32_t whole[] = {1, 0, 3};
    static const uint8_t bits[] = {5}; /* the second is absent */
    static const struct {
        const char *type;
        const void *data;
        int copied;
    } cases[] = {{"float64", dirty, 1}, {"float64", clean, 0}, {"int32", whole, 0}};
    for (int i = 0; i < 3; i++) {
        atomic_int own = 0;
        tidemill_array in = describe(cases[i].type, cases[i].data, 3, 0);
        tidemill_array out = {.size = sizeof out};
        in.validity = bits;
        tidemill_value value;
        expect(tidemill_from_array(engine, &in, count_only, &own, &value) == TIDEMILL_OK,
               "nulls come in");
        expect(number_of(call1(engine, "nulls", value)) == 1, "and are counted");
        expect(tidemill_to_array(value, &out) && (out.data != cases[i].data) == cases[i].copied,
               "in place where nothing lies under them");
        if (i == 0) {
            double second = ((const double *)out.data)[1];
            expect(second != second, "else NaN does");
        }
        expect(atomic_load(&own) == cases[i].copied, "what was copied is released at once");
        tidemill_release(value);
        call1(engine, "collect", (tidemill_value){{0, 0}});
        expect(atomic_load(&own) == 1, "and all once");
    }
}

static void check_empty(tidemill *engine)
{
    tidemill_array in = describe("float64", NULL, 0, 0);
    tidemill_value value;
    int before = atomic_load(&released);
    expect(tidemill_from_array(engine, &in, count_only, &released, &value) == TIDEMILL_OK,
           "an empty array needs no memory");
    tidemill_release(value);
    expect(release_count(before) == 1, "and is released");
}

static int refused(tidemill *engine, tidemill_array in, tidemill_status status,
                   const char *text)
{
    int before = atomic_load(&released);
    tidemill_value value;
    tidemill_status got = tidemill_from_array(engine, &in, count_only, &released, &value);
    int fine = got == status && strstr(tidemill_error(engine), text) != NULL;
    if (!fine) printf("# %d: %s\n", got, tidemill_error(engine));
    return fine && release_count(before) == 0 && tidemill_kind_of(value) == 0;
}

static void check_refusals(tidemill *engine)
{
    static double data[4];
    tidemill_array in = describe("float46", data, 4, 0);
    expect(refused(engine, in, TIDEMILL_USAGE, "unknown type \"float46\""), "type");
    in = describe(NULL, data, 4, 0);
    expect(refused(engine, in, TIDEMILL_USAGE, "unknown type \"NULL\""), "no type");
    in = describe("utf8", data, 4, 0);
    expect(refused(engine, in, TIDEMILL_UNSUPPORTED, "Arrow"), "strings");
    in = describe("float64", NULL, 4, 0);
    expect(refused(engine, in, TIDEMILL_USAGE, "data is NULL"), "no memory");
    in = describe("float64", (const char *)data + 1, 3, 0);
    expect(refused(engine, in, TIDEMILL_USAGE, "not aligned to the 8 bytes"), "alignment");
    in = describe("float64", data, -4, 0);
    expect(refused(engine, in, TIDEMILL_USAGE, "shape[0] is negative: -4"), "negative");
    in = describe("float64", data, INT64_MAX / 4, 16);
    expect(refused(engine, in, TIDEMILL_USAGE, "too many elements"), "overflow");
    in = describe("float64", data, INT64_MAX / 8, 4);
    expect(refused(engine, in, TIDEMILL_USAGE, "too many elements"), "overflow of bytes");
    in = describe("float64", data, 4, 0);
    in.dimensions = 9;
    expect(refused(engine, in, TIDEMILL_USAGE, "expected 1 to 8, got 9"), "dimensions");
    in.dimensions = 0;
    expect(refused(engine, in, TIDEMILL_USAGE, "expected 1 to 8, got 0"), "no dimension");
    tidemill_value value;
    expect(tidemill_from_array(NULL, &in, NULL, NULL, &value) == TIDEMILL_USAGE, "no engine");
    expect(!tidemill_to_array(tidemill_from_number(1), &in), "a number is no array");
}

/* A task gets it by reference, and the last reference may be a worker's. */
static void check_tasks(tidemill *engine)
{
    enum { COUNT = 100000 };
    atomic_int own = 0;
    double *data = malloc(sizeof *data * COUNT), wanted = 0;
    for (int i = 0; i < COUNT; i++) wanted += data[i] = i % 10;
    tidemill_array in = describe("float64", data, COUNT, 0);
    tidemill_value value;
    tidemill_from_array(engine, &in, give_back, &own, &value);
    expect(number_of(call1(engine, "by_tasks", value)) == 4 * wanted, "tasks read it");
    tidemill_release(value);
    tidemill_close(engine);
    expect(atomic_load(&own) == 1, "released when the engine closes, at the latest");
}

static long resident(void) /* kilobytes, the most there were */
{
    char line[256];
    long most = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "VmHWM: %ld", &most);
    if (file) fclose(file);
    return most;
}

static void check_memory(tidemill *engine)
{
    enum { COUNT = 64 << 20 };
    double *data = malloc(COUNT);
    memset(data, 0, COUNT);
    long before = resident();
    tidemill_array in = describe("float64", data, COUNT / 8, 0), out = {.size = sizeof out};
    tidemill_value value, back;
    tidemill_from_array(engine, &in, give_back, &released, &value);
    back = call1(engine, "echo", value);
    expect(tidemill_to_array(back, &out) && out.data == data, "64 MB in and out");
    tidemill_release(back);
    tidemill_release(value);
    expect(resident() - before < 4096, "without growth");
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine opens");
    expect(tidemill_run_string(
               engine,
               "function echo(a) return a end\n"
               "function corner(a) return a:get(1000, 8) end\n"
               "function total(a) return a:sum():compute() end\n"
               "function doubled(a) return (a * 2):compute() end\n"
               "function nulls(a) return a.nulls end\n"
               "function lazy(a) return a + 1 end\n"
               "function collect() collectgarbage() collectgarbage() end\n"
               "function by_tasks(a) local sums = tm.map(function(i) return tm.kernels.sum(a) "
               "end, "
               "{ 1, 2, 3, 4 }) return sums[1] + sums[2] + sums[3] + sums[4] end\n",
               "script", 0, NULL) == TIDEMILL_OK,
           "a script");
    printf("%s", tidemill_error(engine));
    check_round(engine);
    check_lazy(engine);
    check_types(engine);
    check_validity(engine);
    check_empty(engine);
    check_refusals(engine);
    check_memory(engine);
    check_tasks(engine); /* closes it */
    return expect_end();
}
