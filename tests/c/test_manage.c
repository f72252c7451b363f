/* test_manage: what is asked of a cache besides results: entries, numbers, removal, limits, checks,
 * export and import; and that an older format is taken over.
 * test_manage verify PATH: for other tests.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/manage.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random_check.h"
#include "store_check.h"

/* ---- a store a test --------------------------------------------------------------------- */

static int warnings;

static void warn(void *context, const char *text)
{
    (void)context;
    (void)text;
    warnings++;
}

static struct mill_store *open_limited(struct mill_limits limits)
{
    struct mill_store_options options = {.path = path, .limits = limits, .warn = warn};
    struct mill_store *store = NULL;
    struct mill_error error = {0};
    CHECK_SAYING(mill_store_open(&options, &store, &error) == TIDEMILL_OK, "%s", error.text);
    return store;
}

static struct mill_store *open_store(void)
{
    return open_limited((struct mill_limits){0});
}

/* Bytes that no compression makes fewer. */
static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(state >> 56);
    }
}

static void put_shared(struct mill_store *store, uint64_t key, uint64_t content, size_t size,
                       const char *task, const char *reads)
{
    struct mill_buffer *bytes = mill_buffer_new(NULL, size);
    fill(bytes->data, size, content);
    struct mill_put result = {.key = hash_of("key", key),
                              .content = hash_of("content", content),
                              .reads = reads,
                              .reads_size = strlen(reads),
                              .bytes = bytes,
                              .task = task,
                              .seconds = 0.25};
    mill_store_put(store, &result);
}

static void put(struct mill_store *store, uint64_t key, size_t size, const char *task)
{
    put_shared(store, key, key, size, task, "");
}

static bool take_first(void *context, const struct mill_entry *entry)
{
    *(struct mill_hash *)context = entry->content;
    return true;
}

/* Whether the key has the bytes that were put with it. */
static bool has(struct mill_store *store, uint64_t key, size_t size)
{
    struct mill_reader *reader = mill_reader_open(store);
    struct mill_hash content;
    bool right = false;
    if (mill_reader_find(reader, hash_of("key", key), take_first, &content)) {
        struct mill_buffer *bytes = mill_reader_load(reader, content);
        uint8_t *expected = malloc(size + 1);
        fill(expected, size, key);
        right = bytes && bytes->size == size && memcmp(bytes->data, expected, size) == 0;
        CHECK(bytes == NULL || right);
        free(expected);
        mill_buffer_unref(bytes);
    }
    mill_reader_close(reader);
    return right;
}

static int64_t bytes_on_disk(struct mill_store *store)
{
    struct mill_store_stats stats;
    struct mill_error error;
    CHECK(mill_store_stats(store, &stats, &error) == TIDEMILL_OK);
    return stats.bytes;
}

/* ---- entries ---------------------------------------------------------------------------- */

struct seen {
    int rows, slow, long_reads;
    int64_t hits, size;
};

static bool see(void *context, const struct mill_store_row *row)
{
    struct seen *seen = context;
    seen->rows++;
    seen->slow += strcmp(row->task, "slow") == 0;
    seen->long_reads += row->reads_size == 2000;
    seen->hits += row->hits;
    seen->size += row->size;
    CHECK(row->cost == 250000 && row->made > 0 && row->stored > 0);
    CHECK((row->hits > 0) == (row->used > 0));
    return seen->rows < 1000;
}

static struct seen look_at(struct mill_store *store, struct mill_store_filter filter)
{
    struct seen seen = {0};
    struct mill_error error = {0};
    CHECK_SAYING(mill_store_each(store, &filter, see, &seen, &error) == TIDEMILL_OK, "%s",
                 error.text);
    return seen;
}

static void entries_are_told_with_what_is_known_of_them(void)
{
    char reads[2001];
    memset(reads, 'r', 2000);
    reads[2000] = '\0';
    fresh_path("entries");
    struct mill_store *store = open_store();
    for (uint64_t i = 0; i < 20; i++) put(store, i, 1000, i % 4 ? "quick" : "slow");
    put_shared(store, 20, 20, 300000, "slow", reads);
    CHECK(has(store, 3, 1000) && has(store, 3, 1000) && has(store, 4, 1000));
    struct seen all = look_at(store, (struct mill_store_filter){0});
    CHECK(all.rows == 21 && all.slow == 6 && all.long_reads == 1 && all.size == 320000);
    struct mill_hash key = hash_of("key", 20);
    CHECK(look_at(store, (struct mill_store_filter){.task = "slow"}).rows == 6);
    CHECK(look_at(store, (struct mill_store_filter){.task = "slo"}).rows == 0);
    CHECK(look_at(store, (struct mill_store_filter){.key = &key}).long_reads == 1);
    CHECK(look_at(store, (struct mill_store_filter){.made_before = 1}).rows == 0);
    mill_store_close(store);
    store = open_store(); /* queued results were used before they were on disk: not these */
    CHECK(has(store, 3, 1000) && has(store, 3, 1000) && has(store, 4, 1000));
    mill_store_close(store);
    store = open_store();
    CHECK(look_at(store, (struct mill_store_filter){0}).hits >= 3);
    struct mill_store_stats stats;
    struct mill_error error;
    CHECK(mill_store_stats(store, &stats, &error) == TIDEMILL_OK);
    CHECK(stats.entries == 21 && stats.tasks == 2 && stats.objects == 22 && stats.files == 1);
    CHECK(stats.saved == stats.hits * 250000 && stats.size == 322000);
    mill_store_close(store);
}

static void what_a_filter_names_is_removed_and_bytes_go_with_their_last_entry(void)
{
    fresh_path("remove");
    struct mill_store *store = open_store();
    int64_t removed;
    struct mill_error error = {0};
    put(store, 1, 200000, "a");
    put(store, 2, 1000, "b");
    put_shared(store, 3, 1, 200000, "c", ""); /* the bytes of the first */
    CHECK(mill_store_remove(store, &(struct mill_store_filter){.task = "a"}, &removed,
                            &error) == TIDEMILL_OK);
    CHECK(removed == 1 && !has(store, 1, 200000) && has(store, 2, 1000));
    CHECK(sql("SELECT count(*) FROM object WHERE in_file = 1") == 1);
    CHECK(mill_store_remove(store, &(struct mill_store_filter){.task = "c"}, &removed,
                            &error) == TIDEMILL_OK);
    CHECK(removed == 1 && sql("SELECT count(*) FROM object") == 1);
    struct mill_store_findings findings;
    CHECK(mill_store_verify(store, false, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(findings.entries == 1 && findings.objects == 1 && findings.strays == 0 &&
          findings.orphans == 0 && findings.lacking == 0);
    CHECK(mill_store_clear(store, &removed, &error) == TIDEMILL_OK && removed == 1);
    CHECK(sql("SELECT count(*) FROM object") == 0 && !has(store, 2, 1000));
    put(store, 5, 1000, "d");
    CHECK(has(store, 5, 1000));
    mill_store_close(store);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void the_least_recently_used_goes_when_the_limit_is_reached(void)
{
    fresh_path("limit");
    const int64_t limit = 4000000;
    struct mill_store *store = open_store();
    for (uint64_t i = 0; i < 60; i++) put(store, i, 50000, "t"); /* three quarters of it */
    mill_store_close(store);
    sql("UPDATE entry SET made = made - 1000000000, used = 0");
    store = open_limited((struct mill_limits){.bytes = limit});
    for (uint64_t i = 0; i < 10; i++) CHECK(has(store, i, 50000)); /* these are in use */
    for (uint64_t i = 60; i < 100; i++) put(store, i, 50000, "t");
    mill_store_close(store);
    store = open_limited((struct mill_limits){.bytes = limit});
    CHECK_SAYING(bytes_on_disk(store) <= limit + limit / 8, "%lld",
                 (long long)bytes_on_disk(store));
    for (uint64_t i = 0; i < 10; i++) CHECK(has(store, i, 50000));
    for (uint64_t i = 60; i < 100; i++) CHECK(has(store, i, 50000));
    int left = 0;
    for (uint64_t i = 10; i < 60; i++) left += has(store, i, 50000);
    CHECK(left < 40);
    struct mill_store_findings findings;
    struct mill_error error;
    CHECK(mill_store_verify(store, false, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(!findings.broken && !findings.orphans && !findings.lacking && !findings.strays);
    mill_store_close(store);
}

static void a_run_that_fills_the_cache_by_itself_keeps_what_it_has_and_says_so_once(void)
{
    fresh_path("full");
    const int64_t limit = 3000000;
    warnings = 0;
    struct mill_store *store = open_limited((struct mill_limits){.bytes = limit});
    for (uint64_t i = 0; i < 300; i++) {
        put(store, i, 100000, "t");
        if (i % 5 == 4) mill_store_flush(store, 30);
    }
    put(store, 1000, 3100000, "t"); /* larger than the limit */
    CHECK(!has(store, 1000, 3100000));
    mill_store_flush(store, 30);
    for (uint64_t i = 0; i < 20; i++) CHECK(has(store, i, 100000));
    CHECK(warnings == 1);
    mill_store_close(store);
    store = open_limited((struct mill_limits){.bytes = limit});
    CHECK(bytes_on_disk(store) < 2 * limit);
    mill_store_close(store);
}

static void what_is_too_old_or_one_too_many_goes(void)
{
    fresh_path("ttl");
    struct mill_store *store = open_store();
    struct mill_store_swept swept;
    struct mill_error error;
    for (uint64_t i = 0; i < 100; i++) put(store, i, 1000, "t");
    mill_store_close(store);
    sql("UPDATE entry SET made = made - 7200000000 WHERE key < x'40'");
    int64_t old = sql("SELECT count(*) FROM entry WHERE key < x'40'");
    CHECK(old > 0 && old < 100);
    store = open_limited((struct mill_limits){.ttl = 3600});
    CHECK(mill_store_gc(store, &swept, &error) == TIDEMILL_OK && swept.entries == old);
    mill_store_close(store);
    store = open_limited((struct mill_limits){.entries = 10});
    CHECK(mill_store_gc(store, &swept, &error) == TIDEMILL_OK);
    CHECK(swept.entries == 100 - old - 9 && sql("SELECT count(*) FROM entry") == 9);
    CHECK(sql("SELECT count(*) FROM object") == 9);
    mill_store_close(store);
}

/* ---- checks ------------------------------------------------------------------------------ */

static void a_check_finds_what_is_wrong_and_repairs_it(void)
{
    fresh_path("verify");
    struct mill_store *store = open_store();
    struct mill_store_findings findings;
    struct mill_error error;
    for (uint64_t i = 0; i < 10; i++) put(store, i, i < 5 ? 1000 : 200000, "t");
    mill_store_close(store);
    char name[33], file[300];
    sql("UPDATE object SET data = zeroblob(1000) WHERE id = 2");       /* broken */
    sql("DELETE FROM entry WHERE key = (SELECT min(key) FROM entry)"); /* an orphan */
    sql("DELETE FROM object WHERE id = 4");                            /* lacking */
    mill_hash_text(hash_of("content", 7), name);
    snprintf(file, sizeof file, "%s.d/%s", path, name);
    CHECK(unlink(file) == 0); /* broken */
    mill_hash_text(hash_of("content", 99), name);
    snprintf(file, sizeof file, "%s.d/%s", path, name);
    close(open(file, O_CREAT | O_WRONLY, 0600)); /* a stray */
    store = open_store();
    CHECK(mill_store_verify(store, true, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(findings.broken == 2 && findings.strays == 1 && !findings.damaged);
    CHECK(findings.orphans <= 1 && findings.lacking <= 1 &&
          findings.orphans + findings.lacking >= 1);
    CHECK(mill_store_verify(store, false, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(!findings.broken && !findings.strays && !findings.orphans && !findings.lacking);
    CHECK(findings.entries >= 6 && findings.objects == findings.entries);
    mill_store_close(store);
}

/* ---- export and import ----------------------------------------------------------------------- */

static void an_exported_cache_serves_hits_elsewhere_and_a_damaged_one_adds_nothing(void)
{
    char out[256], reads[2001];
    int64_t entries;
    struct mill_error error = {0};
    memset(reads, 'r', 2000);
    reads[2000] = '\0';
    snprintf(out, sizeof out, "%s/out", folder);
    fresh_path("export");
    struct mill_store *store = open_store();
    for (uint64_t i = 0; i < 30; i++) put(store, i, 20 * i, i % 2 ? "odd" : "even");
    put(store, 30, 300000, "even");
    put_shared(store, 31, 31, 10, "even", reads);
    CHECK(mill_store_export(store, NULL, out, &entries, &error) == TIDEMILL_OK &&
          entries == 32);
    mill_store_close(store);

    fresh_path("import");
    store = open_store();
    CHECK_SAYING(mill_store_import(store, out, &entries, &error) == TIDEMILL_OK, "%s",
                 error.text);
    CHECK(entries == 32);
    for (uint64_t i = 0; i < 30; i++) CHECK(has(store, i, 20 * i));
    CHECK(has(store, 30, 300000) && has(store, 31, 10));
    CHECK(mill_store_import(store, out, &entries, &error) == TIDEMILL_OK && entries == 0);
    CHECK(mill_store_import(store, "/none/such", &entries, &error) == TIDEMILL_IO);
    struct mill_store_findings findings;
    CHECK(mill_store_verify(store, false, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(!findings.broken && !findings.orphans && !findings.strays && findings.entries == 32);
    mill_store_close(store);

    fresh_path("damaged");
    store = open_store();
    size_t size;
    char *bytes = read_file(out, &size);
    for (int round = 0; round < 200; round++) {
        size_t at = random_below((uint32_t)size);
        bool cut = round % 4 == 0;
        char old = bytes[at];
        bytes[at] = (char)(bytes[at] ^ (1 << random_below(8)));
        write_bytes(out, bytes, cut ? at : size);
        CHECK_SAYING(mill_store_import(store, out, &entries, &error) == TIDEMILL_DATA &&
                         entries == 0,
                     "byte %zu, %s", at, cut ? "cut" : "flipped");
        bytes[at] = old;
    }
    free(bytes);
    CHECK(sql("SELECT count(*) FROM entry") == 0);
    mill_store_close(store);
}

/* ---- damage of any kind ---------------------------------------------------------------------- */

enum { DAMAGED_KEYS = 40 };

static size_t damaged_size(uint64_t key)
{
    static const size_t all[] = {10, 1000, 30000, 200000};
    return all[key % 4];
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    if (access(from, R_OK) != 0) return;
    char *bytes = read_file(from, &size);
    write_bytes(to, bytes, size);
    free(bytes);
}

/* Flips a bit, tears a write, or cuts the file. */
static void damage_file(const char *name)
{
    size_t size;
    if (access(name, R_OK) != 0) return;
    char *bytes = read_file(name, &size);
    if (size == 0) {
        free(bytes);
        return;
    }
    size_t at = random_below((uint32_t)size), piece = 512 << random_below(4);
    switch (random_below(4)) {
    case 0:
        bytes[at] = (char)(bytes[at] ^ (1 << random_below(8)));
        break;
    case 1: /* a sector that never reached the disk */
        at -= at % piece;
        memset(bytes + at, 0, size - at < piece ? size - at : piece);
        break;
    case 2: /* one that is somebody else's */
        for (size_t i = at - at % piece; i < size && i < at - at % piece + piece; i++) {
            bytes[i] = bytes[(i * 7 + 13) % size];
        }
        break;
    default:
        size = at;
    }
    write_bytes(name, bytes, size);
    free(bytes);
}

/* A cache as a crash would leave it, half of it in the log. */
static void make_template(void)
{
    struct mill_store *store = open_store();
    for (uint64_t i = 0; i < DAMAGED_KEYS / 2; i++) put(store, i, damaged_size(i), "t");
    mill_store_close(store);
    store = open_store();
    for (uint64_t i = DAMAGED_KEYS / 2; i < DAMAGED_KEYS; i++)
        put(store, i, damaged_size(i), "t");
    mill_store_flush(store, 30);
    char from[300], to[200];
    static const char *const parts[] = {"", "-wal"};
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", path, parts[i]);
        snprintf(to, sizeof to, "%s/base%s", folder, parts[i]);
        copy_file(from, to);
    }
    mill_store_close(store);
}

static void damage_of_any_kind_gives_no_wrong_value(void)
{
    char from[350], to[300], name[33], values[300];
    fresh_path("template");
    make_template();
    snprintf(values, sizeof values, "%s.d", path);
    int lost = 0, set_aside = 0;
    for (int round = 0; round < 120; round++) {
        char test[32];
        snprintf(test, sizeof test, "round%d", round);
        fresh_path(test);
        snprintf(from, sizeof from, "%s/base", folder);
        copy_file(from, path);
        snprintf(from, sizeof from, "%s/base-wal", folder);
        snprintf(to, sizeof to, "%s-wal", path);
        copy_file(from, to);
        if (round % 3 == 0) damage_file(to);
        if (round % 3 == 1) damage_file(path);
        snprintf(to, sizeof to, "%s.d", path);
        mkdir(to, 0700);
        for (uint64_t key = 3; key < DAMAGED_KEYS; key += 4) {
            mill_hash_text(hash_of("content", key), name);
            snprintf(from, sizeof from, "%s/%s", values, name);
            snprintf(to, sizeof to, "%s.d/%s", path, name);
            copy_file(from, to);
            if (round % 3 == 2 && key % 3 == 0) damage_file(to);
        }
        warnings = 0;
        struct mill_store_options options = {.path = path, .warn = warn};
        struct mill_store *store;
        struct mill_error error;
        /* One whose header is not ours any more is not opened. */
        if (mill_store_open(&options, &store, &error) != TIDEMILL_OK) continue;
        for (uint64_t key = 0; key < DAMAGED_KEYS; key++)
            lost += !has(store, key, damaged_size(key));
        for (uint64_t key = 0; key < DAMAGED_KEYS; key++)
            put(store, key, damaged_size(key), "t");
        mill_store_flush(store, 30);
        for (uint64_t key = 0; key < DAMAGED_KEYS; key++) has(store, key, damaged_size(key));
        set_aside += warnings > 0;
        mill_store_close(store);
    }
    CHECK_SAYING(lost > 0, "no damage has done any");
    printf("damage: %d results lost, %d caches set aside or given up\n", lost, set_aside);
}

/* ---- formats ------------------------------------------------------------------------------ */

/* Makes the database one of format 1 or 2. */
static void age(int format)
{
    const char *uses = format > 1 ? ", used, hits" : "";
    if (format == 1) sql("DROP INDEX object_file");
    sql("CREATE TABLE old(key BLOB NOT NULL, reads_name BLOB NOT NULL, content BLOB NOT NULL,"
        " made INTEGER NOT NULL, seconds REAL NOT NULL, task TEXT NOT NULL, reads BLOB%s,"
        " PRIMARY KEY(key, reads_name)) WITHOUT ROWID;"
        "INSERT INTO old SELECT key, reads_name, content, made, seconds, task, reads%s FROM "
        "entry;"
        "DROP TABLE entry; ALTER TABLE old RENAME TO entry; PRAGMA user_version = %d;"
        "PRAGMA wal_checkpoint(TRUNCATE)",
        format > 1 ? ", used INTEGER NOT NULL DEFAULT 0, hits INTEGER NOT NULL DEFAULT 0" : "",
        uses, format);
}

static void an_older_format_is_taken_over_with_what_is_in_it(void)
{
    for (int format = 1; format <= 2; format++) {
        fresh_path(format == 1 ? "format1" : "format2");
        struct mill_store *store = open_store();
        for (uint64_t i = 0; i < 10; i++) put(store, i, i == 9 ? 200000 : 1000, "t");
        mill_store_close(store);
        age(format);
        warnings = 0;
        for (int i = 0; i < 2; i++) {
            store = open_store();
            CHECK(warnings == 0);
            for (uint64_t k = 0; k < 10; k++) CHECK(has(store, k, k == 9 ? 200000 : 1000));
            mill_store_close(store);
        }
        CHECK(sql("PRAGMA user_version") == 3 && sql("SELECT sum(hits) FROM entry") == 20);
        store = open_store();
        put(store, 10, 1000, "t");
        mill_store_close(store);
        CHECK(sql("SELECT count(*) FROM entry WHERE object > 0") == 1);
    }
}

/* What an entry says of its bytes' place is a hint. */
static void bytes_are_found_wherever_an_entry_says_that_they_lie(void)
{
    fresh_path("places");
    struct mill_store *store = open_store();
    for (uint64_t i = 0; i < 10; i++) put(store, i, i == 9 ? 200000 : 1000, "t");
    mill_store_close(store);
    CHECK(sql("SELECT count(*) FROM entry JOIN object ON object.id = entry.object"
              " WHERE object.content = entry.content") == 10);
    static const char *const places[] = {
        "0", "1", "-3", "77", "object % 10 + 1", "9223372036854775807"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        sql("UPDATE entry SET object = %s", places[i]);
        store = open_store();
        for (uint64_t k = 0; k < 10; k++) CHECK(has(store, k, k == 9 ? 200000 : 1000));
        mill_store_close(store);
        CHECK(sql("SELECT count(*) FROM object") == 10);
    }
}

static void a_network_file_system_is_refused(void)
{
    fresh_path("network");
    struct mill_store_options options = {.path = path, .remote = true};
    struct mill_store *store;
    struct mill_error error = {0};
    CHECK(mill_store_open(&options, &store, &error) == TIDEMILL_IO);
    CHECK(strstr(error.text, "is on a network file system") != NULL);
}

/* ---- several at once -------------------------------------------------------------------------- */

struct removing {
    struct mill_store *store;
    _Atomic bool end;
};

static void *remove_again(void *context)
{
    struct removing *removing = context;
    while (!atomic_load(&removing->end)) {
        int64_t removed;
        struct mill_store_swept swept;
        struct mill_error error;
        CHECK(mill_store_remove(removing->store, &(struct mill_store_filter){.task = "odd"},
                                &removed, &error) == TIDEMILL_OK);
        CHECK(mill_store_gc(removing->store, &swept, &error) == TIDEMILL_OK);
    }
    return NULL;
}

static void results_come_and_go_while_others_read_them(void)
{
    fresh_path("together");
    struct removing removing = {.store = open_limited((struct mill_limits){.bytes = 20000000})};
    pthread_t thread;
    pthread_create(&thread, NULL, remove_again, &removing);
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t key = i % 50;
        size_t size = key % 3 ? 2000 : 150000;
        put(removing.store, key, size, key % 2 ? "odd" : "even");
        if (i % 10 == 0) mill_store_flush(removing.store, 30);
        uint64_t other = random_below(50);
        has(removing.store, other,
            other % 3 ? 2000 : 150000); /* it says itself what is wrong */
    }
    for (uint64_t key = 0; key < 50; key += 2)
        CHECK(has(removing.store, key, key % 3 ? 2000 : 150000));
    atomic_store(&removing.end, true);
    pthread_join(thread, NULL);
    struct mill_store_findings findings;
    struct mill_error error;
    CHECK(mill_store_verify(removing.store, false, &findings, NULL, NULL, &error) ==
          TIDEMILL_OK);
    CHECK(!findings.broken && !findings.lacking && !findings.orphans && !findings.strays);
    mill_store_close(removing.store);
}

/* For tests/soak/crash.lua: what a check finds at `path`. */
static int role_verify(void)
{
    struct mill_store *store = open_store();
    struct mill_store_findings findings;
    struct mill_error error = {0};
    if (store == NULL || mill_store_verify(store, false, &findings, NULL, NULL, &error))
        return 1;
    printf("entries %lld broken %lld lacking %lld damaged %d warnings %d\n",
           (long long)findings.entries, (long long)findings.broken, (long long)findings.lacking,
           findings.damaged, warnings);
    mill_store_close(store);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "verify") == 0) {
        snprintf(path, sizeof path, "%s", arguments[2]);
        return role_verify();
    }
    random_state = check_seed();
    folder_make();
    RUN(entries_are_told_with_what_is_known_of_them);
    RUN(what_a_filter_names_is_removed_and_bytes_go_with_their_last_entry);
    RUN(the_least_recently_used_goes_when_the_limit_is_reached);
    RUN(a_run_that_fills_the_cache_by_itself_keeps_what_it_has_and_says_so_once);
    RUN(what_is_too_old_or_one_too_many_goes);
    RUN(a_check_finds_what_is_wrong_and_repairs_it);
    RUN(an_exported_cache_serves_hits_elsewhere_and_a_damaged_one_adds_nothing);
    RUN(damage_of_any_kind_gives_no_wrong_value);
    RUN(an_older_format_is_taken_over_with_what_is_in_it);
    RUN(bytes_are_found_wherever_an_entry_says_that_they_lie);
    RUN(a_network_file_system_is_refused);
    RUN(results_come_and_go_while_others_read_them);
    folder_remove();
    return check_end();
}
