/* test_csv: delimited text against oracles that read one character at a time, against itself
 * in other chunks and threads, and against known facts of real files.
 * SPDX-License-Identifier: MIT */
#include "data/csv.h"

#include <errno.h>
#include <iconv.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"
#include "data/file.h"
#include "kernels/csv.h"
#include "random_check.h"

static char folder[64];
static char path[80];

/* ---- helpers --------------------------------------------------------------------------- */

/* A reading and its outcome; error is "" after a success and does not name the folder. */
struct reading {
    struct mill_csv csv;
    tidemill_status status;
    char error[1024];
};

static struct reading read_path(const char *name, const struct mill_csv_options *options)
{
    struct reading reading;
    struct mill_error error = {0};
    memset(&reading, 0, sizeof reading);
    reading.status = mill_csv_read(name, options, &reading.csv, &error);
    const char *text = reading.status ? error.text : "";
    size_t prefix = strlen(folder) + 1;
    if (strncmp(text, folder, prefix - 1) == 0) text += prefix;
    snprintf(reading.error, sizeof reading.error, "%s", text);
    return reading;
}

static void save(const char *text, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, size, file) != size || fclose(file) != 0) abort();
}

static struct reading read_bytes(const char *text, size_t size,
                                 const struct mill_csv_options *options)
{
    save(text, size);
    return read_path(path, options);
}

static struct reading read_text(const char *text, const struct mill_csv_options *options)
{
    return read_bytes(text, strlen(text), options);
}

static void done(struct reading *reading)
{
    mill_csv_fini(&reading->csv);
}

/* Text of a cell of a utf8 or dictionary column. */
static const char *cell(const struct reading *reading, int column, int64_t row, int *size)
{
    const struct mill_array *array = reading->csv.arrays[column];
    int64_t at = row;
    if (array->type == MILL_DICTIONARY) {
        at = ((const int32_t *)array->values)[row];
        array = array->dictionary;
    }
    *size = array->offsets[at + 1] - array->offsets[at];
    return (const char *)array->values + array->offsets[at];
}

static bool cell_is(const struct reading *reading, int column, int64_t row, const char *text)
{
    int size;
    const char *got = cell(reading, column, row, &size);
    return (size_t)size == strlen(text) && memcmp(got, text, (size_t)size) == 0;
}

static int type_of(const struct reading *reading, int column)
{
    return reading->csv.columns > column ? reading->csv.arrays[column]->type : 0;
}

static const char *error_of(const char *text, const struct mill_csv_options *options)
{
    static char error[1024];
    struct reading reading = read_text(text, options);
    snprintf(error, sizeof error, "%s", reading.error);
    done(&reading);
    return error;
}

/* Two readings are the same when types, bits, names or the error are. */
static bool same(const struct reading *a, const struct reading *b)
{
    if (a->status != b->status || strcmp(a->error, b->error) != 0) return false;
    if (a->csv.rows != b->csv.rows || a->csv.columns != b->csv.columns) return false;
    for (int i = 0; i < a->csv.columns; i++) {
        if (strcmp(a->csv.names[i], b->csv.names[i]) != 0) return false;
        if (a->csv.arrays[i]->nulls != b->csv.arrays[i]->nulls) return false;
        if (!mill_hash_equal(mill_array_hash(a->csv.arrays[i]),
                             mill_array_hash(b->csv.arrays[i]))) {
            return false;
        }
    }
    return true;
}

/* Four threads take every fourth item each. */
struct share {
    int64_t first, count;
    void (*body)(void *, int64_t);
    void *context;
};

static void *work(void *argument)
{
    struct share *share = argument;
    for (int64_t i = share->first; i < share->count; i += 4) share->body(share->context, i);
    return NULL;
}

static void four_threads(void *with, int64_t count, void (*body)(void *, int64_t),
                         void *context)
{
    pthread_t threads[4];
    struct share shares[4];
    *(int *)with += 1;
    for (int i = 0; i < 4; i++) {
        shares[i] = (struct share){i, count, body, context};
        if (pthread_create(&threads[i], NULL, work, &shares[i]) != 0) abort();
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* ---- cells ----------------------------------------------------------------------------- */

static void quoted_cells_hold_delimiters_newlines_and_quotes(void)
{
    struct reading r = read_text("a,b\n\"x,y\",\"1\n2\"\n\"say \"\"hi\"\"\",5\" pipe\n", NULL);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.rows == 2);
    CHECK(cell_is(&r, 0, 0, "x,y") && cell_is(&r, 1, 0, "1\n2"));
    CHECK(cell_is(&r, 0, 1, "say \"hi\"") && cell_is(&r, 1, 1, "5\" pipe"));
    done(&r);
}

static void bom_crlf_and_a_missing_last_newline_change_nothing(void)
{
    struct reading plain = read_text("a,b\n1,x\n2,y\n", NULL);
    struct reading windows = read_text("\xEF\xBB\xBF"
                                       "a,b\r\n1,x\r\n2,y",
                                       NULL);
    struct reading blank = read_text("a,b\n1,x\r\n2,y\n\n\r\n\n", NULL);
    struct reading cr = read_text("a,b\n1,x\n2,y\r", NULL);
    CHECK(plain.csv.rows == 2);
    CHECK(same(&plain, &windows));
    CHECK(same(&plain, &blank));
    CHECK(same(&plain, &cr));
    done(&plain);
    done(&windows);
    done(&blank);
    done(&cr);
}

static void the_header_shows_the_delimiter(void)
{
    static const char *const texts[] = {"a,b;c\n1,2\n", "a;b,c;d\n1;2;3\n", "a\tb\n1\t2\n",
                                        "\"a,b,c\";d\n1;2\n", "a\n1\n"};
    static const int widths[] = {2, 3, 2, 2, 1};
    for (int i = 0; i < 5; i++) {
        struct reading r = read_text(texts[i], NULL);
        CHECK_TEXT(r.error, "");
        CHECK_SAYING(r.csv.columns == widths[i], "text %d: %d columns", i, r.csv.columns);
        done(&r);
    }
    struct mill_csv_options bar = {.delimiter = '|'};
    struct reading r = read_text("a|b\n1|2,5\n", &bar);
    CHECK(r.csv.columns == 2 && cell_is(&r, 1, 0, "2,5"));
    done(&r);
}

static void a_header_without_rows_is_a_table_without_rows(void)
{
    struct reading r = read_text("a,b\n", NULL);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.rows == 0 && r.csv.columns == 2 && type_of(&r, 0) == MILL_FLOAT64);
    done(&r);
    struct mill_csv_type types[] = {{"a", MILL_UTF8}, {"b", MILL_DICTIONARY}};
    struct mill_csv_options options = {.types = types, .type_count = 2};
    r = read_text("a,b", &options);
    CHECK_TEXT(r.error, "");
    CHECK(type_of(&r, 0) == MILL_UTF8 && r.csv.arrays[0]->offsets[0] == 0);
    CHECK(type_of(&r, 1) == MILL_DICTIONARY && r.csv.arrays[1]->dictionary->length == 0);
    done(&r);
}

static void an_unnamed_column_has_an_empty_name(void)
{
    struct reading r = read_text(",b\n1,2\n", NULL);
    CHECK(r.csv.columns == 2);
    CHECK_TEXT(r.csv.names[0], "");
    done(&r);
}

/* ---- types ----------------------------------------------------------------------------- */

/* The type of a column with these cells, a bar between two. */
static int inferred(const char *cells, const struct mill_csv_options *options)
{
    char text[512] = "a,b\n";
    size_t used = strlen(text);
    for (; *cells; cells++) {
        if (*cells != '|') text[used++] = *cells;
        if (*cells == '|' || cells[1] == '\0') {
            memcpy(text + used, ",0\n", 3);
            used += 3;
        }
    }
    text[used] = '\0';
    struct reading r = read_text(text, options);
    CHECK_TEXT(r.error, "");
    int type = type_of(&r, 0);
    done(&r);
    return type;
}

static void a_type_is_the_first_that_every_cell_can_have(void)
{
    CHECK(inferred("1|-2|+3| 4 |NA|007", NULL) == MILL_INT64);
    CHECK(inferred("9223372036854775807|-9223372036854775808", NULL) == MILL_INT64);
    CHECK(inferred("1|9223372036854775808", NULL) == MILL_FLOAT64);
    CHECK(inferred("1|2.5", NULL) == MILL_FLOAT64);
    CHECK(inferred("1|1e3|inf|-Infinity|.5|5.", NULL) == MILL_FLOAT64);
    CHECK(inferred("true|False|NA|TRUE", NULL) == MILL_BOOL);
    CHECK(inferred("true|1", NULL) == MILL_UTF8);
    CHECK(inferred("2018-02-07|2018/2/8", NULL) == MILL_DATE);
    CHECK(inferred("2018-02-07|20180208", NULL) == MILL_DATE);
    CHECK(inferred("20180207|20180208", NULL) == MILL_INT64);
    CHECK(inferred("2018-02-07|18990208", NULL) == MILL_UTF8);
    CHECK(inferred("2018-02-07|2018-02-30", NULL) == MILL_UTF8);
    CHECK(inferred("2018-02-07|2018-02-07T10:00", NULL) == MILL_TIMESTAMP);
    CHECK(inferred("2018-02-07 10:00:00.5+08:00|NA", NULL) == MILL_TIMESTAMP);
    CHECK(inferred("NA||null", NULL) == MILL_FLOAT64);
    CHECK(inferred("0x10|1", NULL) == MILL_UTF8);
    CHECK(inferred("1_000|1", NULL) == MILL_UTF8);
    CHECK(inferred("'000300|'000300", NULL) == MILL_UTF8);
}

static void text_that_repeats_is_a_dictionary(void)
{
    CHECK(inferred("x|x|x|x", NULL) == MILL_UTF8); /* a quarter is not under a quarter */
    CHECK(inferred("x|x|x|x|x", NULL) == MILL_DICTIONARY);
    CHECK(inferred("x|x|x|x|NA|NA", NULL) == MILL_UTF8);
    struct reading r =
        read_text("a,b\nx,1\ny,1\nx,1\nNA,1\ny,1\nx,1\nx,1\nx,1\nx,1\nx,1\n", NULL);
    CHECK(type_of(&r, 0) == MILL_DICTIONARY && r.csv.arrays[0]->dictionary->length == 2);
    CHECK(r.csv.arrays[0]->nulls == 1 && !mill_array_present(r.csv.arrays[0], 3));
    CHECK(cell_is(&r, 0, 0, "x") && cell_is(&r, 0, 1, "y") && cell_is(&r, 0, 2, "x"));
    done(&r);
}

static void a_late_surprise_widens_the_whole_column(void)
{
    static const char *const surprises[] = {
        "2.5", "99999999999999999999", "true", "2018-02-07", "abc", "NA"};
    static const int expected[] = {MILL_FLOAT64, MILL_FLOAT64,    MILL_UTF8,
                                   MILL_UTF8,    MILL_DICTIONARY, MILL_INT64};
    size_t room = 1 << 20;
    char *text = malloc(room);
    for (int i = 0; i < 6; i++) {
        size_t used = (size_t)sprintf(text, "n,k\n");
        for (int row = 0; row < 50000; row++) {
            /* Few words where a dictionary is expected. */
            int number = expected[i] == MILL_DICTIONARY ? row % 7 : row;
            used += (size_t)sprintf(text + used, "%d,k\n", number);
        }
        sprintf(text + used, "%s,k\n", surprises[i]);
        struct mill_csv_options options = {.chunk = 4096};
        struct reading r = read_text(text, &options);
        CHECK_SAYING(type_of(&r, 0) == expected[i], "%s gives %s", surprises[i],
                     mill_type_name((enum mill_type)type_of(&r, 0)));
        CHECK(r.csv.rows == 50001);
        done(&r);
    }
    free(text);
}

static void missing_cells_are_null_and_nan_or_zero(void)
{
    struct reading r = read_text("i,f,t,d\n1,1.5,x,2018-02-07\nNA, ,\"\",None\n", NULL);
    CHECK_TEXT(r.error, "");
    for (int i = 0; i < 4; i++) {
        CHECK(r.csv.arrays[i]->nulls == 1);
        CHECK(mill_array_present(r.csv.arrays[i], 0));
        CHECK(!mill_array_present(r.csv.arrays[i], 1));
    }
    CHECK(((int64_t *)r.csv.arrays[0]->values)[1] == 0);
    CHECK(isnan(((double *)r.csv.arrays[1]->values)[1]));
    CHECK(((int32_t *)r.csv.arrays[3]->values)[0] == 17569);
    CHECK(((int32_t *)r.csv.arrays[3]->values)[1] == 0);
    done(&r);
    const char *const tokens[] = {"-999", "?"};
    struct mill_csv_options options = {.missing = tokens, .missing_count = 2};
    r = read_text("i,t\n-999,?\n5,NA\n-99,\n", &options);
    CHECK(type_of(&r, 0) == MILL_INT64 && r.csv.arrays[0]->nulls == 1);
    CHECK(r.csv.arrays[1]->nulls == 1 && cell_is(&r, 1, 1, "NA") && cell_is(&r, 1, 2, ""));
    CHECK(r.csv.arrays[1]->validity[0] == 6);
    done(&r);
}

/* A token with blanks is missing as text, but a cut cell is not: all cells missing, and yet no
 * numbers. */
static void a_column_of_missing_text_stays_text(void)
{
    const char *const tokens[] = {" ?"};
    struct mill_csv_options options = {.missing = tokens, .missing_count = 1};
    struct reading r = read_text("a,b\n ?,1\n ?,2\n", &options);
    CHECK_TEXT(r.error, "");
    CHECK(type_of(&r, 0) == MILL_UTF8 && r.csv.arrays[0]->nulls == 2);
    done(&r);
}

/* NA is a ticker, and None a name, where text was asked for. */
static void text_that_was_asked_for_is_missing_only_when_empty(void)
{
    static const struct mill_csv_type types[] = {{"s", MILL_DICTIONARY}, {"t", MILL_UTF8}};
    struct mill_csv_options options = {.types = types, .type_count = 2};
    struct reading r = read_text("s,t,n\nNA,None,NA\n,,1\n", &options);
    CHECK_TEXT(r.error, "");
    CHECK(cell_is(&r, 0, 0, "NA") && cell_is(&r, 1, 0, "None"));
    for (int i = 0; i < 3; i++) CHECK(r.csv.arrays[i]->nulls == 1);
    CHECK(!mill_array_present(r.csv.arrays[0], 1) && !mill_array_present(r.csv.arrays[2], 0));
    done(&r);
}

static void types_that_are_asked_for_are_kept(void)
{
    static const struct mill_csv_type types[] = {
        {"a", MILL_INT8},   {"b", MILL_UINT16},     {"c", MILL_FLOAT32}, {"d", MILL_DATE},
        {"e", MILL_UTF8},   {"f", MILL_DICTIONARY}, {"g", MILL_BOOL},    {"h", MILL_INT32},
        {"i", MILL_UINT64}, {"j", MILL_UINT32},     {"k", MILL_INT16},   {"l", MILL_UINT8}};
    struct mill_csv_options options = {.types = types, .type_count = 12};
    struct reading r = read_text("a,b,c,d,e,f,g,h,i,j,k,l\n-128,65535,0.1,20180207,1,2,1,"
                                 "-2147483648,18446744073709551615,4294967295,-32768,255\n",
                                 &options);
    CHECK_TEXT(r.error, "");
    for (int i = 0; i < 12; i++) CHECK(type_of(&r, i) == (int)types[i].type);
    CHECK(*(int8_t *)r.csv.arrays[0]->values == -128);
    CHECK(*(uint16_t *)r.csv.arrays[1]->values == 65535);
    CHECK(*(float *)r.csv.arrays[2]->values == 0.1f);
    CHECK(*(int32_t *)r.csv.arrays[3]->values == 17569);
    CHECK(cell_is(&r, 4, 0, "1") && cell_is(&r, 5, 0, "2"));
    CHECK(*(uint8_t *)r.csv.arrays[6]->values == 1);
    CHECK(*(int32_t *)r.csv.arrays[7]->values == INT32_MIN);
    CHECK(*(uint64_t *)r.csv.arrays[8]->values == UINT64_MAX);
    CHECK(*(uint32_t *)r.csv.arrays[9]->values == UINT32_MAX);
    CHECK(*(int16_t *)r.csv.arrays[10]->values == INT16_MIN);
    CHECK(*(uint8_t *)r.csv.arrays[11]->values == 255);
    done(&r);
}

static void date_format_orders_days_and_times(void)
{
    struct mill_csv_options options = {.date_format = "%d.%m.%Y"};
    struct reading r = read_text("d\n07.02.2018\n1.1.1970\n31.12.1969\n", &options);
    CHECK(type_of(&r, 0) == MILL_DATE);
    CHECK(((int32_t *)r.csv.arrays[0]->values)[0] == 17569);
    CHECK(((int32_t *)r.csv.arrays[0]->values)[2] == -1);
    done(&r);
    options.date_format = "%m/%d/%Y %H:%M:%S";
    r = read_text("d\n02/07/2018 00:00:01\n", &options);
    CHECK(type_of(&r, 0) == MILL_TIMESTAMP);
    CHECK(*(int64_t *)r.csv.arrays[0]->values == (int64_t)(17569 * 86400LL + 1) * 1000000);
    done(&r);
    struct mill_csv_type type = {"d", MILL_DATE};
    options.types = &type;
    options.type_count = 1;
    r = read_text("d\n12/31/1969 23:00:00\n", &options);
    CHECK(type_of(&r, 0) == MILL_DATE && *(int32_t *)r.csv.arrays[0]->values == -1);
    done(&r);
    CHECK_TEXT(error_of("d\n2018-02-07 00:00:00\n", &options),
               "prices.csv:2: column \"d\": \"2018-02-07 00:00:00\" is not a date "
               "(date_format \"%m/%d/%Y %H:%M:%S\")");
}

static void columns_are_chosen_in_the_order_asked(void)
{
    const char *const names[] = {"c", "a", "c"};
    struct mill_csv_options options = {.columns = names, .column_count = 3};
    struct reading r = read_text("a,b,c\n1,oops,3\n4,5,6\n", &options);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.columns == 3 && r.csv.rows == 2);
    CHECK_TEXT(r.csv.names[0], "c");
    CHECK(((int64_t *)r.csv.arrays[0]->values)[1] == 6);
    CHECK(((int64_t *)r.csv.arrays[1]->values)[0] == 1);
    CHECK(((int64_t *)r.csv.arrays[2]->values)[0] == 3);
    done(&r);
    options.column_count = 0;
    r = read_text("a,b,c\n1,oops,3\n", &options);
    CHECK(r.csv.rows == 1 && r.csv.columns == 0);
    done(&r);
    const char *const close[] = {"CLOSE"};
    options =
        (struct mill_csv_options){.columns = close, .column_count = 1, .ignore_case = true};
    r = read_text("Close,x\n1,2\n", &options);
    CHECK(r.csv.columns == 1);
    CHECK_TEXT(r.csv.names[0], "Close");
    done(&r);
}

static void an_encoding_is_turned_into_utf8(void)
{
    struct mill_csv_options gbk = {.encoding = "GBK"};
    struct reading r = read_text("\xC8\xD5\xC6\xDA,n\n\xBB\xA6\xC9\xEE,1\n", &gbk);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.columns == 2);
    CHECK_TEXT(r.csv.names[0], "\u65e5\u671f");
    CHECK(cell_is(&r, 0, 0, "\u6caa\u6df1"));
    done(&r);
    struct mill_csv_options wide = {.encoding = "UTF-16"};
    r = read_bytes("\xFF\xFE"
                   "a\0,\0b\0\n\0001\0,\0002\0",
                   16, &wide);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.columns == 2 && r.csv.rows == 1);
    done(&r);
    struct mill_csv_options named = {.encoding = "utf-8"};
    r = read_text("a\n\xC3\xA9\n", &named);
    CHECK(cell_is(&r, 0, 0, "\u00e9"));
    done(&r);
}

/* ---- errors ---------------------------------------------------------------------------- */

static void errors_name_file_line_column_and_what_was_expected(void)
{
    static const struct mill_csv_type close = {"close", MILL_FLOAT64};
    static const struct mill_csv_type day = {"date", MILL_DATE};
    static const struct mill_csv_type count = {"volume", MILL_INT64};
    static const struct mill_csv_type small = {"volume", MILL_INT8};
    static const struct {
        const char *text;
        const struct mill_csv_type *type;
        const char *error;
    } cases[] = {
        {"", NULL, "prices.csv: empty file"},
        {"\n\r\n\n", NULL, "prices.csv: empty file"},
        {"\xEF\xBB\xBF", NULL, "prices.csv: empty file"},
        {"\na,b\n1,2\n", NULL, "prices.csv:1: an empty line, expected the header"},
        {"a,b\n1,2\n3\n", NULL, "prices.csv:3: 1 cell, expected 2 (the header has 2 columns)"},
        {"a,b\n1,2\n\n3,4\n", NULL,
         "prices.csv:3: an empty line, expected 2 (the header has 2 columns)"},
        {"a,b\n\"1\n\",2\n3,4,5\n", NULL,
         "prices.csv:4: 3 cells, expected 2 (the header has 2 columns)"},
        {"a,b\n1,2\n\rx\n", NULL,
         "prices.csv:3: 1 cell, expected 2 (the header has 2 columns)"},
        {"a\n1\n2,3\n", NULL, "prices.csv:3: 2 cells, expected 1 (the header has 1 column)"},
        {"date,close\n2018-02-07,1\n2018-02-08,abc\n", &close,
         "prices.csv:3: column \"close\": \"abc\" is not a number"},
        {"date,close\n\"2018-02-07\n\",1\n2018-02-08,\"a\nb\"\n", &close,
         "prices.csv:4: column \"close\": \"a\\nb\" is not a number"},
        {"date,close\n2018-02-30,1\n", &day,
         "prices.csv:2: column \"date\": \"2018-02-30\" is not a date"},
        {"date,volume\n1,1.5\n", &count,
         "prices.csv:2: column \"volume\": \"1.5\" is not an integer"},
        {"date,volume\n1,9223372036854775808\n", &count,
         "prices.csv:2: column \"volume\": \"9223372036854775808\" is out of range for int64"},
        {"date,volume\n1,128\n", &small,
         "prices.csv:2: column \"volume\": \"128\" is out of range for int8"},
        {"a,b\n1,\"x\n3,4\n", NULL, "prices.csv:2: a quoted cell that is not closed"},
        {"a,b\n1,2\n\"x\"y,4\n", NULL,
         "prices.csv:3: text after the closing quote of a cell (a quote inside a quoted cell "
         "is written twice)"},
        {"a,\"b\n1,2\n", NULL, "prices.csv:1: a quoted cell that is not closed"},
        {"a,b\n1,x\n2,\xC8\xD5\n", NULL,
         "prices.csv:3: bytes that are not UTF-8; give the file's encoding (for example "
         "encoding = \"GBK\")"},
        {"\xC8\xD5,b\n1,x\n", NULL,
         "prices.csv:1: bytes that are not UTF-8; give the file's encoding (for example "
         "encoding = \"GBK\")"},
        {"a,b\r1,2\r3,4", NULL,
         "prices.csv:1: a carriage return alone; lines end in LF or CR LF"},
        {"date,open,high\n1,2,3\n", &close,
         "prices.csv: no column \"close\"; it has date, open, high"},
        {"date,clsoe\n1,2\n", &close,
         "prices.csv: no column \"close\", perhaps \"clsoe\"; it has date, clsoe"},
        {"close,x,close\n1,2,3\n", &close,
         "prices.csv: column \"close\" is there twice (columns 1 and 3)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mill_csv_options options = {.types = cases[i].type,
                                           .type_count = cases[i].type != NULL};
        struct reading r = read_text(cases[i].text, &options);
        CHECK_TEXT(r.error, cases[i].error);
        CHECK(r.status == TIDEMILL_DATA && r.csv.columns == 0 && r.csv.arrays == NULL);
        done(&r);
    }
}

static void wrong_options_are_refused(void)
{
    CHECK_TEXT(error_of("a\n1\n", &(struct mill_csv_options){.encoding = "no-such"}),
               "prices.csv: unknown encoding \"no-such\"");
    CHECK_TEXT(error_of("a\n1\n\xFF\xFF\n", &(struct mill_csv_options){.encoding = "GBK"}),
               "prices.csv:3: bytes that are not GBK");
    CHECK_TEXT(error_of("a\n1\n", &(struct mill_csv_options){.date_format = "%Y-%b-%d"}),
               "date_format \"%Y-%b-%d\": %b is not one of %Y %m %d %H %M %S");
    CHECK_TEXT(error_of("a\n1\n", &(struct mill_csv_options){.date_format = "%Y-%m"}),
               "date_format \"%Y-%m\": expected %Y, %m and %d in it");
    CHECK_TEXT(error_of("a\n1\n", &(struct mill_csv_options){.delimiter = '"'}),
               "delimiter must be an ASCII character other than a quote or line end");
    struct mill_csv_type type = {"a", (enum mill_type)99};
    struct reading r =
        read_text("a\n1\n", &(struct mill_csv_options){.types = &type, .type_count = 1});
    CHECK(r.status == TIDEMILL_USAGE);
    done(&r);
    r = read_path("/nowhere/at-all.csv", NULL);
    CHECK(r.status == TIDEMILL_IO);
    CHECK_TEXT(r.error, "/nowhere/at-all.csv: No such file or directory");
    done(&r);
}

/* Of several errors the first in the file is told, in chunks of any size. */
static void the_first_error_wins(void)
{
    static const struct mill_csv_type type = {"n", MILL_FLOAT64};
    static const char *const faults[] = {"x,1\n", "1\n", "1,\"q\"r\n", "1,\xFF\n", "1,\"\n"};
    for (int first = 0; first < 5; first++) {
        for (int second = 0; second < 5; second++) {
            if (first == 4 && second == 4) continue; /* the quotes close each other */
            char text[400] = "n,t\n";
            for (int i = 0; i < 20; i++) {
                strcat(text, i == 7 ? faults[first] : i == 13 ? faults[second] : "1.5,ok\n");
            }
            for (size_t chunk = 0; chunk < 64; chunk += 7) {
                struct mill_csv_options options = {
                    .types = &type, .type_count = 1, .chunk = chunk};
                const char *error = error_of(text, &options);
                CHECK_SAYING(strncmp(error, "prices.csv:9: ", 14) == 0, "%d then %d: %s", first,
                             second, error);
            }
        }
    }
}

static void bad_bytes_explain_a_bad_cell(void)
{
    static const struct mill_csv_type type = {"n", MILL_FLOAT64};
    struct mill_csv_options options = {.types = &type, .type_count = 1};
    const char *error = error_of("n,t\n\xC8\xD5,1\n", &options);
    CHECK_SAYING(strstr(error, ":2: bytes that are not UTF-8"), "%s", error);
    options.encoding = "GBK";
    error = error_of("n,t\n1\xFF\xFF,1\n", &options);
    CHECK_SAYING(strstr(error, ":2: bytes that are not GBK"), "%s", error);
    error = error_of("n,t\nx,1\n1,\xFF\xFF\n", &options);
    CHECK_SAYING(strstr(error, ":2: column \"n\": \"x\""), "%s", error);
}

/* ---- oracles --------------------------------------------------------------------------- */

/* One character at a time, as the rules are told to people. */
struct oracle {
    char cells[400][64]; /* of all rows, one after another */
    int counts[400];     /* cells a row */
    int lines[400];      /* where a row begins */
    bool blank[400];     /* nothing on the line */
    int rows, used;
    int fault_line; /* of the cell at fault, 0: none */
    char fault;     /* 'u': not closed, 'a': after the quote */
};

static void oracle_read(struct oracle *o, const char *text)
{
    enum { START, PLAIN, QUOTED, CLOSING } state = START;
    int line = 1, cell_line = 1, in_row = 0, size = 0;
    bool seen = false;
    memset(o, 0, sizeof *o);
    o->lines[0] = 1;
    for (const char *p = text;; p++) {
        char c = *p;
        if (state == START) {
            cell_line = line;
            size = 0;
            state = c == '"' ? QUOTED : PLAIN;
            if (c == '"') {
                seen = true;
                continue;
            }
        }
        if (state == QUOTED) {
            if (c == '\0') {
                o->fault = 'u';
                break;
            }
            if (c == '"' && p[1] == '"') {
                o->cells[o->used][size++] = *p++;
            } else if (c == '"') {
                state = CLOSING;
            } else {
                o->cells[o->used][size++] = c;
                line += c == '\n';
            }
            continue;
        }
        if (c == '\r' && (p[1] == '\n' || p[1] == '\0')) continue;
        bool ends = c == ',' || c == '\n' || c == '\0';
        if (state == CLOSING && !ends) {
            o->fault = 'a';
            break;
        }
        if (!ends) {
            o->cells[o->used][size++] = c;
            seen = true;
            continue;
        }
        if (c == '\0' && !seen && in_row == 0) return;
        o->used++;
        in_row++;
        state = START;
        if (c == ',') continue;
        o->blank[o->rows] = !seen && in_row == 1;
        o->counts[o->rows++] = in_row;
        in_row = 0;
        seen = false;
        o->lines[o->rows] = ++line;
        if (c == '\0') return;
    }
    o->fault_line = cell_line;
    o->counts[o->rows] = in_row;
}

/* What the reader must say of the text, whose first line is a good header. */
static void oracle_check(const char *text, const struct oracle *o, const struct reading *r)
{
    char expected[64] = "";
    int rows = o->rows, width = o->counts[0], used = width;
    while (rows > 0 && o->blank[rows - 1] && !o->fault) rows--;
    for (int row = 1; row < rows && !expected[0]; row++) {
        if (o->counts[row] != width) sprintf(expected, "prices.csv:%d: count", o->lines[row]);
    }
    if (!expected[0] && o->fault) {
        bool many = o->counts[o->rows] >= width;
        sprintf(expected, "prices.csv:%d: %s", many ? o->lines[o->rows] : o->fault_line,
                many              ? "count"
                : o->fault == 'u' ? "a quoted cell that is not closed"
                                  : "text after the closing quote");
    }
    if (expected[0]) {
        char *count = strstr(expected, "count");
        if (count) *count = '\0';
        CHECK_SAYING(strncmp(r->error, expected, strlen(expected)) == 0,
                     "%s, expected %s, of\n%s", r->error, expected, text);
        if (count) CHECK_SAYING(strstr(r->error, ", expected "), "%s of\n%s", r->error, text);
        return;
    }
    CHECK_SAYING(!r->status && r->csv.rows == rows - 1, "%s, %lld rows, expected %d, of\n%s",
                 r->error, (long long)r->csv.rows, rows - 1, text);
    for (int row = 0; row < r->csv.rows; row++) {
        for (int i = 0; i < width; i++, used++) {
            CHECK_SAYING(cell_is(r, i, row, o->cells[used]), "row %d, cell %d of\n%s", row, i,
                         text);
        }
    }
}

static void any_soup_of_characters_reads_as_the_oracle_says(void)
{
    static const char *const headers[] = {"a\n", "a,b\n", "a,b,c\r\n"};
    static const char letters[] = ",,,\n\n\"\"\"\rxy1 ";
    static const struct mill_csv_type types[] = {
        {"a", MILL_UTF8}, {"b", MILL_UTF8}, {"c", MILL_DICTIONARY}};
    static const char *const none[] = {NULL};
    struct oracle *oracle = malloc(sizeof *oracle);
    for (int round = 0; round < 6000; round++) {
        char text[64];
        int width = 1 + (int)random_below(3);
        size_t used = (size_t)sprintf(text, "%s", headers[width - 1]);
        for (uint32_t left = random_below(40); left > 0; left--) {
            text[used++] = letters[random_below(sizeof letters - 1)];
        }
        text[used] = '\0';
        struct mill_csv_options options = {.delimiter = ',',
                                           .types = types,
                                           .type_count = width,
                                           .missing = none,
                                           .chunk = 1 + random_below(20)};
        struct reading r = read_text(text, &options);
        oracle_read(oracle, text);
        oracle_check(text, oracle, &r);
        done(&r);
    }
    free(oracle);
}

/* A random table, written with whatever quotes the cells need and some they do not. */
static size_t write_cell(char *out, const char *text)
{
    bool quote = strpbrk(text, ",\n\r\"") != NULL || random_below(5) == 0;
    size_t used = 0;
    if (!quote) return (size_t)sprintf(out, "%s", text);
    out[used++] = '"';
    for (; *text; text++) {
        if (*text == '"') out[used++] = '"';
        out[used++] = *text;
    }
    out[used++] = '"';
    return used;
}

static void what_was_written_is_read_back(void)
{
    enum { ROWS = 200, COLUMNS = 3, LONGEST = 12 };
    static const char letters[] = "ab,\"\n\r ;";
    static const struct mill_csv_type types[] = {
        {"x", MILL_UTF8}, {"y", MILL_UTF8}, {"z", MILL_DICTIONARY}};
    static const char *const none[] = {NULL};
    static char cells[ROWS][COLUMNS][LONGEST], text[ROWS * COLUMNS * LONGEST * 3];
    for (int round = 0; round < 200; round++) {
        size_t used = (size_t)sprintf(text, "x,y,z\n");
        int rows = 1 + (int)random_below(ROWS);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < COLUMNS; i++) {
                uint32_t size = random_below(LONGEST);
                for (uint32_t c = 0; c < size; c++) {
                    cells[row][i][c] = letters[random_below(sizeof letters - 1)];
                }
                cells[row][i][size] = '\0';
                used += write_cell(text + used, cells[row][i]);
                text[used++] = i + 1 < COLUMNS ? ',' : '\n';
            }
        }
        int threads = 0;
        struct mill_csv_options options = {.types = types,
                                           .type_count = 3,
                                           .missing = none,
                                           .chunk = 1 + random_below(300),
                                           .parallel = four_threads,
                                           .with = &threads};
        struct reading r = read_bytes(text, used, &options);
        CHECK_TEXT(r.error, "");
        CHECK(r.csv.rows == rows);
        for (int row = 0; row < r.csv.rows; row++) {
            for (int i = 0; i < COLUMNS; i++) CHECK(cell_is(&r, i, row, cells[row][i]));
        }
        done(&r);
    }
}

/* Types that a cell can have, by other means than the reader's. */
static bool oracle_is(int type, const char *text)
{
    char *end;
    errno = 0;
    if (type == MILL_INT64) {
        if (strspn(text, "+-0123456789") != strlen(text)) return false;
        strtoll(text, &end, 10);
        return *end == '\0' && errno == 0;
    }
    if (type == MILL_FLOAT64) {
        if (strspn(text, "+-0123456789.eE") != strlen(text) && strcmp(text, "inf") != 0) {
            return false;
        }
        strtod(text, &end);
        return *end == '\0';
    }
    if (type == MILL_BOOL) return strcmp(text, "true") == 0 || strcmp(text, "FALSE") == 0;
    if (type == MILL_DATE || type == MILL_TIMESTAMP) {
        int year, month, day, hour, minute, used = 0, more = 0;
        if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3) return false;
        sscanf(text + used, " %2d:%2d%n", &hour, &minute, &more);
        if (text[used + (type == MILL_TIMESTAMP ? more : 0)] != '\0') return false;
        struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
        timegm(&tm);
        return used == 10 && tm.tm_mday == day;
    }
    return type == MILL_UTF8;
}

static void inference_agrees_with_the_oracle_in_any_chunks(void)
{
    static const int order[] = {MILL_INT64, MILL_FLOAT64,   MILL_BOOL,
                                MILL_DATE,  MILL_TIMESTAMP, MILL_UTF8};
    static const char *const pool[] = {"1",     "-20",   "+7",         "9223372036854775808",
                                       "1.5",   "-2e-3", "inf",        "true",
                                       "FALSE", "abc",   "2018-02-07", "2018-02-30",
                                       "NA",    "",      "1e",         "2018-02-07 10:00",
                                       "+-1",   "..",    "00012",      "1.",
                                       "-"};
    enum { POOL = sizeof pool / sizeof pool[0], ROWS = 300 };
    static char text[ROWS * 40];
    for (int round = 0; round < 1500; round++) {
        bool can[6] = {true, true, true, true, true, true}, any = false;
        size_t used = (size_t)sprintf(text, "a,b\n");
        const char *usual = pool[random_below(POOL)], *also = pool[random_below(POOL)];
        int rows = 1 + (int)random_below(ROWS);
        for (int row = 0; row < rows; row++) {
            uint32_t dice = random_below(300);
            const char *value = dice == 0    ? pool[random_below(POOL)]
                                : dice < 100 ? also
                                             : usual;
            used += (size_t)sprintf(text + used, "%s,%d\n", value, row);
            if (strcmp(value, "NA") == 0 || value[0] == '\0') continue;
            any = true;
            for (int i = 0; i < 6; i++) can[i] &= oracle_is(order[i], value);
        }
        int expected = 0;
        while (!can[expected]) expected++;
        expected = any ? order[expected] : MILL_FLOAT64;
        struct reading whole = read_bytes(text, used, NULL);
        int type = type_of(&whole, 0) == MILL_DICTIONARY ? MILL_UTF8 : type_of(&whole, 0);
        CHECK_SAYING(type == expected, "%s, expected %s, of\n%s",
                     mill_type_name((enum mill_type)type),
                     mill_type_name((enum mill_type)expected), text);
        int threads = 0;
        struct mill_csv_options options = {.chunk = 1 + random_below(200),
                                           .parallel = round % 8 ? NULL : four_threads,
                                           .with = &threads};
        struct reading parts = read_bytes(text, used, &options);
        CHECK(same(&whole, &parts));
        done(&whole);
        done(&parts);
    }
}

/* A valid file, damaged: whatever it says now, it says the same in any chunks, and nothing is
 * read outside (the sanitizers watch). */
static void damaged_files_read_alike_in_any_chunks(void)
{
    static const char original[] =
        "date,open,name,\"note, long\",flag,when\n"
        "2018-02-07,15.07,AAL,\"plain\",true,2018-02-07T10:00:00Z\n"
        "2018-02-08,14.89,AAL,\"two\nlines\",false,2018-02-07 10:00:00.25+08:00\n"
        "2018/02/09,,\"\xE4\xB8\xAD\xE6\x96\x87\",\"say \"\"hi\"\"\",NA,\n"
        "20180210,1e5,BBB,5\" pipe,TRUE,2018-02-07\r\n"
        "2018-02-11,-inf,BBB,,true,20180207T100000\n\n";
    static const char bytes[] = ",,\"\"\n\r;0159.-+eEx\xE4\xFF NA\t";
    static const struct mill_csv_type types[] = {{"open", MILL_FLOAT32}, {"date", MILL_DATE}};
    static const char *const encodings[] = {NULL, NULL, "GBK", "UTF-16LE"};
    for (int round = 0; round < 4000; round++) {
        char text[sizeof original + 8];
        size_t size = sizeof original - 1;
        memcpy(text, original, size);
        for (uint32_t left = random_below(4); left > 0; left--) {
            uint32_t at = random_below((uint32_t)size);
            switch (random_below(3)) {
            case 0:
                text[at] = bytes[random_below(sizeof bytes - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, --size - at);
                break;
            default:
                memmove(text + at + 1, text + at, size++ - at);
                text[at] = bytes[random_below(sizeof bytes - 1)];
            }
        }
        int threads = 0;
        struct mill_csv_options options = {.types = types,
                                           .type_count = (int)random_below(3),
                                           .encoding = encodings[random_below(4)]};
        struct reading whole = read_bytes(text, size, &options);
        options.chunk = 1 + random_below(100);
        struct reading parts = read_path(path, &options);
        options.parallel = round % 8 ? NULL : four_threads;
        options.with = &threads;
        options.chunk = 1 + random_below(100);
        struct reading shared = read_path(path, &options);
        CHECK_SAYING(same(&whole, &parts) && same(&whole, &shared), "%s / %s / %s of\n%.*s",
                     whole.error, parts.error, shared.error, (int)size, text);
        CHECK(whole.status == TIDEMILL_OK || whole.status == TIDEMILL_DATA);
        CHECK(strchr(whole.error, '\n') == NULL);
        done(&whole);
        done(&parts);
        done(&shared);
    }
}

/* ---- kernels --------------------------------------------------------------------------- */

/* Starts of rows, one character at a time; returns how many. */
static int oracle_starts(const char *text, size_t size, size_t *starts)
{
    int count = 0;
    bool quoted = false, opens = true;
    for (size_t i = 0; i < size; i++) {
        if (opens && !quoted && (i == 0 || text[i - 1] == '\n')) starts[count++] = i;
        if (text[i] == '"' && opens) {
            quoted = true;
        } else if (text[i] == '"' && quoted) {
            if (i + 1 < size && text[i + 1] == '"') {
                i++;
            } else {
                quoted = false;
            }
        }
        opens = !quoted && (text[i] == ',' || text[i] == '\n');
    }
    return count;
}

static void rows_start_where_the_oracle_says_and_nothing_is_read_outside(void)
{
    static const char letters[] = ",,\n\n\"\"x\r";
    for (int round = 0; round < 20000; round++) {
        size_t size = random_below(round % 2 ? 30 : 200), starts[201], at, where;
        int quotes = round % 3 > 0;
        char *text = malloc(size ? size : 1);
        for (size_t i = 0; i < size; i++) {
            do text[i] = letters[random_below(sizeof letters - 1)];
            while (!quotes && text[i] == '"');
        }
        int count = oracle_starts(text, size, starts);
        int64_t rows = mill_csv_count_rows(text, size, ',', quotes);
        CHECK_SAYING(rows == count, "%lld rows, expected %d, of\n%.*s", (long long)rows, count,
                     (int)size, text);
        for (size_t target = 0; target <= size; target++) {
            int next = 0, from = (int)random_below((uint32_t)count + 1);
            while (next < count && starts[next] < target) next++;
            if (from >= next) from = 0;
            at = mill_csv_row_start(text, size, count ? starts[from] : 0, target, ',', quotes);
            CHECK_SAYING(at == (next < count ? starts[next] : size), "from %zu to %zu of\n%.*s",
                         starts[from], target, (int)size, text);
        }
        /* Both ways to index say the same of text without quotes. */
        struct mill_csv_cell cells[2][400];
        enum mill_csv_fault faults[2];
        size_t ends[2] = {0, 0};
        int64_t columns = 1 + random_below(3), room = 1 + random_below(100), got[2];
        for (int i = quotes; i < 2; i++) {
            got[i] = mill_csv_index(text, size, &ends[i], ',', i, columns, room, cells[i],
                                    &faults[i], &where);
        }
        if (!quotes) {
            CHECK(got[0] == got[1] && faults[0] == faults[1] && ends[0] == ends[1]);
            CHECK(memcmp(cells[0], cells[1], (size_t)(got[0] * columns) * sizeof **cells) == 0);
        }
        for (int i = 0; i < count; i++) mill_csv_count_cells(text, size, starts[i], ',');
        free(text);
    }
}

/* The text in memory of just its size, so that a sanitizer sees every byte too far. */
static enum mill_csv_result exact_float64(const char *text, double *value)
{
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    enum mill_csv_result result = mill_csv_float64(copy, size, value);
    float narrow = 0;
    CHECK(mill_csv_float32(copy, size, &narrow) == result);
    if (result == MILL_CSV_GOOD) {
        float expected = strtof(text, NULL);
        CHECK_SAYING(memcmp(&narrow, &expected, 4) == 0 || isnan(narrow),
                     "%s as a float gives %a", text, (double)narrow);
    }
    free(copy);
    return result;
}

static void check_number(const char *text)
{
    double value = -1, expected = strtod(text, NULL);
    CHECK_SAYING(exact_float64(text, &value) == MILL_CSV_GOOD, "%s is a number", text);
    CHECK_SAYING(memcmp(&value, &expected, 8) == 0, "%s gives %a, expected %a", text, value,
                 expected);
}

static void numbers_are_rounded_correctly(void)
{
    static const char *const hard[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "+1.5",
        ".5",
        "5.",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.0000000000000000000000000000000001",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "14216.040038999998",
        "18446744073709551615",
        "1844674407370955161.5",
        "99999999999999999999e-19",
        "0.000000000000000000000000000001",
        "123456789012345678901234567890",
        "3.4028235677973366e38",
        "1.1754943508222875e-38",
        "7.006492321624085e-46",
        "1e-46",
        "0.1",
        "16777217",
        "16777219.0000000000000000001",
        "8388608.5000000000000000000000001",
        "1e999999999999999999999",
        "1e-999999999999999999999",
        "0e999999999999999999999",
        "00000000000000000000000000000000000001.5e0000000000000000001",
        "1.00000011920928955078125",
        "179769313486231580793728971405301e276"};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) check_number(hard[i]);
    char text[1400];
    for (int i = 0; i < 300000; i++) {
        /* Up to 22 digits with a point anywhere, an exponent now and then. */
        int used = 0, digits = 1 + (int)random_below(i % 3 ? 10 : 22);
        int point = (int)random_below((uint32_t)digits + 2) - 1;
        if (random_below(4) == 0) text[used++] = "+-"[random_below(2)];
        for (int d = 0; d < digits; d++) {
            if (d == point) text[used++] = '.';
            text[used++] = (char)('0' + random_below(10));
        }
        text[used] = '\0';
        if (random_below(8) == 0) {
            sprintf(text + used, "e%d", (int)random_below(80) - 40);
        } else if (random_below(40) == 0) {
            sprintf(text + used, "E%+d", (int)random_below(700) - 350);
        }
        check_number(text);
    }
    for (int i = 0; i < 2000; i++) {
        /* Ties and their neighbours: the middle of two doubles, with its digits in full. */
        uint64_t bits = (uint64_t)random_below(2000) << 52 | random_state >> 12;
        double low;
        memcpy(&low, &bits, 8);
        double high = nextafter(low, INFINITY);
        snprintf(text, sizeof text, "%.1100Lf", ((long double)low + (long double)high) / 2);
        size_t size = strlen(text);
        check_number(text);
        strcpy(text + size, "1");
        check_number(text);
    }
}

static void what_is_no_number_is_refused(void)
{
    static const char *const wrong[] = {
        "",          "+",           "-",      ".",    "-.",   "e5",  ".e5", "1e",
        "1e+",       "1.2.3",       "1 2",    "x",    "0x10", "1,5", "--1", "+-1",
        "1e5.",      "infi",        "nan(1)", "1f",   "1_0",  "..",  "1/",  "1:",
        "12345678x", "1234567890x", "1\xB2",  "inf ", "1.e"};
    double value = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_SAYING(exact_float64(wrong[i], &value) == MILL_CSV_BAD, "\"%s\" is no number",
                     wrong[i]);
    }
    CHECK(value == 7);
    CHECK(exact_float64("-Inf", &value) == MILL_CSV_GOOD && value == -INFINITY);
    CHECK(exact_float64("INFINITY", &value) == MILL_CSV_GOOD && value == INFINITY);
    CHECK(exact_float64("-NaN", &value) == MILL_CSV_GOOD && isnan(value));
}

static void integers_agree_with_strtoll(void)
{
    char text[32], *copy = malloc(32);
    for (int i = 0; i < 200000; i++) {
        int used = 0, digits = 1 + (int)random_below(20);
        if (random_below(3) == 0) text[used++] = "+-"[random_below(2)];
        for (int d = 0; d < digits; d++) text[used++] = (char)('0' + random_below(10));
        if (random_below(20) == 0) text[random_below((uint32_t)used)] = (char)random_below(256);
        text[used] = '\0';
        int64_t value = 0;
        uint64_t natural = 0;
        copy = realloc(copy, (size_t)used);
        memcpy(copy, text, (size_t)used);
        enum mill_csv_result result = mill_csv_int64(copy, (size_t)used, &value);
        enum mill_csv_result positive = mill_csv_uint64(copy, (size_t)used, &natural);
        size_t sign = text[0] == '-' || text[0] == '+';
        bool number = text[sign] && strspn(text + sign, "0123456789") == (size_t)used - sign;
        errno = 0;
        long long expected = strtoll(text, NULL, 10);
        bool fits = errno == 0;
        CHECK_SAYING(result == (!number ? MILL_CSV_BAD
                                : fits  ? MILL_CSV_GOOD
                                        : MILL_CSV_RANGE),
                     "%s", text);
        if (result == MILL_CSV_GOOD) CHECK_SAYING(value == expected, "%s", text);
        errno = 0;
        unsigned long long large = strtoull(text, NULL, 10);
        fits = errno == 0 && (text[0] != '-' || large == 0);
        CHECK_SAYING(positive == (!number ? MILL_CSV_BAD
                                  : fits  ? MILL_CSV_GOOD
                                          : MILL_CSV_RANGE),
                     "%s", text);
        if (positive == MILL_CSV_GOOD) CHECK_SAYING(natural == large, "%s", text);
    }
    free(copy);
}

static void every_day_has_its_number(void)
{
    int32_t previous = 0, days;
    bool first = true;
    for (int year = 1; year <= 9999; year += year > 1890 && year < 2110 ? 1 : 37) {
        for (int month = 0; month <= 13; month++) {
            for (int day = 0; day <= 32; day++) {
                char text[3][40];
                struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
                struct tm copy = tm;
                int64_t seconds = timegm(&copy);
                bool exists = copy.tm_mon == tm.tm_mon && copy.tm_mday == tm.tm_mday;
                sprintf(text[0], "%04d-%02d-%02d", year, month, day);
                sprintf(text[1], "%04d%02d%02d", year, month, day);
                sprintf(text[2], "%04d/%d/%d", year, month, day);
                for (int i = 0; i < 3; i++) {
                    bool good = mill_csv_date(text[i], strlen(text[i]), &days) == MILL_CSV_GOOD;
                    CHECK_SAYING(good == exists, "%s", text[i]);
                    if (good) CHECK_SAYING(days * (int64_t)86400 == seconds, "%s", text[i]);
                }
                if (exists && year > 1891 && year < 2110) {
                    CHECK(first || days == previous + 1);
                    previous = days;
                    first = false;
                }
            }
        }
    }
    CHECK(mill_csv_date("2018-02-07 ", 11, &days) == MILL_CSV_BAD);
    CHECK(mill_csv_date("2018-02/07", 10, &days) == MILL_CSV_BAD);
    CHECK(mill_csv_date("0000-01-01", 10, &days) == MILL_CSV_BAD);
    CHECK(mill_csv_date("201802", 6, &days) == MILL_CSV_BAD);
}

static void timestamps_are_microseconds_in_utc(void)
{
    static const struct {
        const char *text;
        int64_t microseconds;
    } good[] = {{"1970-01-01", 0},
                {"1970-01-01T00:00", 0},
                {"1970-01-01 00:00:01", 1000000},
                {"1969-12-31T23:59:59.5Z", -500000},
                {"1970-01-01t08:00:00.000001+08:00", 1},
                {"1970-01-01T08:00+0800", 0},
                {"1970-01-01 00:00:00 -01", 3600000000},
                {"19700101T000102", 62000000},
                {"1970/01/01 00:00:00,1234567z", 123456},
                {"1970-01-01T00:00:00-00:30", 1800000000},
                {"2018-02-07T23:59:59.999999Z", (17570 * 86400LL) * 1000000 - 1}};
    static const char *const bad[] = {"1970-01-01T",
                                      "1970-01-01T1:00",
                                      "1970-01-01T24:00",
                                      "1970-01-01T00:60",
                                      "1970-01-01T00:00:60",
                                      "1970-01-01T00:00:00.",
                                      "1970-01-01T00:00+24:00",
                                      "1970-01-01T00:00Zz",
                                      "1970-01-01  00:00",
                                      "1970-01-01X00:00",
                                      "1970-01-01T00:00 ",
                                      "1970-01-01T00:00+08:",
                                      "1970-02-29T00:00"};
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *text = good[i].text;
        CHECK_SAYING(mill_csv_timestamp(text, strlen(text), &value) == MILL_CSV_GOOD &&
                         value == good[i].microseconds,
                     "%s", text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_SAYING(mill_csv_timestamp(bad[i], strlen(bad[i]), &value) == MILL_CSV_BAD, "%s",
                     bad[i]);
    }
}

/* iconv as the oracle: it names the first byte that is not UTF-8 too. */
static void utf8_is_checked_as_iconv_does(void)
{
    static const char *const pieces[] = {
        "ascii, long enough that blocks of sixty-four are taken",
        "\xC3\xA9",
        "\xE4\xB8\xAD",
        "\xF0\x9F\x8C\x99",
        "\xC0\x80",
        "\xE0\x80\x80",
        "\xED\xA0\x80",
        "\xF4\x90\x80\x80",
        "\xF0\x80\x80\x80",
        "\x80",
        "\xFF",
        "\xE4\xB8",
        "\xF4\x8F\xBF\xBF",
        "a"};
    iconv_t converter = iconv_open("UTF-32LE", "UTF-8");
    for (int round = 0; round < 20000; round++) {
        char text[600], out[4000];
        size_t used = 0;
        for (uint32_t left = random_below(7); left > 0; left--) {
            uint32_t kind = random_below(3) ? random_below(4) : random_below(14);
            used += (size_t)sprintf(text + used, "%s", pieces[kind]);
        }
        char *copy = malloc(used + 1), *in = text, *to = out;
        memcpy(copy, text, used);
        copy = realloc(copy, used ? used : 1);
        size_t left = used, room = sizeof out;
        iconv(converter, NULL, NULL, NULL, NULL);
        iconv(converter, &in, &left, &to, &room);
        CHECK_SAYING(mill_csv_utf8_prefix(copy, used) == used - left, "%zu, expected %zu",
                     mill_csv_utf8_prefix(copy, used), used - left);
        free(copy);
    }
    iconv_close(converter);
}

/* ---- real files ------------------------------------------------------------------------ */

#define REAL "../shared/data/"

static bool have(const char *name)
{
    return access(name, R_OK) == 0;
}

static void five_years_of_the_us_market_are_as_known(void)
{
    static const char file[] = REAL "us_stocks/all_stocks_5yr.csv.gz";
    if (!have(file)) SKIP("no " REAL);
    struct reading r = read_path(file, NULL);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.rows == 619040 && r.csv.columns == 7);
    if (r.csv.columns != 7) return;
    static const int types[] = {MILL_DATE,    MILL_FLOAT64, MILL_FLOAT64,   MILL_FLOAT64,
                                MILL_FLOAT64, MILL_INT64,   MILL_DICTIONARY};
    static const int nulls[] = {0, 11, 8, 8, 0, 0, 0};
    for (int i = 0; i < 7; i++) {
        CHECK(r.csv.arrays[i]->type == types[i]);
        CHECK(r.csv.arrays[i]->nulls == nulls[i]);
    }
    CHECK(r.csv.arrays[6]->dictionary->length == 505);
    CHECK(cell_is(&r, 6, 0, "AAL"));
    int64_t volume = 0;
    double close = 0;
    for (int64_t i = 0; i < r.csv.rows; i++) {
        volume += ((int64_t *)r.csv.arrays[5]->values)[i];
        close += ((double *)r.csv.arrays[4]->values)[i];
    }
    CHECK(volume == 2675381554793);
    CHECK_SAYING(fabs(close - 51407410.9019) < 1e-3, "close sum %.6f", close);
    int threads = 0;
    struct mill_csv_options options = {
        .chunk = 100000, .parallel = four_threads, .with = &threads};
    struct reading shared = read_path(file, &options);
    CHECK(threads > 0 && same(&r, &shared));
    CHECK(mill_hash_equal(r.csv.hash, shared.csv.hash));
    done(&r);
    done(&shared);
}

static void chinese_files_are_as_known(void)
{
    if (!have(REAL "cn_stocks/README.md")) SKIP("no " REAL);
    struct reading r = read_path(REAL "cn_stocks/a_share/sh.600340.csv", NULL);
    CHECK(r.csv.rows == 4071 && r.csv.columns == 6);
    CHECK_TEXT(r.csv.names[1], "high");
    CHECK(type_of(&r, 5) == MILL_INT64 && r.csv.arrays[5]->nulls == 5);
    done(&r);
    struct mill_csv_options gbk = {.encoding = "GBK"};
    r = read_path(REAL "cn_stocks/index/csi300_000300_gbk.csv", &gbk);
    CHECK_TEXT(r.error, "");
    CHECK(r.csv.rows == 4556 && r.csv.columns == 15);
    CHECK_TEXT(r.csv.names[0], "\u65e5\u671f");
    CHECK(type_of(&r, 0) == MILL_DATE && cell_is(&r, 1, 0, "'000300"));
    CHECK(cell_is(&r, 2, 0, "\u6caa\u6df1300"));
    done(&r);
    r = read_path(REAL "cn_stocks/index/csi300_000300_gbk.csv", NULL);
    CHECK(r.status == TIDEMILL_DATA && strstr(r.error, ".csv:1: bytes that are not UTF-8"));
    done(&r);
    r = read_path(REAL "cn_stocks/index/HSI.csv", NULL);
    CHECK(r.csv.rows == 3688 && r.csv.columns == 8);
    CHECK_TEXT(r.csv.names[0], "");
    CHECK(((double *)r.csv.arrays[2]->values)[0] == 14216.040038999998);
    done(&r);
}

int main(void)
{
    /* Thousands of small files: in memory where there is such a folder. */
    snprintf(folder, sizeof folder, "%s/tidemill-csv-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/prices.csv", folder);
    random_state = check_seed();
    RUN(quoted_cells_hold_delimiters_newlines_and_quotes);
    RUN(bom_crlf_and_a_missing_last_newline_change_nothing);
    RUN(the_header_shows_the_delimiter);
    RUN(a_header_without_rows_is_a_table_without_rows);
    RUN(an_unnamed_column_has_an_empty_name);
    RUN(a_type_is_the_first_that_every_cell_can_have);
    RUN(text_that_repeats_is_a_dictionary);
    RUN(a_late_surprise_widens_the_whole_column);
    RUN(missing_cells_are_null_and_nan_or_zero);
    RUN(a_column_of_missing_text_stays_text);
    RUN(text_that_was_asked_for_is_missing_only_when_empty);
    RUN(types_that_are_asked_for_are_kept);
    RUN(date_format_orders_days_and_times);
    RUN(columns_are_chosen_in_the_order_asked);
    RUN(an_encoding_is_turned_into_utf8);
    RUN(errors_name_file_line_column_and_what_was_expected);
    RUN(wrong_options_are_refused);
    RUN(the_first_error_wins);
    RUN(bad_bytes_explain_a_bad_cell);
    RUN(any_soup_of_characters_reads_as_the_oracle_says);
    RUN(what_was_written_is_read_back);
    RUN(inference_agrees_with_the_oracle_in_any_chunks);
    RUN(damaged_files_read_alike_in_any_chunks);
    RUN(rows_start_where_the_oracle_says_and_nothing_is_read_outside);
    RUN(numbers_are_rounded_correctly);
    RUN(what_is_no_number_is_refused);
    RUN(integers_agree_with_strtoll);
    RUN(every_day_has_its_number);
    RUN(timestamps_are_microseconds_in_utc);
    RUN(utf8_is_checked_as_iconv_does);
    RUN(five_years_of_the_us_market_are_as_known);
    RUN(chinese_files_are_as_known);
    unlink(path);
    rmdir(folder);
    return check_end();
}
