/* proxy: an engine whose script runs in a process of its own: starts that, asks it, and ends it when it
 * takes too long or too much.  It trusts nothing that comes from there.  The other side is
 * host/bind/hosted.c.  All but mill_proxy_ring, _cancel and _listen is called with
 * the engine's lock.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_PROXY_H
#define MILL_PROXY_H

#include "bind/hosted.h"

struct mill_proxy;

/* Whether a configuration asks for one. */
bool mill_proxy_is_wanted(const tidemill_config *config);

/* Starts the process of an engine that has its settings; on failure engine->proxy may be there, too. */
tidemill_status mill_proxy_open(struct tidemill *engine, const tidemill_config *config);
void mill_proxy_close(struct tidemill *engine);

/* What the functions of tidemill.h do. */
tidemill_status mill_proxy_run(struct tidemill *engine, enum mill_request what,
                               const char *name, const char *code, int argc, char **argv);
tidemill_status mill_proxy_result(struct tidemill *engine, struct mill_value *value);
tidemill_status mill_proxy_result_json(struct tidemill *engine, char **text);
tidemill_status mill_proxy_call(struct tidemill *engine, const char *name,
                                const struct mill_value *arguments, size_t count,
                                struct mill_value *results, size_t wanted);
/* A session's; `answer` NULL: none is wanted. */
tidemill_status mill_proxy_session(struct tidemill *engine, enum mill_request what,
                                   const char *text, char **answer);
tidemill_status mill_proxy_submit(struct tidemill *engine, const struct mill_value *options,
                                  const char *name, const struct mill_value *arguments,
                                  size_t count, struct tidemill_job **job);
tidemill_status mill_proxy_set(struct tidemill *engine, const char *name, const char *value);

/* Gives the script a function of the host, by that number. */
tidemill_status mill_proxy_register(struct tidemill *engine, const tidemill_function *function,
                                    uint64_t number);

/* Cancels the job of that errand.  Any thread. */
void mill_proxy_cancel(struct tidemill *engine, uint64_t errand);

/* What the script's process is to tell of.  Any thread. */
void mill_proxy_listen(struct tidemill *engine, int wishes);

/* Before closing: waits for jobs, cancels those that have not ended, waits again, and ends the process where
 * some are left.  No job is left. */
void mill_proxy_end_jobs(struct tidemill *engine);

/* engine->interrupted is set: the thread that waits is to look.  Any thread, also in a signal handler. */
void mill_proxy_ring(struct mill_proxy *proxy);

#endif
