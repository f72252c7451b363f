/* talk: what worker processes say, and what they are told while their tasks run.
 * The process lane's thread alone.  SPDX-License-Identifier: MIT */
#ifndef MILL_TALK_H
#define MILL_TALK_H

#include "lane/process.h"

/* Reads what a child has sent; false: it has closed its end. */
bool mill_talk_hear(struct mill_process *process, struct mill_worker *worker,
                    struct mill_child *child);

/* Tells children that a channel which made them wait may let them go on, and ends tasks that never
 * could. */
void mill_talk_give_notice(struct mill_process *process, struct mill_worker *worker);

/* A child that is not to be trusted any more, for that reason, goes, and its task fails. */
void mill_talk_garbage(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, const char *message);

#endif
