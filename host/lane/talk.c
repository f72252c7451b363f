/* talk: what worker processes say, and what they are told while their tasks run.
 * SPDX-License-Identifier: MIT */
#include "lane/talk.h"

#include <stdlib.h>

#include "lane/flight.h"
#include "sched/mail.h"

/* ---- messages ----------------------------------------------------------------------------------- */

void mill_talk_garbage(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, const char *message)
{
    mill_flight_stop(process, child);
    if (child->busy) mill_flight_crash(process, worker, child, message);
}

static bool take_ready(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, struct mill_wire_reader *reader)
{
    struct mill_error error;
    if (child->state != MILL_CHILD_STARTING) return false;
    if (process->hooks.ready(process->hooks.context, reader, &error)) {
        child->state = MILL_CHILD_READY;
    } else {
        mill_talk_garbage(process, worker, child, error.text);
    }
    return true;
}

static bool take_unasked(struct mill_process *process, struct mill_wire_reader *reader)
{
    size_t size;
    const char *name = mill_unpacker_text(&reader->in, &size);
    struct mill_value error = mill_wire_read(reader, false);
    bool fine = mill_wire_is_read(reader);
    if (fine) process->hooks.unasked(process->hooks.context, name, size, &error);
    mill_value_unref(error);
    return fine;
}

/* ---- channels -------------------------------------------------------------------------------------- */

/* Any thread: a channel has something for a child. */
static void deliver(struct mill_wait *wait)
{
    struct mill_process *process = wait->owner;
    atomic_store(&process->noticed, true);
    /* A call is work to do: until the lane has seen to it nothing is found stuck. */
    mill_worker_call(mill_pool_lane(process->pool, MILL_LANE_PROCESS));
}

/* A letter that is being written; NULL: no memory. */
static struct mill_letter *begin_letter(struct mill_child *child)
{
    struct mill_letter *letter = calloc(1, sizeof *letter);
    if (letter == NULL) return NULL;
    mill_outbox_begin(&letter->outbox);
    letter->outbox.wire.lend = mill_flight_lend;
    letter->outbox.wire.context = child;
    return letter;
}

static void drop_letter(struct mill_letter *letter)
{
    mill_outbox_fini(&letter->outbox);
    free(letter);
}

/* Puts it behind the others; false: it could not be written. */
static bool end_letter(struct mill_child *child, struct mill_letter *letter,
                       enum mill_message_kind kind)
{
    if (!mill_wire_is_fine(&letter->outbox.wire)) {
        drop_letter(letter);
        return false;
    }
    mill_outbox_close(&letter->outbox, kind);
    struct mill_letter **end = &child->letters;
    while (*end) end = &(*end)->next;
    *end = letter;
    return true;
}

/* False: it is no call, or cannot be answered. */
static bool take_call(struct mill_process *process, struct mill_child *child,
                      struct mill_wire_reader *reader)
{
    bool replies = false;
    struct mill_letter *letter = begin_letter(child);
    if (letter == NULL) return false;
    if (!mill_lending_call(&child->lending, reader, &letter->outbox.wire, &replies, deliver,
                           process)) {
        drop_letter(letter);
        return false;
    }
    if (replies) return end_letter(child, letter, MILL_MESSAGE_REPLY);
    drop_letter(letter);
    if (child->lending.asleep) mill_flight_begin_wait(process, child, deliver);
    return true;
}

/* Tells children that a channel which made them wait may let them go on, and ends tasks that never
 * could. */
void mill_talk_give_notice(struct mill_process *process, struct mill_worker *worker)
{
    if (!atomic_exchange(&process->noticed, false)) return;
    for (struct mill_child *child = process->children; child; child = child->next) {
        struct mill_letter *letter = NULL;
        while (child->busy && child->state == MILL_CHILD_READY &&
               (letter = begin_letter(child)) != NULL &&
               mill_lending_notice(&child->lending, &letter->outbox.wire)) {
            end_letter(child, letter, MILL_MESSAGE_NOTICE);
            letter = NULL;
        }
        if (letter) drop_letter(letter);
        if (!child->lending.asleep) mill_flight_end_wait(process, child);
        if (mill_flight_is_stuck(child)) {
            mill_flight_stop(process, child);
            mill_flight_crash(process, worker, child,
                              "this wait could never end: nothing else runs");
            continue;
        }
        if (child->letters)
            mill_flight_feed(child); /* what does not go now goes when the socket takes more */
    }
}

/* False: it is no message that a child in this state sends. */
static bool take_message(struct mill_process *process, struct mill_worker *worker,
                         struct mill_child *child, struct mill_wire_reader *reader)
{
    struct mill_answer answer;
    switch (child->inbox.head.kind) {
    case MILL_MESSAGE_READY:
        return take_ready(process, worker, child, reader);
    case MILL_MESSAGE_TEXT: {
        int kind = mill_unpacker_byte(&reader->in);
        if (reader->in.bad) return false;
        process->hooks.text(process->hooks.context, worker, kind, (const char *)reader->in.at,
                            (size_t)(reader->in.end - reader->in.at));
        return true;
    }
    case MILL_MESSAGE_UNASKED:
        return child->busy && take_unasked(process, reader);
    case MILL_MESSAGE_CALL:
        return child->busy && child->flight.sent && take_call(process, child, reader);
    case MILL_MESSAGE_RESULT:
        if (!child->busy || !child->flight.sent || child->order.full) return false;
        if (!mill_answer_take(reader, &answer)) return false;
        mill_flight_end(process, worker, child, &answer);
        return true;
    default:
        return false;
    }
}

/* After a task: a child for one task goes, and one that has grown too large. */
static void look_at_idle(struct mill_process *process, struct mill_child *child)
{
    if (child->busy || child->state != MILL_CHILD_READY) return;
    bool spent = child->isolated && !child->order.full && child->flight.sent;
    if (spent || (process->limit != MILL_NEVER && mill_child_memory(child) > process->limit)) {
        mill_child_kill(child);
    }
}

/* Reads what a child has sent; false: it has closed its end. */
bool mill_talk_hear(struct mill_process *process, struct mill_worker *worker,
                    struct mill_child *child)
{
    while (child->state != MILL_CHILD_KILLED) {
        enum mill_transfer result =
            mill_inbox_receive(&child->inbox, child->socket, false, process->memory);
        if (result == MILL_TRANSFER_AGAIN) return true;
        if (result == MILL_TRANSFER_GONE) return false;
        if (result == MILL_TRANSFER_MEMORY) {
            mill_talk_garbage(process, worker, child,
                              "out of memory or descriptors (a task's result)");
            return true;
        }
        struct mill_wire_reader reader;
        bool fine = result == MILL_TRANSFER_DONE;
        if (fine) {
            mill_inbox_open(&child->inbox, &reader, process->memory);
            reader.borrow = mill_flight_borrow;
            reader.context = child;
            fine = take_message(process, worker, child, &reader);
            mill_wire_reader_fini(&reader);
        }
        bool memory = !fine && result == MILL_TRANSFER_DONE && reader.status == TIDEMILL_MEMORY;
        mill_inbox_clear(&child->inbox);
        if (!fine) {
            mill_talk_garbage(process, worker, child,
                              memory ? "out of memory or descriptors (a task's result)"
                                     : "the task's process sent what is no message");
        }
        look_at_idle(process, child);
    }
    return true;
}
