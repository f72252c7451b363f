/* embed_process: what an engine does to the process that it lives in: nothing that stays, and nothing
 * that is the host program's business.  By the public header alone.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_check.h"
#include "folder_check.h"

extern char **environ;

#ifdef __SANITIZE_THREAD__
enum { OWN_THREADS = 1 }; /* ThreadSanitizer's own, which appears when it likes */
#else
enum { OWN_THREADS = 0 };
#endif

/* Every kind of thread and descriptor that an engine has: workers, the loop and the process lane, the
 * thread for input and output with its guard, the cache's writer, a log. */
static const char script[] =
    "local tasks = {}\n"
    "local function square(x) return x * x end\n"
    "function work()\n"
    "  local cached = tm.map(tm.delayed(square, { cache = true }), { 1, 2, 3 })\n"
    "  local process = tm.delayed(square, { lane = 'process' })(4):compute()\n"
    "  local loop = tm.delayed(function() tm.sleep(0.01) return 5 end, { kind = 'io' "
    "})():compute()\n"
    "  local text = tm.exec({ 'cat' }, { input = 'abc' }).stdout\n"
    "  local gone = tm.exec({ 'true' }, { input = ('x'):rep(1e6) }).status\n"
    "  tm.log.info('worked', { process = process })\n"
    "  return #cached + process + loop + #text + gone\n"
    "end\n"
    "function crash()\n"
    "  local die = tm.delayed(function()\n"
    "    local ffi = require 'ffi'\n"
    "    ffi.cdef 'int raise(int number);'\n"
    "    ffi.C.raise(9)\n"
    "  end, { lane = 'process', retries = 0 })\n"
    "  return pcall(function() return die():compute() end)\n"
    "end\n"
    "function process(x) return tm.delayed(square, { lane = 'process' })(x):compute() end\n"
    "function stretch()\n"
    "  local slow = tm.delayed(function() tm.sleep(1) end, { lane = 'process' })\n"
    "  tm.submit(slow)\n"
    "  tm.submit(slow)\n"
    "end\n";

static tidemill *open_engine(const char *worker_program)
{
    tidemill_config config = {
        .workers = 2, .cache = in_folder("cache.db"), .worker_program = worker_program};
    tidemill *engine = check_open(config, NULL);
    tidemill_status status = tidemill_set(engine, "log", in_folder("log"));
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    check_script(engine, script);
    return engine;
}

static double call(tidemill *engine, const char *name, double argument)
{
    tidemill_value given = tidemill_from_number(argument), result;
    double number = -1;
    tidemill_status status = tidemill_call(engine, name, &given, 1, &result, 1);
    CHECK_SAYING(status == TIDEMILL_OK, "%s: %s", name, tidemill_error(engine));
    tidemill_to_number(result, &number);
    tidemill_release(result);
    return number;
}

static void check_work(tidemill *engine)
{
    CHECK(call(engine, "work", 0) == 3 + 16 + 5 + 3);
}

/* ---- what there is ----------------------------------------------------------------------- */

static int count_entries(const char *path)
{
    int count = 0;
    DIR *list = opendir(path);
    while (list && readdir(list)) count++;
    if (list) closedir(list);
    return count;
}

/* A thread that was joined may be listed for a moment yet. */
static int settled_threads(int wanted)
{
    int count = count_entries("/proc/self/task");
    for (int i = 0; i < 1000 && count > wanted; i++) {
        usleep(5000);
        count = count_entries("/proc/self/task");
    }
    return count;
}

/* 0: none; *number of them that do not block `signals`. */
static int threads_with(int *open)
{
    int count = 0;
    DIR *list = opendir("/proc/self/task");
    *open = 0;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        char path[300], line[200];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = atoi(entry->d_name) != getpid() ? fopen(path, "re") : NULL;
        while (file && fgets(line, sizeof line, file)) {
            unsigned long long blocked;
            if (sscanf(line, "SigBlk: %llx", &blocked) != 1) continue;
            count++;
            /* Of 64 signals two cannot be blocked, and two are the C library's own. */
            const unsigned long long not_ours =
                1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 1ull << 31 | 1ull << 32;
            if ((blocked | not_ours) != ~0ull) (*open)++;
        }
        if (file) fclose(file);
    }
    if (list) closedir(list);
    return count;
}

/* ---- the tests --------------------------------------------------------------------------- */

static void threads_of_the_engine_block_all_signals(void)
{
    int open_before, open_now;
    int before = threads_with(&open_before);
    tidemill *engine = open_engine(NULL);
    check_work(engine);
    int now = threads_with(&open_now);
    CHECK_SAYING(now - before >= 5, "%d threads, %d before", now, before);
    CHECK_SAYING(open_now - open_before <= OWN_THREADS, "%d threads take signals", open_now);
    check_close(engine);
}

static void nothing_is_left_after_closing(void)
{
    check_close(open_engine(NULL)); /* what the C library opens once */
    int files = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    for (int i = 0; i < 3; i++) {
        tidemill *engine = open_engine(NULL);
        check_work(engine);
        CHECK(count_entries("/proc/self/fd") > files);
        check_close(engine);
    }
    int files_now = count_entries("/proc/self/fd");
    int threads_now = settled_threads(threads + OWN_THREADS);
    CHECK_SAYING(files_now == files, "%d descriptors, %d before", files_now, files);
    CHECK_SAYING(threads_now <= threads + OWN_THREADS, "%d threads, %d before", threads_now,
                 threads);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); /* and no child */
}

struct process_state {
    struct sigaction actions[NSIG];
    sigset_t mask;
    mode_t umask;
    char folder[4096], locale[256], environment[65536];
};

static void look(struct process_state *state)
{
    memset(state, 0, sizeof *state);
    for (int i = 1; i < NSIG; i++) sigaction(i, NULL, &state->actions[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
    state->umask = umask(0);
    umask(state->umask);
    CHECK(getcwd(state->folder, sizeof state->folder) != NULL);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    size_t used = 0;
    for (char **one = environ; *one && used < sizeof state->environment; one++) {
        used += (size_t)snprintf(state->environment + used, sizeof state->environment - used,
                                 "%s\n", *one);
    }
}

static void check_same(const struct process_state *before)
{
    static struct process_state now;
    look(&now);
    for (int i = 1; i < NSIG; i++) {
        bool same = before->actions[i].sa_handler == now.actions[i].sa_handler &&
                    before->actions[i].sa_flags == now.actions[i].sa_flags;
        CHECK_SAYING(same, "the handler of signal %d was changed", i);
    }
    CHECK(memcmp(&before->mask, &now.mask, sizeof now.mask) == 0);
    CHECK(before->umask == now.umask);
    CHECK_TEXT(now.folder, before->folder);
    CHECK_TEXT(now.locale, before->locale);
    CHECK_TEXT(now.environment, before->environment);
}

static void the_process_stays_as_it_is(void)
{
    static struct process_state before;
    umask(027);
    look(&before);
    tidemill *engine = open_engine(NULL);
    check_same(&before);
    check_work(engine);
    check_same(&before);
    CHECK(call(engine, "crash", 0) == -1); /* false, and an error */
    check_close(engine);
    check_same(&before);
    umask(022);
}

/* What a program that the host starts meanwhile has open: its standard files, and that of the list. */
static void descriptors_are_closed_by_exec(void)
{
    char path[100], line[300];
    snprintf(path, sizeof path, "%s/list", folder);
    int files = 3;
    tidemill *engine = open_engine(NULL);
    check_work(engine);
    call(engine, "stretch", 0);
    pid_t child = fork();
    if (child == 0) {
        int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dup2(out, STDOUT_FILENO);
        execlp("ls", "ls", "-l", "/proc/self/fd", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *name = strstr(line, ":");
        char *arrow = strstr(line, " -> ");
        int number = -1;
        if (name == NULL || arrow == NULL) continue;
        *arrow = '\0';
        number = atoi(strrchr(line, ' ') + 1);
        bool list = strstr(arrow + 1, "/proc/") != NULL; /* what ls reads */
        bool told = strstr(arrow + 1, "tidemill") || strstr(arrow + 1, "anon_inode") ||
                    strstr(arrow + 1, "socket:");
        CHECK_SAYING(number < files || list || !told, "descriptor %d is open: %s", number,
                     arrow + 1);
    }
    CHECK(file != NULL);
    if (file) fclose(file);
    check_close(engine);
}

/* ---- a host that reaps ------------------------------------------------------------------- */

static atomic_int reaping;
static atomic_long reaped;

static void *reap_all(void *unused)
{
    (void)unused;
    while (atomic_load(&reaping)) {
        if (waitpid(-1, NULL, WNOHANG) > 0) {
            atomic_fetch_add(&reaped, 1);
        } else {
            usleep(200);
        }
    }
    return NULL;
}

/* It takes the status of every child that there is, the engine's as well. */
static void the_process_lane_works_in_a_host_that_reaps_everything(void)
{
    pthread_t thread;
    atomic_store(&reaping, 1);
    CHECK(pthread_create(&thread, NULL, reap_all, NULL) == 0);
    for (int round = 0; round < 3; round++) {
        tidemill *engine = open_engine(NULL);
        for (int i = 0; i < 20; i++) {
            CHECK(call(engine, "process", i) == i * i);
            if (i % 5 == 0) call(engine, "crash", 0);
        }
        check_close(engine);
    }
    atomic_store(&reaping, 0);
    pthread_join(thread, NULL);
    CHECK(atomic_load(&reaped) > 0);
}

/* The same by the kernel: nobody is told how children end. */
static void the_process_lane_works_where_children_are_ignored(void)
{
    signal(SIGCHLD, SIG_IGN);
    tidemill *engine = open_engine(NULL);
    for (int i = 0; i < 5; i++) {
        CHECK(call(engine, "process", i) == i * i);
        call(engine, "crash", 0);
    }
    check_close(engine);
    signal(SIGCHLD, SIG_DFL);
}

/* The host's own child is the host's. */
static void children_of_the_host_are_left_to_it(void)
{
    pid_t child = fork();
    if (child == 0) _exit(7);
    tidemill *engine = open_engine(NULL);
    check_work(engine);
    call(engine, "crash", 0);
    check_close(engine);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- SIGPIPE ----------------------------------------------------------------------------- */

static atomic_int pipes;

static void count_pipe(int signal)
{
    (void)signal;
    atomic_fetch_add(&pipes, 1);
}

/* Workers that die while they are written to, and programs that do not read their input. */
static void no_pipe_breaks_with_a_signal(void)
{
    struct sigaction action = {.sa_handler = count_pipe}, before;
    sigaction(SIGPIPE, &action, &before);
    tidemill *engine = open_engine(NULL);
    static const char dying[] =
        "local big = ('x'):rep(3e7)\n"
        "local die = tm.delayed(function(i, text)\n"
        "  require('ffi').cdef 'int raise(int number);'\n"
        "  require('ffi').C.raise(15)\n"
        "end, { lane = 'process' })\n"
        "for i = 1, 6 do pcall(function() return die(i, big .. i):compute() end) end\n"
        "for i = 1, 10 do pcall(tm.exec, { 'true' }, { input = big }) end\n";
    tidemill_status status = tidemill_run_string(engine, dying, "dying", 0, NULL);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    check_close(engine);
    CHECK(atomic_load(&pipes) == 0);
    sigaction(SIGPIPE, &before, NULL);
}

/* ---- no worker program -------------------------------------------------------------------- */

static void without_the_program_the_process_lane_is_unavailable(void)
{
    tidemill *engine = open_engine("/nowhere/tidemill");
    tidemill_value given = tidemill_from_number(3), result;
    CHECK(tidemill_call(engine, "process", &given, 1, &result, 1) == TIDEMILL_ERROR);
    CHECK_SAYING(strstr(tidemill_error(engine), "/nowhere/tidemill is no program"), "%s",
                 tidemill_error(engine));
    tidemill_status status = tidemill_run_string(
        engine, "assert(tm.map(function(x) return x end, { 1, 2 })[2] == 2)", "rest", 0, NULL);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    check_close(engine);
}

int main(void)
{
    alarm(300);
    folder_make();
    RUN(threads_of_the_engine_block_all_signals);
    RUN(nothing_is_left_after_closing);
    RUN(the_process_stays_as_it_is);
    RUN(descriptors_are_closed_by_exec);
    RUN(the_process_lane_works_in_a_host_that_reaps_everything);
    RUN(the_process_lane_works_where_children_are_ignored);
    RUN(children_of_the_host_are_left_to_it);
    RUN(no_pipe_breaks_with_a_signal);
    RUN(without_the_program_the_process_lane_is_unavailable);
    folder_remove();
    return check_end();
}
