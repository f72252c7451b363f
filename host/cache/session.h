/* session: what one who looks after a cache works with: a connection and a lock of his own.
 * One thread's.  Functions that return an int give a SQLite code.  SPDX-License-Identifier: MIT */
#ifndef MILL_SESSION_H
#define MILL_SESSION_H

#include "cache/inside.h"
#include "cache/manage.h"
#include "cache/object.h"

struct mill_session {
    struct mill_store *store;
    struct mill_database *database;
    struct mill_lock lock;
    sqlite3 *connection;
};

/* After what the store has queued was committed. On failure there is nothing to close. */
tidemill_status mill_session_open(struct mill_session *session, struct mill_store *store,
                                  struct mill_error *error);
void mill_session_close(struct mill_session *session);

/* Says what a code means. */
tidemill_status mill_session_failed(const struct mill_session *session, int code,
                                    struct mill_error *error);

/* A sweep that spares nothing and has no limits. */
struct mill_sweep mill_session_sweep(struct mill_session *session);

/* Ends one, or anything else that has changed the database: those who look see it. */
tidemill_status mill_session_swept(struct mill_session *session, const struct mill_sweep *sweep,
                                   int code, struct mill_error *error);

/* The bytes of an object; NULL: damaged, or not there.  `get` is prepared from mill_session_get. */
extern const char mill_session_get[];
struct mill_buffer *mill_session_load(struct mill_session *session, sqlite3_stmt *get,
                                      ZSTD_DCtx *context, struct mill_hash content);

/* Visits entries; long lists of reads are read in. */
int mill_session_visit(struct mill_session *session, const struct mill_store_filter *filter,
                       bool (*visit)(void *context, const struct mill_store_row *row),
                       void *context);

/* The columns of the first row. */
int mill_session_numbers(sqlite3 *connection, const char *text, int64_t *const *numbers,
                         int count);

/* Moves the log into the database, as far as those who read allow. */
void mill_session_checkpoint(struct mill_session *session);

/* Counts the files that no object needs, tells of each and, with `repair`, removes them. */
int mill_session_strays(struct mill_session *session, bool repair, struct mill_sweep *sweep,
                        int64_t *strays, void (*tell)(void *context, const char *text),
                        void *context);

#endif
