/* adapt: lets the worker set of an engine follow what the machine has to give.
 * SPDX-License-Identifier: MIT */
#include "bind/adapt.h"

#include <stdlib.h>

#include "base/machine.h"
#include "sched/adaptive.h"

struct mill_adapt {
    struct mill_adaptive adaptive;
    struct mill_machine_cpu cpu;
    struct mill_pool *pool;
};

static bool is_busy(void *context)
{
    struct mill_adapt *adapt = context;
    return atomic_load(&adapt->pool->running) > 0;
}

static void sample_machine(void *context, double *cpu, double *memory)
{
    struct mill_adapt *adapt = context;
    *cpu = mill_machine_cpu_since("", &adapt->cpu);
    *memory = mill_machine_memory_share("");
}

static int64_t queued(void *context)
{
    struct mill_adapt *adapt = context;
    return mill_pool_queued(adapt->pool);
}

static int set_active(void *context, int workers)
{
    struct mill_adapt *adapt = context;
    mill_pool_set_active(adapt->pool, workers);
    return atomic_load(&adapt->pool->active);
}

int mill_adapt_first(const struct tidemill *engine)
{
    const struct mill_adaptive_setting *setting = &engine->adaptive_setting;
    int workers = engine->workers;
    if (!setting->enabled || workers == 0) return workers;
    if (workers < setting->minimum) return setting->minimum;
    return workers < setting->maximum ? workers : setting->maximum;
}

tidemill_status mill_adapt_start(struct tidemill *engine, struct mill_error *error)
{
    const struct mill_adaptive_setting *setting = &engine->adaptive_setting;
    if (!setting->enabled || engine->workers == 0) return TIDEMILL_OK;
    struct mill_adapt *adapt = calloc(1, sizeof *adapt);
    if (adapt == NULL) return mill_no_memory(error, "the adaptive worker set");
    adapt->pool = &engine->pool;
    adapt->cpu = (struct mill_machine_cpu){.quota = -1};
    struct mill_adaptive_options options = {
        .rule = {setting->minimum, setting->maximum},
        .interval = setting->interval_ns,
        .busy = is_busy,
        .sample = sample_machine,
        .queued = queued,
        .set = set_active,
        .context = adapt,
    };
    options.active = mill_adapt_first(engine);
    mill_pool_set_active(adapt->pool, options.active);
    tidemill_status status = mill_adaptive_start(&adapt->adaptive, &options, error);
    if (status != TIDEMILL_OK) {
        free(adapt);
        return status;
    }
    engine->adapt = adapt;
    return TIDEMILL_OK;
}

void mill_adapt_poke(struct tidemill *engine)
{
    if (engine->adapt) mill_adaptive_poke(&engine->adapt->adaptive);
}

void mill_adapt_stop(struct tidemill *engine)
{
    if (engine->adapt == NULL) return;
    mill_adaptive_stop(&engine->adapt->adaptive);
    free(engine->adapt);
    engine->adapt = NULL;
}
