/* leftovers: what entries that were replaced have left.  SPDX-License-Identifier: MIT */
#include "cache/leftovers.h"

#include <stdlib.h>

#include "base/room.h"
#include "cache/object.h"

int mill_leftovers_prepare(struct mill_leftovers *leftovers, sqlite3 *connection)
{
    int code = sqlite3_prepare_v3(
        connection,
        "SELECT key, reads_name, content, -1, reads IS NULL FROM entry WHERE key = ?", -1,
        SQLITE_PREPARE_PERSISTENT, &leftovers->find, NULL);
    if (code != SQLITE_OK) return code;
    return sqlite3_prepare_v3(connection, "DELETE FROM entry WHERE key = ?", -1,
                              SQLITE_PREPARE_PERSISTENT, &leftovers->drop, NULL);
}

void mill_leftovers_fini(struct mill_leftovers *leftovers)
{
    sqlite3_finalize(leftovers->find);
    sqlite3_finalize(leftovers->drop);
    free(leftovers->list);
    *leftovers = (struct mill_leftovers){0};
}

/* One that is forgotten for want of memory takes room until `gc`. */
static struct mill_sweep_victim *leftovers_room(struct mill_leftovers *leftovers)
{
    if (!mill_room_for_one(&leftovers->list, leftovers->count, &leftovers->room,
                           sizeof *leftovers->list, 16)) {
        return NULL;
    }
    return &leftovers->list[leftovers->count];
}

static int leftovers_find(struct mill_leftovers *leftovers, struct mill_hash key)
{
    int code = mill_object_bind_hash(leftovers->find, 1, key);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(leftovers->find);
        struct mill_sweep_victim *victim =
            code == SQLITE_ROW ? leftovers_room(leftovers) : NULL;
        if (victim && mill_sweep_victim_row(leftovers->find, victim)) leftovers->count++;
    }
    sqlite3_reset(leftovers->find);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int mill_leftovers_replace(struct mill_leftovers *leftovers, struct mill_hash key)
{
    size_t before = leftovers->count;
    int code = leftovers_find(leftovers, key);
    if (code != SQLITE_OK || leftovers->count == before) return code;
    code = mill_object_bind_hash(leftovers->drop, 1, key);
    if (code == SQLITE_OK) code = sqlite3_step(leftovers->drop);
    sqlite3_reset(leftovers->drop);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int mill_leftovers_sweep(struct mill_leftovers *leftovers, struct mill_sweep *sweep)
{
    int code = mill_sweep_remove(sweep, leftovers->list, leftovers->count);
    leftovers->count = 0;
    return code;
}
