/* text: small files of the system, read whole.  SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_FIRST = 4096, READ_MOST = 4 << 20 };

/* All of an open file: sizes of such files are not known before. */
static char *read_all(FILE *file)
{
    size_t room = READ_FIRST, size = 0;
    char *text = malloc(room);
    while (text) {
        size += fread(text + size, 1, room - 1 - size, file);
        text[size] = '\0';
        if (size < room - 1 || room >= READ_MOST) return text;
        char *larger = realloc(text, room *= 2);
        if (larger == NULL) free(text);
        text = larger;
    }
    return NULL;
}

char *mill_text_read(const char *root, const char *path)
{
    char whole[PATH_MAX];
    int length = snprintf(whole, sizeof whole, "%s%s", root, path);
    if (length < 0 || (size_t)length >= sizeof whole) return NULL;
    FILE *file = fopen(whole, "re");
    if (file == NULL) return NULL;
    char *text = read_all(file);
    if (ferror(file)) { /* a folder, or a group that has just gone */
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

int64_t mill_text_number(const char *text)
{
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || strchr(" \t\n", text[digits]) == NULL) return -1;
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = text[i] - '0';
        if (number > (INT64_MAX - digit) / 10) return INT64_MAX;
        number = number * 10 + digit;
    }
    return number;
}

int64_t mill_text_field(const char *text, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) != 0) continue;
        const char *behind = line + length;
        if (*behind == ':') behind++;
        if (*behind == ' ' || *behind == '\t') return mill_text_number(behind);
    }
    return -1;
}
