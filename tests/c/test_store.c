/* test_store: the cache's store against a plain model, damage, full disks and killed writers.
 * Real SQLite files in a folder of their own; other processes are this program with arguments.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/c/store_check.h"

extern char **environ;

static uint64_t random_state;

/* ---- a folder a test, values, warnings -------------------------------------------------- */

static uint64_t random_from(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;
    uint64_t x = *state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t random_next(void)
{
    return random_from(&random_state);
}

static const char *beside(const char *suffix)
{
    static char name[300];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return name;
}

static bool exists(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0;
}

/* The value number `seed` of `size` bytes: random bytes, or runs that zstd packs well. */
static void fill(uint8_t *bytes, size_t size, uint64_t seed, bool runs)
{
    uint64_t state = seed * 0x2545f4914f6cdd1d + 1;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = runs ? (uint8_t)(seed + i / 97) : (uint8_t)random_from(&state);
    }
}

static struct mill_buffer *value(uint64_t seed, size_t size, bool runs)
{
    struct mill_buffer *buffer = mill_buffer_new(NULL, size);
    if (buffer == NULL) abort();
    fill(buffer->data, size, seed, runs);
    return buffer;
}

static bool is_value(const struct mill_buffer *buffer, uint64_t seed, size_t size, bool runs)
{
    if (buffer == NULL || buffer->size != size) return false;
    uint8_t *expected = malloc(size + 1);
    if (expected == NULL) abort();
    fill(expected, size, seed, runs);
    bool same = memcmp(buffer->data, expected, size) == 0;
    free(expected);
    return same;
}

struct warnings {
    _Atomic int count;
    char last[1024];
};

static void note_warning(void *context, const char *text)
{
    struct warnings *warnings = context;
    atomic_fetch_add(&warnings->count, 1);
    snprintf(warnings->last, sizeof warnings->last, "%s", text);
}

static tidemill_status try_open(struct mill_store **store, struct warnings *warnings,
                                struct mill_error *error)
{
    struct mill_store_options options = {
        .path = path, .warn = warnings ? note_warning : NULL, .context = warnings};
    return mill_store_open(&options, store, error);
}

static struct mill_store *open_store(struct warnings *warnings)
{
    struct mill_store *store;
    struct mill_error error = {.text = ""};
    if (try_open(&store, warnings, &error) != TIDEMILL_OK) {
        fprintf(stderr, "cannot open: %s\n", error.text);
        exit(1);
    }
    return store;
}

static void put_reads(struct mill_store *store, uint64_t key, uint64_t content, size_t size,
                      bool runs, const char *reads)
{
    struct mill_put put = {.key = hash_of("key", key),
                           .content = hash_of("content", content),
                           .reads = reads,
                           .reads_size = strlen(reads),
                           .bytes = value(content, size, runs),
                           .task = "test",
                           .seconds = 0.5};
    mill_store_put(store, &put);
}

static void put(struct mill_store *store, uint64_t key, size_t size, bool runs)
{
    put_reads(store, key, key, size, runs, "");
}

static bool take_first(void *context, const struct mill_entry *entry)
{
    *(struct mill_entry *)context = *entry;
    return true;
}

/* Finds and loads; NULL when either gives nothing. */
static struct mill_buffer *get(struct mill_reader *reader, uint64_t key)
{
    struct mill_entry entry;
    if (!mill_reader_find(reader, hash_of("key", key), take_first, &entry)) return NULL;
    return mill_reader_load(reader, entry.content);
}

static bool has(struct mill_reader *reader, uint64_t key, size_t size, bool runs)
{
    struct mill_buffer *buffer = get(reader, key);
    bool same = is_value(buffer, key, size, runs);
    mill_buffer_unref(buffer);
    return same;
}

static bool has_nothing(struct mill_reader *reader, uint64_t key)
{
    struct mill_buffer *buffer = get(reader, key);
    bool nothing = buffer == NULL;
    mill_buffer_unref(buffer);
    return nothing;
}

static void write_at(const char *name, off_t offset, const void *bytes, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, bytes, size, offset) == (ssize_t)size);
    close(fd);
}

/* ---- other processes -------------------------------------------------------------------- */

static pid_t start(const char *role, const char *argument)
{
    char *arguments[] = {"test_store", (char *)role, path, (char *)argument, NULL};
    pid_t child;
    fflush(stdout);
    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) != 0) abort();
    return child;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

static bool succeeds(const char *role, const char *argument)
{
    return wait_for(start(role, argument)) == 0;
}

/* ---- putting and finding ---------------------------------------------------------------- */

static const size_t sizes[] = {0, 1, 100, 4096, 4097, 20000, 131072, 131073, 500000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void check_all_sizes(struct mill_reader *reader)
{
    for (uint64_t i = 0; i < 2 * SIZES; i++) {
        CHECK_SAYING(has(reader, i, sizes[i / 2], i % 2), "value %d", (int)i);
    }
}

static void values_of_all_sizes_come_back(void)
{
    fresh_path("sizes");
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    CHECK(has_nothing(reader, 0));
    for (uint64_t i = 0; i < 2 * SIZES; i++) put(store, i, sizes[i / 2], i % 2);
    check_all_sizes(reader);
    CHECK(mill_store_flush(store, 30));
    check_all_sizes(reader);
    CHECK(has_nothing(reader, 99));
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    CHECK(numbers.entries == 2 * SIZES && numbers.written == 2 * SIZES);
    CHECK(numbers.broken == 0 && numbers.usable && numbers.bytes > 600000);
    CHECK_TEXT(mill_store_path(store), path);
    mill_reader_close(reader);
    mill_store_close(store);

    store = open_store(NULL);
    reader = mill_reader_open(store);
    check_all_sizes(reader);
    mill_reader_close(reader);
    mill_store_close(store);
}

static void what_packs_is_packed_and_what_is_large_is_a_file(void)
{
    CHECK(count_files(beside(".d")) == 2); /* random 131,073 and 500,000 bytes */
    CHECK(sql("SELECT count(*) FROM object WHERE in_file = 1") == 2);
    CHECK(sql("SELECT count(*) FROM object WHERE coding = 1 AND stored * 5 <= size * 4") == 5);
    CHECK(sql("SELECT count(*) FROM object WHERE coding = 0 AND stored = size") == 13);
    CHECK(sql("PRAGMA quick_check") == 0); /* "ok" as a number */
}

static void the_database_has_the_settings_it_was_made_with(void)
{
    struct stat status;
    CHECK(sql("PRAGMA page_size") == 8192);
    CHECK(sql("PRAGMA auto_vacuum") == 2);
    CHECK(sql("PRAGMA user_version") == 3);
    CHECK(sql("PRAGMA application_id") == 0x6d696c6c);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(beside("-lock"), &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(beside(".d"), &status) == 0 && (status.st_mode & 0777) == 0700);
    CHECK(!exists(beside("-wal")) && !exists(beside(".new")));
}

struct visits {
    int count;
    char reads[64][8];
    uint64_t low[64];
};

static bool collect(void *context, const struct mill_entry *entry)
{
    struct visits *visits = context;
    if (visits->count == 64) return true;
    CHECK(entry->reads_size < 8);
    memcpy(visits->reads[visits->count], entry->reads, entry->reads_size);
    visits->low[visits->count++] = entry->content.low;
    return false;
}

/* Entries 0 to 19 with reads "r0" to "r19", and 7 answered anew; so 7 is the newest. */
static void check_lists(struct mill_reader *reader)
{
    struct visits visits = {0};
    CHECK(!mill_reader_find(reader, hash_of("key", 1), collect, &visits));
    CHECK_SAYING(visits.count == 20, "%d entries", visits.count);
    CHECK_TEXT(visits.reads[0], "r7");
    CHECK(visits.low[0] == hash_of("content", 100).low);
    for (int i = 1, expected = 19; i < visits.count; i++, expected--) {
        char reads[16];
        if (expected == 7) expected--;
        snprintf(reads, sizeof reads, "r%d", expected);
        CHECK_TEXT(visits.reads[i], reads);
        CHECK(visits.low[i] == hash_of("content", (uint64_t)expected).low);
    }
}

static void lists_of_reads_come_newest_first_and_equal_ones_replace(void)
{
    fresh_path("lists");
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    for (int i = 0; i < 20; i++) {
        char reads[16];
        snprintf(reads, sizeof reads, "r%d", i);
        put_reads(store, 1, (uint64_t)i, 100, false, reads);
        if (i == 10) mill_store_flush(store, 30);
    }
    put_reads(store, 1, 100, 100, false, "r7");
    check_lists(reader); /* some queued, some stored */
    CHECK(mill_store_flush(store, 30));
    check_lists(reader);
    struct mill_entry entry;
    CHECK(mill_reader_find(reader, hash_of("key", 1), take_first, &entry));
    mill_reader_close(reader);
    mill_store_close(store);
    CHECK(sql("SELECT count(*) FROM entry") == 20);
}

struct long_reads {
    const char *text;
    bool same;
};

static bool compare_reads(void *context, const struct mill_entry *entry)
{
    struct long_reads *reads = context;
    reads->same = entry->reads_size == strlen(reads->text) &&
                  memcmp(entry->reads, reads->text, entry->reads_size) == 0;
    return true;
}

static void long_lists_of_reads_come_back(void)
{
    static char reads[200000];
    fresh_path("reads");
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    for (size_t i = 0; i + 1 < sizeof reads; i++) reads[i] = (char)('a' + random_next() % 26);
    const size_t lengths[] = {767, 768, 769, 5000, sizeof reads - 1};
    for (uint64_t i = 0; i < 5; i++) {
        put_reads(store, i, i, 10, false, reads + sizeof reads - 1 - lengths[i]);
    }
    mill_store_flush(store, 30);
    for (uint64_t i = 0; i < 5; i++) {
        struct long_reads expected = {reads + sizeof reads - 1 - lengths[i], false};
        CHECK(mill_reader_find(reader, hash_of("key", i), compare_reads, &expected));
        CHECK(expected.same);
        CHECK(has(reader, i, 10, false));
    }
    CHECK(sql("SELECT count(*) FROM entry WHERE reads IS NULL") == 3);
    sql("UPDATE entry SET reads = CAST('no' AS BLOB) WHERE key IN"
        " (SELECT key FROM entry WHERE length(reads) = 767)");
    mill_reader_rest(reader);
    struct mill_entry entry;
    CHECK(!mill_reader_find(reader, hash_of("key", 0), take_first, &entry));
    mill_reader_close(reader);
    mill_store_close(store);
}

static void queued_results_are_seen_before_they_are_committed(void)
{
    fresh_path("queued");
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    CHECK(has_nothing(reader, 1));
    sqlite3 *other; /* keeps the writer from committing */
    CHECK(sqlite3_open(path, &other) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    for (uint64_t i = 0; i < 1000; i++) put(store, i, 200, false);
    CHECK(!mill_store_flush(store, 0.1));
    for (uint64_t i = 0; i < 1000; i++) CHECK(has(reader, i, 200, false));
    CHECK(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(other);
    CHECK(mill_store_flush(store, 30));
    for (uint64_t i = 0; i < 1000; i++) CHECK(has(reader, i, 200, false));
    mill_reader_close(reader);
    mill_store_close(store);
}

static void flushed_results_are_seen_by_another_process(void)
{
    fresh_path("flushed");
    struct mill_store *store = open_store(NULL);
    for (uint64_t i = 0; i < 100; i++) put(store, i, 1000, i % 2);
    CHECK(mill_store_flush(store, 30));
    CHECK(succeeds("expect", "100"));
    mill_store_close(store);
    CHECK(succeeds("expect", "100"));
}

/* The role "expect": the first values are there. */
static int role_expect(const char *argument)
{
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    for (uint64_t i = 0; i < strtoull(argument, NULL, 10); i++) {
        CHECK(has(reader, i, 1000, i % 2));
    }
    mill_reader_close(reader);
    mill_store_close(store);
    return check__bad;
}

static void bytes_of_a_content_are_stored_once(void)
{
    fresh_path("once");
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    for (uint64_t i = 0; i < 300; i++) put_reads(store, i, i % 3, 200000, false, "");
    CHECK(mill_store_flush(store, 30));
    CHECK(count_files(beside(".d")) == 3);
    CHECK(sql("SELECT count(*) FROM object") == 3);
    CHECK(sql("SELECT count(*) FROM entry") == 300);
    mill_reader_close(reader);
    mill_store_close(store);
}

/* ---- damage ----------------------------------------------------------------------------- */

/* A store with values 0 to 3: small, packed, a raw file, a packed file. */
static const size_t mixed_sizes[] = {1000, 20000, 200000, 600000};

static struct mill_buffer *mixed(uint64_t key)
{
    struct mill_buffer *buffer = value(key, mixed_sizes[key], key == 1);
    if (key == 3) { /* packs to about half */
        for (size_t i = 0; i < buffer->size; i++) buffer->data[i] &= 15;
    }
    return buffer;
}

static void put_mixed(struct mill_store *store, uint64_t key)
{
    struct mill_put result = {
        .key = hash_of("key", key), .content = hash_of("content", key), .bytes = mixed(key)};
    mill_store_put(store, &result);
}

static bool has_mixed(struct mill_reader *reader, uint64_t key)
{
    struct mill_buffer *expected = mixed(key), *buffer = get(reader, key);
    bool same = buffer && buffer->size == expected->size &&
                memcmp(buffer->data, expected->data, buffer->size) == 0;
    mill_buffer_unref(expected);
    mill_buffer_unref(buffer);
    return same;
}

static void make_mixed(const char *test)
{
    fresh_path(test);
    struct mill_store *store = open_store(NULL);
    for (uint64_t i = 0; i < 4; i++) put_mixed(store, i);
    mill_store_close(store);
    CHECK(count_files(beside(".d")) == 2);
}

static const char *content_file(uint64_t content)
{
    static char name[400];
    char text[33];
    mill_hash_text(hash_of("content", content), text);
    snprintf(name, sizeof name, "%s.d/%s", path, text);
    return name;
}

/* The object of `key` is damaged: it is not loaded, it is removed with its entry and counted
 * once, a new put brings it back, the others are as they were. */
static void expect_damage(uint64_t key)
{
    struct warnings warnings = {0};
    struct mill_store *store = open_store(&warnings);
    struct mill_reader *reader = mill_reader_open(store);
    struct mill_store_numbers numbers;
    CHECK(has_nothing(reader, key));
    CHECK(has_nothing(reader, key));
    CHECK(mill_store_flush(store, 30));
    mill_store_numbers(store, &numbers);
    CHECK_SAYING(numbers.broken == 1, "value %d: %d broken", (int)key, (int)numbers.broken);
    CHECK(numbers.entries == 3);
    CHECK(!exists(content_file(key)));
    put_mixed(store, key);
    CHECK(mill_store_flush(store, 30));
    for (uint64_t i = 0; i < 4; i++) CHECK_SAYING(has_mixed(reader, i), "value %d", (int)i);
    mill_store_numbers(store, &numbers);
    CHECK(numbers.usable && numbers.broken == 1 && warnings.count == 0);
    mill_reader_close(reader);
    mill_store_close(store);
}

static int64_t object_id(uint64_t content)
{
    char text[33];
    mill_hash_text(hash_of("content", content), text);
    return sql("SELECT id FROM object WHERE content = x'%s'", text);
}

static void flipped_bytes_in_a_row_are_noticed(void)
{
    make_mixed("flipped");
    for (uint64_t key = 0; key < 2; key++) {
        int64_t id = object_id(key);
        sql("UPDATE object SET data = CAST(substr(data, 1, 50) || x'55aa' || substr(data, 53)"
            " AS BLOB) WHERE id = %d",
            (int)id);
        expect_damage(key);
    }
}

static void flipped_bytes_in_a_file_are_noticed(void)
{
    make_mixed("file");
    for (uint64_t key = 2; key < 4; key++) {
        write_at(content_file(key), (off_t)(random_next() % 100000), "flipped", 7);
        expect_damage(key);
    }
}

static void a_missing_short_or_long_file_is_noticed(void)
{
    make_mixed("missing");
    CHECK(unlink(content_file(2)) == 0);
    expect_damage(2);
    CHECK(truncate(content_file(3), 150000) == 0);
    expect_damage(3);
    CHECK(truncate(content_file(2), 250000) == 0);
    expect_damage(2);
    CHECK(truncate(content_file(2), 0) == 0);
    expect_damage(2);
}

static void a_row_that_lies_about_its_sizes_is_noticed(void)
{
    static const char *const lies[] = {
        "size = size + 1",
        "size = 4000000000000000000",
        "size = -1",
        "stored = stored - 1",
        "stored = 1 << 60",
        "stored = -1",
        "coding = 1 - coding",
        "coding = 77",
        "in_file = 1 - in_file",
        "sum = x'00'",
        "sum = NULL",
        "data = 'text'",
        "size = 'many'",
        "sum = randomblob(16)",
        "content = randomblob(16)",
    };
    make_mixed("lies");
    int last = sizeof lies / sizeof *lies - 1; /* a lost name is merely not found */
    sql("PRAGMA writable_schema = 1");
    for (int i = 0; i < last; i++) {
        uint64_t key = (uint64_t)i % 4;
        if (strstr(lies[i], "NULL")) continue; /* refused by the table itself */
        if (strstr(lies[i], "data") && key >= 2) key -= 2;
        sql("UPDATE object SET %s WHERE id = %d", lies[i], (int)object_id(key));
        expect_damage(key);
    }
}

/* Sums protect from accidents only: a row whose sum is right may still be made up. */
static void forge(uint64_t content, uint64_t size, const uint8_t *data, size_t stored)
{
    struct mill_hasher hasher;
    sqlite3 *connection;
    sqlite3_stmt *statement;
    char sum[33], text[200];
    mill_hasher_init(&hasher, "object/1");
    mill_hasher_hash(&hasher, hash_of("content", content));
    mill_hasher_number(&hasher, size);
    mill_hasher_number(&hasher, 1);
    mill_hasher_hash(&hasher, mill_hash_bytes(data, stored));
    mill_hash_text(mill_hasher_end(&hasher), sum);
    snprintf(text, sizeof text,
             "UPDATE object SET size = %lld, stored = %d, coding = 1, sum = x'%s', data = ?"
             " WHERE id = %d",
             (long long)size, (int)stored, sum, (int)object_id(content));
    CHECK(sqlite3_open(path, &connection) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(connection, text, -1, &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_bind_blob(statement, 1, data, (int)stored, SQLITE_STATIC) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
}

static void a_row_with_a_right_sum_and_a_wrong_size_gives_nothing(void)
{
    static const uint64_t claims[] = {0, 1, 5, 1 << 20, UINT64_C(1) << 40, UINT64_C(1) << 62};
    /* A zstd frame: magic, one segment with a size of eight bytes, one raw block "abcd". */
    uint8_t frame[20] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 4, 0,   0,   0,   0,
                         0,    0,    0,    0x21, 0,    0, 'a', 'b', 'c', 'd'};
    make_mixed("forged");
    for (int i = 0; i < 6; i++) {
        memcpy(frame + 5, &(uint64_t){4}, 8);
        forge(0, claims[i], frame, sizeof frame); /* only the row lies */
        expect_damage(0);
        memcpy(frame + 5, &claims[i], 8);
        forge(0, claims[i], frame, sizeof frame); /* the frame lies as well */
        expect_damage(0);
    }
    memcpy(frame + 5, &(uint64_t){4}, 8);
    forge(0, 4, frame, sizeof frame);
    struct mill_store *store = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(store);
    struct mill_buffer *buffer = get(reader, 0);
    CHECK(buffer && buffer->size == 4 && memcmp(buffer->data, "abcd", 4) == 0);
    mill_buffer_unref(buffer);
    mill_reader_close(reader);
    mill_store_close(store);
}

/* The database is ours and damaged: it is set aside, said so, and a new one is used. */
static void expect_set_aside(int number)
{
    struct warnings warnings = {0};
    struct mill_store *store = open_store(&warnings);
    struct mill_reader *reader = mill_reader_open(store);
    char broken[300];
    snprintf(broken, sizeof broken, "%s.broken-%d", path, number);
    CHECK_SAYING(exists(broken), "%s is missing", broken);
    CHECK(warnings.count == 1 && strstr(warnings.last, broken) != NULL);
    CHECK(has_nothing(reader, 0));
    put_mixed(store, 0);
    CHECK(mill_store_flush(store, 30));
    CHECK(has_mixed(reader, 0));
    CHECK(warnings.count == 1);
    mill_reader_close(reader);
    mill_store_close(store);
}

static void a_truncated_database_is_set_aside(void)
{
    make_mixed("truncated");
    struct stat status;
    CHECK(stat(path, &status) == 0);
    CHECK(truncate(path, status.st_size - 8192 * 2) == 0);
    expect_set_aside(1);
    CHECK(!exists(beside(".d")) && count_files(beside(".broken-1.d")) == 2);
    CHECK(truncate(path, 8192) == 0);
    expect_set_aside(2);
    CHECK(truncate(path, 1000) == 0);
    expect_set_aside(3);
}

static void a_database_with_a_bad_header_is_set_aside(void)
{
    make_mixed("header");
    write_at(path, 0, "garbage", 7);
    expect_set_aside(1);
    write_at(path, 16, "\xff\xff", 2); /* the page size */
    expect_set_aside(2);
    sql("DROP TABLE entry");
    expect_set_aside(3);
    sql("PRAGMA user_version = 0");
    expect_set_aside(4);
    write_at(path, 100, "\0\0\0\0\0\0\0\0", 8); /* the root page */
    expect_set_aside(5);
}

static void spoil_entries(void)
{
    char page[8192];
    memset(page, 0x5a, sizeof page);
    int64_t root = sql("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'");
    write_at(path, (root - 1) * 8192, page, sizeof page);
}

static void damage_inside_is_found_after_a_commit_that_was_cut_short(void)
{
    make_mixed("inside");
    spoil_entries();
    write_at(beside("-lock"), 0, "w", 1);
    expect_set_aside(1);
}

static void damage_met_in_mid_run_ends_the_cache_and_the_next_start_repairs_it(void)
{
    make_mixed("midrun");
    spoil_entries();
    struct warnings warnings = {0};
    struct mill_store *store = open_store(&warnings);
    struct mill_reader *reader = mill_reader_open(store);
    struct mill_store_numbers numbers;
    CHECK(has_nothing(reader, 0));
    CHECK(has_nothing(reader, 1));
    put_mixed(store, 1);
    mill_store_flush(store, 30);
    CHECK(has_nothing(reader, 1));
    mill_store_numbers(store, &numbers);
    CHECK(!numbers.usable && warnings.count == 1);
    CHECK_SAYING(strstr(warnings.last, "cannot be read (") != NULL, "%s", warnings.last);
    mill_reader_close(reader);
    mill_store_close(store);
    expect_set_aside(1);
}

/* ---- what cannot be opened -------------------------------------------------------------- */

static void expect_refused(const char *reason)
{
    struct mill_store *store;
    struct mill_error error = {.text = ""};
    struct warnings warnings = {0};
    char expected[1200];
    snprintf(expected, sizeof expected, "cache %s: %s", path, reason);
    CHECK(try_open(&store, &warnings, &error) != TIDEMILL_OK && store == NULL);
    CHECK_TEXT(error.text, expected);
    CHECK(try_open(&store, &warnings, NULL) != TIDEMILL_OK && store == NULL);
    CHECK(warnings.count == 0 && !exists(beside(".broken-1")));
}

static void a_file_of_somebody_else_is_never_touched(void)
{
    char text[20];
    fresh_path("garbage");
    write_at(path, 0, "dear diary,", 11);
    expect_refused("not a SQLite database");
    int fd = open(path, O_RDONLY);
    CHECK(read(fd, text, sizeof text) == 11 && memcmp(text, "dear diary,", 11) == 0);
    close(fd);

    fresh_path("foreign");
    sql("CREATE TABLE t(x)");
    expect_refused("is a database of another program");
    sql("PRAGMA application_id = 77");
    expect_refused("is a database of another program");
    CHECK(sql("SELECT count(*) FROM t") == 0);

    fresh_path("newer");
    mill_store_close(open_store(NULL));
    sql("PRAGMA user_version = 7");
    expect_refused("is of a newer tidemill (format 7, this one reads 3)");
}

static void a_path_that_is_no_place_for_a_file_is_refused(void)
{
    char reason[400];
    fresh_path("places");
    mkdir(path, 0700);
    expect_refused("is a folder, expected a file");
    rmdir(path);
    CHECK(mkfifo(path, 0600) == 0);
    expect_refused("is not a regular file");
    unlink(path);

    snprintf(path, sizeof path, "%s/places/none/cache.db", folder);
    snprintf(reason, sizeof reason, "folder %s/places/none does not exist", folder);
    expect_refused(reason);
    snprintf(path, sizeof path, "%s/places/none/", folder);
    expect_refused("is a folder, expected a file");

    struct mill_store *store;
    struct mill_error error;
    struct mill_store_options options = {.path = ""};
    CHECK(mill_store_open(&options, &store, &error) == TIDEMILL_USAGE);
    CHECK_TEXT(error.text, "cache: its path is empty");
}

static void the_folder_is_made_when_asked_for_whatever_the_umask(void)
{
    struct stat status;
    fresh_path("made");
    snprintf(path, sizeof path, "%s/made/a/b/cache.db", folder);
    struct mill_store *store;
    struct mill_error error = {.text = ""};
    struct mill_store_options options = {.path = path, .make_folder = true};
    mode_t old = umask(0277);
    CHECK(mill_store_open(&options, &store, &error) == TIDEMILL_OK);
    CHECK_TEXT(error.text, "");
    if (store) put(store, 1, 300000, false);
    CHECK(store && mill_store_flush(store, 30));
    umask(old);
    mill_store_close(store);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(content_file(1), &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(beside(".d"), &status) == 0 && (status.st_mode & 0777) == 0700);
    snprintf(path, sizeof path, "%s/made/a", folder);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
}

static void a_relative_path_stays_where_it_was_when_the_folder_changes(void)
{
    char here[256];
    fresh_path("relative");
    CHECK(getcwd(here, sizeof here) != NULL);
    snprintf(path, sizeof path, "%s/relative", folder);
    CHECK(chdir(path) == 0);
    strcpy(path, "cache.db");
    struct mill_store *store = open_store(NULL);
    CHECK(chdir(here) == 0);
    put(store, 1, 300000, false);
    CHECK(mill_store_flush(store, 30));
    struct mill_reader *reader = mill_reader_open(store);
    CHECK(has(reader, 1, 300000, false));
    mill_reader_close(reader);
    mill_store_close(store);
    fresh_path("relative");
    CHECK(exists(path) && count_files(beside(".d")) == 1);
}

/* Runs in a child that has given up being root, for root ignores permissions. */
static int role_read_only(const char *argument)
{
    (void)argument;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 77;
    struct mill_store *store;
    struct mill_error error = {.text = ""};
    CHECK(try_open(&store, NULL, &error) != TIDEMILL_OK && store == NULL);
    CHECK_SAYING(strstr(error.text, "read-only") != NULL, "%s", error.text);
    return check__bad;
}

static void a_database_that_cannot_be_written_is_refused(void)
{
    make_mixed("readonly");
    char parent[300];
    snprintf(parent, sizeof parent, "%s/readonly", folder);
    chmod(folder, 0755);
    chmod(beside("-lock"), 0666); /* so that SQLite is the one to find out */
    chmod(path, 0444);
    chmod(parent, 0555);
    int status = wait_for(start("read_only", ""));
    CHECK_SAYING(WEXITSTATUS(status) == 77 || status == 0, "status %d", status);
    chmod(beside("-lock"), 0600);
    CHECK(WEXITSTATUS(status) == 77 || succeeds("read_only", ""));
    chmod(parent, 0700);
    chmod(path, 0600);
    if (WEXITSTATUS(status) == 77) SKIP("cannot give up being root");
}

static void a_log_that_outlived_its_database_is_not_believed(void)
{
    make_mixed("orphan");
    struct mill_store *store = open_store(NULL);
    put(store, 10, 1000, false);
    CHECK(mill_store_flush(store, 30));
    CHECK(unlink(path) == 0 && exists(beside("-wal")));
    struct mill_store *fresh = open_store(NULL);
    struct mill_reader *reader = mill_reader_open(fresh);
    CHECK(has_nothing(reader, 10));
    put(fresh, 11, 1000, false);
    CHECK(mill_store_flush(fresh, 30));
    put(store, 12, 1000, false); /* into a file that has no name any more */
    CHECK(mill_store_flush(store, 30));
    mill_store_close(store);
    CHECK(has(reader, 11, 1000, false) && has_nothing(reader, 12));
    mill_reader_close(reader);
    mill_store_close(fresh);
    CHECK(sql("SELECT count(*) FROM entry") == 1);
    CHECK(sql("PRAGMA quick_check") == 0);
}

/* ---- full disks ------------------------------------------------------------------------- */

static void put_until_full(struct warnings *warnings)
{
    struct mill_store *store = open_store(warnings);
    struct mill_reader *reader = mill_reader_open(store);
    for (uint64_t i = 0; i < 10; i++) put(store, i, 1000, false);
    CHECK(mill_store_flush(store, 30));
    for (uint64_t i = 10; i < 500; i++) put(store, i, i % 50 ? 20000 : 300000, false);
    CHECK(!mill_store_flush(store, 30));
    put(store, 1000, 1000, false);
    CHECK(!mill_store_flush(store, 30));
    for (uint64_t i = 0; i < 10; i++) CHECK(has(reader, i, 1000, false));
    for (uint64_t i = 10; i < 500; i++) {
        CHECK(has_nothing(reader, i) || has(reader, i, i % 50 ? 20000 : 300000, false));
    }
    CHECK(has_nothing(reader, 1000));
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    CHECK(!numbers.usable && numbers.written >= 10 && warnings->count == 1);
    mill_reader_close(reader);
    mill_store_close(store);
    CHECK(warnings->count == 1);
}

/* The role "limited": no file may grow beyond 2 MB. */
static int role_limited(const char *argument)
{
    (void)argument;
    struct warnings warnings = {0};
    struct rlimit limit = {2 << 20, 2 << 20};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    put_until_full(&warnings);
    CHECK_SAYING(strstr(warnings.last, "cannot be written (File too large): results are not "
                                       "kept from here on"),
                 "%s", warnings.last);
    return check__bad;
}

static void a_file_that_may_not_grow_ends_the_writing_only(void)
{
    fresh_path("limited");
    CHECK(succeeds("limited", ""));
    CHECK(succeeds("check", ""));
}

/* The role "check": opens, and the database is sound. */
static int role_check(const char *argument)
{
    (void)argument;
    struct warnings warnings = {0};
    struct mill_store *store = open_store(&warnings);
    struct mill_reader *reader = mill_reader_open(store);
    for (uint64_t i = 0; i < 10; i++) CHECK(has(reader, i, 1000, false));
    mill_reader_close(reader);
    mill_store_close(store);
    CHECK(warnings.count == 0 && sql("PRAGMA quick_check") == 0);
    return check__bad;
}

/* The role "full": on a file system of 3 MB that only this process sees. */
static int role_full(const char *argument)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", argument, "tmpfs", 0, "size=3m") != 0) {
        return 77;
    }
    struct warnings warnings = {0};
    put_until_full(&warnings);
    CHECK_SAYING(strstr(warnings.last, "(disk full)") != NULL, "%s", warnings.last);
    struct mill_store *store; /* opens again, or says why not */
    struct mill_error error = {.text = ""};
    if (try_open(&store, NULL, &error) != TIDEMILL_OK) {
        CHECK_SAYING(strstr(error.text, "disk full") != NULL, "%s", error.text);
    }
    mill_store_close(store);
    return check__bad;
}

static void a_full_disk_ends_the_writing_only(void)
{
    char parent[300];
    fresh_path("full");
    snprintf(parent, sizeof parent, "%s/full", folder);
    int status = wait_for(start("full", parent));
    if (WEXITSTATUS(status) == 77) SKIP("may not mount a file system");
    CHECK(status == 0);
}

static void a_full_disk_is_said_when_the_database_cannot_be_made(void)
{
    fresh_path("unmade");
    pid_t child = start("unmade", "");
    CHECK(wait_for(child) == 0);
    CHECK(!exists(path) && !exists(beside(".new")));
}

static int role_unmade(const char *argument)
{
    (void)argument;
    struct rlimit limit = {4096, 4096};
    struct mill_store *store;
    struct mill_error error = {.text = ""};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(try_open(&store, NULL, &error) == TIDEMILL_IO && store == NULL);
    CHECK_SAYING(strstr(error.text, "cannot be made (File too large)"), "%s", error.text);
    return check__bad;
}

/* ---- locked, stopped, killed ------------------------------------------------------------ */

static void nothing_is_committed_while_another_process_holds_the_lock(void)
{
    fresh_path("lock");
    struct mill_store *store = open_store(NULL);
    int lock = open(beside("-lock"), O_RDWR);
    CHECK(flock(lock, LOCK_EX) == 0);
    put(store, 1, 100, false);
    CHECK(!mill_store_flush(store, 0.1));
    struct mill_store *second = open_store(NULL); /* needs no lock for a good database */
    struct mill_reader *reader = mill_reader_open(second);
    CHECK(has_nothing(reader, 1));
    close(lock);
    CHECK(mill_store_flush(store, 30));
    CHECK(has(reader, 1, 100, false));
    mill_reader_close(reader);
    mill_store_close(second);
    mill_store_close(store);
}

static void a_flush_returns_in_time_while_another_program_holds_the_database(void)
{
    fresh_path("held");
    struct mill_store *store = open_store(NULL);
    sqlite3 *other;
    CHECK(sqlite3_open(path, &other) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    put(store, 1, 100, false);
    CHECK(!mill_store_flush(store, 0));
    CHECK(!mill_store_flush(store, -1));
    CHECK(!mill_store_flush(store, NAN));
    CHECK(!mill_store_flush(store, 0.05));
    sqlite3_close(other);
    CHECK(mill_store_flush(store, INFINITY));
    mill_store_close(store);
}

/* The role "victim": puts values 0, 1, 2, ... until it is killed. */
static int role_victim(const char *argument)
{
    struct mill_store *store = open_store(NULL);
    uint64_t first = strtoull(argument, NULL, 10);
    for (uint64_t i = first; i < first + 1000000; i++) {
        put_reads(store, i % 5000, i, i % 40 ? 100 + i % 9000 : 200000, i % 3, "");
        if (i % 16 == 0) mill_store_flush(store, 10);
    }
    return 1; /* nobody killed it */
}

struct surviving {
    struct mill_reader *reader;
    uint64_t key;
    int *right, *lost;
};

/* Contents are numbered by the put that made them: one of those that fall on this key. */
static bool check_surviving(void *context, const struct mill_entry *entry)
{
    struct surviving *surviving = context;
    for (uint64_t i = surviving->key; i < 400000; i += 5000) {
        if (!mill_hash_equal(hash_of("content", i), entry->content)) continue;
        struct mill_buffer *buffer = mill_reader_load(surviving->reader, entry->content);
        size_t size = i % 40 ? 100 + i % 9000 : 200000;
        CHECK_SAYING(buffer == NULL || is_value(buffer, i, size, i % 3), "value %d is wrong",
                     (int)i);
        if (buffer)
            ++*surviving->right;
        else
            ++*surviving->lost;
        mill_buffer_unref(buffer);
        return true;
    }
    CHECK_SAYING(false, "key %d names a content that nobody put", (int)surviving->key);
    return true;
}

/* Until the child has begun to write, which takes long on a machine that is busy. */
static void await_writing(void)
{
    struct stat status;
    for (int i = 0; i < 10000; i++) {
        if (stat(beside("-wal"), &status) == 0 && status.st_size > 0) return;
        usleep(1000);
    }
}

static void a_killed_writer_leaves_right_values_only(void)
{
    fresh_path("killed");
    int right = 0, lost = 0;
    struct warnings warnings = {0};
    for (int round = 0; round < 50; round++) {
        char first[32];
        snprintf(first, sizeof first, "%d", round * 4000);
        pid_t child = start("victim", first);
        if (round % 2) await_writing();
        usleep(2000 + (useconds_t)(random_next() % 60000));
        kill(child, SIGKILL);
        CHECK(WTERMSIG(wait_for(child)) == SIGKILL);
        struct mill_store *store = open_store(&warnings);
        struct mill_reader *reader = mill_reader_open(store);
        right = lost = 0;
        for (uint64_t key = 0; key < 5000; key++) {
            struct surviving surviving = {reader, key, &right, &lost};
            mill_reader_find(reader, hash_of("key", key), check_surviving, &surviving);
        }
        mill_reader_close(reader);
        mill_store_close(store);
    }
    CHECK_SAYING(warnings.count == 0, "%s", warnings.last);
    CHECK_SAYING(right > 20 && lost == 0, "%d right, %d lost", right, lost);
    CHECK(sql("PRAGMA quick_check") == 0);
}

static _Atomic int signals;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static void the_writer_takes_no_signals(void)
{
    sigset_t set, old;
    fresh_path("signals");
    struct mill_store *store = open_store(NULL);
    signal(SIGUSR1, count_signal);
    put(store, 1, 100, false);
    CHECK(mill_store_flush(store, 30)); /* so it runs */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(!sigismember(&old, SIGUSR1));
    kill(getpid(), SIGUSR1);
    usleep(20000);
    CHECK(signals == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    CHECK(signals == 1);
    signal(SIGUSR1, SIG_DFL);
    mill_store_close(store);
}

static void what_killed_writers_left_in_the_folder_goes_after_an_hour(void)
{
    char name[300];
    make_mixed("left");
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s.d/.new-1-%d", path, i);
        write_at(name, 0, "half", 4);
    }
    struct timespec times[2] = {{.tv_sec = time(NULL) - 4000}, {.tv_sec = time(NULL) - 4000}};
    CHECK(utimensat(AT_FDCWD, name, times, 0) == 0);
    CHECK(count_files(beside(".d")) == 4);
    struct mill_store *store = open_store(NULL);
    put(store, 9, 10, false);
    mill_store_close(store);
    CHECK(!exists(name) && count_files(beside(".d")) == 3);
}

/* ---- several at once -------------------------------------------------------------------- */

/* Value of a key, whoever computes it. */
static size_t shared_size(uint64_t key)
{
    return key % 50 == 0 ? 150000 : 100 + key % 3000;
}

static int share(struct mill_store *store, uint64_t seed, int rounds)
{
    struct mill_reader *reader = mill_reader_open(store);
    uint64_t state = seed;
    int bad = 0;
    for (int i = 0; i < rounds; i++) {
        uint64_t key = random_from(&state) % 400;
        struct mill_buffer *buffer = get(reader, key);
        if (buffer == NULL)
            put(store, key, shared_size(key), key % 2);
        else
            bad += !is_value(buffer, key, shared_size(key), key % 2);
        mill_buffer_unref(buffer);
    }
    mill_reader_close(reader);
    return bad;
}

static int role_share(const char *argument)
{
    struct warnings warnings = {0};
    struct mill_store *store = open_store(&warnings);
    CHECK(share(store, strtoull(argument, NULL, 10), 3000) == 0);
    CHECK(mill_store_flush(store, 60));
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    CHECK(numbers.usable && numbers.broken == 0);
    CHECK_SAYING(warnings.count == 0, "%s", warnings.last);
    mill_store_close(store);
    return check__bad;
}

static void four_processes_share_a_store_from_its_making(void)
{
    fresh_path("share");
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        char seed[32];
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)random_next());
        children[i] = start("share", seed);
    }
    for (int i = 0; i < 4; i++) CHECK(wait_for(children[i]) == 0);
    CHECK(sql("SELECT count(*) FROM entry") == 400);
    CHECK(sql("SELECT count(*) FROM object") == 400);
    CHECK(sql("PRAGMA quick_check") == 0);
    CHECK(count_files(beside(".d")) == 8); /* every fiftieth */
    CHECK(!exists(beside("-wal")) && !exists(beside(".broken-1")));
}

struct crew {
    struct mill_store *store;
    uint64_t seed;
    int bad;
};

static void *share_thread(void *context)
{
    struct crew *crew = context;
    crew->bad = share(crew->store, crew->seed, 2000);
    return NULL;
}

static void *put_thread(void *context)
{
    struct crew *crew = context;
    for (uint64_t i = 0; i < 1500; i++) {
        uint64_t key = (crew->seed + i) % 400;
        put(crew->store, key, shared_size(key), key % 2);
        if (i % 500 == 0) mill_store_flush(crew->store, 10);
    }
    return NULL;
}

static void threads_and_two_stores_of_one_process_share_a_file(void)
{
    fresh_path("threads");
    struct mill_store *stores[2] = {open_store(NULL), open_store(NULL)};
    struct crew crews[6];
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) {
        crews[i] = (struct crew){stores[i / 3], random_next(), 0};
        CHECK(pthread_create(&threads[i], NULL, i % 3 ? put_thread : share_thread, &crews[i]) ==
              0);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        CHECK(crews[i].bad == 0);
    }
    mill_store_close(stores[0]);
    struct mill_reader *reader = mill_reader_open(stores[1]);
    for (uint64_t key = 0; key < 400; key++) CHECK(has(reader, key, shared_size(key), key % 2));
    mill_reader_close(reader);
    mill_store_close(stores[1]);
    CHECK(sql("PRAGMA quick_check") == 0);
}

static void *damage_thread(void *context)
{
    struct crew *crew = context;
    struct mill_reader *reader = mill_reader_open(crew->store);
    for (int i = 0; i < 200; i++) {
        struct mill_buffer *buffer = get(reader, 2);
        if (buffer == NULL)
            put_mixed(crew->store, 2);
        else
            crew->bad += buffer->size != mixed_sizes[2];
        mill_buffer_unref(buffer);
    }
    mill_reader_close(reader);
    return NULL;
}

static void damage_that_several_meet_at_once_is_removed_once(void)
{
    make_mixed("together");
    CHECK(unlink(content_file(2)) == 0);
    struct mill_store *store = open_store(NULL);
    struct crew crews[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        crews[i] = (struct crew){store, 0, 0};
        CHECK(pthread_create(&threads[i], NULL, damage_thread, &crews[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(crews[i].bad == 0);
    }
    CHECK(mill_store_flush(store, 30));
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    CHECK_SAYING(numbers.broken == 1, "%d broken", (int)numbers.broken);
    struct mill_reader *reader = mill_reader_open(store);
    for (uint64_t i = 0; i < 4; i++) CHECK(has_mixed(reader, i));
    mill_reader_close(reader);
    mill_store_close(store);
}

static void more_than_the_queue_holds_is_put_all_the_same(void)
{
    fresh_path("queue");
    struct mill_store *store = open_store(NULL);
    struct mill_buffer *large = value(1, 8 << 20, false);
    for (uint64_t i = 0; i < 40; i++) {
        struct mill_put result = {.key = hash_of("key", i),
                                  .content = hash_of("content", 1),
                                  .bytes = mill_buffer_ref(large)};
        mill_store_put(store, &result);
    }
    mill_buffer_unref(large);
    CHECK(mill_store_flush(store, 60));
    struct mill_store_numbers numbers;
    mill_store_numbers(store, &numbers);
    CHECK(numbers.entries == 40 && numbers.bytes < 20 << 20);
    mill_store_close(store);
}

static void a_store_closed_at_once_has_written_all(void)
{
    fresh_path("closed");
    for (uint64_t i = 0; i < 20; i++) {
        struct mill_store *store = open_store(NULL);
        put(store, i, 100, false);
        mill_store_close(store);
        CHECK(!exists(beside("-wal")));
    }
    CHECK(sql("SELECT count(*) FROM entry") == 20);
    mill_store_close(NULL);
}

/* ---- measuring: test_store measure PATH ------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void measure_puts(struct mill_store *store, uint64_t count)
{
    double start_time = now();
    for (uint64_t i = 0; i < count; i++) put(store, i, 1000, false);
    double queued = now() - start_time;
    mill_store_flush(store, 600);
    double flushed = now() - start_time;
    printf("%d puts of 1,000 bytes: %.2f us each queued, %.0f a second flushed\n", (int)count,
           queued / (double)count * 1e6, (double)count / flushed);
}

static void measure_hits(struct mill_store *store, uint64_t count)
{
    struct mill_reader *reader = mill_reader_open(store);
    mill_buffer_unref(get(reader, 0));
    double start_time = now();
    for (uint64_t i = 0; i < 100000; i++) {
        mill_buffer_unref(get(reader, i * 7919 % count));
    }
    printf("hit among %d: %.2f us\n", (int)count, (now() - start_time) * 10);
    start_time = now();
    for (uint64_t i = 0; i < 100000; i++) mill_buffer_unref(get(reader, count + i));
    printf("miss: %.2f us\n", (now() - start_time) * 10);
    start_time = now();
    for (int i = 0; i < 100000; i++) (void)hash_of("key", (uint64_t)i);
    printf("(of it the hashes of this program: %.2f us)\n", (now() - start_time) * 10);
    mill_reader_close(reader);
}

static void measure_numbers(struct mill_store *store)
{
    struct mill_buffer *values[500], *large = mill_buffer_new(NULL, 30 << 20);
    for (int i = 0; i < 500; i++) {
        values[i] = mill_buffer_new(NULL, 55000);
        double *numbers = (double *)values[i]->data;
        for (int k = 0; k < 6875; k++) numbers[k] = 100 + (double)(random_next() >> 11) * 1e-16;
    }
    for (size_t k = 0; k < (30 << 20) / 8; k++) {
        ((double *)large->data)[k] = (double)(random_next() >> 11);
    }
    double start_time = now();
    for (int i = 0; i <= 500; i++) {
        struct mill_put result = {.key = hash_of("number", (uint64_t)i),
                                  .content = hash_of("numbers", (uint64_t)i),
                                  .bytes = i < 500 ? values[i] : large};
        mill_store_put(store, &result);
    }
    double queued = now() - start_time;
    mill_store_flush(store, 600);
    printf("500 values of 55 KB and one of 30 MB: %.1f ms queued, %.1f ms flushed\n",
           queued * 1e3, (now() - start_time) * 1e3);
}

static void measure_opening(bool look)
{
    double best = 1e9, sum = 0;
    for (int i = 0; i < 50; i++) {
        double start_time = now();
        struct mill_store *store = open_store(NULL);
        if (look) {
            struct mill_reader *reader = mill_reader_open(store);
            mill_buffer_unref(get(reader, 1));
            mill_reader_close(reader);
        }
        mill_store_close(store);
        double taken = now() - start_time;
        sum += taken;
        if (taken < best) best = taken;
    }
    printf("open%s and close: %.2f ms, at best %.2f ms\n", look ? ", one hit" : "", sum * 20,
           best * 1e3);
}

static int role_measure(const char *argument)
{
    (void)argument;
    struct mill_store *store = open_store(NULL);
    measure_puts(store, 100000);
    measure_hits(store, 100000);
    measure_numbers(store);
    double start_time = now();
    mill_store_close(store);
    printf("close after all that: %.1f ms\n", (now() - start_time) * 1e3);
    measure_opening(false);
    measure_opening(true);
    return 0;
}

/* ---- all -------------------------------------------------------------------------------- */

static int run_role(const char *role, const char *argument)
{
    const struct {
        const char *name;
        int (*run)(const char *argument);
    } roles[] = {
        {"expect", role_expect}, {"read_only", role_read_only}, {"limited", role_limited},
        {"check", role_check},   {"full", role_full},           {"unmade", role_unmade},
        {"victim", role_victim}, {"share", role_share},         {"measure", role_measure}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(roles[i].name, role) == 0) return roles[i].run(argument);
    }
    return 2;
}

int main(int count, char **arguments)
{
    if (count > 2) {
        snprintf(path, sizeof path, "%s", arguments[2]);
        return run_role(arguments[1], count > 3 ? arguments[3] : "");
    }
    random_state = check_seed();
    folder_make();

    RUN(values_of_all_sizes_come_back);
    RUN(what_packs_is_packed_and_what_is_large_is_a_file);
    RUN(the_database_has_the_settings_it_was_made_with);
    RUN(lists_of_reads_come_newest_first_and_equal_ones_replace);
    RUN(long_lists_of_reads_come_back);
    RUN(queued_results_are_seen_before_they_are_committed);
    RUN(flushed_results_are_seen_by_another_process);
    RUN(bytes_of_a_content_are_stored_once);

    RUN(flipped_bytes_in_a_row_are_noticed);
    RUN(flipped_bytes_in_a_file_are_noticed);
    RUN(a_missing_short_or_long_file_is_noticed);
    RUN(a_row_that_lies_about_its_sizes_is_noticed);
    RUN(a_row_with_a_right_sum_and_a_wrong_size_gives_nothing);
    RUN(a_truncated_database_is_set_aside);
    RUN(a_database_with_a_bad_header_is_set_aside);
    RUN(damage_inside_is_found_after_a_commit_that_was_cut_short);
    RUN(damage_met_in_mid_run_ends_the_cache_and_the_next_start_repairs_it);

    RUN(a_file_of_somebody_else_is_never_touched);
    RUN(a_path_that_is_no_place_for_a_file_is_refused);
    RUN(the_folder_is_made_when_asked_for_whatever_the_umask);
    RUN(a_relative_path_stays_where_it_was_when_the_folder_changes);
    RUN(a_database_that_cannot_be_written_is_refused);
    RUN(a_log_that_outlived_its_database_is_not_believed);

    RUN(a_file_that_may_not_grow_ends_the_writing_only);
    RUN(a_full_disk_ends_the_writing_only);
    RUN(a_full_disk_is_said_when_the_database_cannot_be_made);
    RUN(nothing_is_committed_while_another_process_holds_the_lock);
    RUN(a_flush_returns_in_time_while_another_program_holds_the_database);
    RUN(a_killed_writer_leaves_right_values_only);
    RUN(what_killed_writers_left_in_the_folder_goes_after_an_hour);
    RUN(the_writer_takes_no_signals);

    RUN(four_processes_share_a_store_from_its_making);
    RUN(threads_and_two_stores_of_one_process_share_a_file);
    RUN(damage_that_several_meet_at_once_is_removed_once);
    RUN(more_than_the_queue_holds_is_put_all_the_same);
    RUN(a_store_closed_at_once_has_written_all);

    folder_remove();
    return check_end();
}
