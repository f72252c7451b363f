/* hosted: what the process does in which a script runs by itself.
 *
 * A second thread waits for the other end to go, and then ends the process whatever the script does; and for
 * the signal that interrupts the script: no handler runs, and nothing is global.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bind/api.h"
#include "bind/request.h"

/* ---- the process ------------------------------------------------------------------------ */

/* It is the first to go when memory is short, leaves no core, and gains no right. */
static void humble(void)
{
    prctl(PR_SET_NAME, "tidemill script");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, "1000", 4) < 0) errno = 0; /* then it is like others */
    close(file);
}

static void *watch_host(void *context)
{
    struct mill_hosted *hosted = context;
    struct pollfd polled[] = {{.fd = hosted->socket, .events = POLLRDHUP},
                              {.fd = hosted->signals, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0) continue;
        if (polled[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) break;
        struct signalfd_siginfo signal;
        if ((polled[1].revents & POLLIN) &&
            read(hosted->signals, &signal, sizeof signal) == sizeof signal) {
            tidemill_interrupt(hosted->engine);
        }
    }
    if (getpgrp() == getpid()) kill(0, SIGKILL); /* with all that the script has started */
    _exit(0);
}

static bool start_watcher(struct mill_hosted *hosted)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    int failure = pthread_create(&hosted->watcher, &attributes, watch_host, hosted);
    pthread_attr_destroy(&attributes);
    return failure == 0;
}

/* ---- messages --------------------------------------------------------------------------- */

bool mill_hosted_send(struct mill_hosted *hosted, struct mill_outbox *outbox,
                      enum mill_message_kind kind)
{
    bool fine = mill_wire_is_fine(&outbox->wire);
    if (fine) {
        mill_outbox_close(outbox, kind);
        pthread_mutex_lock(&hosted->lock);
        fine = mill_outbox_send(outbox, hosted->socket, true) == MILL_TRANSFER_DONE;
        pthread_mutex_unlock(&hosted->lock);
    }
    mill_outbox_fini(outbox);
    return fine;
}

/* While nobody is in a call the host hears of it by the cord. */
static void pass_warning(void *context, const char *text)
{
    struct mill_hosted *hosted = context;
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_TEXT_WARNING);
    mill_packer_bytes(&outbox.wire.out, text, strlen(text));
    if (atomic_load(&hosted->serving)) {
        mill_hosted_send(hosted, &outbox, MILL_MESSAGE_TEXT);
    } else {
        mill_duties_send(&hosted->duties, &outbox, MILL_MESSAGE_TEXT);
    }
}

/* False: the host has gone, or sends what is no message. */
static bool serve_one(struct mill_hosted *hosted)
{
    struct mill_inbox inbox = {.got = 0};
    atomic_store(&hosted->serving, false);
    bool fine =
        mill_duties_receive(&hosted->duties, &inbox, hosted->socket, &hosted->engine->memory);
    atomic_store(&hosted->serving, true);
    fine = fine && mill_request_serve(hosted, &inbox);
    mill_inbox_clear(&inbox);
    return fine;
}

/* ---- the beginning ---------------------------------------------------------------------- */

static int64_t take_setup(struct mill_wire_reader *reader)
{
    return (int64_t)mill_unpacker_word(&reader->in);
}

static tidemill_status take_settings(struct mill_hosted *hosted,
                                     struct mill_wire_reader *reader)
{
    size_t count;
    char **words = mill_request_texts(reader, &count);
    tidemill_status status = words ? TIDEMILL_OK : TIDEMILL_MEMORY;
    for (size_t i = 0; i + 1 < count && status == TIDEMILL_OK; i += 2) {
        status = tidemill_set(hosted->engine, words[i], words[i + 1]);
    }
    mill_request_free(words);
    return status;
}

/* False: what was sent is no OPEN of this release. */
static bool open_engine(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                        tidemill_status *status)
{
    if (mill_unpacker_byte(&reader->in) != MILL_MESSAGE_VERSION) return false;
    tidemill_config config = {.size = sizeof config};
    size_t count;
    config.workers = (int)take_setup(reader);
    config.seed = (uint64_t)take_setup(reader);
    config.progress = (int)take_setup(reader);
    config.notes = (int)take_setup(reader);
    config.sandbox = (int)take_setup(reader);
    char *cache = mill_request_text(reader);
    char **allow = mill_request_texts(reader, &count),
         **modules = mill_request_texts(reader, &count);
    config.cache = cache && *cache ? cache : NULL;
    if (config.sandbox) {
        config.allow = (const char *const *)allow;
        config.modules = (const char *const *)modules;
    }
    config.warning = pass_warning;
    config.context = hosted;
    bool fine = cache && allow && modules && !reader->in.bad;
    if (fine) {
        *status = mill_api_open(&config, &hosted->engine);
        if (*status == TIDEMILL_OK) *status = take_settings(hosted, reader);
    }
    free(cache);
    mill_request_free(allow);
    mill_request_free(modules);
    return fine && hosted->engine;
}

/* The second socket came beside the message. */
static bool take_cord(struct mill_hosted *hosted, struct mill_inbox *inbox)
{
    if (inbox->descriptor_count != 1) return false;
    inbox->descriptor_count = 0;
    hosted->duties.socket = inbox->descriptors[0];
    return true;
}

static bool begin(struct mill_hosted *hosted)
{
    struct mill_inbox inbox = {.got = 0};
    struct mill_wire_reader reader;
    struct mill_reply *reply = calloc(1, sizeof *reply);
    bool fine =
        reply && mill_inbox_receive(&inbox, hosted->socket, true, NULL) == MILL_TRANSFER_DONE;
    if (fine) fine = take_cord(hosted, &inbox);
    if (fine) {
        mill_inbox_open(&inbox, &reader, NULL);
        fine = open_engine(hosted, &reader, &reply->status) && start_watcher(hosted) &&
               mill_duties_start(&hosted->duties, hosted->engine) &&
               mill_request_answer(hosted, reply);
        mill_wire_reader_fini(&reader);
    }
    mill_inbox_clear(&inbox);
    free(reply);
    return fine;
}

int mill_hosted_run(int socket)
{
    struct mill_hosted hosted = {.socket = socket, .serving = true};
    sigset_t interrupting;
    sigemptyset(&interrupting);
    sigaddset(&interrupting, MILL_HOSTED_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &interrupting, NULL);
    signal(SIGPIPE, SIG_IGN); /* as in the command line: a write that fails says so */
    humble();
    pthread_mutex_init(&hosted.lock, NULL);
    mill_duties_init(&hosted.duties);
    hosted.signals = signalfd(-1, &interrupting, SFD_CLOEXEC | SFD_NONBLOCK);
    if (hosted.signals < 0 || !begin(&hosted)) return 1;
    while (serve_one(&hosted)) {}
    if (getpgrp() == getpid())
        kill(0, SIGKILL); /* the engine's end is the host's business no more */
    _exit(0);
}
