/* test_embedded: texts inside the program, whole and damaged.  SPDX-License-Identifier: MIT */
#include "bind/embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "check.h"

static const struct mill_embedded *packed_one(void)
{
    const struct mill_embedded *entry = mill_embedded_find("cache.md");
    CHECK(entry && entry->packed > 0 && entry->packed < entry->size);
    return entry;
}

static void names_are_sorted_and_found(void)
{
    for (const struct mill_embedded *entry = mill_embedded; entry->name; entry++) {
        CHECK(mill_embedded_find(entry->name) == entry);
        if (entry[1].name) CHECK(strcmp(entry->name, entry[1].name) < 0);
    }
    CHECK(mill_embedded_find("missing") == NULL);
    CHECK(mill_embedded_find("") == NULL);
}

static void every_text_is_had(void)
{
    int plain = 0, packed = 0;
    for (const struct mill_embedded *entry = mill_embedded; entry->name; entry++) {
        struct mill_error error = {.text = ""};
        char *owned;
        const char *text = mill_embedded_text(entry, &owned, &error);
        CHECK(text != NULL);
        CHECK(strlen(text) == entry->size);
        CHECK((owned != NULL) == (entry->packed > 0));
        free(owned);
        if (entry->packed > 0) {
            packed++;
        } else {
            plain++;
        }
    }
    CHECK(plain > 0 && packed > 0);
}

/* Both that are packed and those that are not. */
static void texts_are_those_of_the_files(void)
{
    const char *pairs[][2] = {{"cache.md", "/docs/cache.md"},
                              {"tidemill", "/lua/tidemill/init.lua"},
                              {"tidemill.lazy.plan", "/lua/tidemill/lazy/plan.lua"},
                              {"meta.kernels", "/lua/meta/kernels.lua"},
                              {"example:embed/smallest.c", "/examples/embed/smallest.c"},
                              {"script:day_trade", "/scripts/day_trade.lua"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const struct mill_embedded *entry = mill_embedded_find(pairs[i][0]);
        char *file = mill_text_read(".", pairs[i][1]), *owned;
        const char *text = mill_embedded_text(entry, &owned, NULL);
        CHECK(file && text && strcmp(file, text) == 0);
        free(owned);
        free(file);
    }
}

/* C code hands these out as they lie there. */
static void what_is_handed_out_is_not_packed(void)
{
    CHECK(mill_embedded_find("tidemill")->packed == 0);
    CHECK(mill_embedded_find("new:strategy")->packed == 0);
}

static void check_refused(const struct mill_embedded *entry)
{
    struct mill_error error = {.text = ""};
    char *owned;
    CHECK(mill_embedded_text(entry, &owned, &error) == NULL);
    CHECK(owned == NULL);
    CHECK(error.status == TIDEMILL_DATA);
    CHECK(strstr(error.text, "\"cache.md\" inside the program is damaged") != NULL);
}

static void a_changed_byte_is_an_error(void)
{
    struct mill_embedded entry = *packed_one();
    char *copy = malloc(entry.packed);
    for (size_t i = 2; i < entry.packed; i += 1 + entry.packed / 500) {
        memcpy(copy, packed_one()->bytes, entry.packed);
        copy[i] ^= (char)(1 << i % 8);
        entry.bytes = copy;
        check_refused(&entry);
    }
    free(copy);
}

static void a_cut_is_an_error(void)
{
    struct mill_embedded entry = *packed_one();
    const size_t whole = entry.packed;
    for (size_t packed = 1; packed < whole; packed += 1 + whole / 100) {
        entry.packed = packed;
        entry.bytes = memcpy(malloc(packed), packed_one()->bytes, packed);
        check_refused(&entry);
        free((char *)entry.bytes);
    }
}

static void another_length_is_an_error(void)
{
    struct mill_embedded entry = *packed_one();
    entry.size--;
    check_refused(&entry);
    entry.size += 2;
    check_refused(&entry);
}

int main(void)
{
    RUN(names_are_sorted_and_found);
    RUN(every_text_is_had);
    RUN(texts_are_those_of_the_files);
    RUN(what_is_handed_out_is_not_packed);
    RUN(a_changed_byte_is_an_error);
    RUN(a_cut_is_an_error);
    RUN(another_length_is_an_error);
    return check_end();
}
