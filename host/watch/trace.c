/* trace: what each worker did, and when, as a file for Perfetto and chrome://tracing.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/pages.h"

enum {
    CHUNK_BYTES = 1 << 21, /* a huge page */
    MAX_NAMES = 1 << 16,
    MAX_NAME = 200, /* bytes of a name; the rest is cut */
    FIRST_SERIALS = 256,
    MAX_SERIALS = 1 << 16,
    MAX_WHYS = 16,
    STATES =
        256, /* an argument of a task is its state, and so many times the place of the why, from 1 */
};

struct kind {
    const char *name;     /* also its category */
    const char *argument; /* NULL: it has none */
};

static const struct kind event_kinds[MILL_TRACE_KINDS] = {
    [MILL_TRACE_TASK] = {"task", "state"},      [MILL_TRACE_HIT] = {"cache hit", NULL},
    [MILL_TRACE_STEAL] = {"steal", "from"},     [MILL_TRACE_SLEEP] = {"sleep", NULL},
    [MILL_TRACE_WAIT] = {"wait", "state"},      [MILL_TRACE_RETRY] = {"retry", "attempt"},
    [MILL_TRACE_SPILL] = {"spill", "bytes"},    [MILL_TRACE_PAUSE] = {"pause", "used"},
    [MILL_TRACE_GO_ON] = {"go on", "used"},     [MILL_TRACE_RUN] = {"script", NULL},
    [MILL_TRACE_KILL] = {"process gone", NULL},
};

/* Names 0 to MILL_TRACE_KINDS - 1 are those of the kinds; then one for what found no room. */
enum { NAME_OTHER = MILL_TRACE_KINDS, FIRST_NAME };

struct event {
    int64_t begin, end, argument;
    uint32_t name;
    uint8_t kind;
};

_Static_assert(sizeof(struct event) <= 32, "an event takes half a cache line");

struct chunk {
    struct chunk *_Atomic next;
    _Atomic uint32_t count; /* stored with release behind the event: readers acquire it */
    uint32_t room;
    struct event events[];
};

enum { CHUNK = (CHUNK_BYTES - sizeof(struct chunk)) / sizeof(struct event) };

struct known_function {
    uint32_t serial, name; /* serial 0: empty */
};

struct lane {
    _Alignas(64) struct chunk *last;
    int64_t left;                 /* events that still fit */
    struct known_function *known; /* function serial number -> name: open addressing */
    uint32_t known_room, known_count;
    const char *title; /* NULL: by its number, and it has one task at a time */
    struct chunk *_Atomic first;
    _Atomic int64_t left_out;
};

struct mill_trace {
    int64_t began, cap;
    int64_t wall; /* CLOCK_REALTIME at `began` */
    int lane_count;
    struct lane *lanes;
    pthread_mutex_t script; /* guards lane 0 */
    const char *const *states;
    int state_count;
    const char *_Atomic whys[MAX_WHYS]; /* set once each: acquire pairs with release */
    pthread_mutex_t names_lock;
    char **names; /* MAX_NAMES pointers, which never move; [i] is there for whoever has i */
    uint32_t name_count; /* guarded by names_lock */
    uint32_t *slots;     /* hash table of 2 * MAX_NAMES ids, 0: empty; guarded by names_lock */
};

/* ---- making and freeing ------------------------------------------------------------------ */

static bool make_parts(struct mill_trace *trace)
{
    size_t size = (size_t)trace->lane_count * sizeof *trace->lanes;
    trace->lanes = aligned_alloc(64, size);
    if (trace->lanes) memset(trace->lanes, 0, size);
    trace->names = calloc(MAX_NAMES, sizeof *trace->names);
    trace->slots = calloc(2 * MAX_NAMES, sizeof *trace->slots);
    if (!trace->lanes || !trace->names || !trace->slots) return false;
    for (int i = 0; i < trace->lane_count; i++) trace->lanes[i].left = trace->cap;
    return true;
}

struct mill_trace *mill_trace_new(int workers, int64_t cap)
{
    struct mill_trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL) return NULL;
    trace->began = mill_clock_now();
    trace->wall = mill_clock_wall();
    trace->cap = cap;
    trace->lane_count = workers + 1;
    trace->name_count = FIRST_NAME;
    pthread_mutex_init(&trace->script, NULL);
    pthread_mutex_init(&trace->names_lock, NULL);
    if (make_parts(trace)) return trace;
    mill_trace_free(trace);
    return NULL;
}

static void free_lane(struct lane *lane)
{
    for (struct chunk *chunk = atomic_load(&lane->first), *next; chunk; chunk = next) {
        next = atomic_load(&chunk->next);
        free(chunk);
    }
    free(lane->known);
}

void mill_trace_free(struct mill_trace *trace)
{
    if (trace == NULL) return;
    for (int i = 0; trace->lanes && i < trace->lane_count; i++) free_lane(&trace->lanes[i]);
    for (uint32_t i = FIRST_NAME; trace->names && i < trace->name_count; i++) {
        free(trace->names[i]);
    }
    free(trace->lanes);
    free(trace->names);
    free(trace->slots);
    pthread_mutex_destroy(&trace->script);
    pthread_mutex_destroy(&trace->names_lock);
    free(trace);
}

void mill_trace_states(struct mill_trace *trace, const char *const *names, int count)
{
    trace->states = names;
    trace->state_count = count;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Bytes of a name that are kept: whole characters. */
static size_t kept_of(const char *name)
{
    size_t size = strnlen(name, MAX_NAME + 1);
    if (size <= MAX_NAME) return size;
    size = MAX_NAME;
    while (size > MAX_NAME - 4 && ((unsigned char)name[size] & 0xC0) == 0x80) size--;
    return size;
}

/* Under names_lock. */
static uint32_t add_name(struct mill_trace *trace, const char *name, size_t size)
{
    if (trace->name_count == MAX_NAMES) return NAME_OTHER;
    char *copy = strndup(name, size);
    if (copy == NULL) return NAME_OTHER;
    trace->names[trace->name_count] = copy;
    return trace->name_count++;
}

static uint32_t intern(struct mill_trace *trace, const char *name)
{
    size_t size = kept_of(name);
    uint32_t mask = 2 * MAX_NAMES - 1, slot = (uint32_t)mill_hash_bytes(name, size).low & mask;
    pthread_mutex_lock(&trace->names_lock);
    uint32_t id;
    for (;; slot = (slot + 1) & mask) { /* half of the table stays empty */
        id = trace->slots[slot];
        if (id == 0) break;
        if (strncmp(trace->names[id], name, size) == 0 && trace->names[id][size] == '\0') break;
    }
    if (id == 0) {
        id = add_name(trace, name, size);
        if (id != NAME_OTHER) trace->slots[slot] = id;
    }
    pthread_mutex_unlock(&trace->names_lock);
    return id;
}

/* Where a serial number is, or would be. */
static struct known_function *find_known(const struct lane *lane, uint32_t serial)
{
    uint32_t mask = lane->known_room - 1, i = serial * 2654435769u & mask;
    while (lane->known[i].serial != serial && lane->known[i].serial != 0) i = (i + 1) & mask;
    return &lane->known[i];
}

/* Makes the table larger, or empties it when it has its full size; false: there is none. */
static bool make_known_room(struct lane *lane)
{
    struct lane grown = *lane;
    grown.known_room = lane->known_room ? 2 * lane->known_room : FIRST_SERIALS;
    if (grown.known_room > MAX_SERIALS) {
        memset(lane->known, 0, lane->known_room * sizeof *lane->known);
        lane->known_count = 0;
        return true;
    }
    grown.known = calloc(grown.known_room, sizeof *grown.known);
    if (grown.known == NULL) return false;
    for (uint32_t i = 0; i < lane->known_room; i++) {
        struct known_function *known = &lane->known[i];
        if (known->serial) *find_known(&grown, known->serial) = *known;
    }
    free(lane->known);
    lane->known = grown.known;
    lane->known_room = grown.known_room;
    return true;
}

static uint32_t learn_name(struct mill_trace *trace, struct lane *lane, uint32_t serial,
                           const char *name)
{
    uint32_t id = intern(trace, name);
    if (serial == 0) return id;
    bool full = lane->known_count >= lane->known_room / 4 * 3;
    if (full && !make_known_room(lane)) return id;
    *find_known(lane, serial) = (struct known_function){serial, id};
    lane->known_count++;
    return id;
}

static inline uint32_t name_of(struct mill_trace *trace, struct lane *lane, uint32_t serial,
                               const char *name)
{
    if (lane->known && serial) {
        const struct known_function *known = find_known(lane, serial);
        if (known->serial == serial) return known->name;
    }
    return learn_name(trace, lane, serial, name);
}

/* ---- adding ------------------------------------------------------------------------------ */

/* Whole chunks ask for a huge page: small ones, taken one by one, cost more than the events. */
static struct chunk *new_chunk(size_t room)
{
    struct chunk *chunk;
    if (room < CHUNK) return malloc(sizeof *chunk + room * sizeof chunk->events[0]);
    return mill_pages_new(CHUNK_BYTES);
}

/* A further chunk; NULL: the lane is full, or there is no memory. */
static struct chunk *add_chunk(struct lane *lane)
{
    size_t room = lane->left < CHUNK ? (size_t)lane->left : CHUNK;
    struct chunk *chunk = room > 0 ? new_chunk(room) : NULL;
    if (chunk == NULL) return NULL;
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->count, 0);
    chunk->room = (uint32_t)room;
    atomic_store_explicit(lane->last ? &lane->last->next : &lane->first, chunk,
                          memory_order_release);
    lane->last = chunk;
    return chunk;
}

/* Where the lane's next event goes; NULL, and counted, when there is no room. */
static inline struct event *next_event(struct lane *lane)
{
    struct chunk *chunk = lane->last;
    if (chunk) {
        uint32_t used = atomic_load_explicit(&chunk->count, memory_order_relaxed);
        if (used < chunk->room) return &chunk->events[used];
    }
    chunk = add_chunk(lane);
    if (chunk) return &chunk->events[0];
    int64_t left_out = atomic_load_explicit(&lane->left_out, memory_order_relaxed);
    atomic_store_explicit(&lane->left_out, left_out + 1, memory_order_relaxed);
    return NULL;
}

static inline void publish(struct lane *lane)
{
    struct chunk *chunk = lane->last;
    uint32_t used = atomic_load_explicit(&chunk->count, memory_order_relaxed);
    atomic_store_explicit(&chunk->count, used + 1, memory_order_release);
    lane->left--;
}

void mill_trace_task(struct mill_trace *trace, int worker, uint32_t serial, const char *name,
                     enum mill_trace_kind kind, int64_t begin, int64_t end, int64_t argument)
{
    struct lane *lane = &trace->lanes[worker];
    if (worker == MILL_TRACE_SCRIPT) pthread_mutex_lock(&trace->script);
    struct event *event = next_event(lane);
    if (event) {
        uint32_t id = name ? name_of(trace, lane, serial, name) : (uint32_t)kind;
        *event = (struct event){begin, end, argument, id, (uint8_t)kind};
        publish(lane);
    }
    if (worker == MILL_TRACE_SCRIPT) pthread_mutex_unlock(&trace->script);
}

void mill_trace_event(struct mill_trace *trace, int worker, enum mill_trace_kind kind,
                      int64_t begin, int64_t end, int64_t argument)
{
    mill_trace_task(trace, worker, 0, NULL, kind, begin, end, argument);
}

int64_t mill_trace_count(const struct mill_trace *trace)
{
    int64_t count = 0;
    for (int i = 0; i < trace->lane_count; i++) {
        const struct chunk *chunk =
            atomic_load_explicit(&trace->lanes[i].first, memory_order_acquire);
        for (; chunk; chunk = atomic_load_explicit(&chunk->next, memory_order_acquire)) {
            count += atomic_load_explicit(&chunk->count, memory_order_acquire);
        }
    }
    return count;
}

int64_t mill_trace_why(struct mill_trace *trace, int state, const char *why)
{
    for (int i = 0; why && i < MAX_WHYS; i++) {
        const char *there = NULL;
        /* The default order: who finds it acquires what put it there. */
        if (atomic_compare_exchange_strong(&trace->whys[i], &there, why) || there == why) {
            return state + (int64_t)STATES * (i + 1);
        }
    }
    return state;
}

void mill_trace_title(struct mill_trace *trace, int worker, const char *title)
{
    if (worker < trace->lane_count) trace->lanes[worker].title = title;
}

int64_t mill_trace_left_out(const struct mill_trace *trace)
{
    int64_t count = 0;
    for (int i = 0; i < trace->lane_count; i++) {
        count += atomic_load_explicit(&trace->lanes[i].left_out, memory_order_relaxed);
    }
    return count;
}

/* ---- writing ----------------------------------------------------------------------------- */

static char *write_word(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static char *put_whole(char *at, int64_t number)
{
    char digits[20];
    int count = 0;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    if (number < 0) *at++ = '-';
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (count > 0) *at++ = digits[--count];
    return at;
}

/* Nanoseconds as microseconds with three decimals. */
static char *put_time(char *at, int64_t time)
{
    if (time < 0) *at++ = '-';
    uint64_t size = time < 0 ? -(uint64_t)time : (uint64_t)time;
    at = put_whole(at, (int64_t)(size / 1000));
    *at++ = '.';
    *at++ = (char)('0' + size / 100 % 10);
    *at++ = (char)('0' + size / 10 % 10);
    *at++ = (char)('0' + size % 10);
    return at;
}

static char *put_quoted(char *at, const char *word)
{
    *at++ = '"';
    at = write_word(at, word);
    *at++ = '"';
    return at;
}

/* How a task ended, and what more there is to tell. */
static char *put_task(char *at, const struct mill_trace *trace, int64_t argument)
{
    at = put_quoted(at, trace->states[argument % STATES]);
    int64_t why = argument / STATES - 1;
    if (why < 0 || why >= MAX_WHYS) return at;
    at = write_word(at, ",\"why\":");
    return put_quoted(at, atomic_load_explicit(&trace->whys[why], memory_order_acquire));
}

static char *write_argument(char *at, const struct mill_trace *trace, const struct event *event)
{
    const char *name = event_kinds[event->kind].argument;
    if (name == NULL) return at;
    at = write_word(at, ",\"args\":{\"");
    at = write_word(at, name);
    at = write_word(at, "\":");
    if (event->kind == MILL_TRACE_WAIT) return write_word(at, "\"waits\"}");
    bool state = event->kind == MILL_TRACE_TASK && event->argument >= 0 &&
                 event->argument % STATES < trace->state_count;
    if (state) {
        at = put_task(at, trace, event->argument);
    } else {
        at = put_whole(at, event->argument);
    }
    return write_word(at, "}");
}

static const char *text_of(const struct mill_trace *trace, uint32_t id)
{
    if (id < MILL_TRACE_KINDS) return event_kinds[id].name;
    return id == NAME_OTHER ? "(other)" : trace->names[id];
}

/* What all objects of an event have, from its phase on. */
static char *write_common(char *at, const struct mill_trace *trace, const char *phase, int lane,
                          const struct event *event)
{
    const char *name = text_of(trace, event->name);
    at = write_word(at, ",\n{\"ph\":");
    at = write_word(at, phase);
    at = write_word(at, ",\"pid\":1,\"tid\":");
    at = put_whole(at, lane);
    at = write_word(at, ",\"name\":");
    at += mill_json_text(at, name, strlen(name));
    at = write_word(at, ",\"cat\":\"");
    at = write_word(at, event_kinds[event->kind].name);
    return write_word(at, "\",\"ts\":");
}

/* A span as a beginning and an end with a number of their own. */
static char *write_pair(char *at, const struct mill_trace *trace, int lane,
                        const struct event *event, int64_t number)
{
    at = write_common(at, trace, "\"b\"", lane, event);
    at = put_time(at, event->begin - trace->began);
    at = write_word(at, ",\"id\":");
    at = put_whole(at, number);
    at = write_argument(at, trace, event);
    at = write_word(at, "}");
    at = write_common(at, trace, "\"e\"", lane, event);
    at = put_time(at, event->end - trace->began);
    at = write_word(at, ",\"id\":");
    at = put_whole(at, number);
    return write_word(at, "}");
}

static char *write_single(char *at, const struct mill_trace *trace, int lane,
                          const struct event *event)
{
    bool moment = event->begin >= event->end;
    at = write_common(at, trace, moment ? "\"i\",\"s\":\"t\"" : "\"X\"", lane, event);
    at = put_time(at, event->begin - trace->began);
    if (!moment) {
        at = write_word(at, ",\"dur\":");
        at = put_time(at, event->end - event->begin);
    }
    at = write_argument(at, trace, event);
    return write_word(at, "}");
}

static bool is_of_task(const struct event *event)
{
    return event->kind == MILL_TRACE_TASK || event->kind == MILL_TRACE_RETRY;
}

/* `number`: which event of the lane it is. */
static void write_event(struct mill_aside *aside, const struct mill_trace *trace, int lane,
                        const struct event *event, int64_t number)
{
    char line[2 * MILL_JSON_ROOM(MAX_NAME) + 1024];
    bool pair = trace->lanes[lane].title && is_of_task(event) && event->begin < event->end;
    char *end = pair ? write_pair(line, trace, lane, event, number * trace->lane_count + lane)
                     : write_single(line, trace, lane, event);
    mill_aside_put(aside, line, (size_t)(end - line));
}

static void write_lane_name(struct mill_aside *aside, const struct mill_trace *trace, int lane)
{
    char line[256], name[32] = "script";
    const char *title = trace->lanes[lane].title;
    if (lane > 0) snprintf(name, sizeof name, "worker %d", lane);
    if (title) snprintf(name, sizeof name, "%s", title);
    int size = snprintf(line, sizeof line,
                        ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_name\","
                        "\"args\":{\"name\":\"%s\"}},\n"
                        "{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_sort_index\","
                        "\"args\":{\"sort_index\":%d}}",
                        lane, name, lane, lane);
    mill_aside_put(aside, line, (size_t)size);
}

static void write_lane(struct mill_aside *aside, const struct mill_trace *trace, int lane)
{
    const struct chunk *chunk =
        atomic_load_explicit(&trace->lanes[lane].first, memory_order_acquire);
    int64_t number = 0;
    if (chunk) write_lane_name(aside, trace, lane);
    for (; chunk; chunk = atomic_load_explicit(&chunk->next, memory_order_acquire)) {
        uint32_t count = atomic_load_explicit(&chunk->count, memory_order_acquire);
        for (uint32_t i = 0; i < count; i++) {
            write_event(aside, trace, lane, &chunk->events[i], number++);
        }
    }
}

static void write_head(struct mill_aside *aside, const struct mill_trace *trace)
{
    static const char process[] =
        "\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\","
        "\"args\":{\"name\":\"tidemill\"}}";
    char line[256], when[32];
    time_t seconds = (time_t)(trace->wall / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    int size = snprintf(line, sizeof line,
                        "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"started\":\"%s\","
                        "\"left_out\":%lld},\n",
                        when, (long long)mill_trace_left_out(trace));
    mill_aside_put(aside, line, (size_t)size);
    mill_aside_put(aside, process, sizeof process - 1);
}

tidemill_status mill_trace_write(struct mill_trace *trace, const char *path,
                                 struct mill_error *error)
{
    struct mill_aside *aside = malloc(sizeof *aside);
    if (aside == NULL) return mill_no_memory(error, "the trace's buffer");
    tidemill_status status = mill_aside_open(aside, path, error);
    if (status == TIDEMILL_OK) {
        write_head(aside, trace);
        for (int i = 0; i < trace->lane_count; i++) write_lane(aside, trace, i);
        mill_aside_put(aside, "\n]}\n", 4);
        status = mill_aside_close(aside, error);
    }
    free(aside);
    return status;
}
