/* nearest: the name that a user probably meant.
 * Distance is counted in insertions, deletions, replacements and swaps of neighbours.
 * SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; three rows of the table are enough to see swaps. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][MILL_NEAREST_LONGEST + 1];
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(now[j], least(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void mill_nearest_start(struct mill_nearest *nearest, const char *word)
{
    nearest->word = word;
    nearest->distance = 1 + least(strlen(word) / 3, 3);
    nearest->name[0] = '\0';
}

void mill_nearest_offer(struct mill_nearest *nearest, const char *name)
{
    size_t word_length = strlen(nearest->word), length = strlen(name);
    if (word_length > MILL_NEAREST_LONGEST || length > MILL_NEAREST_LONGEST) return;
    size_t found = distance(nearest->word, word_length, name, length);
    // Half a name is a likely slip too, however much of it is missing.
    if (word_length >= 4 && strncmp(name, nearest->word, word_length) == 0) found = 1;
    if (found > nearest->distance || (found == nearest->distance && nearest->name[0])) return;
    nearest->distance = found;
    memcpy(nearest->name, name, length + 1);
}

const char *mill_nearest_name(const struct mill_nearest *nearest)
{
    return nearest->name[0] ? nearest->name : NULL;
}
