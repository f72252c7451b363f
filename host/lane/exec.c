/* exec: a program that runs, with text in and out.
 *
 * The child is reaped last, when its outputs have ended or it was killed: until then its number,
 * which is that of its group, is nobody else's, and may be killed.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/room.h"
#include "lane/spawn.h"
#include "lane/tcp.h"

/* waitid's name for a pidfd, which older headers lack. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* ---- starting a program ----------------------------------------------------------------------- */

struct pipes { /* ours and the child's end of stdin, stdout, stderr; -1: none */
    int ours[3], theirs[3];
};

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 3; i++) {
        if (pipes->ours[i] >= 0) close(pipes->ours[i]);
        if (pipes->theirs[i] >= 0) close(pipes->theirs[i]);
    }
}

/* Out of the way of the child's standard files. */
static int lift(int file)
{
    if (file > STDERR_FILENO || file < 0) return file;
    int lifted = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int reason = errno;
    close(file);
    errno = reason;
    return lifted;
}

/* 0, or an error's number. */
static int open_pipes(struct pipes *pipes, bool input)
{
    for (int i = 0; i < 3; i++) pipes->ours[i] = pipes->theirs[i] = -1;
    for (int i = input ? 0 : 1; i < 3; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) return errno;
        pipes->ours[i] = lift(ends[i == 0 ? 1 : 0]);
        if (pipes->ours[i] >= 0) pipes->theirs[i] = lift(ends[i == 0 ? 0 : 1]);
        if (pipes->ours[i] < 0 || pipes->theirs[i] < 0) {
            int reason = errno;
            if (pipes->ours[i] < 0) close(ends[i == 0 ? 0 : 1]);
            return reason;
        }
    }
    return 0;
}

static int spawn_program(struct mill_exec *exec, const struct pipes *pipes)
{
    struct mill_spawn spawn = {
        .program = exec->arguments[0],
        .search = true,
        .dies = true,
        .arguments = exec->arguments,
        .environment = exec->environment,
        .folder = exec->folder,
        .files = {exec->input ? pipes->theirs[0] : MILL_SPAWN_NULL, pipes->theirs[1],
                  pipes->theirs[2]},
        .file_count = 3,
    };
    return mill_spawn(&spawn, &exec->child);
}

/* ---- its end ------------------------------------------------------------------------------------- */

/* The memory is the operation's: each open handle holds a reference of it. */
static void handle_closed(uv_handle_t *handle)
{
    struct mill_exec *exec = handle->data;
    mill_operation_unref(&exec->operation);
}

static void watch_closed(uv_handle_t *handle)
{
    struct mill_exec *exec = handle->data;
    close(exec->watch);
    mill_operation_unref(&exec->operation);
}

static void close_in(struct mill_exec *exec)
{
    if (!exec->in_open) return;
    exec->in_open = false;
    uv_close((uv_handle_t *)&exec->in, handle_closed);
}

static void close_output(struct mill_exec *exec, int i)
{
    if (!exec->outputs[i].open) return;
    exec->outputs[i].open = false;
    uv_close((uv_handle_t *)&exec->outputs[i].pipe, handle_closed);
}

static void close_handles(struct mill_exec *exec)
{
    close_in(exec);
    close_output(exec, 0);
    close_output(exec, 1);
    if (!exec->watched) return;
    exec->watched = false;
    uv_close((uv_handle_t *)&exec->exit, watch_closed);
}

/* By its pidfd, while that is there: the number may be another child's when the host program reaps
 * whatever it finds. */
static int wait_for(const struct mill_exec *exec, siginfo_t *info, int options)
{
    if (exec->watch >= 0) return waitid((idtype_t)P_PIDFD, (id_t)exec->watch, info, options);
    return waitid(P_PID, (id_t)exec->child, info, options);
}

/* False: somebody else in this process has taken the child's status. */
static bool reap(struct mill_exec *exec)
{
    siginfo_t info = {.si_pid = 0};
    int result;
    do {
        result = wait_for(exec, &info, WEXITED);
    } while (result != 0 && errno == EINTR);
    bool exit = info.si_code == CLD_EXITED;
    exec->status = exit ? info.si_status : -1;
    exec->signal = exit ? 0 : info.si_status;
    return result == 0;
}

/* It has exited, and its outputs have ended, or nobody waits for that. */
static void end_exec(struct mill_exec *exec)
{
    struct mill_hub *hub = exec->operation.hub;
    close_handles(exec);
    mill_guard_remove(&hub->guard, exec->child);
    bool known = reap(exec);
    const char *failure = exec->reason;
    if (!known && !failure)
        failure = "its exit status was taken by another part of the process";
    mill_operation_end(&exec->operation, failure ? "%s" : NULL, failure);
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

/* Kills the group; the operation ends when the child has ended, which is at once. */
static void kill_all(struct mill_exec *exec, const char *reason)
{
    if (exec->killed) return;
    exec->killed = true;
    exec->reason = reason;
    siginfo_t info;
    if (wait_for(exec, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        kill(-exec->child, SIGKILL); /* it is there, or not reaped: the number is its own */
    }
    if (exec->exited) end_exec(exec);
}

static void end_if_done(struct mill_exec *exec)
{
    bool open = exec->outputs[0].open || exec->outputs[1].open;
    if (exec->exited && (!open || exec->killed)) end_exec(exec);
}

static void child_exited(uv_poll_t *poll, int status, int events)
{
    struct mill_exec *exec = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    exec->exited = true;
    close_in(exec); /* nobody reads it any more; what else has the pipe is not waited for */
    end_if_done(exec);
}

/* ---- in and out -------------------------------------------------------------------------------------- */

static bool append_output(struct mill_exec_output *output, const char *bytes, size_t size)
{
    if (!mill_room_for(&output->bytes, output->size, &output->room, 1, size)) return false;
    memcpy(output->bytes + output->size, bytes, size);
    output->size += size;
    return true;
}

static void output_arrived(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct mill_exec *exec = stream->data;
    int i = stream == (uv_stream_t *)&exec->outputs[1].pipe;
    struct mill_exec_output *output = &exec->outputs[i];
    if (count > 0 && (size_t)count > exec->most - output->size) {
        kill_all(exec, i ? "stderr has more than max_bytes" : "stdout has more than max_bytes");
    } else if (count > 0 && !append_output(output, bytes->base, (size_t)count)) {
        kill_all(exec, "out of memory");
    } else if (count < 0) { /* its end: nobody has it open for writing any more */
        close_output(exec, i);
        end_if_done(exec);
    }
}

/* A program need not read its input: that it has gone is no failure. */
static void input_written(uv_write_t *write, int status)
{
    struct mill_exec *exec = write->data;
    (void)status;
    close_in(exec);
    mill_operation_unref(&exec->operation);
}

static void open_input(struct mill_exec *exec, int file)
{
    uv_loop_t *loop = &exec->operation.hub->loop;
    uv_pipe_init(loop, &exec->in, 0);
    exec->in.data = exec;
    exec->in_open = true;
    mill_operation_ref(&exec->operation); /* the pipe's */
    uv_buf_t bytes = {.base = exec->input, .len = exec->input_size};
    exec->write.data = exec;
    mill_operation_ref(&exec->operation); /* the write's */
    bool fine = uv_pipe_open(&exec->in, file) == 0;
    if (!fine) close(file);
    if (!fine ||
        uv_write(&exec->write, (uv_stream_t *)&exec->in, &bytes, 1, input_written) != 0) {
        input_written(&exec->write, 0);
        kill_all(exec, "its input could not be written");
    }
}

static void open_output(struct mill_exec *exec, int i, int file)
{
    uv_loop_t *loop = &exec->operation.hub->loop;
    uv_pipe_t *pipe = &exec->outputs[i].pipe;
    uv_pipe_init(loop, pipe, 0);
    pipe->data = exec;
    exec->outputs[i].open = true;
    mill_operation_ref(&exec->operation); /* the pipe's */
    bool fine = uv_pipe_open(pipe, file) == 0;
    if (!fine) close(file);
    if (!fine || uv_read_start((uv_stream_t *)pipe, mill_tcp_room, output_arrived) != 0) {
        kill_all(exec, "its output could not be read");
    }
}

/* ---- the operation ----------------------------------------------------------------------------------- */

static void fail_to_start(struct mill_exec *exec, int reason)
{
    struct mill_hub *hub = exec->operation.hub;
    bool short_of_files = reason == EMFILE || reason == ENFILE;
    if (short_of_files && mill_hub_requeue(&exec->operation)) return;
    if (exec->folder && access(exec->folder, X_OK) != 0) {
        mill_operation_end(&exec->operation, "cannot start in the folder %.150s: %s",
                           exec->folder, strerror(errno));
    } else {
        mill_operation_end(&exec->operation, "cannot start \"%.150s\": %s", exec->arguments[0],
                           strerror(reason));
    }
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

/* The child runs.  Its pidfd takes the place of `spare`. */
static void watch_program(struct mill_exec *exec, int spare)
{
    uv_loop_t *loop = &exec->operation.hub->loop;
    close(spare);
    exec->watch = (int)syscall(SYS_pidfd_open, exec->child, 0); /* closes on exec by itself */
    if (exec->watch >= 0 && uv_poll_init(loop, &exec->exit, exec->watch) == 0) {
        exec->exit.data = exec;
        exec->watched = true;
        mill_operation_ref(&exec->operation); /* the handle's */
        if (uv_poll_start(&exec->exit, UV_READABLE, child_exited) == 0) return;
    } else if (exec->watch >= 0) {
        close(exec->watch);
        exec->watch = -1;
    }
    exec->exited = true; /* soon, and reaping waits for it */
    if (exec->killed) {
        end_exec(exec);
    } else {
        kill_all(exec, "its end cannot be watched");
    }
}

static void exec_begin(struct mill_operation *operation)
{
    struct mill_exec *exec = (struct mill_exec *)operation;
    struct pipes pipes;
    int failure = open_pipes(&pipes, exec->input != NULL), spare = -1;
    if (!failure) {
        spare = fcntl(pipes.theirs[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        failure = spare < 0 ? errno : spawn_program(exec, &pipes);
    }
    if (failure) {
        if (spare >= 0) close(spare);
        close_pipes(&pipes);
        fail_to_start(exec, failure);
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (pipes.theirs[i] >= 0) close(pipes.theirs[i]);
    }
    mill_guard_add(&operation->hub->guard, exec->child);
    mill_operation_ref(operation); /* it may end below */
    open_output(exec, 0, pipes.ours[1]);
    open_output(exec, 1, pipes.ours[2]);
    if (exec->input) open_input(exec, pipes.ours[0]);
    watch_program(exec, spare);
    mill_operation_unref(operation);
}

static void exec_cancel(struct mill_operation *operation)
{
    kill_all((struct mill_exec *)operation, "cancelled");
}

static void free_arguments(char **list)
{
    for (size_t i = 0; list && list[i]; i++) free(list[i]);
    free(list);
}

static void exec_destroy(struct mill_operation *operation)
{
    struct mill_exec *exec = (struct mill_exec *)operation;
    free_arguments(exec->arguments);
    free_arguments(exec->environment);
    free(exec->folder);
    free(exec->input);
    free(exec->outputs[0].bytes);
    free(exec->outputs[1].bytes);
    free(exec);
}

static const struct mill_operation_kind exec_kind = {MILL_SLOT_OUT, exec_begin, exec_cancel,
                                                     exec_destroy};

struct mill_exec *mill_exec_new(void)
{
    struct mill_exec *exec = calloc(1, sizeof *exec);
    if (exec == NULL) return NULL;
    exec->watch = -1;
    mill_operation_init(&exec->operation, &exec_kind);
    return exec;
}
