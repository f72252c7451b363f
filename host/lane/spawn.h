/* spawn: starts a program as a child, which need not outlive the thread that has started it:
 * posix_spawn cannot ask the kernel for that.  SPDX-License-Identifier: MIT */
#ifndef MILL_SPAWN_H
#define MILL_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

enum { MILL_SPAWN_FILES = 4, MILL_SPAWN_NULL = -1, MILL_SPAWN_SAME = -2 };

struct mill_spawn {
    const char *program; /* with `search`: looked for in PATH unless it has a slash */
    char *const *arguments, *const *environment;
    const char *folder; /* where it begins; NULL: where this process is */
    /* What it finds as its descriptors 0, 1, ..: a descriptor of ours above all of these,
     * MILL_SPAWN_NULL: /dev/null, MILL_SPAWN_SAME: what we have there. */
    int files[MILL_SPAWN_FILES];
    int file_count; /* it finds no others, but those that are not closed on exec unless `alone` */
    bool search, alone;
    bool dies; /* it is killed when the calling thread ends, however that ends */
};

/* Starts it in a process group of its own, with no signal blocked and none ignored.  0, or an error's
 * number: then there is no child. */
int mill_spawn(const struct mill_spawn *spawn, pid_t *child);

#endif
