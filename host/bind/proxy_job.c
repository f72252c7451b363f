/* proxy_job: jobs that a script's process runs.  SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "bind/gate.h"
#include "bind/proxy_inside.h"

static tidemill_status send_job(struct mill_proxy *proxy, uint64_t number,
                                const struct mill_value *options, const char *name,
                                const struct mill_value *arguments, size_t count)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    const struct mill_value none = mill_nil();
    tidemill_status status = mill_proxy_begin(proxy, MILL_REQUEST_SUBMIT, false, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_packer_size(&outbox.wire.out, number);
    mill_proxy_phrase(&outbox.wire, name);
    mill_wire_value(&outbox.wire, options ? options : &none, "the options");
    mill_proxy_arguments(&outbox.wire, arguments, count);
    return mill_proxy_end(proxy, &outbox, &nothing);
}

tidemill_status mill_proxy_submit(struct tidemill *engine, const struct mill_value *options,
                                  const char *name, const struct mill_value *arguments,
                                  size_t count, struct tidemill_job **out)
{
    struct mill_errands *errands = &engine->proxy->errands;
    if (count > MILL_PROXY_MOST) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "submit: more than 200 arguments");
    }
    struct tidemill_job *job = mill_jobs_add_apart(engine);
    if (job) job->errand = mill_errands_add(errands, job, name);
    tidemill_status status = job && job->errand ? send_job(engine->proxy, job->errand, options,
                                                           name, arguments, count)
                                                : mill_no_memory(&engine->error, "a job");
    if (status == TIDEMILL_OK) {
        *out = job;
        return status;
    }
    if (job && job->errand) mill_errands_drop(errands, job->errand);
    if (job) mill_job_unref(job);
    return status;
}

void mill_proxy_cancel(struct tidemill *engine, uint64_t errand)
{
    mill_errands_cancel(&engine->proxy->errands, errand);
}

void mill_proxy_listen(struct tidemill *engine, int wishes)
{
    mill_errands_listen(&engine->proxy->errands, wishes);
}

/* So long from now; an interrupt ends the wait, and is used up by it. */
static bool wait_for_jobs(struct mill_proxy *proxy)
{
    double patience = proxy->engine->patience;
    int64_t deadline = patience < 0 ? mill_clock_now() : mill_clock_after(patience);
    bool ended = mill_errands_wait(&proxy->errands, deadline);
    atomic_store(&proxy->engine->interrupted, false);
    return ended;
}

void mill_proxy_end_jobs(struct tidemill *engine)
{
    struct mill_proxy *proxy = engine->proxy;
    bool at_once = engine->patience < 0 || atomic_exchange(&engine->interrupted, false);
    if (!at_once && wait_for_jobs(proxy)) return;
    mill_errands_close(&proxy->errands);
    mill_errands_cancel_all(&proxy->errands);
    if (wait_for_jobs(proxy)) return;
    mill_tether_end(&proxy->tether);
    while (!mill_errands_wait(&proxy->errands, INT64_MAX)) {
        atomic_store(&engine->interrupted, false); /* it takes no time */
    }
}
