/* board: the file beside a cache database in which processes write what they are computing, so
 * that no other computes the same meanwhile.  Mapped and without locks: a claim is one word.
 *
 *     commits                 of all processes: a view of the database that is older than the
 *                             last one may lack a result whose claim is gone
 *     process 1 .. 255        a byte that its process keeps locked (the system unlocks it when the
 *                             process dies), and a generation, for the next one that gets it
 *     4,096 buckets of 8      claims: part of the key, process, generation; 0: free
 *
 * A claim that is lost, or not to be had, means work done twice and nothing worse: what is true is
 * in the database alone.  Any thread, but for open and close.  SPDX-License-Identifier: MIT */
#ifndef MILL_BOARD_H
#define MILL_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/hash.h"

struct mill_board_map;

struct mill_board {
    struct mill_board_map *map; /* NULL: there is none, claims are not to be had */
    int fd;
    uint32_t me;              /* process and generation as they stand in a claim */
    _Atomic uint64_t commits; /* of this store, when there is no map */
};

enum mill_claim {
    MILL_CLAIM_NONE,    /* nobody's, and not to be had */
    MILL_CLAIM_TAKEN,   /* just now */
    MILL_CLAIM_MINE,    /* another task's of this store */
    MILL_CLAIM_RESTING, /* the same, and that task waits for others at the moment */
    MILL_CLAIM_OTHERS,  /* of a process that lives, or of another store in this one */
    MILL_CLAIM_WAITING, /* the same, and its task waits for others at the moment */
};

/* Opens (or creates) the file at `path`.  Never fails: without it there are no claims. */
void mill_board_open(struct mill_board *board, const char *path);

/* Drops what this store has claimed. */
void mill_board_close(struct mill_board *board);

/* Claims a key: TAKEN and *ticket, a number from 1, or whose it is; NONE: no room, or no board.  Who
 * gets TAKEN has seen every commit that was noted before an earlier claim was dropped. */
enum mill_claim mill_board_take(struct mill_board *board, struct mill_hash key, int *ticket);

/* Whose it is, never TAKEN; claims of the dead count as nobody's. */
enum mill_claim mill_board_look(struct mill_board *board, struct mill_hash key);

/* Gives a claim back.  By its ticket, for another thread of the store may be about to claim the key
 * at the same moment. */
void mill_board_drop(struct mill_board *board, struct mill_hash key, int ticket);

/* Notes on a claim whether its task waits. */
void mill_board_wait(struct mill_board *board, struct mill_hash key, int ticket, bool waits);

/* A commit has ended. */
void mill_board_commit(struct mill_board *board);

/* Changes with every commit of any process. */
uint64_t mill_board_commits(struct mill_board *board);

#endif
