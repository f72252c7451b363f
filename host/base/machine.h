/* machine: the memory and the CPU time of the machine as they are for this process: what its
 * control groups leave, not what is built in.  SPDX-License-Identifier: MIT */
#ifndef MILL_MACHINE_H
#define MILL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* In bytes.  total = used + available. */
struct mill_machine_memory {
    int64_t installed; /* of the machine; 0: not known */
    int64_t limit;     /* the smallest limit of the process's groups; 0: none */
    int64_t total;     /* the smaller of the two */
    int64_t available; /* to be had without swapping: of the machine, and within every group */
    int64_t used;      /* the rest of total: not to be had, whoever has it */
};

/* `root` is "" but in tests. */
void mill_machine_memory(const char *root, struct mill_machine_memory *memory);

/* used / total; NaN: not known. */
double mill_machine_memory_share(const char *root);

/* Whether the next megabytes may be the last: of the machine and the process's groups, or of the
 * address space that the process may have (ulimit -v).  Some system calls. */
bool mill_machine_memory_is_short(const char *root);

/* Bytes that this process has resident and that belong to no file on disk: RssAnon and RssShmem of
 * /proc/self/status.  -1: not known.  Some 15 us. */
int64_t mill_machine_process_memory(void);

/* CPU time up to now.  Where the groups' quota is smaller than the number of CPUs in the
 * process's mask, of the group with that quota; else of those CPUs, whoever used them. */
struct mill_machine_cpu {
    double quota;   /* CPUs of the group; 0: of the machine; -1: nothing could be read */
    int64_t used;   /* nanoseconds of the group; clock ticks of the CPUs, idle ones left out */
    int64_t passed; /* nanoseconds of the clock; ticks of the CPUs in all */
};

void mill_machine_cpu(const char *root, struct mill_machine_cpu *cpu);

/* The share, 0 to 1, of what could be used that was used between two readings; NaN: not known
 * (no time has passed, a reading failed, or another quota holds now). */
double mill_machine_cpu_share(const struct mill_machine_cpu *before,
                              const struct mill_machine_cpu *after);

/* The share since the last call with this reading, which the caller keeps and begins by
 * {.quota = -1}; NaN at the first. */
double mill_machine_cpu_since(const char *root, struct mill_machine_cpu *last);

/* Of the text of /proc/stat: the CPUs for which `counted` is true, or, where the text does not
 * tell CPUs apart, all.  False when it says nothing. */
bool mill_machine_parse_stat(const char *text, bool (*counted)(void *context, int cpu),
                             void *context, struct mill_machine_cpu *cpu);

/* Of the text of /proc/meminfo: installed and available; false when it says nothing. */
bool mill_machine_parse_memory(const char *text, struct mill_machine_memory *memory);

#endif
