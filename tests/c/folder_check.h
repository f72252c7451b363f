/* folder_check: a folder of its own for a test program, from folder_make to folder_remove, and files in it.
 * For one file of a test program, which defines _GNU_SOURCE.  SPDX-License-Identifier: MIT */
#ifndef FOLDER_CHECK_H
#define FOLDER_CHECK_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

static inline void folder_make(void)
{
    strcpy(folder, "/tmp/tidemill-test-XXXXXX");
    if (mkdtemp(folder) == NULL) abort();
}

static inline int folder__remove_one(const char *path, const struct stat *status, int kind,
                                     struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* Whether all of it could be removed. */
static inline int folder_remove(void)
{
    return nftw(folder, folder__remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

/* The path of a name in the folder; it lasts for three more calls. */
static inline const char *in_folder(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* How many files and folders lie in a folder; -1: there is none. */
static inline int count_files(const char *path)
{
    DIR *entries = opendir(path);
    if (entries == NULL) return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(entries);
    return count;
}

static inline void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) abort();
}

static inline void write_file(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The bytes of a file and a zero behind them, and how many there are unless size is NULL; freed by the caller. */
static inline char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) abort();
    long length = ftell(file);
    char *text = malloc((size_t)length + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, (size_t)length, file) != (size_t)length) abort();
    text[length] = '\0';
    fclose(file);
    if (size) *size = (size_t)length;
    return text;
}

#endif
