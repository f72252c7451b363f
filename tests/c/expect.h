/* expect: a line an expectation, for programs that know tidemill.h alone and whose checks share an engine;
 * tests whose functions stand by themselves use check.h.  SPDX-License-Identifier: MIT */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdio.h>

#include "tidemill.h"

static int passed, failed;

static inline void expect(int fine, const char *what)
{
    if (fine)
        passed++;
    else
        printf("not ok %s\n", what), failed++;
}

/* What main returns. */
static inline int expect_end(void)
{
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed != 0;
}

/* -1 of what is no number. */
static inline double number_of(tidemill_value value)
{
    double number = -1;
    return tidemill_to_number(value, &number) ? number : -1;
}

/* The one result of a call with one argument; nil when it fails, and says why. */
static inline tidemill_value call1(tidemill *engine, const char *name, tidemill_value argument)
{
    tidemill_value result;
    if (tidemill_call(engine, name, &argument, 1, &result, 1) != TIDEMILL_OK)
        printf("# %s: %s\n", name, tidemill_error(engine));
    return result;
}

#endif
