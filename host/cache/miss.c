/* miss: why a task is not answered from the cache.
 * In this order: it was not looked for; its key has a result, but what was read is not as it was; the
 * ledger knows more of its name (cache/ledger.h).  SPDX-License-Identifier: MIT */
#include "cache/miss.h"

#include <string.h>

#include "cache/ledger.h"

struct asking {
    struct mill_lookup *lookup;
    struct mill_reader *reader;
    struct mill_task *task;
    struct mill_causes *causes; /* of the entry that is nearest to what is there now */
    int entries;                /* looked at */
};

enum { ENTRIES = 16 }; /* of a key: more are not looked at */

/* One thing that was read and is not as it was. */
static void tell_read(void *causes, char kind, const char *name, struct mill_hash was,
                      struct mill_hash now)
{
    const char *file = mill_hash_is_zero(was)   ? "is there now"
                       : mill_hash_is_zero(now) ? "gone"
                                                : "content";
    switch (kind) {
    case MILL_READ_FILE:
        mill_causes_add(causes, "file", file, "file %s", name);
        break;
    case MILL_READ_LISTING:
        mill_causes_add(causes, "listing", "", "listing %s", name);
        break;
    case MILL_READ_VARIABLE:
        mill_causes_add(causes, "variable",
                        mill_hash_is_zero(was)   ? "set now"
                        : mill_hash_is_zero(now) ? "not set any more"
                                                 : "value",
                        "variable %s", name);
        break;
    case MILL_READ_PRESENCE:
        mill_causes_add(causes, "path", "", "what %s is", name);
        break;
    case MILL_READ_LIBRARY:
        mill_causes_add(causes, "library", "", "%s%s",
                        strcmp(name, "package.path") == 0 ? "" : "library ", name);
        break;
    default:
        mill_causes_add(causes, "input", "", "an input of a kind that is not known");
    }
}

/* Of several results of the key that with the fewest differences is told, the newest first. */
static bool look_at_entry(void *context, const struct mill_entry *entry)
{
    struct asking *asking = context;
    struct mill_causes causes = {.count = 0};
    bool pure = mill_task_function(asking->task)->policy.pure;
    if (!pure && mill_reads_are_impure(entry->reads, entry->reads_size)) {
        mill_causes_add(&causes, "pure", "", "not pure any more");
    }
    mill_reads_compare(asking->lookup->files, entry->reads, entry->reads_size, tell_read,
                       &causes);
    if (causes.count == 0) mill_causes_add(&causes, "expired", "", "expired");
    if (asking->entries == 0 || causes.count < asking->causes->count) {
        *asking->causes = causes;
    }
    return ++asking->entries == ENTRIES;
}

static bool look_at_any(void *context, const struct mill_entry *entry)
{
    (void)context, (void)entry;
    return true;
}

static bool has_result(void *context, struct mill_hash salt)
{
    struct asking *asking = context;
    struct mill_called called;
    return mill_key_of(asking->task, salt, &called) &&
           mill_reader_find(asking->reader, called.key, look_at_any, NULL);
}

void mill_miss_note(struct mill_lookup *lookup, struct mill_reader *reader,
                    struct mill_task *task, const struct mill_called *called, bool again)
{
    const struct mill_function *function = mill_task_function(task);
    struct mill_inquiry *inquiry = task->run->inquiry;
    struct mill_causes causes = {.count = 0};
    struct asking asking = {lookup, reader, task, &causes, 0};
    if (function->policy.refresh) {
        mill_causes_add(&causes, "refresh", "", "refresh");
    } else if (again) {
        mill_causes_add(&causes, "damaged", "", "its result could not be read back");
    } else if (reader == NULL) {
        mill_causes_add(&causes, "no cache", "", "no cache");
    } else {
        mill_reader_find(reader, called->key, look_at_entry, &asking);
    }
    if (causes.count == 0 && lookup->ledger) {
        mill_ledger_explain(lookup->ledger, reader, task, called, inquiry->now, has_result,
                            &asking, &causes);
    }
    if (causes.count == 0) mill_causes_add(&causes, "new", "", "new");
    mill_inquiry_add_miss(inquiry, function->name, &causes);
}
