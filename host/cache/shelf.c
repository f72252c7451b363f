/* shelf: values that people put into the cache.  SPDX-License-Identifier: MIT */
#include "cache/shelf.h"

#include "cache/reads.h"
#include "data/codec.h"

static const double SHELF_PATIENCE = 60; /* seconds for a value to come on disk */

struct mill_hash mill_shelf_key(const struct mill_value *key)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "value/1"); /* tasks have "task/1" */
    mill_hasher_hash(&hasher, mill_value_hash(key, NULL));
    return mill_hasher_end(&hasher);
}

/* ---- getting ---------------------------------------------------------------------------- */

struct finding {
    const struct mill_shelf *shelf;
    struct mill_hash content;
    bool found;
};

/* The newest entry alone counts: what is behind it was replaced. */
static bool shelf_visit(void *context, const struct mill_entry *entry)
{
    struct finding *finding = context;
    double ttl = finding->shelf->ttl;
    finding->content = entry->content;
    finding->found = mill_reads_hold(finding->shelf->files, entry->reads, entry->reads_size) &&
                     !(ttl > 0 && (double)(mill_reads_time() - entry->made) > ttl * 1e6);
    return true;
}

static bool shelf_find(const struct mill_shelf *shelf, struct mill_hash key,
                       struct mill_hash *content)
{
    struct finding finding = {.shelf = shelf};
    mill_reader_find(shelf->reader, key, shelf_visit, &finding);
    *content = finding.content;
    return finding.found;
}

bool mill_shelf_get(const struct mill_shelf *shelf, struct mill_hash key,
                    struct mill_value *value)
{
    struct mill_hash content;
    if (!shelf_find(shelf, key, &content)) return false;
    struct mill_buffer *bytes = mill_reader_load(shelf->reader, content);
    bool there = bytes && mill_codec_load(bytes, value) == TIDEMILL_OK;
    mill_buffer_unref(bytes);
    return there;
}

/* ---- putting ---------------------------------------------------------------------------- */

static bool shelf_queue(const struct mill_shelf *shelf, const struct mill_shelf_put *put,
                        const struct mill_reads *reads)
{
    struct mill_buffer *bytes =
        reads->unsound ? NULL : mill_codec_save(put->value, shelf->memory);
    if (bytes == NULL) {
        mill_store_unclaim(shelf->store, put->key, put->ticket);
        return false;
    }
    return mill_store_put(shelf->store, &(struct mill_put){
                                            .key = put->key,
                                            .content = mill_value_hash(put->value, NULL),
                                            .reads = reads->bytes,
                                            .reads_size = reads->size,
                                            .bytes = bytes,
                                            .task = put->name,
                                            .seconds = put->seconds,
                                            .ticket = put->ticket,
                                            .alone = true,
                                        });
}

bool mill_shelf_put(const struct mill_shelf *shelf, const struct mill_shelf_put *put)
{
    struct mill_reads reads = {0};
    struct mill_hash content;
    if (put->mode == MILL_SHELF_ASIDE && shelf_find(shelf, put->key, &content)) {
        mill_store_unclaim(shelf->store, put->key, put->ticket);
        return false;
    }
    if (put->ttl > 0) mill_reads_expire(&reads, put->ttl);
    bool queued = shelf_queue(shelf, put, &reads);
    mill_reads_fini(&reads);
    if (put->mode != MILL_SHELF_THROUGH) return queued;
    return queued && mill_store_flush(shelf->store, SHELF_PATIENCE);
}
