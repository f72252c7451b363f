/* test_mean: the times of names, however many there are.  SPDX-License-Identifier: MIT */
#include "sched/mean.h"

#include <stdio.h>

#include "check.h"

enum { NAMES = 5000 };

static struct mill_mean *mean_of(struct mill_means *means, int i)
{
    char name[32];
    snprintf(name, sizeof name, "key-%d", i);
    return mill_means_of(means, name);
}

static void each_name_has_one_mean_that_stays_where_it_is(void)
{
    static struct mill_mean *first[NAMES];
    struct mill_means means;
    mill_means_init(&means);
    for (int i = 0; i < NAMES; i++) first[i] = mean_of(&means, i);
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "key-%d", i);
        CHECK(first[i] != NULL && mean_of(&means, i) == first[i]);
        CHECK(strcmp(mill_mean_name(first[i]), name) == 0);
    }
    CHECK(means.count == NAMES);
    mill_means_fini(&means);
}

static void lists_stay_short(void)
{
    struct mill_means means;
    mill_means_init(&means);
    for (int i = 0; i < NAMES; i++) mean_of(&means, i);
    CHECK(means.room >= means.count);
    mill_means_fini(&means);
}

int main(void)
{
    RUN(each_name_has_one_mean_that_stays_where_it_is);
    RUN(lists_stay_short);
    return check_end();
}
