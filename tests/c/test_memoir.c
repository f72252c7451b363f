/* test_memoir: what is remembered of a task name comes back, the newest calls at least; damaged records
 * are none.  SPDX-License-Identifier: MIT */
#include "cache/memoir.h"

#include "check.h"

/* A call without arguments, as its bytes are. */
static struct mill_bytes call_of(uint64_t key, size_t extra)
{
    struct mill_packer out;
    struct mill_hash hash = {key, 0};
    mill_packer_init(&out);
    mill_packer_byte(&out, MILL_CALLED_STORED);
    mill_packer_bytes(&out, &hash, sizeof hash);
    mill_packer_size(&out, 0);
    for (size_t i = 0; i < extra; i++) mill_packer_byte(&out, 0);
    return mill_bytes_take(&out);
}

static uint64_t key_of(const struct mill_calls *calls, int i)
{
    struct mill_call_read call;
    CHECK(mill_call_unpack(&calls->list[i], &call));
    CHECK(call.verdict == MILL_CALLED_STORED && call.count == 0);
    return call.key.low;
}

static struct mill_memoir memoir_of(int calls)
{
    struct mill_memoir memoir = {.known = true, .salt = {1, 2}};
    memoir.parts = mill_bytes_copy("parts", 5);
    for (int i = 1; i <= calls; i++) mill_calls_add(&memoir.calls, call_of((uint64_t)i, 0));
    return memoir;
}

static void memoir_free(struct mill_memoir *memoir)
{
    mill_bytes_free(&memoir->parts);
    mill_calls_free(&memoir->calls);
}

static void a_record_comes_back(void)
{
    struct mill_memoir was = memoir_of(3), now = {.known = false};
    struct mill_bytes record = mill_memoir_pack(&was);
    mill_memoir_unpack(&now, record.bytes, record.size);
    CHECK(now.known && mill_hash_equal(now.salt, was.salt));
    CHECK(now.parts.size == 5 && memcmp(now.parts.bytes, "parts", 5) == 0);
    CHECK(now.calls.count == 3 && key_of(&now.calls, 2) == 3);
    mill_bytes_free(&record);
    memoir_free(&was);
    memoir_free(&now);
}

static void the_newest_calls_are_kept(void)
{
    struct mill_memoir memoir = memoir_of(MILL_CALLS + 10);
    CHECK(memoir.calls.count == MILL_CALLS);
    CHECK(key_of(&memoir.calls, 0) == 11);
    CHECK(key_of(&memoir.calls, MILL_CALLS - 1) == MILL_CALLS + 10);
    mill_calls_add(&memoir.calls, call_of(1000, 8000)); /* large ones take the room of many */
    CHECK(memoir.calls.count < MILL_CALLS);
    CHECK(key_of(&memoir.calls, memoir.calls.count - 1) == 1000);
    memoir_free(&memoir);
}

static void damaged_records_are_none(void)
{
    struct mill_memoir was = memoir_of(3);
    struct mill_bytes record = mill_memoir_pack(&was);
    for (size_t at = 0; at < record.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct mill_bytes copy = mill_bytes_copy(record.bytes, record.size);
            struct mill_memoir now = {.known = false};
            copy.bytes[at] ^= (uint8_t)(1 << bit);
            mill_memoir_unpack(&now, copy.bytes, copy.size);
            /* A bit that the compression does not use changes nothing. */
            CHECK(!now.known || now.calls.count == 3);
            memoir_free(&now);
            mill_bytes_free(&copy);
        }
    }
    for (size_t size = 0; size < record.size; size++) {
        struct mill_bytes copy = mill_bytes_copy(record.bytes, size);
        struct mill_memoir now = {.known = false};
        mill_memoir_unpack(&now, copy.bytes, copy.size);
        CHECK(!now.known);
        memoir_free(&now);
        mill_bytes_free(&copy);
    }
    mill_bytes_free(&record);
    memoir_free(&was);
}

static void damaged_calls_do_no_harm(void)
{
    struct mill_bytes call = call_of(7, 40);
    for (size_t size = 0; size <= call.size; size++) {
        for (int byte = 0; byte < 256; byte++) {
            struct mill_bytes copy = mill_bytes_copy(call.bytes, size);
            if (size > 17)
                copy.bytes[17] = (uint8_t)byte; /* how many arguments it says it has */
            struct mill_call_read read;
            if (mill_call_unpack(&copy, &read)) CHECK(size >= 18);
            mill_bytes_free(&copy);
        }
    }
    mill_bytes_free(&call);
}

int main(void)
{
    RUN(a_record_comes_back);
    RUN(the_newest_calls_are_kept);
    RUN(damaged_records_are_none);
    RUN(damaged_calls_do_no_harm);
    return check_end();
}
