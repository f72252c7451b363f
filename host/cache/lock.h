/* lock: the file beside a cache database that whoever commits or checkpoints holds.
 * SQLite before 3.51.3 can damage a WAL database when two connections commit and checkpoint at
 * once, so every commit and checkpoint of every process happens inside mill_lock_take.
 *
 * The file also says whether the last commit ended well, so that only a database that may be
 * damaged is checked in full.  It is removed by its holder alone, with the database: who waits for it
 * meanwhile does not get it.
 *
 * Threads: one thread at a time, but for mill_lock_suspect.  SPDX-License-Identifier: MIT */
#ifndef MILL_LOCK_H
#define MILL_LOCK_H

#include <stdbool.h>

struct mill_lock {
    int fd;
};

/* Opens (or creates) the file; 0 or an errno.  After a failure close does nothing. */
int mill_lock_open(struct mill_lock *lock, const char *path);
void mill_lock_close(struct mill_lock *lock);

/* False when another process, or another engine in this one, held it all of `seconds`, or has removed
 * it.  Zero only tries. */
bool mill_lock_take(struct mill_lock *lock, double seconds);
void mill_lock_drop(struct mill_lock *lock);

/* The record; called by the holder.  `begin` and `end` enclose a commit. */
void mill_lock_begin(struct mill_lock *lock);
void mill_lock_end(struct mill_lock *lock);

/* Whether a full check is due: a commit was cut short, somebody met damage, or the machine went
 * down with pages in the write-ahead log (`log` says whether it holds any).  Called by the
 * holder, who calls mill_lock_cleared once the database is known to be good. */
bool mill_lock_doubtful(struct mill_lock *lock, bool log);
void mill_lock_cleared(struct mill_lock *lock);

/* Notes that the database was found damaged: the next process to open it checks it.  Any
 * thread, with or without the lock. */
void mill_lock_suspect(struct mill_lock *lock);

#endif
