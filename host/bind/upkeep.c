/* upkeep: looking after the engine's cache, for tidemill_cache.
 * Each command writes to a stream that becomes the text.  SPDX-License-Identifier: MIT */
#include "bind/upkeep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folders.h"
#include "bind/engine.h"
#include "bind/entries.h"
#include "bind/fields.h"
#include "cache/database.h"
#include "cache/manage.h"
#include "cache/wipe.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *plural(int64_t count)
{
    return count == 1 ? "y" : "ies";
}

/* Ends an answer that is an object. */
static void put_object(struct mill_upkeep *upkeep, struct mill_field *fields, size_t count)
{
    mill_fields_json(upkeep->out, fields, count);
    fputc('\n', upkeep->out);
}

/* ---- stats ----------------------------------------------------------------------------- */

static tidemill_status do_stats(struct mill_upkeep *upkeep)
{
    struct mill_store_stats stats;
    tidemill_status status = mill_store_stats(upkeep->store, &stats, upkeep->error);
    if (status != TIDEMILL_OK) return status;
    enum mill_field_kind time = stats.entries ? MILL_FIELD_TIME : MILL_FIELD_NONE;
    enum mill_field_kind bytes = stats.limit_bytes ? MILL_FIELD_BYTES : MILL_FIELD_NONE;
    enum mill_field_kind entries = stats.limit_entries ? MILL_FIELD_COUNT : MILL_FIELD_NONE;
    enum mill_field_kind ttl = stats.ttl > 0 ? MILL_FIELD_SECONDS : MILL_FIELD_NONE;
    struct mill_field fields[] = {
        {"cache", "cache", MILL_FIELD_TEXT, 0, upkeep->path},
        {"entries", "entries", MILL_FIELD_COUNT, stats.entries, NULL},
        {"tasks", "tasks", MILL_FIELD_COUNT, stats.tasks, NULL},
        {"results", "results", MILL_FIELD_COUNT, stats.objects, NULL},
        {"files", "in files", MILL_FIELD_COUNT, stats.files, NULL},
        {"size", "their size", MILL_FIELD_BYTES, stats.size, NULL},
        {"bytes", "on disk", MILL_FIELD_BYTES, stats.bytes, NULL},
        {"hits", "hits", MILL_FIELD_COUNT, stats.hits, NULL},
        {"saved", "time saved", MILL_FIELD_SECONDS, stats.saved, NULL},
        {"oldest", "oldest", time, stats.oldest, NULL},
        {"newest", "newest", time, stats.newest, NULL},
        {"limit_bytes", "cache.limit", bytes, stats.limit_bytes, NULL},
        {"limit_entries", "cache.entries", entries, stats.limit_entries, NULL},
        {"ttl", "cache.ttl", ttl, (int64_t)(stats.ttl * 1e6), NULL},
        {"schema", NULL, MILL_FIELD_COUNT, 1, NULL},
    };
    if (upkeep->request->json)
        put_object(upkeep, fields, COUNT(fields));
    else
        mill_fields_lines(upkeep->out, fields, COUNT(fields) - 1);
    return TIDEMILL_OK;
}

/* ---- verify ---------------------------------------------------------------------------- */

struct telling {
    FILE *out;
    bool json;
    int count;
};

static void tell_upkeep(void *context, const char *text)
{
    struct telling *telling = context;
    if (!telling->json) {
        fprintf(telling->out, "%s\n", text);
        return;
    }
    if (telling->count++ > 0) fputc(',', telling->out);
    mill_fields_json_text(telling->out, text);
}

/* What is not needed any more is no damage. */
static tidemill_status judge(struct mill_upkeep *upkeep,
                             const struct mill_store_findings *findings)
{
    int64_t bad = findings->broken + findings->lacking;
    if (findings->damaged) {
        return mill_fail(upkeep->error, TIDEMILL_DATA,
                         "%s: the database is damaged; the next run sets it aside",
                         upkeep->path);
    }
    if (upkeep->set_aside) {
        return mill_fail(upkeep->error, TIDEMILL_DATA, "%s: the database was damaged",
                         upkeep->path);
    }
    if (bad == 0 || upkeep->request->repair) return TIDEMILL_OK;
    return mill_fail(upkeep->error, TIDEMILL_DATA,
                     "%s: results are damaged or not there; --repair removes them",
                     upkeep->path);
}

static tidemill_status do_verify(struct mill_upkeep *upkeep)
{
    struct mill_store_findings findings;
    bool repair = upkeep->request->repair != 0, json = upkeep->request->json != 0;
    char *list = NULL;
    size_t size = 0;
    struct telling telling = {.out = open_memstream(&list, &size), .json = json};
    if (telling.out == NULL) return mill_no_memory(upkeep->error, "cache");
    tidemill_status status = mill_store_verify(upkeep->store, repair, &findings, tell_upkeep,
                                               &telling, upkeep->error);
    if (fclose(telling.out) != 0 && status == TIDEMILL_OK)
        status = mill_no_memory(upkeep->error, "cache");
    if (status != TIDEMILL_OK) {
        free(list);
        return status;
    }
    struct mill_field fields[] = {
        {"entries", "entries", MILL_FIELD_COUNT, findings.entries, NULL},
        {"results", "results", MILL_FIELD_COUNT, findings.objects, NULL},
        {"broken", "broken results", MILL_FIELD_COUNT, findings.broken, NULL},
        {"lacking", "entries without one", MILL_FIELD_COUNT, findings.lacking, NULL},
        {"orphans", "not needed", MILL_FIELD_COUNT, findings.orphans, NULL},
        {"strays", "stray files", MILL_FIELD_COUNT, findings.strays, NULL},
        {"damaged", "database damaged", MILL_FIELD_FLAG, findings.damaged || upkeep->set_aside,
         NULL},
        {"repaired", "repaired", MILL_FIELD_FLAG, repair, NULL},
        {"schema", NULL, MILL_FIELD_COUNT, 1, NULL},
        {"findings", NULL, MILL_FIELD_JSON, 0, NULL},
    };
    if (json) {
        /* The list without its brackets: they stand around it here. */
        char *whole = malloc(size + 3);
        if (whole) snprintf(whole, size + 3, "[%s]", list);
        fields[COUNT(fields) - 1].text = whole ? whole : "null";
        put_object(upkeep, fields, COUNT(fields));
        free(whole);
    } else {
        fputs(list, upkeep->out);
        mill_fields_lines(upkeep->out, fields, COUNT(fields) - 2);
    }
    free(list);
    return judge(upkeep, &findings);
}

/* ---- removing and moving ----------------------------------------------------------------- */

static tidemill_status do_gc(struct mill_upkeep *upkeep)
{
    struct mill_store_swept swept;
    tidemill_status status = mill_store_gc(upkeep->store, &swept, upkeep->error);
    if (status != TIDEMILL_OK) return status;
    struct mill_field fields[] = {{"bytes", "", MILL_FIELD_BYTES, swept.bytes, NULL},
                                  {"removed", "", MILL_FIELD_COUNT, swept.entries, NULL},
                                  {"schema", "", MILL_FIELD_COUNT, 1, NULL}};
    char bytes[MILL_FIELD_ROOM];
    mill_field_show(&fields[0], bytes);
    if (upkeep->request->json)
        put_object(upkeep, fields, COUNT(fields));
    else
        fprintf(upkeep->out, "%" PRId64 " entr%s removed, %s given back\n", swept.entries,
                plural(swept.entries), bytes);
    return TIDEMILL_OK;
}

static tidemill_status do_clear(struct mill_upkeep *upkeep)
{
    int64_t removed;
    tidemill_status status = mill_store_clear(upkeep->store, &removed, upkeep->error);
    if (status != TIDEMILL_OK) return status;
    struct mill_field fields[] = {{"removed", "", MILL_FIELD_COUNT, removed, NULL},
                                  {"schema", "", MILL_FIELD_COUNT, 1, NULL}};
    if (upkeep->request->json)
        put_object(upkeep, fields, COUNT(fields));
    else
        fprintf(upkeep->out, "%" PRId64 " entr%s removed\n", removed, plural(removed));
    return TIDEMILL_OK;
}

static void say_moved(struct mill_upkeep *upkeep, int64_t entries, const char *how)
{
    struct mill_field fields[] = {{"entries", "", MILL_FIELD_COUNT, entries, NULL},
                                  {"file", "", MILL_FIELD_TEXT, 0, upkeep->request->word},
                                  {"schema", "", MILL_FIELD_COUNT, 1, NULL}};
    if (upkeep->request->json)
        put_object(upkeep, fields, COUNT(fields));
    else
        fprintf(upkeep->out, "%" PRId64 " entr%s %s %s\n", entries, plural(entries), how,
                upkeep->request->word);
}

static tidemill_status do_export(struct mill_upkeep *upkeep)
{
    int64_t entries;
    struct mill_store_filter filter = {.task = upkeep->request->task};
    tidemill_status status = mill_store_export(upkeep->store, &filter, upkeep->request->word,
                                               &entries, upkeep->error);
    if (status == TIDEMILL_OK) say_moved(upkeep, entries, "written to");
    return status;
}

static tidemill_status do_import(struct mill_upkeep *upkeep)
{
    int64_t entries;
    tidemill_status status =
        mill_store_import(upkeep->store, upkeep->request->word, &entries, upkeep->error);
    if (status == TIDEMILL_OK) say_moved(upkeep, entries, "added from");
    return status;
}

void tidemill_own_process(void)
{
    mill_database_own_process();
}

/* ---- all of them ------------------------------------------------------------------------- */

struct command {
    const char *name, *word, *fields, *summary;
    tidemill_status (*run)(struct mill_upkeep *upkeep);
};

static const struct command commands[] = {
    {"stats", NULL, "", "how much is in it, and what it has saved", do_stats},
    {"ls", NULL, "task limit", "its entries, the newest first", mill_entries_list},
    {"show", "KEY", "", "one key: its results, and what they were computed from",
     mill_entries_show},
    {"verify", NULL, "repair", "read everything and compare it with its checksum", do_verify},
    {"gc", NULL, "", "remove what is too old or too much, and give room back", do_gc},
    {"clear", NULL, "all", "remove everything; --all: the files too", do_clear},
    {"export", "FILE", "task", "write entries into a file, for another cache", do_export},
    {"import", "FILE", "", "add the entries of such a file", do_import},
};

void tidemill_each_cache_command(void (*visit)(void *context, const char *name,
                                               const char *word, const char *fields,
                                               const char *summary),
                                 void *context)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        visit(context, commands[i].name, commands[i].word, commands[i].fields,
              commands[i].summary);
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; name && i < COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

static void opened_with_warning(void *context, const char *text)
{
    struct mill_upkeep *upkeep = context;
    upkeep->set_aside = true;
    mill_output_warn(&upkeep->engine->output, "%s", text);
}

/* Runs the command on an open store, and makes its text. */
static tidemill_status run_command(struct mill_upkeep *upkeep, const struct command *command,
                                   char **text)
{
    size_t size = 0;
    upkeep->out = open_memstream(text, &size);
    if (upkeep->out == NULL) return mill_no_memory(upkeep->error, "cache");
    tidemill_status status = command->run(upkeep);
    bool whole = fclose(upkeep->out) == 0;
    if (!whole || size == 0) {
        free(*text);
        *text = NULL;
    }
    return whole || status != TIDEMILL_OK ? status : mill_no_memory(upkeep->error, "cache");
}

/* There is no cache yet: an import makes one, when the file is one that can be imported. */
static tidemill_status check_new(struct mill_upkeep *upkeep, const struct command *command)
{
    if (command && command->run == do_import) {
        return mill_store_check_import(upkeep->request->word, upkeep->error);
    }
    return mill_fail(upkeep->error, TIDEMILL_IO, "cache %s: there is none yet", upkeep->path);
}

/* Opens the cache that the settings name, for the command alone. */
static tidemill_status run_closed(struct mill_upkeep *upkeep, const struct command *command,
                                  bool made_up, char **text)
{
    struct tidemill *engine = upkeep->engine;
    struct mill_store_options options = {
        .path = upkeep->path,
        .make_folder = made_up,
        .memory = &engine->memory,
        .limits = mill_keep_limits(engine),
        .default_limit = engine->keep.bytes == MILL_KEEP_AUTO,
        .warn = opened_with_warning,
        .context = upkeep,
    };
    tidemill_status status = TIDEMILL_OK;
    if (access(upkeep->path, F_OK) != 0) status = check_new(upkeep, command);
    if (status != TIDEMILL_OK) return status;
    status = mill_store_open(&options, &upkeep->store, upkeep->error);
    if (status == TIDEMILL_OK) status = run_command(upkeep, command, text);
    mill_store_close(upkeep->store);
    upkeep->store = NULL;
    return status;
}

/* The numbers of "stats" before all goes: opening tells, too, whether the file is a cache. */
static tidemill_status do_count(struct mill_upkeep *upkeep)
{
    return mill_store_stats(upkeep->store, &upkeep->stats, upkeep->error);
}

static tidemill_status do_wipe(struct mill_upkeep *upkeep)
{
    bool there;
    tidemill_status status = mill_wipe(upkeep->path, &there, upkeep->error);
    if (status != TIDEMILL_OK) return status;
    if (!there) return check_new(upkeep, NULL);
    struct mill_field fields[] = {
        {"bytes", "", MILL_FIELD_BYTES, upkeep->stats.bytes, NULL},
        {"cache", "", MILL_FIELD_TEXT, 0, upkeep->path},
        {"removed", "", MILL_FIELD_COUNT, upkeep->stats.entries, NULL},
        {"schema", "", MILL_FIELD_COUNT, 1, NULL},
    };
    char bytes[MILL_FIELD_ROOM];
    mill_field_show(&fields[0], bytes);
    if (upkeep->request->json)
        put_object(upkeep, fields, COUNT(fields));
    else
        fprintf(upkeep->out, "%s: %" PRId64 " entr%s removed, %s, and all files\n",
                upkeep->path, upkeep->stats.entries, plural(upkeep->stats.entries), bytes);
    return TIDEMILL_OK;
}

/* The folder that the engine has made for its cache goes, too, when nothing else is in it. */
static void leave_folder(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) *slash = '\0';
    if (slash) rmdir(folder);
    free(folder);
}

static tidemill_status run_wipe(struct mill_upkeep *upkeep, bool made_up, char **text)
{
    static const struct command counting = {"clear", NULL, "", "", do_count};
    static const struct command wiping = {"clear", NULL, "", "", do_wipe};
    char *nothing = NULL;
    tidemill_status status = TIDEMILL_OK;
    if (access(upkeep->path, F_OK) == 0)
        status = run_closed(upkeep, &counting, made_up, &nothing);
    free(nothing);
    if (status == TIDEMILL_OK) status = run_command(upkeep, &wiping, text);
    if (status == TIDEMILL_OK && made_up) leave_folder(upkeep->path);
    return status;
}

tidemill_status mill_upkeep_run(struct tidemill *engine, const tidemill_cache_request *request,
                                char **text, struct mill_error *error)
{
    struct mill_upkeep upkeep = {.engine = engine, .request = request, .error = error};
    const struct command *command = find_command(request->command);
    if (command == NULL) {
        return mill_fail(error, TIDEMILL_USAGE, "cache: no command \"%s\"",
                         request->command ? request->command : "");
    }
    if (command->word && (request->word == NULL || request->word[0] == '\0')) {
        return mill_fail(error, TIDEMILL_USAGE, "cache %s: no %s", command->name,
                         command->word);
    }
    bool whole = request->all && command->run == do_clear;
    upkeep.store = engine->store;
    if (upkeep.store && whole) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "cache clear: this engine uses the cache, whose "
                         "files cannot be removed before it is closed");
    }
    if (upkeep.store) {
        upkeep.path = mill_store_path(upkeep.store);
        return run_command(&upkeep, command, text);
    }
    if (engine->cache_path && strcmp(engine->cache_path, "off") == 0) {
        return mill_fail(error, TIDEMILL_IO, "the cache is off; --cache FILE names one");
    }
    char *usual =
        engine->cache_path ? NULL : mill_user_file("XDG_CACHE_HOME", ".cache", "cache.db");
    upkeep.path = engine->cache_path ? engine->cache_path : usual;
    if (upkeep.path == NULL) {
        return mill_fail(error, TIDEMILL_IO,
                         "no cache: neither XDG_CACHE_HOME nor HOME is set");
    }
    tidemill_status status = whole ? run_wipe(&upkeep, usual != NULL, text)
                                   : run_closed(&upkeep, command, usual != NULL, text);
    free(usual);
    return status;
}
