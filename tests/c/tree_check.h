/* tree_check: a folder of its own for a test, with files that stand for those of a machine.
 *     tree_begin(); tree_write("/proc/meminfo", "MemTotal: 1 kB\n"); ... tree.root ... tree_end();
 * SPDX-License-Identifier: MIT */
#ifndef TREE_CHECK_H
#define TREE_CHECK_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    char root[64];
} tree;

static inline void tree_begin(void)
{
    snprintf(tree.root, sizeof tree.root, "%s", "/tmp/tidemill_tree_XXXXXX");
    if (mkdtemp(tree.root) == NULL) abort();
}

static inline int tree__remove(const char *path, const struct stat *status, int type,
                               struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static inline void tree_end(void)
{
    nftw(tree.root, tree__remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file of `size` bytes and makes the folders that lead to it. */
static inline void tree_write_bytes(const char *path, const char *text, size_t size)
{
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s%s", tree.root, path);
    for (char *slash = strchr(whole + strlen(tree.root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "wb");
    if (file == NULL || fwrite(text, 1, size, file) != size || fclose(file) != 0) abort();
}

static inline void tree_write(const char *path, const char *text)
{
    tree_write_bytes(path, text, strlen(text));
}

/* Replaces some bytes of a copy of the text, or cuts it, as `state` (which moves on) has it. */
static inline size_t tree_spoil(char *copy, const char *text, unsigned long long *state)
{
    size_t size = strlen(text);
    memcpy(copy, text, size + 1);
    for (int i = 0; i < 4 && size > 0; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        unsigned random = (unsigned)(*state >> 33);
        static const char odd[] = " \n:,/-\\09a\xff.";
        if (random % 16 == 0) {
            size = random / 16 % size;
        } else {
            copy[random / 16 % size] = odd[random / 65536 % (sizeof odd - 1)];
        }
    }
    copy[size] = '\0';
    return size;
}

#endif
