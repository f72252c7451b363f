/* check: the test harness of the C programs.
 *     static void pop_takes_the_newest(void) { CHECK(x == 1); CHECK_TEXT(s, "abc"); }
 *     int main(void) { RUN(pop_takes_the_newest); return check_end(); }
 * A test is a function whose name says what must be true; it fails when one CHECK does.
 * SPDX-License-Identifier: MIT */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int check__passed, check__failed, check__skipped;
static int check__bad; /* in the running test */
static const char *check__skip;

#define CHECK(condition) CHECK_SAYING(condition, "%s", #condition)

#define CHECK_SAYING(condition, ...)                                                           \
    do {                                                                                       \
        if (!(condition) && check__bad++ < 10) {                                               \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                    \
            fprintf(stderr, __VA_ARGS__);                                                      \
            fprintf(stderr, "\n");                                                             \
        }                                                                                      \
    } while (0)

#define CHECK_TEXT(got, expected)                                                              \
    CHECK_SAYING(strcmp((got), (expected)) == 0, "got \"%s\", expected \"%s\"", (got),         \
                 (expected))

/* Leaves the running test; it counts as skipped and the reason is printed. */
#define SKIP(reason)                                                                           \
    do {                                                                                       \
        check__skip = (reason);                                                                \
        return;                                                                                \
    } while (0)

#define RUN(test)                                                                              \
    do {                                                                                       \
        check__bad = 0;                                                                        \
        check__skip = NULL;                                                                    \
        test();                                                                                \
        if (check__bad) {                                                                      \
            check__failed++;                                                                   \
            printf("not ok %s\n", #test);                                                      \
        } else if (check__skip) {                                                              \
            check__skipped++;                                                                  \
            printf("skipped %s: %s\n", #test, check__skip);                                    \
        } else {                                                                               \
            check__passed++;                                                                   \
        }                                                                                      \
        fflush(stdout);                                                                        \
    } while (0)

/* The seed of a randomised test: TIDEMILL_TEST_SEED, else the time; always printed. */
static inline unsigned long long check_seed(void)
{
    const char *text = getenv("TIDEMILL_TEST_SEED");
    unsigned long long seed = text ? strtoull(text, NULL, 10) : (unsigned long long)time(NULL);
    printf("seed %llu (repeat with TIDEMILL_TEST_SEED=%llu)\n", seed, seed);
    return seed;
}

static inline int check_end(void)
{
    printf("%d passed, %d failed, %d skipped\n", check__passed, check__failed, check__skipped);
    return check__failed > 0;
}

#endif
