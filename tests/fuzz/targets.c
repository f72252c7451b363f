/* targets: the functions that fuzzing calls.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/manage.h"
#include "cache/object.h"
#include "data/array.h"
#include "data/codec.h"
#include "data/npy.h"
#include "fuzz.h"
#include "kernels/elementwise.h"
#include "kernels/fuse.h"
#include "kernels/random.h"
#include "kernels/reduce.h"

const struct fuzz_target fuzz_targets[FUZZ_TARGETS] = {
    {"value", fuzz_value},     {"file", fuzz_file}, {"export", fuzz_export},
    {"npy", fuzz_npy},         {"fuse", fuzz_fuse}, {"arrow", fuzz_arrow},
    {"message", fuzz_message}, {"news", fuzz_news}};

/* Bytes in memory of their own, so that a read beyond them is seen. */
static struct mill_buffer *buffer_of(const uint8_t *bytes, size_t size)
{
    struct mill_buffer *buffer = mill_buffer_new(NULL, size);
    if (buffer && size > 0) memcpy(buffer->data, bytes, size);
    return buffer;
}

void fuzz_value(const uint8_t *bytes, size_t size)
{
    struct mill_buffer *block = buffer_of(bytes, size);
    struct mill_value value;
    if (block && mill_codec_load(block, &value) == TIDEMILL_OK) {
        /* What loads can be looked at, and written again. */
        mill_value_hash(&value, NULL);
        struct mill_buffer *again = mill_codec_save(&value, NULL);
        mill_buffer_unref(again);
        mill_value_unref(value);
    }
    mill_buffer_unref(block);
}

enum { ROW = 8 + 1 + 16 };

/* Its row first: size, coding, sum; then the file. */
void fuzz_file(const uint8_t *bytes, size_t size)
{
    if (size < ROW) return;
    struct mill_object object = {.stored = (int64_t)(size - ROW), .data = bytes + ROW};
    memcpy(&object.size, bytes, 8);
    object.coding = bytes[8] & 3;
    memcpy(&object.sum, bytes + 9, 16);
    if (object.size < 0) return;
    ZSTD_DCtx *context = ZSTD_createDCtx();
    bool damaged;
    /* As it is, and as one who can make a right sum would forge it. */
    for (int forged = 0; forged < 2; forged++) {
        if (forged) object.sum = mill_object_sum(&object, object.data);
        mill_buffer_unref(mill_object_decode(&object, "", context, NULL, &damaged));
    }
    ZSTD_freeDCtx(context);
}

void fuzz_export(const uint8_t *bytes, size_t size)
{
    char folder[] = "/tmp/tidemill-fuzz-XXXXXX", path[64], file[64], command[96];
    if (mkdtemp(folder) == NULL) abort();
    snprintf(path, sizeof path, "%s/c.db", folder);
    snprintf(file, sizeof file, "%s/x", folder);
    FILE *out = fopen(file, "wb");
    if (out == NULL || (size > 0 && fwrite(bytes, 1, size, out) != size)) abort();
    fclose(out);
    struct mill_store_options options = {.path = path};
    struct mill_store *store;
    struct mill_error error;
    int64_t entries;
    if (mill_store_open(&options, &store, &error) != TIDEMILL_OK) abort();
    mill_store_import(store, file, &entries, &error);
    mill_store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) abort();
}

/* The header from memory of its own size, then the whole as a file in each way of reading it. */
void fuzz_npy(const uint8_t *bytes, size_t size)
{
    struct mill_buffer *block = buffer_of(bytes, size);
    struct mill_npy_header header;
    if (block == NULL) return;
    bool fine = mill_npy_parse("x", block->data, size, &header, NULL) == TIDEMILL_OK;
    mill_buffer_unref(block);
    if (!fine) return;
    int fd = memfd_create("npy", MFD_CLOEXEC);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    static const struct mill_npy_options ways[] = {
        {.map = MILL_NPY_COPY}, {.map = MILL_NPY_MAP}, {.rows = true, .first = 2, .last = -2}};
    for (int i = 0; i < 3; i++) {
        struct mill_array *array;
        if (mill_npy_read(path, &ways[i], &array, NULL) != TIDEMILL_OK) continue;
        mill_array_hash(array); /* each element is there */
        mill_array_unref(array);
    }
    close(fd);
}

enum { FUSE_INPUT = 1000 };

/* Runs a program that was found sound on two inputs, unless it is much work.  What it writes must
 * fit what its header says. */
static void run_program(const struct tidemill_fuse_program *program, void *const *inputs)
{
    int64_t places = 1, room = tidemill_kernel_fuse_scratch(program);
    int32_t count = program->outputs + program->reductions;
    for (int axis = 0; axis < program->dimensions; axis++) places *= program->shape[axis];
    int64_t results = program->outer * program->inner;
    if (places > 4096 || results > 4096 || room > 1 << 24 || count > 16) return;
    void *outputs[16], *scratch = aligned_alloc(64, (size_t)room);
    const struct tidemill_fuse_reduction *reduction =
        (const void *)((const char *)(program + 1) +
                       (size_t)program->leaves * sizeof(struct tidemill_fuse_leaf) +
                       (size_t)program->steps * sizeof(struct tidemill_fuse_step));
    for (int i = 0; i < count; i++) {
        int64_t cells = places;
        if (i >= program->outputs) {
            const struct tidemill_fuse_reduction *own = &reduction[i - program->outputs];
            cells = results * tidemill_kernel_reduce_planes(own->kind, own->type);
        }
        outputs[i] = malloc((size_t)cells * 8 + 1);
    }
    tidemill_kernel_fuse(program, (const void *const *)inputs, outputs, scratch);
    for (int i = 0; i < count; i++) free(outputs[i]);
    free(scratch);
}

void fuzz_fuse(const uint8_t *bytes, size_t size)
{
    const int64_t lengths[] = {FUSE_INPUT, FUSE_INPUT / 8};
    void *program = malloc(size ? size : 1); /* of its size, and aligned */
    void *inputs[] = {calloc(FUSE_INPUT, 8), calloc(FUSE_INPUT / 8, 8)};
    memcpy(program, bytes, size);
    if (tidemill_kernel_fuse_check(program, (int64_t)size, lengths, 2) == 0)
        run_program(program, inputs);
    free(inputs[0]);
    free(inputs[1]);
    free(program);
}

/* ---- what to begin with ------------------------------------------------------------------ */

static void write_file(const char *folder, const char *kind, const char *name,
                       const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) abort();
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    FILE *out = fopen(path, "wb");
    if (out == NULL || fwrite(bytes, 1, size, out) != size) abort();
    fclose(out);
}

static void seed_file(const char *corpus, const char *name, const uint8_t *bytes, size_t size)
{
    struct mill_object object;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    mill_object_encode(&object, (struct mill_hash){0}, bytes, size, context);
    uint8_t *all = malloc(ROW + (size_t)object.stored);
    memcpy(all, &object.size, 8);
    all[8] = (uint8_t)object.coding;
    memcpy(all + 9, &object.sum, 16);
    memcpy(all + ROW, object.data, (size_t)object.stored);
    write_file(corpus, "file", name, all, ROW + (size_t)object.stored);
    mill_object_fini(&object, true);
    ZSTD_freeCCtx(context);
    free(all);
}

static void seed_export(const char *corpus, struct mill_buffer *const *values, int count)
{
    char folder[] = "/tmp/tidemill-fuzz-XXXXXX", path[64], file[512], command[96];
    if (mkdtemp(folder) == NULL) abort();
    snprintf(path, sizeof path, "%s/c.db", folder);
    snprintf(file, sizeof file, "%s/export/some", corpus);
    struct mill_store_options options = {.path = path};
    struct mill_store *store;
    struct mill_error error;
    int64_t entries;
    if (mill_store_open(&options, &store, &error) != TIDEMILL_OK) abort();
    for (int i = 0; i < count; i++) {
        struct mill_put put = {.key = {.low = (uint64_t)i},
                               .content = {.high = (uint64_t)i},
                               .bytes = mill_buffer_ref(values[i]),
                               .task = "task",
                               .reads = "fname",
                               .reads_size = 5};
        mill_store_put(store, &put);
    }
    if (mill_store_export(store, NULL, file, &entries, &error) != TIDEMILL_OK) abort();
    mill_store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) abort();
}

static void seed_npy(const char *corpus, const char *name, enum mill_type type, int rows,
                     bool fortran)
{
    struct mill_array *array = mill_array_new(NULL, type, 4 * rows);
    size_t size = 4 * (size_t)rows * mill_type_size(type), item = type == MILL_DATE ? 8 : 0;
    char bytes[MILL_NPY_ROOM + 512] = {0};
    array->dimensions = 2;
    array->shape[0] = rows;
    array->shape[1] = 4;
    size_t before = mill_npy_format(array, bytes);
    char *order = memmem(bytes, before, "False", 5);
    if (fortran) memcpy(order, "True ", 5);
    for (size_t i = 0; i < size; i++) bytes[before + i] = (char)(i % 7);
    write_file(corpus, "npy", name, bytes, before + (item ? 4 * (size_t)rows * item : size));
    mill_array_unref(array);
}

/* x + y' and its sum over the rows; random, counted and constant leaves, cast to int32. */
static void seed_fuse(const char *corpus)
{
    struct {
        struct tidemill_fuse_program program;
        struct tidemill_fuse_leaf leaf[4];
        struct tidemill_fuse_step step[4];
        struct tidemill_fuse_reduction reduction[2];
    } p = {
        .program = {.dimensions = 2,
                    .leaves = 2,
                    .steps = 1,
                    .registers = 1,
                    .reductions = 1,
                    .shape = {20, 30},
                    .outer = 1,
                    .n = 20,
                    .inner = 30},
    };
    p.leaf[0] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_MEMORY, .type = TIDEMILL_FLOAT64, .stride = {30, 1}};
    p.leaf[1] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_MEMORY, .type = TIDEMILL_FLOAT64, .stride = {1, 20}};
    struct tidemill_fuse_step add = {TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, 0, 2, {0, 1, -1}, 0};
    struct tidemill_fuse_reduction sum = {TIDEMILL_REDUCE_SUM, TIDEMILL_FLOAT64, 2, 0, 1};
    char bytes[sizeof p], *at = bytes;
    at = mempcpy(at, &p.program, sizeof p.program);
    at = mempcpy(at, p.leaf, 2 * sizeof *p.leaf);
    at = mempcpy(at, &add, sizeof add);
    at = mempcpy(at, &sum, sizeof sum);
    write_file(corpus, "fuse", "transposed", bytes, (size_t)(at - bytes));

    p.program.leaves = 4;
    p.program.steps = 4;
    p.program.outputs = 1;
    p.program.reductions = 2;
    p.program.output_type[0] = TIDEMILL_INT32;
    p.leaf[1] = (struct tidemill_fuse_leaf){.kind = TIDEMILL_FUSE_RANDOM,
                                            .type = TIDEMILL_FLOAT64,
                                            .distribution = TIDEMILL_NORMAL,
                                            .b = 1,
                                            .stride = {30, 1}};
    p.leaf[2] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_INDEX, .type = TIDEMILL_FLOAT64, .b = 1, .stride = {30, 1}};
    p.leaf[3] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_CONSTANT, .type = TIDEMILL_FLOAT64, .a = 2};
    p.step[0] =
        (struct tidemill_fuse_step){TIDEMILL_OP_MUL, TIDEMILL_FLOAT64, 0, 4, {1, 3, -1}, 0};
    p.step[1] =
        (struct tidemill_fuse_step){TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, 0, 4, {4, 2, -1}, 0};
    p.step[2] =
        (struct tidemill_fuse_step){TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, 0, 4, {4, 0, -1}, 0};
    p.step[3] = (struct tidemill_fuse_step){
        TIDEMILL_FUSE_CAST, TIDEMILL_FLOAT64, TIDEMILL_INT32, 5, {4, -1, -1}, 0};
    p.reduction[0] =
        (struct tidemill_fuse_reduction){TIDEMILL_REDUCE_MOMENTS, TIDEMILL_FLOAT64, 4, 0, 0};
    p.reduction[1] =
        (struct tidemill_fuse_reduction){TIDEMILL_REDUCE_ARGMIN, TIDEMILL_INT32, 5, 0, 1};
    write_file(corpus, "fuse", "leaves", &p, sizeof p);
}

void fuzz_seed(const char *corpus)
{
    seed_fuse(corpus);
    fuzz_seed_message(corpus);
    seed_npy(corpus, "floats", MILL_FLOAT64, 3, false);
    seed_npy(corpus, "columns", MILL_INT16, 3, true);
    seed_npy(corpus, "dates", MILL_DATE, 3, false);
    seed_npy(corpus, "bools", MILL_BOOL, 5, false);
    bool failed = false;
    char text[6000];
    memset(text, 'x', sizeof text);
    struct mill_value values[] = {mill_nil(), mill_number(1.5),
                                  mill_string("short", 5, &failed),
                                  mill_string(text, sizeof text, &failed)};
    struct mill_buffer *saved[4];
    for (int i = 0; i < 4; i++) {
        char name[24];
        saved[i] = mill_codec_save(&values[i], NULL);
        snprintf(name, sizeof name, "value%d", i);
        write_file(corpus, "value", name, saved[i]->data, saved[i]->size);
        seed_file(corpus, name, saved[i]->data, saved[i]->size);
    }
    write_file(corpus, "export", "none", "", 0);
    seed_export(corpus, saved, 4);
    for (int i = 0; i < 4; i++) {
        mill_buffer_unref(saved[i]);
        mill_value_unref(values[i]);
    }
}
