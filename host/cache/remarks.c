/* remarks: which things have been said of which task names.  SPDX-License-Identifier: MIT */
#include "cache/remarks.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"

void mill_remarks_init(struct mill_remarks *remarks)
{
    memset(remarks, 0, sizeof *remarks);
    pthread_mutex_init(&remarks->mutex, NULL);
}

void mill_remarks_fini(struct mill_remarks *remarks)
{
    for (size_t i = 0; i < remarks->count; i++) free(remarks->said[i]);
    free(remarks->said);
    pthread_mutex_destroy(&remarks->mutex);
}

static int compare_remark(const char *said, char kind, const char *name)
{
    if (said[0] != kind) return said[0] < kind ? -1 : 1;
    return strcmp(said + 1, name);
}

/* Where the remark is, or belongs. */
static size_t remark_position(const struct mill_remarks *remarks, char kind, const char *name)
{
    size_t first = 0, end = remarks->count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (compare_remark(remarks->said[middle], kind, name) < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static void add_remark(struct mill_remarks *remarks, size_t at, char kind, const char *name)
{
    if (!mill_room_for_one(&remarks->said, remarks->count, &remarks->room,
                           sizeof *remarks->said, 16)) {
        return;
    }
    size_t size = strlen(name) + 1;
    char *copy = malloc(size + 1);
    if (copy == NULL) return;
    copy[0] = kind;
    memcpy(copy + 1, name, size);
    memmove(remarks->said + at + 1, remarks->said + at,
            (remarks->count - at) * sizeof *remarks->said);
    remarks->said[at] = copy;
    remarks->count++;
}

bool mill_remarks_first(struct mill_remarks *remarks, char kind, const char *name)
{
    pthread_mutex_lock(&remarks->mutex);
    size_t at = remark_position(remarks, kind, name);
    bool first = at == remarks->count || compare_remark(remarks->said[at], kind, name) != 0;
    if (first) add_remark(remarks, at, kind, name);
    pthread_mutex_unlock(&remarks->mutex);
    return first;
}
