/* machine: memory and CPU time as they are for this process.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/machine.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/group.h"
#include "base/text.h"

/* ---- Memory ---------------------------------------------------------------------------- */

static int64_t kilobytes(const char *text, const char *name)
{
    int64_t number = mill_text_field(text, name);
    return number < 0 || number > INT64_MAX / 1024 ? -1 : number * 1024;
}

/* What a kernel without MemAvailable would have said, roughly. */
static int64_t free_and_cached(const char *text)
{
    static const char *const names[] = {"MemFree", "Buffers", "Cached"};
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        int64_t bytes = kilobytes(text, names[i]);
        if (bytes > 0 && bytes < INT64_MAX - sum) sum += bytes;
    }
    return sum;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool mill_machine_parse_memory(const char *text, struct mill_machine_memory *memory)
{
    int64_t total = kilobytes(text, "MemTotal");
    if (total <= 0) return false;
    int64_t available = kilobytes(text, "MemAvailable");
    if (available < 0) available = free_and_cached(text);
    memory->installed = total;
    memory->available = smaller(available, total);
    return true;
}

/* Without /proc. */
static void ask_kernel(struct mill_machine_memory *memory)
{
    struct sysinfo info;
    if (sysinfo(&info) != 0) return;
    memory->installed = (int64_t)info.totalram * info.mem_unit;
    memory->available = (int64_t)(info.freeram + info.bufferram) * info.mem_unit;
}

/* The smallest limit of the groups, and how much the fullest of them has left. */
static void visit_groups(const char *root, int64_t *limit, int64_t *left)
{
    struct mill_group group;
    mill_group_find(&group, root, "memory");
    if (group.version == 0) return;
    do {
        int64_t most = mill_group_memory_limit(&group);
        if (most == INT64_MAX) continue;
        int64_t used = mill_group_memory_used(&group);
        if (used < 0) used = 0;
        *limit = smaller(*limit, most);
        *left = smaller(*left, used < most ? most - used : 0);
    } while (mill_group_up(&group));
}

void mill_machine_memory(const char *root, struct mill_machine_memory *memory)
{
    *memory = (struct mill_machine_memory){0};
    char *text = mill_text_read(root, "/proc/meminfo");
    if (text == NULL || !mill_machine_parse_memory(text, memory)) ask_kernel(memory);
    free(text);
    int64_t limit = INT64_MAX, left = INT64_MAX;
    visit_groups(root, &limit, &left);
    const int64_t installed = memory->installed > 0 ? memory->installed : INT64_MAX;
    memory->total = smaller(installed, limit);
    memory->available = smaller(memory->installed > 0 ? memory->available : INT64_MAX, left);
    if (memory->total == INT64_MAX) memory->total = memory->available = 0;
    memory->available = smaller(memory->available, memory->total);
    memory->used = memory->total - memory->available;
    memory->limit = limit == INT64_MAX ? 0 : limit;
}

double mill_machine_memory_share(const char *root)
{
    struct mill_machine_memory memory;
    mill_machine_memory(root, &memory);
    return memory.total > 0 ? (double)memory.used / (double)memory.total : NAN;
}

/* The share that is taken of the address space that the process may have; 0: no limit. */
static double address_space_share(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;
    if (file == NULL || fscanf(file, "%ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (double)limit.rlim_cur;
}

bool mill_machine_memory_is_short(const char *root)
{
    /* Allocators take address space in large pieces. */
    return mill_machine_memory_share(root) > 0.97 || address_space_share() > 0.85;
}

int64_t mill_machine_process_memory(void)
{
    char text[4096]; /* the whole of it */
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return -1;
    text[size] = '\0';
    int64_t anonymous = kilobytes(text, "RssAnon"), shared = kilobytes(text, "RssShmem");
    return anonymous < 0 || shared < 0 ? -1 : anonymous + shared;
}

/* ---- CPU time -------------------------------------------------------------------------- */

/* The numbers of a line "cpu0 user nice system idle iowait irq softirq steal guest guest_nice":
 * the last two are in the first two already; time stolen by the host is time that was not to be
 * had.  Old kernels have fewer. */
static bool add_times(const char *numbers, struct mill_machine_cpu *cpu)
{
    int64_t used = 0, idle = 0;
    int count = 0;
    for (; count < 8; count++) {
        numbers += strspn(numbers, " ");
        int64_t ticks = mill_text_number(numbers);
        if (ticks < 0) break;
        if (ticks > INT64_MAX / 1024) return false;
        *(count == 3 || count == 4 ? &idle : &used) += ticks;
        numbers += strcspn(numbers, " \n");
    }
    if (count < 4 || cpu->passed > INT64_MAX / 2) return false;
    cpu->used += used;
    cpu->passed += used + idle;
    return true;
}

bool mill_machine_parse_stat(const char *text, bool (*counted)(void *context, int cpu),
                             void *context, struct mill_machine_cpu *cpu)
{
    struct mill_machine_cpu all = {0}, some = {0};
    bool have_all = false, have_some = false;
    for (const char *line = text; strncmp(line, "cpu", 3) == 0; line++) {
        const char *behind = line + 3 + strspn(line + 3, "0123456789");
        int64_t number = *behind == ' ' ? mill_text_number(line + 3) : -1;
        if (line[3] == ' ') {
            have_all = add_times(behind, &all) || have_all;
        } else if (number >= 0 && number < INT32_MAX && counted(context, (int)number)) {
            have_some = add_times(behind, &some) || have_some;
        }
        line = strchr(line, '\n');
        if (line == NULL) break;
    }
    *cpu = have_some ? some : all;
    cpu->quota = have_some || have_all ? 0 : -1;
    return have_some || have_all;
}

struct mask {
    cpu_set_t *set;
    size_t size;
};

static bool in_mask(void *context, int cpu)
{
    const struct mask *mask = context;
    return mask->set == NULL || CPU_ISSET_S((size_t)cpu, mask->size, mask->set);
}

static bool read_group(const char *root, int cpus, struct mill_machine_cpu *cpu)
{
    struct mill_group group;
    mill_group_find(&group, root, "cpu");
    double quota = mill_group_tightest(&group);
    if (quota <= 0 || quota >= cpus) return false;
    int64_t used = mill_group_cpu_time(&group, root);
    if (used < 0) return false;
    *cpu = (struct mill_machine_cpu){.quota = quota, .used = used, .passed = mill_clock_now()};
    return true;
}

void mill_machine_cpu(const char *root, struct mill_machine_cpu *cpu)
{
    struct mask mask;
    mask.set = mill_cpus_mask(&mask.size);
    const int count = mask.set ? CPU_COUNT_S(mask.size, mask.set) : INT32_MAX;
    *cpu = (struct mill_machine_cpu){.quota = -1};
    if (!read_group(root, count, cpu)) {
        char *text = mill_text_read(root, "/proc/stat");
        if (text) mill_machine_parse_stat(text, in_mask, &mask, cpu);
        free(text);
    }
    if (mask.set) CPU_FREE(mask.set);
}

double mill_machine_cpu_share(const struct mill_machine_cpu *before,
                              const struct mill_machine_cpu *after)
{
    if (before->quota < 0 || before->quota != after->quota) return NAN;
    double used = (double)(after->used - before->used);
    double could =
        (double)(after->passed - before->passed) * (after->quota > 0 ? after->quota : 1);
    if (used < 0 || could <= 0) return NAN; /* another group, or CPUs that came or went */
    return used < could ? used / could : 1;
}

double mill_machine_cpu_since(const char *root, struct mill_machine_cpu *last)
{
    struct mill_machine_cpu now;
    mill_machine_cpu(root, &now);
    double share = mill_machine_cpu_share(last, &now);
    *last = now;
    return share;
}
