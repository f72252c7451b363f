/* api_kernel: kernels of the host.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_KERNEL_H
#define MILL_API_KERNEL_H

#include <stdbool.h>

struct tidemill;

/* On the script's thread; false: no memory. */
bool mill_host_kernel_add(struct tidemill *engine, const char *key, void (*address)(void));

/* Any thread; NULL: there is none of that key. */
void (*mill_host_kernel_find(struct tidemill *engine, const char *key))(void);

void mill_host_kernels_fini(struct tidemill *engine);

#endif
