/* ledger: what the cache remembers of each task name.  SPDX-License-Identifier: MIT */
#include "cache/ledger.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct entry *next;
    char *name;
    struct mill_memoir past;        /* from the store */
    struct mill_calls calls;        /* since then */
    struct mill_function *function; /* stored last; counted; NULL: none since then */
    struct mill_function *apart;    /* whose parts are in `parts`; counted */
    struct mill_bytes parts;
    bool dirty;
};

struct mill_ledger {
    mill_parts_of *parts_of;
    void *context;
    pthread_mutex_t mutex;
    struct entry *entries; /* guarded by mutex, with all that hangs from it */
};

/* ---- entries: under the mutex ------------------------------------------------------------ */

static void take_apart(struct mill_ledger *ledger, struct entry *entry,
                       const struct mill_function *function)
{
    if (entry->apart == function) return;
    struct mill_packer parts;
    mill_packer_init(&parts);
    ledger->parts_of(ledger->context, function, &parts);
    mill_bytes_free(&entry->parts);
    entry->parts = mill_bytes_take(&parts);
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
        if (record) mill_memoir_unpack(&entry->past, record, size);
        free(record);
    }
    entry->next = ledger->entries;
    ledger->entries = entry;
    return entry;
}

static void entry_free(struct entry *entry)
{
    mill_calls_free(&entry->past.calls);
    mill_calls_free(&entry->calls);
    mill_bytes_free(&entry->past.parts);
    mill_bytes_free(&entry->parts);
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
    struct mill_bytes call = mill_call_pack(task, called, verdict);
    struct mill_function *function = (struct mill_function *)mill_task_function(task);
    pthread_mutex_lock(&ledger->mutex);
    struct entry *entry = entry_of(ledger, reader, function->name);
    if (entry) {
        entry->dirty = true;
        mill_calls_add(&entry->calls, call);
        if (verdict == MILL_CALLED_STORED && entry->function != function) {
            mill_function_unref(entry->function);
            entry->function = mill_function_ref(function);
        }
    } else {
        mill_bytes_free(&call);
    }
    pthread_mutex_unlock(&ledger->mutex);
}

static void keep_entry(struct mill_ledger *ledger, struct entry *entry,
                       struct mill_store *store)
{
    struct mill_memoir memoir = entry->past; /* lent, but the calls */
    if (entry->function) {
        take_apart(ledger, entry, entry->function);
        memoir.salt = entry->function->policy.salt;
        memoir.parts = entry->parts;
    }
    entry->past.calls = (struct mill_calls){.count = 0}; /* moved: the oldest may go */
    for (int i = 0; i < entry->calls.count; i++) {
        mill_calls_add(&memoir.calls, entry->calls.list[i]);
    }
    entry->calls = (struct mill_calls){.count = 0};
    struct mill_bytes record = mill_memoir_pack(&memoir);
    if (record.bytes) mill_store_remember(store, entry->name, record.bytes, record.size);
    mill_bytes_free(&record);
    mill_calls_free(&memoir.calls);
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

struct question {
    struct mill_task *task;
    const struct mill_called *called;
    struct mill_call_read nearest;
    int equal;       /* arguments that the nearest call shares; -1: there is none */
    uint8_t verdict; /* of a call with the key; 0: there is none */
};

/* Looks at calls, newest first. */
static void look_at(struct question *asking, const struct mill_calls *calls)
{
    for (int i = calls->count - 1; i >= 0; i--) {
        struct mill_call_read call;
        int equal = 0;
        if (!mill_call_unpack(&calls->list[i], &call)) continue;
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

static void compare_arguments(const struct question *asking, struct mill_causes *causes)
{
    const struct mill_call_read *call = &asking->nearest;
    const struct mill_called *called = asking->called;
    const struct mill_value *arguments = mill_node_arguments(asking->task->node);
    char detail[MILL_CAUSE_DETAIL], words[MILL_WORDS];
    uint32_t input = 0;
    if (call->count != called->count) {
        mill_causes_add(causes, "argument", "", "%u arguments instead of %u", called->count,
                        call->count);
    }
    for (uint32_t i = 0; i < call->count && i < called->count && i < MILL_CALLED; i++) {
        const struct mill_argument *was = &call->arguments[i];
        int size = (int)mill_call_describe(asking->task, &arguments[i], input, words);
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
                                    struct mill_bytes *parts)
{
    *parts = (struct mill_bytes){NULL, 0};
    if (!now || entry->function == NULL) {
        if (entry->past.known)
            *parts = mill_bytes_copy(entry->past.parts.bytes, entry->past.parts.size);
        return entry->past.salt;
    }
    take_apart(ledger, entry, entry->function);
    *parts = mill_bytes_copy(entry->parts.bytes, entry->parts.size);
    return entry->function->policy.salt;
}

static void explain(struct mill_ledger *ledger, struct entry *entry, struct question *asking,
                    bool now, bool (*found)(void *, struct mill_hash), void *context,
                    struct mill_causes *causes)
{
    const struct mill_function *function = mill_task_function(asking->task);
    if (now) look_at(asking, &entry->calls);
    look_at(asking, &entry->past.calls);
    if (tell_verdict(asking->verdict, causes)) return;
    struct mill_bytes parts;
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
    mill_bytes_free(&parts);
}

void mill_ledger_explain(struct mill_ledger *ledger, struct mill_reader *reader,
                         struct mill_task *task, const struct mill_called *called, bool now,
                         bool (*found)(void *context, struct mill_hash salt), void *context,
                         struct mill_causes *causes)
{
    struct question asking = {.task = task, .called = called, .equal = -1};
    pthread_mutex_lock(&ledger->mutex);
    struct entry *entry = entry_of(ledger, reader, mill_task_function(task)->name);
    if (entry) explain(ledger, entry, &asking, now, found, context, causes);
    pthread_mutex_unlock(&ledger->mutex);
}
