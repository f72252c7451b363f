/* failure: the error of a task whose process cannot say anything itself any more.
 * SPDX-License-Identifier: MIT */
#include "lane/failure.h"

#include <string.h>

#include "base/clock.h"
#include "data/packed.h"
#include "sched/attempt.h"

static void pack_text(struct mill_packer *packer, const char *text)
{
    mill_packer_byte(packer, MILL_MARK_STRING);
    mill_packer_text(packer, text, strlen(text));
}

static void pack_number(struct mill_packer *packer, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    mill_packer_word(packer, MILL_MARK_NUMBER, bits);
}

static void begin_table(struct mill_packer *packer, size_t list, size_t pairs)
{
    mill_packer_byte(packer, MILL_MARK_TABLE);
    mill_packer_size(packer, list);
    mill_packer_size(packer, pairs);
    mill_packer_byte(packer, 0); /* no metatable */
}

/* What each attempt has taken, this one included. */
static void put_attempts(struct mill_packer *packer, const struct mill_worker *worker,
                         int attempt, const double *seconds)
{
    begin_table(packer, (size_t)attempt, 0);
    for (int i = 1; i < attempt; i++) pack_number(packer, seconds[i - 1]);
    pack_number(packer, (double)(mill_clock_now() - worker->began) / 1e9);
}

struct mill_value mill_failure_new(const struct mill_worker *worker, const char *message,
                                   const char *key)
{
    const struct mill_function *function = mill_task_function(worker->task);
    const double *seconds;
    int attempt = mill_worker_attempt(worker, &seconds);
    bool several = function->retry.retries > 0, failed = false;
    struct mill_packer packer;
    mill_packer_init(&packer);
    begin_table(&packer, 0, (size_t)5 + several + (key != NULL)); /* keys in order of bytes */
    pack_text(&packer, "attempt");
    pack_number(&packer, attempt);
    if (several) {
        pack_text(&packer, "attempts");
        put_attempts(&packer, worker, attempt, seconds);
    }
    if (key) {
        pack_text(&packer, "key");
        pack_text(&packer, key);
    }
    pack_text(&packer, "lane");
    pack_text(&packer, "process");
    pack_text(&packer, "message");
    pack_text(&packer, message);
    pack_text(&packer, "task");
    pack_text(&packer, function->name);
    pack_text(&packer, "worker");
    pack_number(&packer, worker->call.worker);
    struct mill_value value = mill_packer_take(&packer, &failed);
    return failed ? mill_string(message, strlen(message), &failed) : value;
}
