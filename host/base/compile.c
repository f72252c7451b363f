/* compile: C text becomes a shared object in a folder.  SPDX-License-Identifier: MIT */
#include "base/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    COMPILE_NAP = 2,     /* milliseconds between two looks at the compiler */
    COMPILE_GRACE = 100, /* naps that one which is to end has to remove its files */
};

/* Names in a folder of its own, all malloc'ed. */
struct workshop {
    char *folder, *source, *object, *log, *target;
};

static tidemill_status compile_fail(struct mill_error *error, const char *path)
{
    return mill_fail(error, TIDEMILL_IO, "%s: %s", path, strerror(errno));
}

static char *joined(const char *folder, const char *name, const char *suffix)
{
    size_t size = strlen(folder) + strlen(name) + strlen(suffix) + 2;
    char *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s%s", folder, name, suffix);
    return path;
}

/* The folder with all above it. */
static bool make_folder(const char *folder)
{
    char *path = strdup(folder);
    if (path == NULL) return false;
    for (char *at = path + 1;; at++) {
        char next = *at;
        if (next != '/' && next != '\0') continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && next == '\0') {
            free(path);
            return false;
        }
        *at = next;
        if (next == '\0') break;
    }
    free(path);
    return true;
}

static tidemill_status open_workshop(const struct mill_compile *job, struct workshop *shop,
                                     struct mill_error *error)
{
    if (!make_folder(job->folder)) return compile_fail(error, job->folder);
    char *folder = joined(job->folder, "build-XXXXXX", "");
    if (folder == NULL) return mill_no_memory(error, job->name);
    if (mkdtemp(folder) == NULL) {
        free(folder);
        return compile_fail(error, job->folder);
    }
    shop->folder = folder;
    shop->source = joined(folder, job->name, ".c");
    shop->object = joined(folder, "object", ".so");
    shop->log = joined(folder, "log", "");
    shop->target = joined(job->folder, job->target, "");
    bool fine = shop->source && shop->object && shop->log && shop->target;
    return fine ? TIDEMILL_OK : mill_no_memory(error, job->name);
}

static void close_workshop(struct workshop *shop)
{
    if (shop->source) unlink(shop->source);
    if (shop->object) unlink(shop->object);
    if (shop->log) unlink(shop->log);
    if (shop->folder) rmdir(shop->folder);
    free(shop->source);
    free(shop->object);
    free(shop->log);
    free(shop->target);
    free(shop->folder);
}

/* The text, numbered as its author sees it. */
static tidemill_status write_source(const struct mill_compile *job, const struct workshop *shop,
                                    struct mill_error *error)
{
    FILE *file = fopen(shop->source, "we");
    if (file == NULL) return compile_fail(error, shop->source);
    fprintf(file, "#line 1 \"%s.c\"\n%s\n", job->name, job->source);
    bool bad = ferror(file) != 0;
    if (fclose(file) != 0 || bad) return compile_fail(error, shop->source);
    return TIDEMILL_OK;
}

/* With the usual signals, whatever this thread blocks, and in a group with what it starts; what it
 * says goes to the log. */
static int start_compiler(const struct workshop *shop, char *const *words, pid_t *child)
{
    static const int usual[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) sigaddset(&defaults, usual[i]);
    int failure = posix_spawnattr_init(&attributes);
    if (failure) return failure;
    failure = posix_spawn_file_actions_init(&actions);
    if (failure == 0) {
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETPGROUP);
        posix_spawnattr_setpgroup(&attributes, 0);
        failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (failure == 0) {
            failure = posix_spawn_file_actions_addopen(&actions, 1, shop->log,
                                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
        }
        if (failure == 0) failure = posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (failure == 0) {
            failure = posix_spawnp(child, words[0], &actions, &attributes, words, environ);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failure;
}

/* Whether it has ended.  One that the host program has waited for elsewhere counts as ended well: the
 * object tells. */
static bool compiler_ended(pid_t child, int *status)
{
    pid_t ended = waitpid(child, status, WNOHANG);
    if (ended < 0 && errno != EINTR) *status = 0;
    return ended == child || (ended < 0 && errno != EINTR);
}

static void compile_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = COMPILE_NAP * 1000000L}, NULL);
}

/* Ends it with what it has started. */
static void stop_compiler(pid_t child, int *status)
{
    kill(-child, SIGTERM);
    for (int naps = 0; naps < COMPILE_GRACE; naps++) {
        if (compiler_ended(child, status)) return;
        compile_nap();
    }
    kill(-child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR) continue;
}

/* False: it was stopped. */
static bool await_compiler(const struct mill_compile *job, pid_t child, int *status)
{
    while (!compiler_ended(child, status)) {
        if (job->stopped && job->stopped(job->context)) {
            stop_compiler(child, status);
            return false;
        }
        compile_nap();
    }
    return true;
}

static void read_log(const struct workshop *shop, char *log)
{
    FILE *file = fopen(shop->log, "re");
    size_t size = file ? fread(log, 1, MILL_COMPILE_LOG - 1, file) : 0;
    log[size] = '\0';
    if (file) fclose(file);
}

/* What it says is the reason; one that says nothing, or was killed, has its end told of. */
static tidemill_status compiler_failed(const struct mill_compile *job, int status,
                                       const char *log, struct mill_error *error)
{
    const char *program = job->words[0];
    if (WIFSIGNALED(status)) {
        return mill_fail(error, TIDEMILL_IO, "%s: %s was ended by signal %d (%s)", job->name,
                         program, WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    if (log[0] != '\0')
        return mill_fail(error, TIDEMILL_DATA, "%s: does not compile", job->name);
    if (status == 0) {
        return mill_fail(error, TIDEMILL_DATA, "%s: does not compile: %s has made no object",
                         job->name, program);
    }
    return mill_fail(error, TIDEMILL_DATA,
                     "%s: does not compile: %s ended with status %d and said nothing",
                     job->name, program, WEXITSTATUS(status));
}

static tidemill_status run_compiler(const struct mill_compile *job, const struct workshop *shop,
                                    char *log, struct mill_error *error)
{
    size_t count = 0;
    while (job->words[count]) count++;
    const char **words = calloc(count + 5, sizeof *words);
    if (words == NULL) return mill_no_memory(error, job->name);
    memcpy(words, job->words, count * sizeof *words);
    words[count++] = "-o";
    words[count++] = shop->object;
    words[count++] = shop->source;
    words[count++] = "-lm";
    pid_t child;
    int failure = start_compiler(shop, (char *const *)words, &child), status = 0;
    free(words);
    if (failure) {
        errno = failure;
        return compile_fail(error, job->words[0]);
    }
    if (!await_compiler(job, child, &status))
        return mill_fail(error, TIDEMILL_CANCELLED, "interrupted");
    read_log(shop, log);
    if (status == 0 && access(shop->object, R_OK) == 0) return TIDEMILL_OK;
    return compiler_failed(job, status, log, error);
}

tidemill_status mill_compile(const struct mill_compile *job, char log[MILL_COMPILE_LOG],
                             struct mill_error *error)
{
    struct workshop shop = {0};
    log[0] = '\0';
    tidemill_status status = open_workshop(job, &shop, error);
    if (status == TIDEMILL_OK) status = write_source(job, &shop, error);
    if (status == TIDEMILL_OK) status = run_compiler(job, &shop, log, error);
    if (status == TIDEMILL_OK && rename(shop.object, shop.target) != 0) {
        status = compile_fail(error, shop.target);
    }
    close_workshop(&shop);
    return status;
}
