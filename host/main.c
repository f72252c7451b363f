/* main: the command line, written against tidemill.h alone.
 * Each function that acts returns the exit status of the process.
 * SPDX-License-Identifier: MIT */
#include "tidemill.h"

#include "cache_words.h"
#include "examples.h"
#include "options.h"
#include "outfile.h"
#include "repl/loop.h"
#include "signals.h"
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STRICT = 3, EXIT_SIGNAL = 128 };

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("tidemill: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- Lists ---- */

static void measure(void *context, const char *name, const char *text)
{
    int *width = context, length = (int)strlen(name);
    (void)text;
    if (length > *width) *width = length;
}

static void print_row(void *context, const char *name, const char *text)
{
    const int *width = context;
    printf("%-*s  %s\n", *width, name, text);
}

static int list_shipped(void)
{
    int width = 0;
    tidemill_each_shipped(measure, &width);
    tidemill_each_shipped(print_row, &width);
    return EXIT_OK;
}

static int run_doctor(tidemill *engine)
{
    int width = 0;
    tidemill_doctor(engine, measure, &width);
    tidemill_doctor(engine, print_row, &width);
    return EXIT_OK;
}

/* ---- Shipped names ---- */

struct shipped {
    const char *names[64];
    size_t count;
};

static void add_shipped(void *context, const char *name, const char *summary)
{
    struct shipped *shipped = context;
    (void)summary;
    if (shipped->count < 64) shipped->names[shipped->count++] = name;
}

static int check_shipped(const char *name)
{
    struct shipped shipped = {.count = 0};
    tidemill_each_shipped(add_shipped, &shipped);
    for (size_t i = 0; i < shipped.count; i++) {
        if (strcmp(name, shipped.names[i]) == 0) return EXIT_OK;
    }
    const char *meant = tidemill_nearest(name, shipped.names, shipped.count);
    if (access(name, F_OK) == 0)
        complain("run: no shipped script \"%s\"; the file of that name is ./%s", name, name);
    else if (meant != NULL)
        complain("run: no shipped script \"%s\"; did you mean %s?", name, meant);
    else
        complain("run: no shipped script \"%s\"; tidemill run lists them", name);
    return EXIT_USAGE;
}

/* ---- Running ---- */

static bool result_to_stdout(const struct mill_options *options)
{
    return options->json != NULL && strcmp(options->json, "-") == 0;
}

static int choose_progress(const struct mill_options *options)
{
    const char *terminal = getenv("TERM");
    switch (options->progress) {
    case MILL_PROGRESS_PLAIN:
        return 1;
    case MILL_PROGRESS_OFF:
        return 0;
    case MILL_PROGRESS_AUTO:
        break;
    }
    bool live = !options->quiet && isatty(STDERR_FILENO) && terminal != NULL &&
                terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
    return live ? 2 : 0;
}

static tidemill_config choose_config(const struct mill_options *options)
{
    return (tidemill_config){
        .size = sizeof(tidemill_config),
        .progress = choose_progress(options),
        .notes = options->quiet              ? 2
                 : result_to_stdout(options) ? 1
                                             : 0,
    };
}

/* An option that names a file to be written; NULL, and the words that name none, are fine. */
static int check_file(const char *option, const char *path)
{
    struct mill_outfile_error error;
    if (path == NULL || strcmp(path, "-") == 0 || strcmp(path, "off") == 0) return EXIT_OK;
    if (mill_outfile_check(path, &error) == 0) return EXIT_OK;
    complain("%s: %s", option, error.text);
    return EXIT_USAGE;
}

/* What can be found wrong before anything has run. */
static int check_options(const struct mill_options *options)
{
    if (options->command == MILL_COMMAND_SHIPPED) {
        int status = check_shipped(options->script);
        if (status != EXIT_OK) return status;
    }
    int status = check_file("--trace", options->trace);
    if (status == EXIT_OK) status = check_file("--log", options->log);
    if (status == EXIT_OK) status = check_file("--record", options->record);
    return status == EXIT_OK ? check_file("--json", options->json) : status;
}

static int fail(tidemill *engine, tidemill_status status)
{
    const char *text = tidemill_error(engine);
    if (status != TIDEMILL_CANCELLED)
        complain("%s", text[0] ? text : "failed without a reason");
    return status == TIDEMILL_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

static int apply_settings(tidemill *engine, const struct mill_options *options)
{
    for (int i = 0; i < options->setting_count; i++) {
        const struct mill_setting *setting = &options->settings[i];
        tidemill_status status = tidemill_set(engine, setting->name, setting->value);
        if (status != TIDEMILL_OK) return fail(engine, status);
    }
    return EXIT_OK;
}

static int write_json(const struct mill_options *options, const char *text)
{
    size_t length = strlen(text);
    struct mill_outfile_error error;
    if (!result_to_stdout(options)) {
        fflush(stdout); // the file may be where stdout goes
        if (mill_outfile_write(options->json, text, length, &error) == 0) return EXIT_OK;
        complain("--json: %s", error.text);
        return EXIT_FAILED;
    }
    // Errors of stdout are found by finish_stdout.
    fwrite(text, 1, length, stdout);
    if (length == 0 || text[length - 1] != '\n') putchar('\n');
    return EXIT_OK;
}

/* *text is what was written of the value that the script has returned, for free(); or NULL. */
static int write_result(tidemill *engine, const struct mill_options *options, char **text)
{
    if (options->json == NULL) return EXIT_OK;
    tidemill_status status = tidemill_result_json(engine, text);
    if (status != TIDEMILL_OK) return fail(engine, status);
    return write_json(options, *text);
}

/* ---- Settings ---- */

struct columns {
    int name, value;
};

static void measure_setting(void *context, const char *name, const char *value,
                            const char *source)
{
    struct columns *widths = context;
    measure(&widths->name, name, source);
    measure(&widths->value, value, source);
}

static void print_setting(void *context, const char *name, const char *value,
                          const char *source)
{
    const struct columns *widths = context;
    printf("%-*s  %-*s  %s\n", widths->name, name, widths->value, value, source);
}

static int run_config(tidemill *engine, const struct mill_options *options)
{
    struct columns widths = {0, 0};
    const char *script = options->script;
    if (options->json != NULL) {
        char *text = NULL;
        tidemill_status status = tidemill_settings_json(engine, script, &text);
        if (status != TIDEMILL_OK) return fail(engine, status);
        int exit_status = write_json(options, text);
        free(text);
        return exit_status;
    }
    tidemill_status status = tidemill_each_setting(engine, script, measure_setting, &widths);
    if (status != TIDEMILL_OK) return fail(engine, status);
    tidemill_each_setting(engine, script, print_setting, &widths);
    return EXIT_OK;
}

/* ---- The cache ---- */

/* Its text is written also when it ends with a failure: what verify has found. */
static int run_cache(tidemill *engine, const struct mill_options *options)
{
    char *text = NULL;
    tidemill_cache_request request = options->cache;
    int exit_status = EXIT_OK;
    request.json = options->json != NULL;
    tidemill_status status = tidemill_cache(engine, &request, &text);
    if (text != NULL && options->json != NULL)
        exit_status = write_json(options, text);
    else if (text != NULL)
        fputs(text, stdout);
    free(text);
    return status == TIDEMILL_OK ? exit_status : fail(engine, status);
}

/* ---- Help ---- */

/* A word of which nothing is said by its name is looked for in all texts. */
static int run_about(tidemill *engine, const struct mill_options *options)
{
    char *text = NULL;
    tidemill_status status = tidemill_help(engine, options->script, &text);
    if (status != TIDEMILL_OK) return fail(engine, status);
    fputs(text, stdout);
    free(text);
    return EXIT_OK;
}

/* ---- Scripts ---- */

static tidemill_status run_script(tidemill *engine, const struct mill_options *options)
{
    int argc = options->argument_count;
    char **argv = options->arguments;
    switch (options->command) {
    case MILL_COMMAND_SHIPPED:
        return tidemill_run_shipped(engine, options->script, argc, argv);
    case MILL_COMMAND_STRING:
        return tidemill_run_string(engine, options->script, "-e", argc, argv);
    default:
        return tidemill_run_file(engine, options->script, argc, argv);
    }
}

/* A script that leaves by os.exit has returned nothing that --json could write. */
static int leave_early(tidemill *engine, const struct mill_options *options)
{
    int status = tidemill_exit_status(engine) & 0xFF;
    if (status != EXIT_OK || options->json == NULL) return status;
    complain("--json: %s is not written: the script left by os.exit and returned nothing",
             options->json);
    return EXIT_FAILED;
}

static int check_strict(tidemill *engine, const struct mill_options *options)
{
    long long count = options->strict ? (long long)tidemill_strict_count(engine) : 0;
    if (count == 0) return EXIT_OK;
    complain("--strict: %lld row%s dropped, fallback%s taken or failure%s counted", count,
             count == 1 ? "" : "s", count == 1 ? "" : "s", count == 1 ? "" : "s");
    return EXIT_STRICT;
}

/* ---- Explaining and recording ---- */

static int begin_asking(tidemill *engine, const struct mill_options *options)
{
    tidemill_status status = TIDEMILL_OK;
    if (options->explain || options->dry) status = tidemill_explain(engine, options->dry);
    if (status == TIDEMILL_OK && options->record) status = tidemill_record(engine);
    return status == TIDEMILL_OK ? EXIT_OK : fail(engine, status);
}

/* Of a dry run it is the result; of another it goes beside what the script prints.  Of a script that
 * failed before its first task its error has said all. */
static int print_explanation(tidemill *engine, const struct mill_options *options, bool failed)
{
    char *text = NULL;
    if (!options->explain && !options->dry) return EXIT_OK;
    tidemill_status status = tidemill_explanation(engine, options->task, &text);
    if (status != TIDEMILL_OK) return fail(engine, status);
    fflush(stdout);
    fputs(text[0] == '\0' && !failed ? "no tasks\n" : text, options->dry ? stdout : stderr);
    free(text);
    return EXIT_OK;
}

static int write_record(tidemill *engine, const struct mill_options *options, int exit_status,
                        const char *problem, const char *json)
{
    char *text = NULL;
    struct mill_outfile_error error;
    if (options->record == NULL) return EXIT_OK;
    tidemill_status status = tidemill_record_json(engine, exit_status, problem, json, &text);
    if (status != TIDEMILL_OK) return fail(engine, status);
    int failure = mill_outfile_write(options->record, text, strlen(text), &error);
    free(text);
    if (failure == 0) return EXIT_OK;
    complain("--record: %s", error.text);
    return EXIT_FAILED;
}

static int run_diff(tidemill *engine, const struct mill_options *options)
{
    char *text = NULL;
    tidemill_status status = tidemill_diff(engine, options->script, options->other, &text);
    if (status != TIDEMILL_OK) {
        fail(engine, status);
        return EXIT_USAGE;
    }
    int exit_status = text[0] != '\0' ? EXIT_FAILED : EXIT_OK;
    fputs(text, stdout);
    free(text);
    return exit_status;
}

static int run_asked(tidemill *engine, struct mill_signals *signals,
                     const struct mill_options *options)
{
    char *problem = NULL, *json = NULL;
    tidemill_status status = run_script(engine, options);
    if (mill_signals_caught(signals) != 0) {
        // The run was cut short, however it took it: only an error of its own is worth telling.
        if (status != TIDEMILL_OK && status != TIDEMILL_EXIT) fail(engine, status);
        return EXIT_FAILED;
    }
    int exit_status;
    if (status != TIDEMILL_OK && status != TIDEMILL_EXIT) {
        problem = strdup(tidemill_error(engine));
        exit_status = fail(engine, status);
    } else if (status == TIDEMILL_EXIT) {
        exit_status = leave_early(engine, options);
    } else {
        exit_status = write_result(engine, options, &json);
    }
    if (exit_status == EXIT_OK) exit_status = check_strict(engine, options);
    int told = print_explanation(engine, options, problem != NULL);
    if (told == EXIT_OK) told = write_record(engine, options, exit_status, problem, json);
    free(problem);
    free(json);
    return exit_status == EXIT_OK ? told : exit_status;
}

static int run(tidemill *engine, struct mill_signals *signals,
               const struct mill_options *options)
{
    int status = begin_asking(engine, options);
    return status == EXIT_OK ? run_asked(engine, signals, options) : status;
}

static int work(tidemill *engine, struct mill_signals *signals,
                const struct mill_options *options)
{
    int status = apply_settings(engine, options);
    if (status != EXIT_OK) return status;
    switch (options->command) {
    case MILL_COMMAND_DOCTOR:
        return run_doctor(engine);
    case MILL_COMMAND_CONFIG:
        return run_config(engine, options);
    case MILL_COMMAND_DIFF:
        return run_diff(engine, options);
    case MILL_COMMAND_CACHE:
        return run_cache(engine, options);
    case MILL_COMMAND_ABOUT:
        return run_about(engine, options);
    case MILL_COMMAND_REPL:
        return mill_loop_run(engine, signals, isatty(STDIN_FILENO));
    default:
        return run(engine, signals, options);
    }
}

/* ---- The process ---- */

/* What a script printed may fail only here: a full disk, or nobody left to read it. */
static int finish_stdout(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (errno == EPIPE || mill_signals_stdout_gone()) return EXIT_SIGNAL + SIGPIPE;
    complain("stdout: %s", errno != 0 ? strerror(errno) : "could not be written");
    return status == EXIT_OK || status == EXIT_STRICT ? EXIT_FAILED : status;
}

/* Signals must be watched before: what the engine starts may be stopped at any time. */
static int run_engine(struct mill_signals *signals, const struct mill_options *options)
{
    tidemill *engine;
    tidemill_config config = choose_config(options);
    tidemill_status status = tidemill_open(&config, &engine);
    if (engine == NULL) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    bool patient = options->command == MILL_COMMAND_REPL && isatty(STDIN_FILENO);
    mill_signals_attach(signals, engine, patient);
    int exit_status =
        status == TIDEMILL_OK ? work(engine, signals, options) : fail(engine, status);
    // Closing may wait for a task that never ends, and leaves by the clock of the signal then.
    if (mill_signals_caught(signals) != 0) tidemill_flush(engine, 0.2);
    mill_signals_detach(signals);
    tidemill_interrupt(engine); // what the script has not waited for is not wanted
    if (tidemill_close(engine) == TIDEMILL_BUSY) {
        complain("%s", tidemill_error(engine));
        tidemill_flush(engine, 1);
    }
    return finish_stdout(exit_status);
}

static int run_watched(const struct mill_options *options)
{
    int status = check_options(options);
    if (status != EXIT_OK) return status;
    struct mill_signals *signals = mill_signals_open();
    if (signals == NULL) {
        complain("signals cannot be watched: out of memory, files or threads");
        return EXIT_FAILED;
    }
    status = run_engine(signals, options);
    int signal = mill_signals_close(signals);
    if (signal == 0) return status;
    mill_signals_say(signal);
    return EXIT_SIGNAL + signal;
}

/* Of a command that only hands out what the program carries. */
static int finish_handing(tidemill_status status, const struct mill_outfile_error *error)
{
    if (status != TIDEMILL_OK) complain("%s", error->text);
    int exit_status = status == TIDEMILL_OK      ? EXIT_OK
                      : status == TIDEMILL_USAGE ? EXIT_USAGE
                                                 : EXIT_FAILED;
    return finish_stdout(exit_status);
}

static int obey(const struct mill_options *options)
{
    struct mill_outfile_error error;
    switch (options->command) {
    case MILL_COMMAND_VERSION:
        printf("tidemill %s\n", tidemill_version());
        return finish_stdout(EXIT_OK);
    case MILL_COMMAND_HELP:
        mill_options_help(stdout);
        return finish_stdout(EXIT_OK);
    case MILL_COMMAND_CACHE_HELP:
        mill_cache_words_help(stdout);
        return finish_stdout(EXIT_OK);
    case MILL_COMMAND_LIST:
        return finish_stdout(list_shipped());
    case MILL_COMMAND_EXAMPLES:
        return finish_handing(mill_examples_run(options->script, options->copy, &error),
                              &error);
    case MILL_COMMAND_NEW:
        return finish_handing(mill_starter_write(options->script, &error), &error);
    default:
        return run_watched(options);
    }
}

/* A process may be started with standard files closed; the next file opened would take their
 * place, and what is printed would land in it.  They are opened the wrong way round, so that
 * using them still fails. */
static void hold_standard_files(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

/* The script runs on the first thread, with --serial its tasks do, too: nested callbacks need more
 * than the usual 8 MB, as workers' threads have.  The kernel leaves this much room below. */
static void deepen_stack(void)
{
    const rlim_t wanted = 128 << 20;
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
}

/* `tidemill --worker DESCRIPTOR`, which engines start and nobody else: no option for people. */
static int worker_descriptor(int argc, char **argv)
{
    char *end;
    if (argc != 3 || strcmp(argv[1], "--worker") != 0) return -1;
    long descriptor = strtol(argv[2], &end, 10);
    return *end == '\0' && descriptor > STDERR_FILENO && descriptor < 1 << 20 ? (int)descriptor
                                                                              : -1;
}

/* Connections are descriptors, and the usual soft limit of 1,024 is meant for programs that use
 * select(), which the engine does not.  More than a million only makes other programs slow. */
static void raise_files(void)
{
    const rlim_t most = 1 << 20;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = limit.rlim_max < most ? limit.rlim_max : most;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    struct mill_options options;
    hold_standard_files();
    deepen_stack();
    raise_files();
    tidemill_own_process();
    int descriptor = worker_descriptor(argc, argv);
    if (descriptor >= 0) return tidemill_worker_main(descriptor);
    tidemill_status status = mill_options_parse(&options, argc, argv);
    int exit_status = status == TIDEMILL_USAGE ? EXIT_USAGE : EXIT_FAILED;
    if (status == TIDEMILL_OK)
        exit_status = obey(&options);
    else
        complain("%s", options.error);
    mill_options_free(&options);
    return exit_status;
}
