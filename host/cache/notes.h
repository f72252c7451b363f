/* notes: what tasks read that another task has started.
 * A task with a key may start others.  Its result depends on what they read, so that their reads
 * become its own: each adds what it has read, and what those have that it has started itself, to
 * the notes of its run, and the task that has started the run takes them over when it ends.
 * Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_NOTES_H
#define MILL_NOTES_H

#include "cache/reads.h"

struct
    mill_notes; /* counted: the starting task holds one reference, each of its runs another */

struct mill_notes *mill_notes_new(void); /* with one reference; NULL: no memory */
void mill_notes_ref(struct mill_notes *notes);
void mill_notes_unref(struct mill_notes *notes); /* NULL is fine */

void mill_notes_add(struct mill_notes *notes, const struct mill_reads *reads);

/* What was noted; nobody adds any more. */
const struct mill_reads *mill_notes_reads(const struct mill_notes *notes);

/* Adds the notes to `reads`. */
void mill_notes_give(struct mill_notes *notes, struct mill_reads *reads);

#endif
