/* group: the control groups that this process is in.  SPDX-License-Identifier: MIT */
#include "base/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- Where a group is ------------------------------------------------------------------ */

struct span {
    const char *at;
    size_t size;
};

/* Takes what stands before `end` (or is the rest) off the front of *line. */
static struct span take_span(struct span *line, char end)
{
    const char *found = memchr(line->at, end, line->size);
    struct span word = {line->at, found ? (size_t)(found - line->at) : line->size};
    size_t taken = word.size + (found != NULL);
    line->at += taken;
    line->size -= taken;
    return word;
}

static bool is(struct span word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.at, text, word.size) == 0;
}

/* Whether "cpu,cpuacct" has "cpu". */
static bool lists(struct span list, const char *word)
{
    while (list.size > 0) {
        if (is(take_span(&list, ','), word)) return true;
    }
    return false;
}

/* The path of the process's group: a line "4:memory:/path", or of version 2 "0::/path". */
static bool find_path(const char *membership, const char *controller, struct span *path)
{
    struct span text = {membership, strlen(membership)};
    while (text.size > 0) {
        struct span line = take_span(&text, '\n');
        struct span number = take_span(&line, ':'), controllers = take_span(&line, ':');
        bool found = controller ? lists(controllers, controller)
                                : is(number, "0") && controllers.size == 0;
        if (!found || line.size == 0 || line.at[0] != '/') continue;
        *path = line;
        return true;
    }
    return false;
}

/* What of a line of mountinfo is wanted:
 * "32 31 0:29 /docker/x /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu". */
struct mount {
    struct span root, point, type, options;
};

static bool parse_mount(struct span line, struct mount *mount)
{
    for (int i = 0; i < 3; i++) take_span(&line, ' ');
    mount->root = take_span(&line, ' ');
    mount->point = take_span(&line, ' ');
    while (line.size > 0 && !is(take_span(&line, ' '), "-")) continue;
    mount->type = take_span(&line, ' ');
    take_span(&line, ' ');
    mount->options = line;
    return mount->type.size > 0 && mount->point.size > 0 && mount->point.at[0] == '/';
}

static bool find_mount(const char *mounts, const char *controller, struct mount *mount)
{
    struct span text = {mounts, strlen(mounts)};
    while (text.size > 0) {
        if (!parse_mount(take_span(&text, '\n'), mount)) continue;
        if (controller ? is(mount->type, "cgroup") && lists(mount->options, controller)
                       : is(mount->type, "cgroup2")) {
            return true;
        }
    }
    return false;
}

/* Appends to *size bytes of `folder`, which stays terminated; false when it is too small. */
static bool append_span(char *folder, size_t *size, struct span text)
{
    if (text.size >= (size_t)PATH_MAX - *size) return false;
    memcpy(folder + *size, text.at, text.size);
    *size += text.size;
    folder[*size] = '\0';
    return true;
}

static bool is_octal(const char *at, size_t size)
{
    return size >= 4 && at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
           at[2] <= '7' && at[3] >= '0' && at[3] <= '7';
}

/* In mountinfo a blank is \040. */
static bool append_escaped(char *folder, size_t *size, struct span text)
{
    while (text.size > 0) {
        bool octal = is_octal(text.at, text.size);
        char byte = text.at[0];
        if (octal)
            byte = (char)((text.at[1] - '0') * 64 + (text.at[2] - '0') * 8 + text.at[3] - '0');
        if (byte == '\0' || !append_span(folder, size, (struct span){&byte, 1})) return false;
        text.at += octal ? 4 : 1;
        text.size -= octal ? 4 : 1;
    }
    return true;
}

/* The path as seen from the mount, of which a container shows a part only.  Nothing: the mount
 * point itself, also for a group that lies outside of it. */
static struct span below(struct span path, struct span root)
{
    const struct span nothing = {path.at, 0};
    if (is(root, "/")) root.size = 0;
    if (path.size < root.size || memcmp(path.at, root.at, root.size) != 0) return nothing;
    path.at += root.size;
    path.size -= root.size;
    if (path.size < 2 || path.at[0] != '/') return nothing;
    if (path.size >= 3 && memcmp(path.at, "/..", 3) == 0) return nothing;
    return path;
}

static bool locate(struct mill_group *group, const char *root, const char *controller,
                   const char *membership, const char *mounts)
{
    struct span path;
    struct mount mount;
    size_t size = 0;
    if (!find_path(membership, controller, &path)) return false;
    if (!find_mount(mounts, controller, &mount)) return false;
    if (!append_span(group->folder, &size, (struct span){root, strlen(root)})) return false;
    if (!append_escaped(group->folder, &size, mount.point)) return false;
    group->top = size;
    return append_span(group->folder, &size, below(path, mount.root));
}

void mill_group_parse(struct mill_group *group, const char *root, const char *controller,
                      const char *membership, const char *mounts)
{
    if (locate(group, root, controller, membership, mounts)) {
        group->version = 1;
    } else if (locate(group, root, NULL, membership, mounts)) {
        group->version = 2;
    } else {
        *group = (struct mill_group){0};
    }
}

void mill_group_find(struct mill_group *group, const char *root, const char *controller)
{
    char *membership = mill_text_read(root, "/proc/self/cgroup");
    char *mounts = mill_text_read(root, "/proc/self/mountinfo");
    mill_group_parse(group, root, controller, membership ? membership : "",
                     mounts ? mounts : "");
    free(membership);
    free(mounts);
}

bool mill_group_up(struct mill_group *group)
{
    char *slash = strrchr(group->folder, '/');
    if (slash == NULL || (size_t)(slash - group->folder) < group->top) return false;
    *slash = '\0';
    return true;
}

/* ---- What its files say ---------------------------------------------------------------- */

static char *read_group_file(const struct mill_group *group, const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "/%s", name);
    return mill_text_read(group->folder, file);
}

static int64_t read_group_number(const struct mill_group *group, const char *name)
{
    char *text = read_group_file(group, name);
    int64_t number = text ? mill_text_number(text) : -1;
    free(text);
    return number;
}

static int64_t read_group_field(const struct mill_group *group, const char *name,
                                const char *field)
{
    char *text = read_group_file(group, name);
    int64_t number = text ? mill_text_field(text, field) : -1;
    free(text);
    return number;
}

/* ---- CPUs ------------------------------------------------------------------------------ */

/* "200000 100000" is two CPUs, "max 100000" no limit. */
static double quota_v2(const struct mill_group *group)
{
    char *text = read_group_file(group, "cpu.max");
    if (text == NULL) return 0;
    int64_t quota = mill_text_number(text);
    const char *blank = strchr(text, ' ');
    int64_t period = blank ? mill_text_number(blank) : -1;
    free(text);
    return quota > 0 && period > 0 ? (double)quota / (double)period : 0;
}

double mill_group_quota(const struct mill_group *group)
{
    if (group->version == 0) return 0;
    if (group->version == 2) return quota_v2(group);
    int64_t quota = read_group_number(group, "cpu.cfs_quota_us"); /* -1: no limit */
    int64_t period = read_group_number(group, "cpu.cfs_period_us");
    return quota > 0 && period > 0 ? (double)quota / (double)period : 0;
}

double mill_group_tightest(struct mill_group *group)
{
    double smallest = 0;
    struct mill_group at = *group;
    do {
        double quota = mill_group_quota(&at);
        if (quota <= 0 || (smallest > 0 && quota >= smallest)) continue;
        smallest = quota;
        *group = at;
    } while (mill_group_up(&at));
    return smallest;
}

/* Version 1 counts time by a controller of its own, which often shares the tree of "cpu". */
static int64_t cpu_time_v1(const struct mill_group *group, const char *root)
{
    int64_t time = read_group_number(group, "cpuacct.usage");
    if (time >= 0) return time;
    struct mill_group counting;
    mill_group_find(&counting, root, "cpuacct");
    if (counting.version != 1) return -1;
    const char *path = group->folder + group->top;
    size_t size = counting.top;
    if (!append_span(counting.folder, &size, (struct span){path, strlen(path)})) return -1;
    return read_group_number(&counting, "cpuacct.usage");
}

int64_t mill_group_cpu_time(const struct mill_group *group, const char *root)
{
    if (group->version == 1) return cpu_time_v1(group, root);
    if (group->version != 2) return -1;
    int64_t microseconds = read_group_field(group, "cpu.stat", "usage_usec");
    if (microseconds < 0 || microseconds > INT64_MAX / 1000) return -1;
    return microseconds * 1000;
}

/* ---- Memory ---------------------------------------------------------------------------- */

/* Version 1 says "no limit" as the largest multiple of a page. */
static const int64_t no_limit = INT64_MAX / 2;

static int64_t limit_in(const struct mill_group *group, const char *name)
{
    int64_t limit = read_group_number(group, name); /* "max" is no number */
    return limit < 0 || limit > no_limit ? INT64_MAX : limit;
}

int64_t mill_group_memory_limit(const struct mill_group *group)
{
    if (group->version == 0) return INT64_MAX;
    if (group->version == 1) return limit_in(group, "memory.limit_in_bytes");
    /* Above memory.high the kernel slows the group down until it is below: a limit in effect. */
    int64_t most = limit_in(group, "memory.max"), high = limit_in(group, "memory.high");
    return high < most ? high : most;
}

int64_t mill_group_memory_used(const struct mill_group *group)
{
    if (group->version == 0) return -1;
    const bool old = group->version == 1;
    int64_t used = read_group_number(group, old ? "memory.usage_in_bytes" : "memory.current");
    int64_t files =
        read_group_field(group, "memory.stat", old ? "total_inactive_file" : "inactive_file");
    if (used < 0 || files <= 0) return used;
    return files < used ? used - files : 0;
}
