/* claim: which task of a run computes a key, so that others with the same key wait for it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CLAIM_H
#define MILL_CLAIM_H

#include "base/hash.h"
#include "sched/run.h"

struct mill_claims;

/* Of one run; NULL: no memory. */
struct mill_claims *mill_claims_new(void);
void mill_claims_free(struct mill_claims *claims);

/* The task that has the key: `task` itself when nobody had it. Any thread. */
struct mill_task *mill_claims_take(struct mill_claims *claims, struct mill_hash key,
                                   struct mill_task *task);

#endif
