/* test_message: messages over a socket: whole, in pieces, with descriptors, and what is none.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/message.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int ends[2];

static void open_ends(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
}

static void close_ends(void)
{
    close(ends[0]);
    close(ends[1]);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++) count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static void send_raw(const struct mill_message_head *head, size_t size)
{
    CHECK(send(ends[0], head, size, 0) == (ssize_t)size);
}

static struct mill_array *numbers(int64_t length)
{
    struct mill_buffer *buffer = mill_buffer_new(NULL, (size_t)length * 8);
    for (int64_t i = 0; i < length; i++) ((double *)(void *)buffer->data)[i] = (double)i;
    return mill_array_wrap(MILL_FLOAT64, length, buffer, NULL, NULL, 0, NULL);
}

static void put_number(struct mill_outbox *outbox, double number)
{
    struct mill_value value = mill_number(number);
    mill_outbox_begin(outbox);
    mill_wire_value(&outbox->wire, &value, "a number");
    CHECK(mill_wire_is_fine(&outbox->wire));
    mill_outbox_close(outbox, MILL_MESSAGE_RESULT);
}

/* The value of the next message; nil when there is none, and *result says why. */
static struct mill_value receive(struct mill_inbox *inbox, enum mill_transfer *result)
{
    struct mill_wire_reader reader;
    struct mill_value value = mill_nil();
    *result = mill_inbox_receive(inbox, ends[1], false, NULL);
    if (*result == MILL_TRANSFER_AGAIN) return value;
    if (*result == MILL_TRANSFER_DONE) {
        mill_inbox_open(inbox, &reader, NULL);
        value = mill_wire_read(&reader, false);
        CHECK(mill_wire_is_read(&reader));
        mill_wire_reader_fini(&reader);
    }
    mill_inbox_clear(inbox);
    return value;
}

static void messages_come_in_order(void)
{
    struct mill_inbox inbox = {.got = 0};
    enum mill_transfer result;
    open_ends();
    for (int i = 0; i < 10; i++) {
        struct mill_outbox outbox;
        put_number(&outbox, i);
        CHECK(mill_outbox_send(&outbox, ends[0], true) == MILL_TRANSFER_DONE);
    }
    for (int i = 0; i < 10; i++) {
        struct mill_value value = receive(&inbox, &result);
        CHECK(result == MILL_TRANSFER_DONE && value.number == i);
    }
    receive(&inbox, &result);
    CHECK(result == MILL_TRANSFER_AGAIN);
    close(ends[0]);
    receive(&inbox, &result);
    CHECK(result == MILL_TRANSFER_GONE);
    close(ends[1]);
}

/* More than the socket holds: both sides go on where they were. */
static void a_large_message_comes_in_pieces(void)
{
    struct mill_inbox inbox = {.got = 0};
    struct mill_outbox outbox;
    enum mill_transfer sent, result;
    int pieces = 0;
    bool failed = false;
    size_t size = 5000000;
    char *text = malloc(size);
    for (size_t i = 0; i < size; i++) text[i] = (char)(i * 2654435761u >> 13);
    struct mill_value value = mill_string(text, size, &failed);
    open_ends();
    mill_outbox_begin(&outbox);
    outbox.wire.whole = true;
    mill_wire_value(&outbox.wire, &value, "a text");
    mill_outbox_close(&outbox, MILL_MESSAGE_RESULT);
    do {
        sent = mill_outbox_send(&outbox, ends[0], false);
        CHECK(sent == MILL_TRANSFER_AGAIN || sent == MILL_TRANSFER_DONE);
        struct mill_value back = receive(&inbox, &result);
        pieces++;
        if (result != MILL_TRANSFER_DONE) continue;
        size_t back_size;
        const char *got = mill_value_text(&back, &back_size);
        CHECK(got && back_size == size && memcmp(got, text, size) == 0);
        mill_value_unref(back);
    } while (result == MILL_TRANSFER_AGAIN && pieces < 100000);
    CHECK(sent == MILL_TRANSFER_DONE && pieces > 2);
    mill_value_unref(value);
    free(text);
    close_ends();
}

static void a_head_may_come_byte_by_byte(void)
{
    struct mill_inbox inbox = {.got = 0};
    struct mill_message_head head = {.kind = MILL_MESSAGE_READY, .size = 0};
    open_ends();
    for (size_t i = 0; i < sizeof head; i++) {
        CHECK(mill_inbox_receive(&inbox, ends[1], false, NULL) == MILL_TRANSFER_AGAIN);
        CHECK(send(ends[0], (char *)&head + i, 1, 0) == 1);
    }
    CHECK(mill_inbox_receive(&inbox, ends[1], false, NULL) == MILL_TRANSFER_DONE);
    CHECK(inbox.head.kind == MILL_MESSAGE_READY && inbox.body != NULL);
    mill_inbox_clear(&inbox);
    close_ends();
}

static void descriptors_are_neither_lost_nor_left(void)
{
    int before = open_descriptors();
    open_ends();
    for (int i = 0; i < 20; i++) {
        struct mill_inbox inbox = {.got = 0};
        struct mill_outbox outbox;
        enum mill_transfer result;
        struct mill_value value = mill_column(numbers(20000));
        mill_outbox_begin(&outbox);
        mill_wire_value(&outbox.wire, &value, "an array");
        CHECK(outbox.wire.descriptor_count == 1);
        mill_outbox_close(&outbox, MILL_MESSAGE_RESULT);
        CHECK(mill_outbox_send(&outbox, ends[0], true) == MILL_TRANSFER_DONE);
        mill_value_unref(value);
        if (i % 2) { /* nobody looks into it */
            CHECK(mill_inbox_receive(&inbox, ends[1], true, NULL) == MILL_TRANSFER_DONE);
            mill_inbox_clear(&inbox);
            continue;
        }
        value = receive(&inbox, &result);
        CHECK(value.tag == MILL_TAG_COLUMN && value.array->length == 20000);
        CHECK(((double *)value.array->values)[19999] == 19999);
        mill_value_unref(value);
    }
    close_ends();
    CHECK(open_descriptors() == before);
}

static void what_is_no_head_is_garbage(void)
{
    struct mill_message_head heads[] = {
        {.kind = 0, .size = 1},
        {.kind = MILL_MESSAGE_LAST + 1, .size = 1},
        {.kind = MILL_MESSAGE_TEXT, .size = UINT64_MAX},
        {.kind = MILL_MESSAGE_TEXT, .descriptors = 1, .size = 1},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct mill_inbox inbox = {.got = 0};
        open_ends();
        send_raw(&heads[i], sizeof heads[i]);
        CHECK(mill_inbox_receive(&inbox, ends[1], false, NULL) == MILL_TRANSFER_GARBAGE);
        mill_inbox_clear(&inbox);
        close_ends();
    }
}

/* Of one that is not trusted. */
static void a_strict_reader_takes_no_descriptors_and_no_more_than_it_wants(void)
{
    struct mill_message_head head = {.kind = MILL_MESSAGE_TEXT, .size = 101};
    struct mill_inbox inbox = {.strict = true, .most = 100};
    open_ends();
    send_raw(&head, sizeof head);
    CHECK(mill_inbox_receive(&inbox, ends[1], false, NULL) == MILL_TRANSFER_GARBAGE);
    mill_inbox_clear(&inbox);
    CHECK(inbox.strict && inbox.most == 100);
    close_ends();
    open_ends();
    head.size = 100;
    send_raw(&head, sizeof head);
    CHECK(mill_inbox_receive(&inbox, ends[1], false, NULL) == MILL_TRANSFER_AGAIN);
    mill_inbox_clear(&inbox);
    close_ends();
}

/* What a head promises costs nothing before it comes. */
static void a_promise_takes_no_memory(void)
{
    struct mill_memory memory = {.bytes = 0};
    struct mill_inbox inbox = {.got = 0};
    struct mill_message_head head = {.kind = MILL_MESSAGE_TEXT, .size = UINT64_C(1) << 39};
    open_ends();
    send_raw(&head, sizeof head);
    CHECK(mill_inbox_receive(&inbox, ends[1], false, &memory) == MILL_TRANSFER_AGAIN);
    CHECK(atomic_load(&memory.bytes) <= 4 << 20);
    mill_inbox_clear(&inbox);
    CHECK(atomic_load(&memory.bytes) == 0);
    close_ends();
}

static void sending_to_nobody_is_no_signal(void)
{
    struct mill_outbox outbox;
    open_ends();
    close(ends[1]);
    put_number(&outbox, 1);
    CHECK(mill_outbox_send(&outbox, ends[0], true) == MILL_TRANSFER_GONE);
    mill_outbox_fini(&outbox);
    close(ends[0]);
}

int main(void)
{
    RUN(messages_come_in_order);
    RUN(a_large_message_comes_in_pieces);
    RUN(a_head_may_come_byte_by_byte);
    RUN(descriptors_are_neither_lost_nor_left);
    RUN(what_is_no_head_is_garbage);
    RUN(a_strict_reader_takes_no_descriptors_and_no_more_than_it_wants);
    RUN(a_promise_takes_no_memory);
    RUN(sending_to_nobody_is_no_signal);
    return check_end();
}
