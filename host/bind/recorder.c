/* recorder: what a person needs to trust a run.  SPDX-License-Identifier: MIT */
#include "bind/recorder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/room.h"
#include "cache/reads.h"

int64_t mill_recorder_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

struct mill_recorder *mill_recorder_new(void)
{
    struct mill_recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL) return NULL;
    pthread_mutex_init(&recorder->mutex, NULL);
    recorder->start = mill_recorder_now();
    return recorder;
}

static void forget_script(struct mill_recorder *recorder)
{
    free(recorder->script);
    for (int i = 0; i < recorder->argument_count; i++) free(recorder->arguments[i]);
    free(recorder->arguments);
    recorder->script = NULL;
    recorder->arguments = NULL;
    recorder->argument_count = 0;
}

void mill_recorder_free(struct mill_recorder *recorder)
{
    if (recorder == NULL) return;
    forget_script(recorder);
    for (size_t i = 0; i < recorder->count; i++) free(recorder->inputs[i].name);
    free(recorder->inputs);
    pthread_mutex_destroy(&recorder->mutex);
    free(recorder);
}

void mill_recorder_begin(struct mill_recorder *recorder, const char *script, const char *text,
                         size_t size, int argc, char **argv)
{
    forget_script(recorder);
    recorder->start = mill_recorder_now();
    recorder->script = strdup(script);
    recorder->hashed = text != NULL;
    if (text) recorder->script_hash = mill_hash_bytes(text, size);
    recorder->arguments = calloc((size_t)argc + 1, sizeof *recorder->arguments);
    for (int i = 0; recorder->arguments && i < argc; i++) {
        char *copy = strdup(argv[i]);
        if (copy) recorder->arguments[recorder->argument_count++] = copy;
    }
}

/* Under the mutex: where the input is, or belongs. */
static size_t input_position(const struct mill_recorder *recorder, char kind, const char *name,
                             bool *there)
{
    size_t first = 0, end = recorder->count;
    *there = false;
    while (first < end) {
        size_t middle = (first + end) / 2;
        const struct mill_input *input = &recorder->inputs[middle];
        int order = input->kind != kind ? input->kind - kind : strcmp(input->name, name);
        if (order == 0) *there = true;
        if (order < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static void insert_input(struct mill_recorder *recorder, size_t at, struct mill_input input)
{
    if (!mill_room_for_one(&recorder->inputs, recorder->count, &recorder->room,
                           sizeof *recorder->inputs, 64)) {
        free(input.name);
        return;
    }
    memmove(recorder->inputs + at + 1, recorder->inputs + at,
            (recorder->count - at) * sizeof *recorder->inputs);
    recorder->inputs[at] = input;
    recorder->count++;
}

void mill_recorder_note(struct mill_recorder *recorder, char kind, const char *name,
                        struct mill_hash hash)
{
    struct stat status;
    bool there;
    pthread_mutex_lock(&recorder->mutex);
    size_t at = input_position(recorder, kind, name, &there);
    if (!there) {
        struct mill_input input = {
            .kind = kind, .name = strdup(name), .hash = hash, .size = -1};
        if (kind == MILL_READ_FILE && stat(name, &status) == 0) input.size = status.st_size;
        if (input.name) insert_input(recorder, at, input);
    }
    pthread_mutex_unlock(&recorder->mutex);
}
