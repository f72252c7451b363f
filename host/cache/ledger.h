/* ledger: what the cache remembers of each task name, so that a miss can be explained: the parts of
 * the function whose result was stored last, and the arguments of the last calls.
 * It is read from the store when a name is first met, gathered in memory, and handed to the store when
 * the engine closes: nothing of it lies on the way of a task but a copy of its arguments in a few
 * words.  Explanations only: nothing here decides what hits.  Any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LEDGER_H
#define MILL_LEDGER_H

#include "cache/memoir.h"
#include "cache/parts.h"
#include "cache/store.h"

struct mill_ledger;

/* Adds the parts of a function; a lower floor cannot take one apart. */
typedef void mill_parts_of(void *context, const struct mill_function *function,
                           struct mill_packer *parts);

/* NULL: no memory. */
struct mill_ledger *mill_ledger_new(mill_parts_of *parts_of, void *context);
void mill_ledger_free(struct mill_ledger *ledger); /* NULL is fine */

/* What became of a task that had a key and ran.  The reader is the calling thread's. */
void mill_ledger_note(struct mill_ledger *ledger, struct mill_reader *reader,
                      const struct mill_task *task, const struct mill_called *called,
                      enum mill_called_verdict verdict);

/* Why a key is not in the store.  `now`: against all that was stored so far; else against what the
 * store had when the engine first met the name.  found(context, salt): whether the same arguments
 * have a result with a function of another salt. */
void mill_ledger_explain(struct mill_ledger *ledger, struct mill_reader *reader,
                         struct mill_task *task, const struct mill_called *called, bool now,
                         bool (*found)(void *context, struct mill_hash salt), void *context,
                         struct mill_causes *causes);

/* Hands over what is new; no task runs any more. */
void mill_ledger_keep(struct mill_ledger *ledger, struct mill_store *store);

#endif
