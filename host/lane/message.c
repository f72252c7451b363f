/* message: what an engine and its worker processes tell each other.
 *
 * Descriptors travel with the first byte of the head.  The head is read by itself, so that they are
 * never met anywhere else; those that come with a body are closed by the system.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/message.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = sizeof(struct mill_message_head) };

/* A body's memory grows as it comes: a head alone makes nobody allocate much. */
enum { FIRST_ROOM = 1 << 20 };
static const uint64_t LARGEST = UINT64_C(1) << 40;

union control { /* room for the descriptors of one message, aligned */
    char bytes[CMSG_SPACE(MILL_WIRE_DESCRIPTORS * sizeof(int))];
    struct cmsghdr align;
};

/* ---- out ------------------------------------------------------------------------------------- */

void mill_outbox_begin(struct mill_outbox *outbox)
{
    outbox->full = false;
    outbox->sent = 0;
    mill_wire_init(&outbox->wire);
}

void mill_outbox_fini(struct mill_outbox *outbox)
{
    outbox->full = false;
    mill_wire_fini(&outbox->wire);
}

void mill_outbox_close(struct mill_outbox *outbox, enum mill_message_kind kind)
{
    outbox->head = (struct mill_message_head){
        .kind = kind,
        .descriptors = (uint32_t)outbox->wire.descriptor_count,
        .size = outbox->wire.out.size,
    };
    outbox->full = true;
}

static void attach_descriptors(struct msghdr *message, union control *control,
                               const int *descriptors, int count)
{
    size_t size = (size_t)count * sizeof(int);
    memset(control, 0, sizeof *control);
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), descriptors, size);
}

static ssize_t send_some(const struct mill_outbox *outbox, int socket, bool wait)
{
    const struct mill_wire *wire = &outbox->wire;
    size_t head_sent = outbox->sent < HEAD ? outbox->sent : HEAD;
    size_t body_sent = outbox->sent - head_sent;
    struct iovec parts[2] = {
        {(char *)&outbox->head + head_sent, HEAD - head_sent},
        {wire->out.bytes + body_sent, wire->out.size - body_sent},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    union control control;
    if (outbox->sent == 0 && wire->descriptor_count > 0) {
        attach_descriptors(&message, &control, wire->descriptors, wire->descriptor_count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
}

enum mill_transfer mill_outbox_send(struct mill_outbox *outbox, int socket, bool wait)
{
    while (outbox->full && outbox->sent < HEAD + outbox->wire.out.size) {
        ssize_t sent = send_some(outbox, socket, wait);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return MILL_TRANSFER_AGAIN;
        if (sent < 0 && (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM)) {
            return MILL_TRANSFER_MEMORY;
        }
        if (sent < 0) return MILL_TRANSFER_GONE;
        outbox->sent += (size_t)sent;
    }
    mill_outbox_fini(outbox);
    return MILL_TRANSFER_DONE;
}

/* ---- in ---------------------------------------------------------------------------------------- */

void mill_inbox_clear(struct mill_inbox *inbox)
{
    for (int i = 0; i < inbox->descriptor_count; i++) close(inbox->descriptors[i]);
    mill_buffer_unref(inbox->body);
    *inbox = (struct mill_inbox){.strict = inbox->strict, .most = inbox->most};
}

void mill_inbox_open(struct mill_inbox *inbox, struct mill_wire_reader *reader,
                     struct mill_memory *memory)
{
    int count = inbox->descriptor_count;
    inbox->descriptor_count = 0;
    mill_wire_reader_init(reader, inbox->body, inbox->descriptors, count, memory);
}

/* Takes down the descriptors of what was received; false: not all are there. */
static bool take_descriptors(struct mill_inbox *inbox, struct msghdr *message)
{
    bool fine = !(message->msg_flags & MSG_CTRUNC);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof descriptor);
            if (inbox->descriptor_count < MILL_WIRE_DESCRIPTORS) {
                inbox->descriptors[inbox->descriptor_count++] = descriptor;
            } else {
                close(descriptor);
                fine = false;
            }
        }
    }
    return fine;
}

static enum mill_transfer transfer_of(ssize_t got)
{
    if (got > 0) return MILL_TRANSFER_DONE;
    bool again = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return again ? MILL_TRANSFER_AGAIN : MILL_TRANSFER_GONE;
}

static enum mill_transfer receive_head(struct mill_inbox *inbox, int socket, int flags)
{
    union control control;
    struct iovec part = {(char *)&inbox->head + inbox->got, HEAD - inbox->got};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t got;
    do {
        got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    enum mill_transfer result = transfer_of(got);
    if (result != MILL_TRANSFER_DONE) return result;
    /* The system has left out some for which this process has no room. */
    if (!take_descriptors(inbox, &message)) return MILL_TRANSFER_MEMORY;
    inbox->got += (size_t)got;
    if (inbox->got < HEAD) return MILL_TRANSFER_DONE;
    const struct mill_message_head *head = &inbox->head;
    bool sound = head->kind >= MILL_MESSAGE_HELLO && head->kind <= MILL_MESSAGE_LAST &&
                 head->size <= (inbox->strict ? inbox->most : LARGEST) &&
                 head->descriptors == (uint32_t)inbox->descriptor_count &&
                 !(inbox->strict && head->descriptors > 0);
    return sound ? MILL_TRANSFER_DONE : MILL_TRANSFER_GARBAGE;
}

/* Room for more of the body; false: no memory. */
static bool grow_body(struct mill_inbox *inbox, struct mill_memory *memory)
{
    size_t got = inbox->got - HEAD;
    if (inbox->body && got < inbox->body->size) return true;
    size_t room = inbox->body ? 2 * inbox->body->size : FIRST_ROOM;
    if (room > inbox->head.size) room = inbox->head.size;
    if (inbox->body) return mill_buffer_grow(inbox->body, room);
    inbox->body = mill_buffer_new(memory, room);
    return inbox->body != NULL;
}

static enum mill_transfer receive_body(struct mill_inbox *inbox, int socket, int flags,
                                       struct mill_memory *memory)
{
    if (!grow_body(inbox, memory)) return MILL_TRANSFER_MEMORY;
    size_t at = inbox->got - HEAD;
    ssize_t got;
    do {
        got = recv(socket, inbox->body->data + at, inbox->body->size - at, flags);
    } while (got < 0 && errno == EINTR);
    if (got > 0) inbox->got += (size_t)got;
    return transfer_of(got);
}

enum mill_transfer mill_inbox_receive(struct mill_inbox *inbox, int socket, bool wait,
                                      struct mill_memory *memory)
{
    int flags = wait ? 0 : MSG_DONTWAIT;
    while (inbox->got < HEAD || inbox->got - HEAD < inbox->head.size) {
        enum mill_transfer result = inbox->got < HEAD
                                        ? receive_head(inbox, socket, flags)
                                        : receive_body(inbox, socket, flags, memory);
        if (result != MILL_TRANSFER_DONE) return result;
    }
    if (inbox->body == NULL && !grow_body(inbox, memory)) return MILL_TRANSFER_MEMORY;
    return MILL_TRANSFER_DONE;
}
