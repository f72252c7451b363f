/* inquiry: what somebody wants to know of runs: which tasks hit, which do not and why, by name.
 * Any thread adds; it is read when the runs have ended.  SPDX-License-Identifier: MIT */
#ifndef MILL_INQUIRY_H
#define MILL_INQUIRY_H

#include <pthread.h>

#include "cache/causes.h"
#include "sched/run.h"

enum mill_finding_kind {
    MILL_FOUND_HIT,
    MILL_FOUND_MISS,    /* `cause` says why */
    MILL_FOUND_NO_KEY,  /* is to be cached, and `cause` says what has no content */
    MILL_FOUND_PLAIN,   /* is not to be cached */
    MILL_FOUND_UNKNOWN, /* dry: `cause` is the name of the task that must run first */
};

struct mill_finding {
    enum mill_finding_kind kind;
    char *task, *cause; /* owned; cause may be NULL */
    char *detail;       /* of the first: the cause with values; owned, or NULL */
    const char *sort;   /* of the cause, for counting; static text, or NULL */
    bool varied;        /* not all had that detail */
    int64_t count;
};

struct mill_inquiry {
    bool dry;   /* no body runs: what would be, is cancelled */
    bool now;   /* misses are compared with all that was stored so far, see cache/ledger.h */
    bool owned; /* by the run that has it, which frees it */
    pthread_mutex_t mutex;
    struct mill_finding *findings; /* guarded by mutex */
    size_t count, room;
};

void mill_inquiry_init(struct mill_inquiry *inquiry);
void mill_inquiry_fini(struct mill_inquiry *inquiry);

/* A run's own; NULL: no memory. */
struct mill_inquiry *mill_inquiry_new(void);
void mill_inquiry_free(struct mill_inquiry *inquiry); /* NULL is fine */

void mill_inquiry_add(struct mill_inquiry *inquiry, enum mill_finding_kind kind,
                      const char *task, const char *cause);
void mill_inquiry_add_miss(struct mill_inquiry *inquiry, const char *task,
                           const struct mill_causes *causes);

/* A dry run has ended: takes down what depends on tasks that did not run.  Once a run. */
void mill_inquiry_close(struct mill_inquiry *inquiry, struct mill_run *run);

#endif
