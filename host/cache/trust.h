/* trust: what a cached task does that its key cannot answer for: it uses the time, writes files, computes
 * by libraries.  The worker's thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_TRUST_H
#define MILL_TRUST_H

#include "cache/lookup.h"

/* The running task of a worker has used `what` ("os.time"), which is in no key: unless it is pure
 * its result is not kept, which is said once for each task name. */
void mill_trust_impure(struct mill_lookup *lookup, const struct mill_worker *worker,
                       const char *what);

/* The running task of a worker writes a file, which a hit will not do: said once for each name. */
void mill_trust_writes(struct mill_lookup *lookup, const struct mill_worker *worker,
                       const char *path);

/* The running task of a worker computes by a library ("libm", "BLAS") of which files->library
 * knows: its result holds only with the same version and instruction set. */
void mill_trust_uses(struct mill_lookup *lookup, const struct mill_worker *worker,
                     const char *library);

#endif
