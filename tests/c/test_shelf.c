/* test_shelf: values put into a cache against a plain model: a key has the last that was put, in this
 * process and in the next, and what was replaced leaves nothing behind.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/shelf.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cache/manage.h"
#include "random_check.h"
#include "store_check.h"

/* ---- a shelf ---------------------------------------------------------------------------- */

static struct mill_files files;

static struct mill_shelf open_shelf(void)
{
    struct mill_store_options options = {.path = path};
    struct mill_shelf shelf = {.files = &files};
    struct mill_error error = {0};
    CHECK_SAYING(mill_store_open(&options, &shelf.store, &error) == TIDEMILL_OK, "%s",
                 error.text);
    if (shelf.store == NULL) abort();
    shelf.reader = mill_reader_open(shelf.store);
    return shelf;
}

static void close_shelf(struct mill_shelf *shelf)
{
    mill_reader_close(shelf->reader);
    mill_store_close(shelf->store);
}

static struct mill_hash key_of(double number)
{
    struct mill_value key = mill_number(number);
    return mill_shelf_key(&key);
}

static bool put_for(const struct mill_shelf *shelf, double key, double number,
                    enum mill_shelf_mode mode, double ttl)
{
    struct mill_value value = mill_number(number);
    return mill_shelf_put(
        shelf,
        &(struct mill_shelf_put){
            .key = key_of(key), .name = "value:k", .value = &value, .mode = mode, .ttl = ttl});
}

static bool put(const struct mill_shelf *shelf, double key, double number,
                enum mill_shelf_mode mode)
{
    return put_for(shelf, key, number, mode, 0);
}

/* NaN: there is none. */
static double get(const struct mill_shelf *shelf, double key)
{
    struct mill_value value;
    if (!mill_shelf_get(shelf, key_of(key), &value)) return 0.0 / 0.0;
    double number = value.tag == MILL_TAG_NUMBER ? value.number : -1;
    mill_value_unref(value);
    return number;
}

static bool has(const struct mill_shelf *shelf, double key)
{
    struct mill_value value;
    if (!mill_shelf_get(shelf, key_of(key), &value)) return false;
    mill_value_unref(value);
    return true;
}

/* ---- tests ------------------------------------------------------------------------------ */

enum { KEYS = 23, STEPS = 4000 };

static void check_all(const struct mill_shelf *shelf, const double *model)
{
    for (int key = 0; key < KEYS; key++) {
        bool there = model[key] >= 0;
        CHECK(has(shelf, key) == there);
        if (there) CHECK(get(shelf, key) == model[key]);
    }
}

static void a_key_has_the_last_value_whatever_the_mode_and_in_the_next_process_too(void)
{
    double model[KEYS];
    fresh_path("model");
    for (int key = 0; key < KEYS; key++) model[key] = -1;
    struct mill_shelf shelf = open_shelf();
    for (int step = 0; step < STEPS; step++) {
        int key = (int)random_below(KEYS);
        unsigned dice = random_below(100);
        double number = (double)random_below(7); /* contents that keys share */
        if (dice < 60) {
            CHECK(put(&shelf, key, number, MILL_SHELF_BEHIND));
            model[key] = number;
        } else if (dice < 80) {
            CHECK(put(&shelf, key, number, MILL_SHELF_ASIDE) == (model[key] < 0));
            if (model[key] < 0) model[key] = number;
        } else if (dice < 82) {
            CHECK(put(&shelf, key, number, MILL_SHELF_THROUGH));
            model[key] = number;
        } else if (dice < 99) {
            int other = (int)random_below(KEYS);
            CHECK(has(&shelf, other) == (model[other] >= 0));
            if (model[other] >= 0) CHECK(get(&shelf, other) == model[other]);
        } else if (dice == 99 && step % 3 == 0) {
            close_shelf(&shelf);
            shelf = open_shelf();
        }
    }
    check_all(&shelf, model);
    close_shelf(&shelf);
    shelf = open_shelf();
    check_all(&shelf, model);
    close_shelf(&shelf);
}

static void what_is_written_through_is_on_disk_when_the_call_ends(void)
{
    fresh_path("through");
    struct mill_shelf writer = open_shelf(), other = open_shelf();
    for (int i = 0; i < 20; i++) {
        CHECK(put(&writer, i, i, MILL_SHELF_THROUGH));
        CHECK(get(&other, i) == i);
    }
    close_shelf(&writer);
    close_shelf(&other);
}

static void what_was_replaced_leaves_nothing_behind(void)
{
    fresh_path("replaced");
    struct mill_shelf shelf = open_shelf();
    for (int i = 0; i < 1000; i++) {
        CHECK(put(&shelf, i % 10, i, MILL_SHELF_BEHIND));
        if (i % 100 == 0) mill_store_flush(shelf.store, 60);
    }
    close_shelf(&shelf);
    shelf = open_shelf();
    struct mill_store_stats stats;
    struct mill_store_findings findings;
    struct mill_error error;
    CHECK(mill_store_stats(shelf.store, &stats, &error) == TIDEMILL_OK);
    CHECK(stats.entries == 10 && stats.objects == 10);
    CHECK(mill_store_verify(shelf.store, false, &findings, NULL, NULL, &error) == TIDEMILL_OK);
    CHECK(findings.orphans == 0 && findings.broken == 0 && findings.lacking == 0);
    close_shelf(&shelf);
}

static void a_value_lasts_as_long_as_was_said_and_none_before_it_comes_back(void)
{
    fresh_path("ttl");
    struct mill_shelf shelf = open_shelf();
    CHECK(put(&shelf, 1, 10, MILL_SHELF_THROUGH));
    CHECK(put_for(&shelf, 1, 11, MILL_SHELF_THROUGH, 0.02));
    CHECK(put_for(&shelf, 2, 12, MILL_SHELF_THROUGH, 3600));
    usleep(30000);
    CHECK(!has(&shelf, 1));
    CHECK(get(&shelf, 2) == 12);
    struct mill_store_swept swept;
    struct mill_error error;
    CHECK(mill_store_gc(shelf.store, &swept, &error) == TIDEMILL_OK && swept.entries == 1);
    CHECK(put(&shelf, 1, 13, MILL_SHELF_ASIDE)); /* the place is free */
    CHECK(get(&shelf, 1) == 13);
    shelf.ttl = 0.001; /* of the whole cache */
    usleep(3000);
    CHECK(!has(&shelf, 1) && !has(&shelf, 2));
    close_shelf(&shelf);
}

/* A claim goes a moment after the commit. */
static bool becomes_free(struct mill_store *store, struct mill_hash key)
{
    for (int i = 0; i < 60000; i++) {
        if (mill_store_claimed(store, key) == MILL_CLAIM_NONE) return true;
        usleep(1000);
    }
    return false;
}

static void a_claim_goes_with_the_value_or_without_one(void)
{
    fresh_path("claims");
    struct mill_shelf shelf = open_shelf();
    struct mill_value value = mill_number(5);
    for (int round = 0; round < 2; round++) {
        int ticket;
        struct mill_hash key = key_of(1);
        CHECK(mill_store_claim(shelf.store, key, &ticket) == MILL_CLAIM_TAKEN);
        struct mill_shelf_put asked = {.key = key,
                                       .name = "value:1",
                                       .value = &value,
                                       .mode = MILL_SHELF_ASIDE,
                                       .ticket = ticket};
        CHECK(mill_shelf_put(&shelf, &asked) == (round == 0));
        CHECK(becomes_free(shelf.store, key));
    }
    close_shelf(&shelf);
}

int main(void)
{
    random_state = check_seed();
    folder_make();
    mill_files_init(&files);
    RUN(a_key_has_the_last_value_whatever_the_mode_and_in_the_next_process_too);
    RUN(what_is_written_through_is_on_disk_when_the_call_ends);
    RUN(what_was_replaced_leaves_nothing_behind);
    RUN(a_value_lasts_as_long_as_was_said_and_none_before_it_comes_back);
    RUN(a_claim_goes_with_the_value_or_without_one);
    mill_files_fini(&files);
    folder_remove();
    return check_end();
}
