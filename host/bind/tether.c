/* tether: the process of a script, and how long it is let run.
 *
 * The thread that calls waits here itself, for the socket and the bell; so there is nobody else to be told of a
 * deadline.  Neither sending nor receiving ever blocks elsewhere: a process that does not read, or sends
 * half a message, runs into its limits all the same.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/tether.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/hosted.h"

static const int64_t LOOK_OFTEN = 20 * INT64_C(1000000), HEED_WITHIN = 2 * INT64_C(1000000000),
                     ENDLESS = INT64_MAX;

bool mill_tether_init(struct mill_tether *tether)
{
    tether->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    tether->until = tether->heeded_by = ENDLESS;
    return tether->bell >= 0;
}

void mill_tether_fini(struct mill_tether *tether)
{
    mill_tether_end(tether);
    if (tether->bell >= 0) close(tether->bell);
    tether->bell = -1;
}

tidemill_status mill_tether_start(struct mill_tether *tether, const char *program,
                                  uint64_t most)
{
    tether->child = mill_child_start(program, tether->error);
    if (tether->child == NULL) return tether->error->status;
    tether->child->inbox.strict = true;
    tether->child->inbox.most = most;
    return TIDEMILL_OK;
}

void mill_tether_allow(struct mill_tether *tether, double seconds)
{
    uint64_t rings;
    if (read(tether->bell, &rings, sizeof rings) < 0) errno = 0; /* it has not rung */
    tether->until = seconds > 0 ? mill_clock_now() + (int64_t)(seconds * 1e9) : ENDLESS;
    tether->heeded_by = ENDLESS;
}

void mill_tether_ring(struct mill_tether *tether)
{
    uint64_t once = 1;
    int before = errno;
    if (write(tether->bell, &once, sizeof once) < 0) errno = before; /* it rings already */
    errno = before;
}

/* ---- ending the process ----------------------------------------------------------------- */

/* Before it ends, or anybody else can see that it has. */
static void tell_errands(struct mill_tether *tether, tidemill_status status, const char *text)
{
    if (tether->errands) mill_errands_end(tether->errands, status, text);
}

void mill_tether_end(struct mill_tether *tether)
{
    struct mill_child *child = tether->child;
    if (child == NULL) return;
    tell_errands(tether, TIDEMILL_ERROR, "the script's process was ended");
    tether->child = NULL;
    mill_child_kill(child);
    mill_child_reap(child);
    mill_child_free(child);
    tether->begun = false;
}

/* The process has to go: why. */
static tidemill_status cut_off(struct mill_tether *tether, tidemill_status status,
                               const char *reason)
{
    tell_errands(tether, status, reason);
    mill_tether_end(tether);
    snprintf(tether->lost, sizeof tether->lost, "%s", reason);
    return mill_fail(tether->error, status, "%s", reason);
}

/* It has gone by itself, or its jobs have ended it: then their reason is the one. */
static tidemill_status mourn(struct mill_tether *tether)
{
    char text[300];
    tidemill_status status = TIDEMILL_ERROR;
    struct mill_child *child = tether->child;
    if (tether->errands == NULL ||
        !mill_errands_lost(tether->errands, &status, text, sizeof text)) {
        mill_cord_end_text(child->process, text, sizeof text);
    }
    tell_errands(tether, status, text);
    tether->child = NULL;
    mill_child_reap(child);
    mill_child_free(child);
    tether->begun = false;
    return cut_off(tether, status, text);
}

void mill_tether_bury(struct mill_tether *tether)
{
    struct mill_error kept = *tether->error;
    mourn(tether);
    *tether->error = kept;
}

/* ---- waiting ---------------------------------------------------------------------------- */

static tidemill_status pass_deadline(struct mill_tether *tether)
{
    char text[160];
    if (!tether->begun) {
        return cut_off(tether, TIDEMILL_ERROR, "the script's process does not begin");
    }
    snprintf(text, sizeof text, "the script took longer than its deadline of %g s",
             tether->deadline);
    return cut_off(tether, TIDEMILL_DEADLINE, text);
}

static tidemill_status check_hunger(struct mill_tether *tether)
{
    char text[160];
    uint64_t most = tether->memory;
    if (most == 0 || (uint64_t)mill_child_memory(tether->child) <= most) return TIDEMILL_OK;
    snprintf(text, sizeof text, "the script's process took more than its %.0f MiB of memory",
             (double)most / 1048576);
    return cut_off(tether, TIDEMILL_MEMORY, text);
}

/* Passes an interrupt on, and sees whether the last one was heeded. */
static tidemill_status check_interrupt(struct mill_tether *tether, int64_t now)
{
    uint64_t rings;
    if (read(tether->bell, &rings, sizeof rings) == sizeof rings && tether->begun) {
        syscall(SYS_pidfd_send_signal, tether->child->process, MILL_HOSTED_SIGNAL, NULL, 0);
        if (tether->heeded_by == ENDLESS) tether->heeded_by = now + HEED_WITHIN;
    }
    if (now < tether->heeded_by) return TIDEMILL_OK;
    return cut_off(tether, TIDEMILL_CANCELLED,
                   "interrupted; the script did not stop, and its process was ended");
}

/* Waits for `events` of the socket, or for what ends the process.  OK: look again. */
static tidemill_status watch_over(struct mill_tether *tether, short events)
{
    struct pollfd polled[] = {{.fd = tether->child->socket, .events = events},
                              {.fd = tether->bell, .events = POLLIN}};
    int64_t now = mill_clock_now(), next = tether->until;
    if (tether->heeded_by < next) next = tether->heeded_by;
    if (tether->memory && now + LOOK_OFTEN < next) next = now + LOOK_OFTEN;
    int64_t left = next == ENDLESS ? -1 : next > now ? (next - now) / 1000000 + 1 : 0;
    poll(polled, 2, left > INT32_MAX ? INT32_MAX : (int)left);
    now = mill_clock_now();
    if (now >= tether->until) return pass_deadline(tether);
    tidemill_status status = check_interrupt(tether, now);
    return status == TIDEMILL_OK ? check_hunger(tether) : status;
}

/* ---- talking ---------------------------------------------------------------------------- */

tidemill_status mill_tether_send(struct mill_tether *tether, struct mill_outbox *outbox,
                                 enum mill_message_kind kind)
{
    tidemill_status status = TIDEMILL_OK;
    if (!mill_wire_is_fine(&outbox->wire)) {
        struct mill_error *why = &outbox->wire.error;
        status = mill_fail(tether->error,
                           outbox->wire.status ? outbox->wire.status : TIDEMILL_MEMORY, "%s",
                           why->text[0] ? why->text : "out of memory (a message)");
    } else {
        mill_outbox_close(outbox, kind);
    }
    while (status == TIDEMILL_OK) {
        enum mill_transfer sent = mill_outbox_send(outbox, tether->child->socket, false);
        if (sent == MILL_TRANSFER_DONE) break;
        status = sent == MILL_TRANSFER_AGAIN ? watch_over(tether, POLLOUT) : mourn(tether);
    }
    mill_outbox_fini(outbox);
    return status;
}

tidemill_status mill_tether_refuse(struct mill_tether *tether)
{
    return cut_off(tether, TIDEMILL_ERROR, "the script's process sent what is no message");
}

tidemill_status mill_tether_receive(struct mill_tether *tether)
{
    for (;;) {
        struct mill_child *child = tether->child;
        tidemill_status status = TIDEMILL_OK;
        switch (mill_inbox_receive(&child->inbox, child->socket, false, NULL)) {
        case MILL_TRANSFER_DONE:
            return TIDEMILL_OK;
        case MILL_TRANSFER_AGAIN:
            status = watch_over(tether, POLLIN);
            break;
        case MILL_TRANSFER_GONE:
            status = mourn(tether);
            break;
        case MILL_TRANSFER_GARBAGE:
            status = mill_tether_refuse(tether);
            break;
        case MILL_TRANSFER_MEMORY:
            status = cut_off(tether, TIDEMILL_MEMORY, "out of memory (what a script returns)");
            break;
        }
        if (status != TIDEMILL_OK) return status;
    }
}
