/* task: the functions that tasks run.  SPDX-License-Identifier: MIT */
#include "sched/task.h"

#include <math.h>
#include <stdlib.h>

struct mill_function *mill_function_new(const char *name)
{
    struct mill_function *function = calloc(1, sizeof *function);
    if (function == NULL) return NULL;
    function->name = strdup(name);
    if (function->name == NULL) {
        free(function);
        return NULL;
    }
    atomic_init(&function->refs, 1);
    function->seed = function->cost = NAN;
    function->retry.factor = 1;
    function->retry.longest = INFINITY;
    return function;
}

struct mill_function *mill_function_ref(struct mill_function *function)
{
    atomic_fetch_add_explicit(&function->refs, 1, memory_order_relaxed);
    return function;
}

void mill_function_unref(struct mill_function *function)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (function == NULL ||
        atomic_fetch_sub_explicit(&function->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    mill_value_unref(function->code);
    mill_value_unref(function->retry_on);
    free(function->needs);
    free(function->policy.refusal);
    free(function->policy.files);
    free(function->policy.said);
    free(function->name);
    free(function);
}
