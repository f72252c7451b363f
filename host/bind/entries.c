/* entries: those of a cache, listed and shown.  SPDX-License-Identifier: MIT */
#include "bind/entries.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "bind/fields.h"
#include "cache/manage.h"
#include "cache/reads.h"
#include "data/brief.h"
#include "data/codec.h"

enum { LEAST_DIGITS = 4, SHOWN_DIGITS = 16 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- entries --------------------------------------------------------------------------- */

enum { ENTRY_FIELDS = 10 };

/* Strings of the caller, who keeps them as long as the fields. */
static void entry_fields(struct mill_field fields[ENTRY_FIELDS],
                         const struct mill_store_row *row, const char *content)
{
    bool there = row->size >= 0;
    const char *place = row->in_file ? "file" : "database";
    const struct mill_field all[ENTRY_FIELDS] = {
        {"task", "task", MILL_FIELD_TEXT, 0, row->task},
        {"made", "made", MILL_FIELD_TIME, row->made, NULL},
        {"used", "used", MILL_FIELD_TIME, row->used, NULL},
        {"hits", "hits", MILL_FIELD_COUNT, row->hits, NULL},
        {"cost", "took", MILL_FIELD_SECONDS, row->cost, NULL},
        {"content", "content", MILL_FIELD_TEXT, 0, content},
        {"size", "size", there ? MILL_FIELD_BYTES : MILL_FIELD_NONE, row->size, NULL},
        {"stored", "stored", there ? MILL_FIELD_BYTES : MILL_FIELD_NONE, row->stored, NULL},
        {"place", "place", MILL_FIELD_TEXT, 0, there ? place : NULL},
        {"compressed", "compressed", MILL_FIELD_FLAG, row->compressed, NULL},
    };
    memcpy(fields, all, sizeof all);
}

/* ---- ls -------------------------------------------------------------------------------- */

struct listing {
    struct mill_store_row *rows; /* their tasks are malloc'ed */
    size_t count, room;
    bool full; /* memory is short */
};

static bool list_row(void *context, const struct mill_store_row *row)
{
    struct listing *listing = context;
    listing->full = !mill_room_for_one(&listing->rows, listing->count, &listing->room,
                                       sizeof *listing->rows, 256);
    if (listing->full) return false;
    char *task = strdup(row->task);
    listing->full = task == NULL;
    if (task == NULL) return false;
    struct mill_store_row *copy = &listing->rows[listing->count++];
    *copy = *row;
    copy->task = task;
    copy->reads = NULL;
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const struct mill_store_row *one = a, *other = b;
    if (one->made != other->made) return one->made > other->made ? -1 : 1;
    return mill_hash_compare(one->key, other->key);
}

static void list_json(struct mill_upkeep *upkeep, const struct listing *listing, size_t shown)
{
    fputs("{\"entries\":[", upkeep->out);
    for (size_t i = 0; i < shown; i++) {
        struct mill_field fields[ENTRY_FIELDS + 1];
        char key[33], content[33];
        mill_hash_text(listing->rows[i].key, key);
        mill_hash_text(listing->rows[i].content, content);
        entry_fields(fields, &listing->rows[i], content);
        fields[ENTRY_FIELDS] = (struct mill_field){"key", "key", MILL_FIELD_TEXT, 0, key};
        if (i > 0) fputc(',', upkeep->out);
        mill_fields_json(upkeep->out, fields, ENTRY_FIELDS + 1);
    }
    fprintf(upkeep->out, "],\"schema\":1,\"total\":%zu}\n", listing->count);
}

/* Columns of a list: fields of an entry by their place, 0, the task, last. */
static void list_lines(struct mill_upkeep *upkeep, const struct listing *listing, size_t shown)
{
    static const int columns[] = {1, 3, 4, 6, 0};
    static const int least[] = {0, 5, 7, 8, 0}; /* lists of usual entries look the same */
    int widths[COUNT(columns)];
    struct mill_field fields[ENTRY_FIELDS] = {{0}};
    char text[MILL_FIELD_ROOM], key[33];
    entry_fields(fields, &(struct mill_store_row){0}, "");
    for (size_t c = 0; c < COUNT(columns); c++) {
        int length = (int)strlen(fields[columns[c]].label);
        widths[c] = length > least[c] ? length : least[c];
    }
    for (size_t i = 0; i < shown; i++) {
        entry_fields(fields, &listing->rows[i], "");
        for (size_t c = 0; c < COUNT(columns); c++) {
            mill_field_show(&fields[columns[c]], text);
            if ((int)strlen(text) > widths[c]) widths[c] = (int)strlen(text);
        }
    }
    for (size_t i = 0; i <= shown; i++) {
        bool head = i == 0;
        if (!head) entry_fields(fields, &listing->rows[i - 1], "");
        snprintf(key, sizeof key, "key");
        if (!head) mill_hash_text(listing->rows[i - 1].key, key);
        fprintf(upkeep->out, "%-*.*s", SHOWN_DIGITS, SHOWN_DIGITS, key);
        for (size_t c = 0; c < COUNT(columns); c++) {
            snprintf(text, sizeof text, "%s", fields[columns[c]].label);
            if (!head) mill_field_show(&fields[columns[c]], text);
            bool number = columns[c] > 1, last = c + 1 == COUNT(columns);
            fprintf(upkeep->out, number ? "  %*s" : "  %-*s", last ? 0 : widths[c], text);
        }
        fputc('\n', upkeep->out);
    }
}

tidemill_status mill_entries_list(struct mill_upkeep *upkeep)
{
    const tidemill_cache_request *request = upkeep->request;
    struct mill_store_filter filter = {.task = request->task};
    struct listing listing = {0};
    tidemill_status status =
        mill_store_each(upkeep->store, &filter, list_row, &listing, upkeep->error);
    if (status == TIDEMILL_OK && listing.full) status = mill_no_memory(upkeep->error, "cache");
    if (status == TIDEMILL_OK) {
        size_t shown = listing.count;
        if (request->limit > 0 && (uint64_t)request->limit < shown)
            shown = (size_t)request->limit;
        if (shown > 0) qsort(listing.rows, listing.count, sizeof *listing.rows, newest_first);
        if (request->json)
            list_json(upkeep, &listing, shown);
        else if (shown > 0)
            list_lines(upkeep, &listing, shown);
        if (!request->json && shown < listing.count)
            fprintf(upkeep->out, "%zu of %zu entries\n", shown, listing.count);
        if (!request->json && listing.count == 0) fputs("no entries\n", upkeep->out);
    }
    for (size_t i = 0; i < listing.count; i++) free((char *)listing.rows[i].task);
    free(listing.rows);
    return status;
}

/* ---- show ------------------------------------------------------------------------------ */

struct key_search {
    const char *digits; /* lower case */
    struct mill_hash key;
    bool found, ambiguous;
};

static bool search_row(void *context, const struct mill_store_row *row)
{
    struct key_search *search = context;
    char text[33];
    mill_hash_text(row->key, text);
    if (strncmp(text, search->digits, strlen(search->digits)) != 0) return true;
    if (search->found && !mill_hash_equal(search->key, row->key)) search->ambiguous = true;
    search->key = row->key;
    search->found = true;
    return !search->ambiguous;
}

/* The key that the word names. */
static tidemill_status find_key(struct mill_upkeep *upkeep, struct mill_hash *key)
{
    char digits[33];
    const char *word = upkeep->request->word;
    size_t count = strlen(word);
    if (count < LEAST_DIGITS || count > 32 || word[strspn(word, "0123456789abcdefABCDEF")]) {
        return mill_fail(upkeep->error, TIDEMILL_USAGE,
                         "cache show: \"%s\" is not a key; expected 32 hexadecimal digits, or "
                         "the first of them, at least %d",
                         word, LEAST_DIGITS);
    }
    for (size_t i = 0; i <= count; i++) digits[i] = (char)tolower((unsigned char)word[i]);
    struct key_search search = {.digits = digits};
    struct mill_store_filter filter = {.key = mill_hash_parse(digits, key) ? key : NULL};
    tidemill_status status =
        mill_store_each(upkeep->store, &filter, search_row, &search, upkeep->error);
    if (status != TIDEMILL_OK) return status;
    *key = search.key;
    if (search.ambiguous) {
        return mill_fail(upkeep->error, TIDEMILL_DATA,
                         "cache show: more than one key begins with %s; more digits name one",
                         digits);
    }
    if (search.found) return TIDEMILL_OK;
    return mill_fail(upkeep->error, TIDEMILL_DATA, "cache show: %s has no key %s%s",
                     upkeep->path, count < 32 ? "that begins with " : "", digits);
}

struct showing {
    struct mill_upkeep *upkeep;
    struct mill_reader *reader;
    FILE *out; /* the text, or the list of what was read */
    int entries, reads;
};

static const char *kind_of_read(char kind)
{
    switch (kind) {
    case MILL_READ_FILE:
        return "file";
    case MILL_READ_LISTING:
        return "pattern";
    case MILL_READ_VARIABLE:
        return "variable";
    case MILL_READ_PRESENCE:
        return "path";
    case MILL_READ_LIBRARY:
        return "library";
    case MILL_READ_IMPURE:
        return "impure";
    case MILL_READ_TIME:
        return "until";
    default:
        return "other";
    }
}

static void show_read(void *context, char kind, const char *name, struct mill_hash was,
                      struct mill_hash now)
{
    struct showing *showing = context;
    char time[MILL_FIELD_ROOM];
    (void)now;
    if (kind == MILL_READ_TIME) {
        struct mill_field end = {NULL, NULL, MILL_FIELD_TIME, (int64_t)was.low, NULL};
        mill_field_show(&end, time);
        name = time;
    }
    if (!showing->upkeep->request->json) {
        char text[MILL_FIELD_ROOM];
        struct mill_field field = {NULL, NULL, MILL_FIELD_TEXT, 0, name};
        mill_field_show(&field, text);
        fprintf(showing->out, "%-10s  %s %s\n", "read", kind_of_read(kind), text);
        return;
    }
    struct mill_field fields[] = {{"kind", "", MILL_FIELD_TEXT, 0, kind_of_read(kind)},
                                  {"name", "", MILL_FIELD_TEXT, 0, name}};
    if (showing->reads++ > 0) fputc(',', showing->out);
    mill_fields_json(showing->out, fields, COUNT(fields));
}

/* The value in a few words; false when it cannot be had. */
static bool brief_value(struct mill_reader *reader, struct mill_hash content, char *out,
                        size_t room)
{
    struct mill_buffer *bytes = reader ? mill_reader_load(reader, content) : NULL;
    struct mill_value value;
    bool there = bytes && mill_codec_load(bytes, &value) == TIDEMILL_OK;
    if (there) {
        struct mill_brief brief;
        mill_brief_init(&brief, out, room);
        mill_brief_value(&brief, &value);
        mill_value_unref(value);
    }
    mill_buffer_unref(bytes);
    return there;
}

static void show_json(struct showing *showing, const struct mill_store_row *row,
                      struct mill_field *fields, size_t count)
{
    char *list = NULL;
    size_t size = 0;
    FILE *whole = showing->out, *reads = open_memstream(&list, &size);
    if (reads) {
        showing->out = reads;
        showing->reads = 0;
        fputc('[', reads);
        mill_reads_visit_all(row->reads, row->reads_size, show_read, showing);
        fputc(']', reads);
        showing->out = whole;
        if (fclose(reads) != 0) {
            free(list);
            list = NULL;
        }
    }
    fields[count++] =
        (struct mill_field){"reads", "", MILL_FIELD_JSON, 0, list ? list : "null"};
    if (showing->entries > 0) fputc(',', whole);
    mill_fields_json(whole, fields, count);
    free(list);
}

static bool show_row(void *context, const struct mill_store_row *row)
{
    struct showing *showing = context;
    struct mill_field fields[ENTRY_FIELDS + 2];
    char content[33], value[200];
    mill_hash_text(row->content, content);
    entry_fields(fields, row, content);
    bool there = brief_value(showing->reader, row->content, value, sizeof value);
    fields[ENTRY_FIELDS] =
        (struct mill_field){"value", "value", MILL_FIELD_TEXT, 0, there ? value : NULL};
    if (showing->upkeep->request->json) {
        show_json(showing, row, fields, ENTRY_FIELDS + 1);
    } else {
        if (showing->entries > 0) fputc('\n', showing->out);
        mill_fields_lines(showing->out, fields, ENTRY_FIELDS + 1);
        mill_reads_visit_all(row->reads, row->reads_size, show_read, showing);
    }
    showing->entries++;
    return true;
}

tidemill_status mill_entries_show(struct mill_upkeep *upkeep)
{
    struct mill_hash key;
    tidemill_status status = find_key(upkeep, &key);
    if (status != TIDEMILL_OK) return status;
    char text[33];
    mill_hash_text(key, text);
    struct mill_store_filter filter = {.key = &key};
    struct showing showing = {.upkeep = upkeep, .out = upkeep->out};
    showing.reader = mill_reader_open(upkeep->store);
    if (upkeep->request->json)
        fputs("{\"entries\":[", upkeep->out);
    else
        fprintf(upkeep->out, "%-10s  %s\n", "key", text);
    status = mill_store_each(upkeep->store, &filter, show_row, &showing, upkeep->error);
    if (upkeep->request->json) fprintf(upkeep->out, "],\"key\":\"%s\",\"schema\":1}\n", text);
    mill_reader_close(showing.reader);
    return status;
}
