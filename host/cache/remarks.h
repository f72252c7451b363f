/* remarks: which things have been said of which task names, so that each is said once.
 * Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_REMARKS_H
#define MILL_REMARKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct mill_remarks {
    pthread_mutex_t mutex;
    char **said; /* guarded by mutex: kind and name, sorted */
    size_t count, room;
};

void mill_remarks_init(struct mill_remarks *remarks);
void mill_remarks_fini(struct mill_remarks *remarks);

/* Whether the remark of this kind is the first of the name; without memory it always is. */
bool mill_remarks_first(struct mill_remarks *remarks, char kind, const char *name);

#endif
