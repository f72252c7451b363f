/* blas: a library with BLAS and LAPACK, opened when it is first asked for.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/blas.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Debian's serial build first: what the name alone finds may have threads of its own. */
static const char *const blas_places[] = {
#if defined(__x86_64__)
    "/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0",
#elif defined(__aarch64__)
    "/usr/lib/aarch64-linux-gnu/openblas-serial/libopenblas.so.0",
#endif
    "libopenblas.so.0",
    "libopenblas.so",
};

/* In the order of the struct's members. */
static const char *const routine_names[] = {"gemm",  "gemv",  "syrk",  "trsm",  "potrf",
                                            "getrf", "getrs", "getri", "gelqf", "orglq",
                                            "gesdd", "syevd", "gelsd"};

enum { ROUTINES = sizeof routine_names / sizeof *routine_names };
_Static_assert(sizeof(struct mill_blas_f64) == ROUTINES * sizeof(void *), "one name a routine");
_Static_assert(sizeof(struct mill_blas_f32) == ROUTINES * sizeof(void *), "one name a routine");

/* Of the process, as the library is: engines share it.  Held for writing by the one caller of a
 * library that wants to be alone, for reading by callers of others. */
static pthread_rwlock_t blas_callers = PTHREAD_RWLOCK_INITIALIZER;

void mill_blas_enter(struct mill_blas *blas)
{
    if (blas->alone)
        pthread_rwlock_wrlock(&blas_callers);
    else
        pthread_rwlock_rdlock(&blas_callers);
}

void mill_blas_leave(void)
{
    pthread_rwlock_unlock(&blas_callers);
}

void mill_blas_init(struct mill_blas *blas)
{
    memset(blas, 0, sizeof *blas);
    pthread_mutex_init(&blas->mutex, NULL);
}

void mill_blas_fini(struct mill_blas *blas)
{
    free(blas->wish);
    pthread_mutex_destroy(&blas->mutex);
}

/* ---- looking at a library ----------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say_blas(struct mill_blas *blas,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(blas->text, sizeof blas->text, format, arguments);
    va_end(arguments);
}

static bool take_routines(struct mill_blas *blas, void *library, char letter, void *into)
{
    for (size_t i = 0; i < ROUTINES; i++) {
        char symbol[16];
        snprintf(symbol, sizeof symbol, "%c%s_", letter, routine_names[i]);
        void *routine = dlsym(library, symbol);
        if (routine == NULL) {
            say_blas(blas, "it has no %s", symbol);
            return false;
        }
        memcpy((char *)into + i * sizeof routine, &routine, sizeof routine);
    }
    return true;
}

/* A build with threads is told to have one, in which it calls from several threads at once are
 * safe; one that does not obey is refused. */
static bool silence_threads(struct mill_blas *blas, void *library)
{
    int (*parallel)(void), (*threads)(void);
    void (*set_threads)(int);
    *(void **)&parallel = dlsym(library, "openblas_get_parallel");
    *(void **)&threads = dlsym(library, "openblas_get_num_threads");
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (parallel == NULL || parallel() == 0) return true;
    if (set_threads) set_threads(1);
    if (set_threads && threads && threads() == 1) return true;
    say_blas(blas, "it computes in threads of its own, which cannot be turned off");
    return false;
}

static bool take_version(struct mill_blas *blas, void *library)
{
    char *(*config)(void);
    *(void **)&config = dlsym(library, "openblas_get_config");
    Dl_info place;
    void *symbol = dlsym(library, "dgemm_");
    if (dladdr(symbol, &place) && place.dli_fname) {
        snprintf(blas->path, sizeof blas->path, "%s", place.dli_fname);
    }
    blas->is_openblas = config != NULL;
    blas->alone =
        config && strstr(config(), "SINGLE_THREADED") && !strstr(config(), "USE_LOCKING");
    say_blas(blas, "%s", config ? config() : "a library that does not tell its version");
    size_t size = strlen(blas->text);
    while (size > 0 && blas->text[size - 1] == ' ') blas->text[--size] = '\0';
    if (strstr(blas->text, "USE64BITINT") == NULL) return true;
    say_blas(blas, "it counts in 64-bit integers");
    return false;
}

/* False, and the text says why. */
static bool take_library(struct mill_blas *blas, const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        say_blas(blas, "%s", reason ? reason : path);
        return false;
    }
    if (take_routines(blas, library, 'd', &blas->f64) &&
        take_routines(blas, library, 's', &blas->f32) && silence_threads(blas, library) &&
        take_version(blas, library)) {
        return true;
    }
    dlclose(library);
    return false;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum mill_blas_state look_for_blas(struct mill_blas *blas)
{
    if (blas->wish && strcmp(blas->wish, "none") == 0) {
        say_blas(blas, "the setting blas is none");
        return MILL_BLAS_NONE;
    }
    if (blas->wish && strcmp(blas->wish, "auto") != 0) {
        if (take_library(blas, blas->wish)) return MILL_BLAS_THERE;
        char reason[sizeof blas->text];
        memcpy(reason, blas->text, sizeof reason);
        if (strstr(reason, blas->wish))
            say_blas(blas, "%.250s", reason);
        else
            say_blas(blas, "%.120s: %.120s", blas->wish, reason);
        return MILL_BLAS_FAILED;
    }
    for (size_t i = 0; i < sizeof blas_places / sizeof *blas_places; i++) {
        if (take_library(blas, blas_places[i])) return MILL_BLAS_THERE;
    }
    say_blas(blas, "none found: install libopenblas0-serial (Debian, Ubuntu), or set blas to "
                   "the path of an OpenBLAS");
    return MILL_BLAS_NONE;
}

enum mill_blas_state mill_blas_open(struct mill_blas *blas)
{
    /* Acquire: what the opening thread has written is seen with the state. */
    int state = atomic_load_explicit(&blas->state, memory_order_acquire);
    if (state != MILL_BLAS_UNTRIED) return (enum mill_blas_state)state;
    pthread_mutex_lock(&blas->mutex);
    state = atomic_load_explicit(&blas->state, memory_order_relaxed);
    if (state == MILL_BLAS_UNTRIED) {
        state = (int)look_for_blas(blas);
        atomic_store_explicit(&blas->state, state, memory_order_release);
    }
    pthread_mutex_unlock(&blas->mutex);
    return (enum mill_blas_state)state;
}
