/* nearest: the name that a user probably meant.  SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ASCII letters alone have a case here, in any locale. */
static bool same(char a, char b)
{
    if (a >= 'A' && a <= 'Z') a = (char)(a + ('a' - 'A'));
    if (b >= 'A' && b <= 'Z') b = (char)(b + ('a' - 'A'));
    return a == b;
}

/* Optimal string alignment; three rows of the table are enough to see swaps. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = above[j - 1] + !same(a[i - 1], b[j - 1]);
            now[j] = least(now[j], least(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

static bool begins(const char *name, const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!same(name[i], word[i])) return false;
    }
    return true;
}

const char *mill_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t size = strlen(word), limit = size < 3 ? 1 : 2 + least(size / 3, 3);
    if (size > LONGEST_WORD) return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (length == 0 || length > LONGEST_WORD) continue;
        size_t found = distance(word, size, names[i], length);
        /* Half a name is a likely slip too, however much of it is missing. */
        if (size >= 4 && length >= size && begins(names[i], word, size)) found = 1;
        if (found >= limit) continue;
        limit = found;
        best = names[i];
    }
    return best;
}
