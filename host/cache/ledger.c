/* ledger: what the cache remembers of each task name.
 *
 *     record    hash of the rest, then compressed: version 1, salt, parts, count, calls
 *     call      verdict, key, count of arguments, then hash and words of each
 *
 * SPDX-License-Identifier: MIT */
#include "cache/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "data/brief.h"

enum {
    RECORD_VERSION = 1,
    CALLS = 64,             /* remembered of a name */
    CALL_BYTES = 8 << 10,   /* of all of them */
    RECORD_LIMIT = 1 << 20, /* bytes of a record: one that says more is none */
    WORDS = 44,             /* bytes of an argument as text */
};

struct bytes {
    uint8_t *bytes; /* malloc'ed */
    size_t size;
};

struct calls { /* the newest last */
    struct bytes list[CALLS];
    int count;
    size_t size;
};

struct side { /* what was stored by some time */
    bool known;
    struct mill_hash salt;
    struct bytes parts;
    struct calls calls;
};

struct entry {
    struct entry *next;
    char *name;
    struct side past;               /* from the store */
    struct calls calls;             /* since then */
    struct mill_function *function; /* stored last; counted; NULL: none since then */
    struct mill_function *apart;    /* whose parts are in `parts`; counted */
    struct bytes parts;
    bool dirty;
};

struct mill_ledger {
    mill_parts_of *parts_of;
    void *context;
    pthread_mutex_t mutex;
    struct entry *entries; /* guarded by mutex, with all that hangs from it */
};

/* ---- bytes ------------------------------------------------------------------------------ */

static struct bytes take_bytes(struct mill_packer *packer)
{
    struct bytes bytes = {packer->bytes, packer->size};
    if (packer->failed) {
        mill_packer_fini(packer);
        return (struct bytes){NULL, 0};
    }
    packer->bytes = NULL;
    mill_packer_fini(packer);
    return bytes;
}

static struct bytes copy_bytes(const void *from, size_t size)
{
    struct bytes copy = {malloc(size ? size : 1), size};
    if (copy.bytes == NULL) return (struct bytes){NULL, 0};
    if (size) memcpy(copy.bytes, from, size);
    return copy;
}

static void free_bytes(struct bytes *bytes)
{
    free(bytes->bytes);
    *bytes = (struct bytes){NULL, 0};
}

static void drop_first(struct calls *calls)
{
    calls->size -= calls->list[0].size;
    free(calls->list[0].bytes);
    calls->count--;
    memmove(calls->list, calls->list + 1, (size_t)calls->count * sizeof *calls->list);
}

/* Takes the bytes over. */
static void add_call(struct calls *calls, struct bytes call)
{
    if (call.bytes == NULL) return;
    while (calls->count > 0 &&
           (calls->count == CALLS || calls->size + call.size > CALL_BYTES)) {
        drop_first(calls);
    }
    calls->list[calls->count++] = call;
    calls->size += call.size;
}

static void free_calls(struct calls *calls)
{
    while (calls->count > 0) drop_first(calls);
}

/* ---- calls ------------------------------------------------------------------------------ */

struct argument {
    uint64_t hash;
    const char *words;
    int size;
};

struct call {
    uint8_t verdict;
    struct mill_hash key;
    uint32_t count;
    struct argument arguments[MILL_CALLED];
};

static bool read_call(const struct bytes *bytes, struct call *call)
{
    struct mill_unpacker in = {bytes->bytes, bytes->bytes + bytes->size, false};
    call->verdict = mill_unpacker_byte(&in);
    const void *key = mill_unpacker_bytes(&in, sizeof call->key);
    if (key) memcpy(&call->key, key, sizeof call->key);
    call->count = (uint32_t)mill_unpacker_size(&in);
    for (uint32_t i = 0; i < call->count && i < MILL_CALLED; i++) {
        size_t size;
        call->arguments[i].hash = mill_unpacker_word(&in);
        call->arguments[i].words = mill_unpacker_text(&in, &size);
        call->arguments[i].size = (int)size;
    }
    return !in.bad;
}

/* An argument in a few words; the result of another task by the task's name. */
static size_t describe(const struct mill_task *task, const struct mill_value *value,
                       uint32_t input, char words[WORDS])
{
    if (value->tag == MILL_TAG_NODE) {
        const struct mill_run *run = task->run;
        const struct mill_task *from = &run->tasks[run->inputs[task->first_input + input]];
        snprintf(words, WORDS, "result of %.30s", mill_task_function(from)->name);
        return strlen(words);
    }
    struct mill_brief brief;
    mill_brief_init(&brief, words, WORDS);
    mill_brief_value(&brief, value);
    size_t size = 0;
    for (size_t i = 0; i < brief.size; i++) { /* nodes inside stand as a number between marks */
        if (words[i] != '\1') {
            words[size++] = words[i];
            continue;
        }
        words[size++] = '?';
        while (i < brief.size && words[i] != '\2') i++;
    }
    return size;
}

static void pack_arguments(const struct mill_task *task, const struct mill_called *called,
                           struct mill_packer *out)
{
    const struct mill_value *arguments = mill_node_arguments(task->node);
    uint32_t input = 0;
    for (uint32_t i = 0; i < called->count && i < MILL_CALLED; i++) {
        char words[WORDS];
        size_t size = describe(task, &arguments[i], input, words);
        mill_packer_bytes(out, &called->arguments[i], sizeof called->arguments[i]);
        mill_packer_text(out, words, size);
        input += mill_value_nodes(&arguments[i]);
    }
}

static struct bytes pack_call(const struct mill_task *task, const struct mill_called *called,
                              enum mill_called_verdict verdict)
{
    struct mill_packer out;
    mill_packer_init(&out);
    mill_packer_byte(&out, (uint8_t)verdict);
    mill_packer_bytes(&out, &called->key, sizeof called->key);
    mill_packer_size(&out, called->count);
    pack_arguments(task, called, &out);
    return take_bytes(&out);
}

/* ---- records ---------------------------------------------------------------------------- */

static void read_record(struct side *side, const uint8_t *bytes, size_t size)
{
    struct mill_unpacker in = {bytes, bytes + size, false};
    if (mill_unpacker_byte(&in) != RECORD_VERSION) return;
    const void *salt = mill_unpacker_bytes(&in, sizeof side->salt);
    size_t parts_size;
    const char *parts = mill_unpacker_text(&in, &parts_size);
    uint64_t count = mill_unpacker_size(&in);
    if (in.bad) return;
    memcpy(&side->salt, salt, sizeof side->salt);
    side->parts = copy_bytes(parts, parts_size);
    side->known = side->parts.bytes != NULL;
    for (uint64_t i = 0; i < count && !in.bad; i++) {
        size_t call_size;
        const char *call = mill_unpacker_text(&in, &call_size);
        if (call) add_call(&side->calls, copy_bytes(call, call_size));
    }
}

/* A record that is damaged is none. */
static void unpack_record(struct side *side, const void *record, size_t size)
{
    struct mill_hash hash;
    if (size <= sizeof hash) return;
    const uint8_t *frame = (const uint8_t *)record + sizeof hash;
    size -= sizeof hash;
    unsigned long long length = ZSTD_getFrameContentSize(frame, size);
    if (length > RECORD_LIMIT) return; /* the two codes for failures are larger, too */
    uint8_t *bytes = malloc(length ? length : 1);
    if (bytes == NULL) return;
    memcpy(&hash, record, sizeof hash);
    if (ZSTD_decompress(bytes, length, frame, size) == length &&
        mill_hash_equal(mill_hash_bytes(bytes, length), hash)) {
        read_record(side, bytes, length);
    }
    free(bytes);
}

static void pack_calls(const struct calls *calls, struct mill_packer *out)
{
    for (int i = 0; i < calls->count; i++) {
        mill_packer_text(out, (const char *)calls->list[i].bytes, calls->list[i].size);
    }
}

/* Compressed, behind its hash. */
static struct bytes seal_record(const struct mill_packer *raw)
{
    size_t room = ZSTD_compressBound(raw->size);
    struct mill_hash hash = mill_hash_bytes(raw->bytes, raw->size);
    struct bytes sealed = {malloc(sizeof hash + room), 0};
    if (sealed.bytes == NULL) return sealed;
    memcpy(sealed.bytes, &hash, sizeof hash);
    size_t used = ZSTD_compress(sealed.bytes + sizeof hash, room, raw->bytes, raw->size, 3);
    if (ZSTD_isError(used)) {
        free_bytes(&sealed);
    } else {
        sealed.size = sizeof hash + used;
    }
    return sealed;
}

/* ---- entries: under the mutex ------------------------------------------------------------ */

static void take_apart(struct mill_ledger *ledger, struct entry *entry,
                       const struct mill_function *function)
{
    if (entry->apart == function) return;
    struct mill_packer parts;
    mill_packer_init(&parts);
    ledger->parts_of(ledger->context, function, &parts);
    free_bytes(&entry->parts);
    entry->parts = take_bytes(&parts);
    mill_function_unref(entry->apart);
    entry->apart = mill_function_ref((struct mill_function *)function);
}

/* The entry of a name, with what the store has of it; NULL: no memory. */
static struct entry *entry_of(struct mill_ledger *ledger, struct mill_reader *reader,
                              const char *name)
{
    struct entry **link = &ledger->entries;
    while (*link && strcmp((*link)->name, name) != 0) link = &(*link)->next;
    struct entry *entry = *link;
    if (entry) { /* to the front: tasks of one name come together */
        *link = entry->next;
    } else {
        entry = calloc(1, sizeof *entry);
        if (entry) entry->name = strdup(name);
        if (entry == NULL || entry->name == NULL) {
            free(entry);
            return NULL;
        }
        size_t size;
        void *record = mill_reader_recall(reader, name, &size);
        if (record) unpack_record(&entry->past, record, size);
        free(record);
    }
    entry->next = ledger->entries;
    ledger->entries = entry;
    return entry;
}

static void entry_free(struct entry *entry)
{
    free_calls(&entry->past.calls);
    free_calls(&entry->calls);
    free_bytes(&entry->past.parts);
    free_bytes(&entry->parts);
    mill_function_unref(entry->function);
    mill_function_unref(entry->apart);
    free(entry->name);
    free(entry);
}

struct mill_ledger *mill_ledger_new(mill_parts_of *parts_of, void *context)
{
    struct mill_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) return NULL;
    ledger->parts_of = parts_of;
    ledger->context = context;
    pthread_mutex_init(&ledger->mutex, NULL);
    return ledger;
}

void mill_ledger_free(struct mill_ledger *ledger)
{
    if (ledger == NULL) return;
    while (ledger->entries) {
        struct entry *next = ledger->entries->next;
        entry_free(ledger->entries);
        ledger->entries = next;
    }
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger);
}

void mill_ledger_note(struct mill_ledger *ledger, struct mill_reader *reader,
                      const struct mill_task *task, const struct mill_called *called,
                      enum mill_called_verdict verdict)
{
    struct bytes call = pack_call(task, called, verdict);
    struct mill_function *function = (struct mill_function *)mill_task_function(task);
    pthread_mutex_lock(&ledger->mutex);
    struct entry *entry = entry_of(ledger, reader, function->name);
    if (entry) {
        entry->dirty = true;
        add_call(&entry->calls, call);
        if (verdict == MILL_CALLED_STORED && entry->function != function) {
            mill_function_unref(entry->function);
            entry->function = mill_function_ref(function);
        }
    } else {
        free_bytes(&call);
    }
    pthread_mutex_unlock(&ledger->mutex);
}

static void keep_entry(struct mill_ledger *ledger, struct entry *entry,
                       struct mill_store *store)
{
    const struct mill_hash none = {0, 0};
    struct mill_hash salt = entry->past.known ? entry->past.salt : none;
    struct bytes parts = entry->past.parts;
    if (entry->function) {
        take_apart(ledger, entry, entry->function);
        salt = entry->function->policy.salt;
        parts = entry->parts;
    }
    struct calls calls = entry->past.calls; /* moved: what follows may drop the oldest */
    entry->past.calls = (struct calls){.count = 0};
    for (int i = 0; i < entry->calls.count; i++) add_call(&calls, entry->calls.list[i]);
    entry->calls = (struct calls){.count = 0};
    struct mill_packer out;
    mill_packer_init(&out);
    mill_packer_byte(&out, RECORD_VERSION);
    mill_packer_bytes(&out, &salt, sizeof salt);
    mill_packer_text(&out, (const char *)parts.bytes, parts.size);
    mill_packer_size(&out, (uint64_t)calls.count);
    pack_calls(&calls, &out);
    struct bytes record = {NULL, 0};
    if (!out.failed && out.size <= RECORD_LIMIT) record = seal_record(&out);
    if (record.bytes) mill_store_remember(store, entry->name, record.bytes, record.size);
    free_bytes(&record);
    mill_packer_fini(&out);
    free_calls(&calls);
}

void mill_ledger_keep(struct mill_ledger *ledger, struct mill_store *store)
{
    pthread_mutex_lock(&ledger->mutex);
    for (struct entry *entry = ledger->entries; entry; entry = entry->next) {
        if (entry->dirty) keep_entry(ledger, entry, store);
        entry->dirty = false;
    }
    pthread_mutex_unlock(&ledger->mutex);
}

/* ---- explaining ------------------------------------------------------------------------- */

struct asking {
    struct mill_task *task;
    const struct mill_called *called;
    struct call nearest;
    int equal;       /* arguments that the nearest call shares; -1: there is none */
    uint8_t verdict; /* of a call with the key; 0: there is none */
};

/* Looks at calls, newest first. */
static void look_at(struct asking *asking, const struct calls *calls)
{
    for (int i = calls->count - 1; i >= 0; i--) {
        struct call call;
        int equal = 0;
        if (!read_call(&calls->list[i], &call)) continue;
        if (!asking->verdict && mill_hash_equal(call.key, asking->called->key)) {
            asking->verdict = call.verdict;
        }
        for (uint32_t k = 0; k < call.count && k < asking->called->count && k < MILL_CALLED;
             k++) {
            equal += call.arguments[k].hash == asking->called->arguments[k];
        }
        if (call.verdict != MILL_CALLED_STORED || equal <= asking->equal) continue;
        asking->nearest = call;
        asking->equal = equal;
    }
}

static void compare_arguments(const struct asking *asking, struct mill_causes *causes)
{
    const struct call *call = &asking->nearest;
    const struct mill_called *called = asking->called;
    const struct mill_value *arguments = mill_node_arguments(asking->task->node);
    char detail[MILL_CAUSE_DETAIL], words[WORDS];
    uint32_t input = 0;
    if (call->count != called->count) {
        mill_causes_add(causes, "argument", "", "%u arguments instead of %u", called->count,
                        call->count);
    }
    for (uint32_t i = 0; i < call->count && i < called->count && i < MILL_CALLED; i++) {
        const struct argument *was = &call->arguments[i];
        int size = (int)describe(asking->task, &arguments[i], input, words);
        input += mill_value_nodes(&arguments[i]);
        if (was->hash == called->arguments[i]) continue;
        bool alike = was->size == size && memcmp(was->words, words, (size_t)size) == 0;
        snprintf(detail, sizeof detail, alike ? "content of %.*s" : "%.*s -> %.*s", was->size,
                 was->words, size, words);
        mill_causes_add(causes, "argument", detail, "argument %u changed", i + 1);
    }
    if (causes->count == 0 && called->count > MILL_CALLED) {
        mill_causes_add(causes, "argument", "", "an argument behind the %dth changed",
                        MILL_CALLED);
    }
}

static bool tell_verdict(uint8_t verdict, struct mill_causes *causes)
{
    switch (verdict) {
    case MILL_CALLED_STORED:
        mill_causes_add(causes, "evicted", "", "evicted");
        return true;
    case MILL_CALLED_FAILED:
        mill_causes_add(causes, "failed last time", "", "failed last time");
        return true;
    case MILL_CALLED_LOST:
        mill_causes_add(causes, "not kept last time", "", "not kept last time");
        return true;
    default:
        return false;
    }
}

/* What `now` compares with: the last result of this process, or of those before. */
static struct mill_hash last_stored(struct mill_ledger *ledger, struct entry *entry, bool now,
                                    struct bytes *parts)
{
    *parts = (struct bytes){NULL, 0};
    if (!now || entry->function == NULL) {
        if (entry->past.known)
            *parts = copy_bytes(entry->past.parts.bytes, entry->past.parts.size);
        return entry->past.salt;
    }
    take_apart(ledger, entry, entry->function);
    *parts = copy_bytes(entry->parts.bytes, entry->parts.size);
    return entry->function->policy.salt;
}

static void explain(struct mill_ledger *ledger, struct entry *entry, struct asking *asking,
                    bool now, bool (*found)(void *, struct mill_hash), void *context,
                    struct mill_causes *causes)
{
    const struct mill_function *function = mill_task_function(asking->task);
    if (now) look_at(asking, &entry->calls);
    look_at(asking, &entry->past.calls);
    if (tell_verdict(asking->verdict, causes)) return;
    struct bytes parts;
    struct mill_hash salt = last_stored(ledger, entry, now, &parts);
    bool same = mill_hash_equal(salt, function->policy.salt);
    if (parts.size > 0 && !same) {
        take_apart(ledger, entry, function);
        mill_parts_compare(parts.bytes, parts.size, entry->parts.bytes, entry->parts.size,
                           causes);
        if (causes->count == 0) mill_causes_add(causes, "function", "", "function");
    }
    bool known = parts.size > 0 && !same && found(context, salt);
    if (parts.size > 0 && !known && asking->equal >= 0) compare_arguments(asking, causes);
    if (causes->count == 0) {
        mill_causes_add(causes, parts.size > 0 ? "evicted" : "new", "",
                        parts.size > 0 ? "evicted" : "new");
    }
    free_bytes(&parts);
}

void mill_ledger_explain(struct mill_ledger *ledger, struct mill_reader *reader,
                         struct mill_task *task, const struct mill_called *called, bool now,
                         bool (*found)(void *context, struct mill_hash salt), void *context,
                         struct mill_causes *causes)
{
    struct asking asking = {.task = task, .called = called, .equal = -1};
    pthread_mutex_lock(&ledger->mutex);
    struct entry *entry = entry_of(ledger, reader, mill_task_function(task)->name);
    if (entry) explain(ledger, entry, &asking, now, found, context, causes);
    pthread_mutex_unlock(&ledger->mutex);
}
