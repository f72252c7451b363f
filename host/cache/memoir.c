/* memoir: what is remembered of a task name.  SPDX-License-Identifier: MIT */
#include "cache/memoir.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "data/brief.h"

enum {
    RECORD_VERSION = 1,
    CALL_BYTES = 8 << 10,   /* of all calls of a name */
    RECORD_LIMIT = 1 << 20, /* bytes of a record: one that says more is none */
};

/* ---- bytes ------------------------------------------------------------------------------ */

struct mill_bytes mill_bytes_take(struct mill_packer *packer)
{
    struct mill_bytes bytes = {packer->bytes, packer->size};
    if (packer->failed) {
        mill_packer_fini(packer);
        return (struct mill_bytes){NULL, 0};
    }
    packer->bytes = NULL;
    mill_packer_fini(packer);
    return bytes;
}

struct mill_bytes mill_bytes_copy(const void *from, size_t size)
{
    struct mill_bytes copy = {malloc(size ? size : 1), size};
    if (copy.bytes == NULL) return (struct mill_bytes){NULL, 0};
    if (size) memcpy(copy.bytes, from, size);
    return copy;
}

void mill_bytes_free(struct mill_bytes *bytes)
{
    free(bytes->bytes);
    *bytes = (struct mill_bytes){NULL, 0};
}

static void drop_first(struct mill_calls *calls)
{
    calls->size -= calls->list[0].size;
    free(calls->list[0].bytes);
    calls->count--;
    memmove(calls->list, calls->list + 1, (size_t)calls->count * sizeof *calls->list);
}

/* Takes the bytes over. */
void mill_calls_add(struct mill_calls *calls, struct mill_bytes call)
{
    if (call.bytes == NULL) return;
    while (calls->count > 0 &&
           (calls->count == MILL_CALLS || calls->size + call.size > CALL_BYTES)) {
        drop_first(calls);
    }
    calls->list[calls->count++] = call;
    calls->size += call.size;
}

void mill_calls_free(struct mill_calls *calls)
{
    while (calls->count > 0) drop_first(calls);
}

/* ---- calls ------------------------------------------------------------------------------ */

bool mill_call_unpack(const struct mill_bytes *bytes, struct mill_call_read *call)
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

size_t mill_call_describe(const struct mill_task *task, const struct mill_value *value,
                          uint32_t input, char words[MILL_WORDS])
{
    if (value->tag == MILL_TAG_NODE) {
        const struct mill_run *run = task->run;
        const struct mill_task *from = &run->tasks[run->inputs[task->first_input + input]];
        snprintf(words, MILL_WORDS, "result of %.30s", mill_task_function(from)->name);
        return strlen(words);
    }
    struct mill_brief brief;
    mill_brief_init(&brief, words, MILL_WORDS);
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
        char words[MILL_WORDS];
        size_t size = mill_call_describe(task, &arguments[i], input, words);
        mill_packer_bytes(out, &called->arguments[i], sizeof called->arguments[i]);
        mill_packer_text(out, words, size);
        input += mill_value_nodes(&arguments[i]);
    }
}

struct mill_bytes mill_call_pack(const struct mill_task *task, const struct mill_called *called,
                                 enum mill_called_verdict verdict)
{
    struct mill_packer out;
    mill_packer_init(&out);
    mill_packer_byte(&out, (uint8_t)verdict);
    mill_packer_bytes(&out, &called->key, sizeof called->key);
    mill_packer_size(&out, called->count);
    pack_arguments(task, called, &out);
    return mill_bytes_take(&out);
}

/* ---- records ---------------------------------------------------------------------------- */

static void read_record(struct mill_memoir *side, const uint8_t *bytes, size_t size)
{
    struct mill_unpacker in = {bytes, bytes + size, false};
    if (mill_unpacker_byte(&in) != RECORD_VERSION) return;
    const void *salt = mill_unpacker_bytes(&in, sizeof side->salt);
    size_t parts_size;
    const char *parts = mill_unpacker_text(&in, &parts_size);
    uint64_t count = mill_unpacker_size(&in);
    if (in.bad) return;
    memcpy(&side->salt, salt, sizeof side->salt);
    side->parts = mill_bytes_copy(parts, parts_size);
    side->known = side->parts.bytes != NULL;
    for (uint64_t i = 0; i < count && !in.bad; i++) {
        size_t call_size;
        const char *call = mill_unpacker_text(&in, &call_size);
        if (call) mill_calls_add(&side->calls, mill_bytes_copy(call, call_size));
    }
}

void mill_memoir_unpack(struct mill_memoir *side, const void *record, size_t size)
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

static void pack_calls(const struct mill_calls *calls, struct mill_packer *out)
{
    for (int i = 0; i < calls->count; i++) {
        mill_packer_text(out, (const char *)calls->list[i].bytes, calls->list[i].size);
    }
}

/* Compressed, behind its hash. */
static struct mill_bytes seal_record(const struct mill_packer *raw)
{
    size_t room = ZSTD_compressBound(raw->size);
    struct mill_hash hash = mill_hash_bytes(raw->bytes, raw->size);
    struct mill_bytes sealed = {malloc(sizeof hash + room), 0};
    if (sealed.bytes == NULL) return sealed;
    memcpy(sealed.bytes, &hash, sizeof hash);
    size_t used = ZSTD_compress(sealed.bytes + sizeof hash, room, raw->bytes, raw->size, 3);
    if (ZSTD_isError(used)) {
        mill_bytes_free(&sealed);
    } else {
        sealed.size = sizeof hash + used;
    }
    return sealed;
}

struct mill_bytes mill_memoir_pack(const struct mill_memoir *memoir)
{
    struct mill_bytes record = {NULL, 0};
    struct mill_packer out;
    mill_packer_init(&out);
    mill_packer_byte(&out, RECORD_VERSION);
    mill_packer_bytes(&out, &memoir->salt, sizeof memoir->salt);
    mill_packer_text(&out, (const char *)memoir->parts.bytes, memoir->parts.size);
    mill_packer_size(&out, (uint64_t)memoir->calls.count);
    pack_calls(&memoir->calls, &out);
    if (!out.failed && out.size <= RECORD_LIMIT) record = seal_record(&out);
    mill_packer_fini(&out);
    return record;
}
