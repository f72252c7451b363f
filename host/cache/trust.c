/* trust: what a cached task does that its key cannot answer for.  SPDX-License-Identifier: MIT */
#include "cache/trust.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 5))) static void
remark(struct mill_lookup *lookup, char kind, const char *name, const char *format, ...)
{
    char text[600];
    if (!mill_remarks_first(&lookup->remarks, kind, name)) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lookup->warn(lookup->context, text);
}

void mill_trust_impure(struct mill_lookup *lookup, const struct mill_worker *worker,
                       const char *what)
{
    if (worker->task == NULL || !mill_lookup_notes(lookup, worker)) return;
    const struct mill_function *function = mill_task_function(worker->task);
    lookup->workers[worker->index].reads.impure = true;
    if (function->policy.pure || function->policy.automatic || lookup->store == NULL) return;
    remark(lookup, 'i', function->name,
           "task \"%.200s\": what it makes is not cached: it has used %.100s; with "
           "pure = true it is",
           function->name, what);
}

void mill_trust_writes(struct mill_lookup *lookup, const struct mill_worker *worker,
                       const char *path)
{
    if (worker->task == NULL || !mill_lookup_notes(lookup, worker)) return;
    if (lookup->wrote) lookup->wrote(lookup->context, path);
    if (lookup->store == NULL) return;
    const struct mill_function *function = mill_task_function(worker->task);
    if (function->policy.automatic) { /* nobody has said that it need not be written again */
        lookup->workers[worker->index].reads.unsound = true;
        return;
    }
    remark(lookup, 'w', function->name,
           "task \"%.200s\" %s and writes %.200s: when its result comes from the cache it "
           "does not",
           function->name,
           lookup->workers[worker->index].keyed ? "is cached" : "was started by a cached one",
           path);
}

void mill_trust_uses(struct mill_lookup *lookup, const struct mill_worker *worker,
                     const char *library)
{
    if (worker->task == NULL || lookup->files->library == NULL) return;
    mill_lookup_note(lookup, worker, MILL_READ_LIBRARY, library,
                     lookup->files->library(lookup->files->context, library));
}
