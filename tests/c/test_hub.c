/* The thread for input and output: with real sockets, programs and files on this machine; all that is
 * started ends, and leaves no child, no descriptor and nothing counted.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/hub.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lane/exec.h"
#include "lane/fetch.h"
#include "lane/server.h"
#include "lane/work.h"
#include "random_check.h"

/* ---- a waiter ------------------------------------------------------------------------------------ */

struct bench {
    struct mill_pool pool;
    struct mill_hub *hub;
};

static void drive(void *context, struct mill_worker *worker)
{
    (void)context;
    while (mill_worker_next(worker) != MILL_NEXT_STOP) {}
}

static void bench_open(struct bench *bench, int descriptors)
{
    struct mill_pool_options options = {.threads = 1, .drive = drive};
    struct mill_error error;
    CHECK(mill_pool_init(&bench->pool, &options, &error) == TIDEMILL_OK);
    CHECK_SAYING(mill_hub_open(&bench->pool, descriptors, &bench->hub, &error) == TIDEMILL_OK,
                 "%s", error.text);
}

static void bench_close(struct bench *bench)
{
    if (bench->hub) mill_hub_close(bench->hub);
    bench->hub = NULL;
    CHECK_SAYING(atomic_load(&bench->pool.outside) == 0, "%lld operations are still counted",
                 (long long)atomic_load(&bench->pool.outside));
    mill_pool_fini(&bench->pool);
}

struct bell {
    pthread_mutex_t mutex;
    pthread_cond_t rung;
    bool rang;
};

static void ring(struct mill_wait *wait)
{
    struct bell *bell = wait->owner;
    pthread_mutex_lock(&bell->mutex);
    bell->rang = true;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->mutex);
}

/* Waits for the end of an operation, as a state does. */
static void wait_for(struct mill_operation *operation)
{
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct mill_wait *wait = mill_wait_new(ring, &bell);
    struct mill_link *link = wait ? mill_link_new(wait, 0) : NULL;
    if (link == NULL) abort();
    if (!mill_source_attach(&operation->end, link)) {
        mill_link_drop(link);
    } else if (mill_wait_park(wait)) {
        pthread_mutex_lock(&bell.mutex);
        while (!bell.rang) pthread_cond_wait(&bell.rung, &bell.mutex);
        pthread_mutex_unlock(&bell.mutex);
    }
    mill_wait_unref(wait);
}

static void run(struct bench *bench, struct mill_operation *operation)
{
    mill_operation_start(operation, bench->hub);
    wait_for(operation);
}

static struct mill_server *open_server(struct bench *bench)
{
    bool known;
    struct mill_listen *listen = mill_listen_new("127.0.0.1", 0, &known);
    run(bench, &listen->operation);
    CHECK_TEXT(listen->operation.failure, "");
    struct mill_server *server = listen->server;
    listen->server = NULL;
    mill_operation_unref(&listen->operation);
    if (server == NULL) abort();
    return server;
}

static void close_server(struct mill_server *server)
{
    mill_server_close(server);
    mill_server_unref(server);
}

static struct mill_socket *take_connected(struct mill_connect *connect)
{
    CHECK_TEXT(connect->operation.failure, "");
    struct mill_socket *socket = connect->socket;
    connect->socket = NULL;
    mill_operation_unref(&connect->operation);
    return socket;
}

static struct mill_socket *open_socket(struct bench *bench, int port)
{
    struct mill_connect *connect = mill_connect_new("127.0.0.1", port);
    run(bench, &connect->operation);
    return take_connected(connect);
}

static struct mill_socket *accept_one(struct bench *bench, struct mill_server *server)
{
    struct mill_accept *accept = mill_accept_new(server);
    run(bench, &accept->operation);
    CHECK_TEXT(accept->operation.failure, "");
    struct mill_socket *socket = accept->socket;
    accept->socket = NULL;
    mill_operation_unref(&accept->operation);
    return socket;
}

static void close_socket(struct mill_socket *socket)
{
    mill_socket_close(socket);
    mill_socket_unref(socket);
}

static void send_text(struct bench *bench, struct mill_socket *socket, const char *text)
{
    struct mill_write *write = mill_write_new(socket, text, strlen(text));
    run(bench, &write->operation);
    CHECK_TEXT(write->operation.failure, "");
    mill_operation_unref(&write->operation);
}

static struct mill_exec *program(const char *first, const char *second, const char *third)
{
    struct mill_exec *exec = mill_exec_new();
    exec->arguments = calloc(4, sizeof *exec->arguments);
    exec->environment = calloc(2, sizeof *exec->environment);
    exec->arguments[0] = strdup(first);
    exec->arguments[1] = second ? strdup(second) : NULL;
    exec->arguments[2] = third ? strdup(third) : NULL;
    exec->environment[0] = strdup("PATH=/usr/bin:/bin");
    exec->most = 1 << 20;
    return exec;
}

/* ---- what must not be left --------------------------------------------------------------------- */

static int count_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return -1;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static bool no_children(void)
{
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* While the hub has a guard. */
static bool nobody_to_reap(void)
{
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno == ECHILD;
    return info.si_pid == 0;
}

/* ---- tests ----------------------------------------------------------------------------------------- */

static void text_goes_there_and_back(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_server *server = open_server(&bench);
    struct mill_socket *near = open_socket(&bench, server->port);
    struct mill_socket *far = accept_one(&bench, server);
    char peer[80];
    snprintf(peer, sizeof peer, "127.0.0.1:%d", server->port);
    CHECK_TEXT(near->peer, peer);
    send_text(&bench, near, "hello");
    struct mill_read *read = mill_read_new(far, MILL_READ_COUNT, 5);
    run(&bench, &read->operation);
    CHECK(read->size == 5 && memcmp(read->bytes, "hello", 5) == 0 && !read->at_end);
    mill_operation_unref(&read->operation);
    close_socket(near);
    read = mill_read_new(far, MILL_READ_SOME, 1);
    run(&bench, &read->operation);
    CHECK(read->at_end && read->size == 0);
    mill_operation_unref(&read->operation);
    close_socket(far);
    close_server(server);
    bench_close(&bench);
}

static void a_second_read_or_write_at_once_is_refused(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_server *server = open_server(&bench);
    struct mill_socket *near = open_socket(&bench, server->port);
    struct mill_read *first = mill_read_new(near, MILL_READ_COUNT, 1);
    struct mill_read *second = mill_read_new(near, MILL_READ_COUNT, 1);
    mill_operation_start(&first->operation, bench.hub);
    run(&bench, &second->operation);
    CHECK_TEXT(second->operation.failure, "another read of this connection is under way");
    CHECK(!mill_operation_ended(&first->operation));
    mill_operation_cancel(&first->operation);
    wait_for(&first->operation);
    CHECK_TEXT(first->operation.failure, "cancelled");
    mill_operation_unref(&first->operation);
    mill_operation_unref(&second->operation);
    close_socket(near);
    close_server(server);
    bench_close(&bench);
}

/* 64 MiB are more than two kernels' buffers hold, however they grow. */
static void a_writer_waits_for_a_reader_and_nothing_is_buffered_meanwhile(void)
{
    enum { SIZE = 64 << 20 };
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_server *server = open_server(&bench);
    struct mill_socket *near = open_socket(&bench, server->port);
    struct mill_socket *far = accept_one(&bench, server);
    char *bytes = malloc(SIZE);
    if (bytes == NULL) abort();
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (char)(i * 7 >> 3);
    struct mill_write *write = mill_write_new(near, bytes, SIZE);
    mill_operation_start(&write->operation, bench.hub);
    struct mill_read *read = mill_read_new(far, MILL_READ_COUNT, 1);
    run(&bench, &read->operation);
    CHECK(read->size == 1 && read->bytes[0] == bytes[0]);
    usleep(20000);
    CHECK(!mill_operation_ended(&write->operation));
    mill_operation_unref(&read->operation);
    read = mill_read_new(far, MILL_READ_COUNT, SIZE - 1);
    run(&bench, &read->operation);
    CHECK(read->size == SIZE - 1 && memcmp(read->bytes, bytes + 1, SIZE - 1) == 0);
    CHECK(far->room <= 2 * sizeof bench.hub->scratch);
    mill_operation_unref(&read->operation);
    wait_for(&write->operation);
    CHECK_TEXT(write->operation.failure, "");
    mill_operation_unref(&write->operation);
    free(bytes);
    close_socket(near);
    close_socket(far);
    close_server(server);
    bench_close(&bench);
}

/* Eight slots: of thirty connections eight are open at once, and the others follow in their order. */
static void operations_without_a_descriptor_wait_for_one(void)
{
    enum { COUNT = 30, SLOTS = 8 };
    struct bench bench;
    struct mill_connect *connects[COUNT];
    bench_open(&bench, 16);
    struct mill_server *server = open_server(&bench);
    for (int i = 0; i < COUNT; i++) {
        connects[i] = mill_connect_new("127.0.0.1", server->port);
        mill_operation_start(&connects[i]->operation, bench.hub);
    }
    for (int i = 0; i < COUNT; i++) {
        wait_for(&connects[i]->operation);
        struct mill_socket *far = accept_one(&bench, server);
        usleep(i < 2 ? 10000 : 0);
        if (i + SLOTS < COUNT) CHECK(!mill_operation_ended(&connects[i + SLOTS]->operation));
        close_socket(take_connected(connects[i]));
        close_socket(far);
    }
    close_server(server);
    bench_close(&bench);
}

static void connections_that_nobody_accepts_do_not_take_all_slots(void)
{
    enum { COUNT = 24 };
    struct bench bench;
    struct mill_socket *far[COUNT];
    bench_open(&bench, 16);
    struct mill_server *server = open_server(&bench);
    int port = server->port;
    /* Somebody else's process, as far as the hub can tell. */
    int files[COUNT];
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    for (int i = 0; i < COUNT; i++) {
        files[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(files[i], (struct sockaddr *)&address, sizeof address) == 0);
    }
    for (int i = 0; i < COUNT; i++) {
        far[i] = accept_one(&bench, server);
        CHECK(far[i] != NULL);
        if (far[i]) close_socket(far[i]);
    }
    for (int i = 0; i < COUNT; i++) close(files[i]);
    close_server(server);
    bench_close(&bench);
}

static void programs_run_and_are_reaped(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_exec *exec = program("sh", "-c", "cat; echo oh >&2; exit 7");
    exec->input = strdup("in and out");
    exec->input_size = 10;
    run(&bench, &exec->operation);
    CHECK_TEXT(exec->operation.failure, "");
    CHECK(exec->status == 7 && exec->outputs[0].size == 10 && exec->outputs[1].size == 3);
    mill_operation_unref(&exec->operation);
    exec = program("sh", "-c", "kill -SEGV $$");
    run(&bench, &exec->operation);
    CHECK(exec->status == -1 && exec->signal == SIGSEGV);
    mill_operation_unref(&exec->operation);
    CHECK(nobody_to_reap());
    bench_close(&bench);
    CHECK(no_children());
}

/* The group goes, too: what the program has started and left behind with its output open. */
static void a_cancelled_program_is_killed_with_its_group(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    for (int round = 0; round < 20; round++) {
        struct mill_exec *exec =
            program("sh", "-c", round % 2 ? "sleep 1000 & sleep 1000" : "sleep 1000 & exit 0");
        mill_operation_start(&exec->operation, bench.hub);
        if (round % 3) usleep(5000);
        mill_operation_cancel(&exec->operation);
        wait_for(&exec->operation);
        CHECK_TEXT(exec->operation.failure, "cancelled");
        CHECK(nobody_to_reap());
        if (exec->child > 0) { /* the group has nobody any more, soon */
            int tries = 0;
            while (kill(-exec->child, 0) == 0 && tries++ < 2000) usleep(1000);
            CHECK(tries < 2000);
        }
        mill_operation_unref(&exec->operation);
    }
    bench_close(&bench);
}

/* As a child of popen() has it, which knows of no hub; the mask apart, which this thread has. */
static void a_child_has_the_usual_signals_and_no_file_of_the_hub(void)
{
    /* Of the ignored ones the first 28: the last are the C library's own. */
    static const char script[] =
        "grep ^SigBlk /proc/self/status; grep ^SigIgn /proc/self/status | "
        "tail -c 8; ls /proc/self/fd";
    char expected[4096];
    FILE *pipe = popen(script, "r");
    size_t size = pipe ? fread(expected, 1, sizeof expected, pipe) : 0;
    if (pipe) pclose(pipe);
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_server *server = open_server(&bench);
    struct mill_socket *near = open_socket(&bench, server->port);
    void (*before)(int) = signal(SIGUSR1, SIG_IGN);
    struct mill_exec *exec = program("sh", "-c", script);
    run(&bench, &exec->operation);
    signal(SIGUSR1, before);
    const struct mill_exec_output *output = &exec->outputs[0];
    CHECK_SAYING(output->size == size && memcmp(output->bytes, expected, size) == 0,
                 "expected\n%.*sgot\n%.*s", (int)size, expected, (int)output->size,
                 output->bytes);
    mill_operation_unref(&exec->operation);
    close_socket(near);
    close_server(server);
    bench_close(&bench);
}

static void files_are_written_and_read(void)
{
    struct bench bench;
    char path[] = "/tmp/test_hub.XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    bench_open(&bench, 0);
    struct mill_work *write = mill_work_write(path, "some text", 9);
    run(&bench, &write->operation);
    CHECK(write->status == TIDEMILL_OK);
    mill_operation_unref(&write->operation);
    struct mill_work *read = mill_work_read(NULL, path);
    run(&bench, &read->operation);
    CHECK(read->status == TIDEMILL_OK && read->bytes->size == 9);
    mill_operation_unref(&read->operation);
    unlink(path);
    read = mill_work_read(NULL, path);
    run(&bench, &read->operation);
    CHECK(read->status == TIDEMILL_IO);
    mill_operation_unref(&read->operation);
    bench_close(&bench);
}

static void what_starts_after_the_end_fails_at_once(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_hub *hub = mill_hub_ref(bench.hub);
    bench_close(&bench);
    struct mill_connect *connect = mill_connect_new("127.0.0.1", 1);
    mill_operation_start(&connect->operation, hub);
    CHECK(mill_operation_ended(&connect->operation));
    CHECK_TEXT(connect->operation.failure, "the engine is closing");
    mill_operation_cancel(&connect->operation);
    mill_operation_unref(&connect->operation);
    mill_hub_unref(hub);
}

static void a_child_that_forks_off_is_refused(void)
{
    struct bench bench;
    bench_open(&bench, 0);
    struct mill_server *server = open_server(&bench);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct mill_accept *accept = mill_accept_new(server);
        mill_operation_start(&accept->operation, bench.hub);
        bool refused = mill_operation_ended(&accept->operation) && accept->operation.failure[0];
        mill_operation_unref(&accept->operation);
        mill_server_close(server);
        _exit(refused ? 7 : 8);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    struct mill_socket *near = open_socket(&bench, server->port); /* it is still open here */
    close_socket(near);
    close_server(server);
    bench_close(&bench);
}

/* One of each kind, none of which would end by itself. */
static void the_end_cancels_all_that_is_in_flight(void)
{
    enum { KINDS = 6 };
    for (int round = 0; round < 6; round++) {
        struct bench bench;
        bench_open(&bench, round % 2 ? 16 : 0);
        struct mill_server *server = open_server(&bench), *silent = open_server(&bench);
        struct mill_socket *near = open_socket(&bench, silent->port);
        char *block = calloc(1, 64 << 20);
        const char *request = "GET / HTTP/1.1\r\n\r\n";
        struct mill_operation *list[KINDS] = {
            &mill_accept_new(server)->operation,
            &mill_read_new(near, MILL_READ_ALL, 100)->operation,
            &mill_write_new(near, block, 64 << 20)->operation,
            &mill_fetch_new("127.0.0.1", silent->port, request, strlen(request), 10)->operation,
            &program("sleep", "1000", NULL)->operation,
            &program("sh", "-c", "sleep 1000 & exit 0")->operation,
        };
        for (int i = 0; i < KINDS; i++) mill_operation_start(list[i], bench.hub);
        struct mill_connect *more[40]; /* with few slots most are queued */
        for (int i = 0; i < 40; i++) {
            more[i] = mill_connect_new("127.0.0.1", silent->port);
            mill_operation_start(&more[i]->operation, bench.hub);
        }
        if (round / 2 == 1) usleep(20000);
        if (round / 2 == 2) {
            for (int i = 0; i < KINDS; i++) mill_operation_cancel(list[i]);
        }
        bench_close(&bench);
        for (int i = 0; i < KINDS; i++) {
            CHECK_SAYING(mill_operation_ended(list[i]), "operation %d has not ended", i);
            CHECK(list[i]->failure[0] || i == 0); /* an accept: the server is closed */
            mill_operation_unref(list[i]);
        }
        for (int i = 0; i < 40; i++) {
            CHECK(mill_operation_ended(&more[i]->operation));
            mill_operation_unref(&more[i]->operation);
        }
        CHECK(no_children());
        free(block);
        close_socket(near);
        close_server(server);
        close_server(silent);
    }
}

/* ---- many threads at once ------------------------------------------------------------------------------ */

struct crowd {
    struct bench bench;
    struct mill_server *server;
    unsigned long long seed;
};

/* Starts operations of all kinds, and gives up half of them at some time. */
static void *start_and_give_up(void *argument)
{
    struct crowd *crowd = argument;
    uint64_t state = crowd->seed ^ (uint64_t)(uintptr_t)&state;
    for (int i = 0; i < 300; i++) {
        struct mill_operation *operation;
        const char *request = "GET / HTTP/1.1\r\n\r\n";
        switch (random_of(&state, 8)) {
        case 0:
            operation = &mill_accept_new(crowd->server)->operation;
            break;
        case 1:
            operation = &program("true", NULL, NULL)->operation;
            break;
        case 2:
            operation = &mill_work_read(NULL, "/proc/self/stat")->operation;
            break;
        case 3:
        case 4:
            operation =
                &mill_fetch_new("127.0.0.1", crowd->server->port, request, strlen(request), 10)
                     ->operation;
            break;
        default:
            operation = &mill_connect_new("127.0.0.1", crowd->server->port)->operation;
        }
        mill_operation_start(operation, crowd->bench.hub);
        if (random_of(&state, 3) == 0) usleep(random_of(&state, 500));
        bool endless = random_of(&state, 2); /* some would never end, so all are given up */
        if (endless) usleep(random_of(&state, 2000));
        mill_operation_cancel(operation);
        wait_for(operation);
        mill_operation_unref(operation);
    }
    return NULL;
}

static void threads_start_and_give_up_at_any_time(void)
{
    enum { THREADS = 4 };
    struct crowd crowd = {.seed = check_seed()};
    pthread_t threads[THREADS];
    bench_open(&crowd.bench, 16);
    crowd.server = open_server(&crowd.bench);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, start_and_give_up, &crowd) == 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    /* Lowered a moment after the last one was told; the alarm of main ends a wait for ever. */
    while (atomic_load(&crowd.bench.pool.outside) > 0) usleep(100);
    close_server(crowd.server);
    bench_close(&crowd.bench);
    CHECK(no_children());
}

static void the_files_and_threads_of_all_that_are_gone(void)
{
    struct bench bench;
    bench_open(&bench, 0); /* libuv opens a few for the whole process, the first time */
    bench_close(&bench);
    int before = count_files();
    text_goes_there_and_back();
    programs_run_and_are_reaped();
    a_cancelled_program_is_killed_with_its_group();
    the_end_cancels_all_that_is_in_flight();
    CHECK_SAYING(count_files() == before, "%d files before, %d after", before, count_files());
}

int main(void)
{
    alarm(280);
    RUN(text_goes_there_and_back);
    RUN(a_second_read_or_write_at_once_is_refused);
    RUN(a_writer_waits_for_a_reader_and_nothing_is_buffered_meanwhile);
    RUN(operations_without_a_descriptor_wait_for_one);
    RUN(connections_that_nobody_accepts_do_not_take_all_slots);
    RUN(programs_run_and_are_reaped);
    RUN(a_cancelled_program_is_killed_with_its_group);
    RUN(a_child_has_the_usual_signals_and_no_file_of_the_hub);
    RUN(files_are_written_and_read);
    RUN(what_starts_after_the_end_fails_at_once);
    RUN(a_child_that_forks_off_is_refused);
    RUN(the_end_cancels_all_that_is_in_flight);
    RUN(threads_start_and_give_up_at_any_time);
    RUN(the_files_and_threads_of_all_that_are_gone);
    return check_end();
}
