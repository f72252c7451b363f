/* options: what the command line asks for.
 * Engine options are rows of one table, which the parser, the suggestions and --help read.
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include "cache_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORKERS = 1024, HELP_COLUMN = 31 };

struct parser {
    struct mill_options *options;
    char **next;    /* the word to look at; ends with NULL */
    bool any;       /* an engine option was given */
    bool run;       /* the command `run` was given */
    bool named;     /* the script is known: other words are its arguments */
    bool all_words; /* after `--`: no word is an option */
};

struct option {
    const char *name;     /* with its dashes */
    const char *argument; /* NULL: a flag */
    const char *expected; /* completes "expected ..." */
    const char *help;
    tidemill_status (*take)(struct parser *parser, const struct option *option, char *value);
};

static tidemill_status refuse(struct mill_options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static tidemill_status refuse(struct mill_options *options, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(options->error, sizeof options->error, format, arguments);
    va_end(arguments);
    return TIDEMILL_USAGE;
}

static tidemill_status refuse_value(struct parser *parser, const struct option *option,
                                    const char *value)
{
    return refuse(parser->options, "%s: \"%s\" is not %s", option->name, value,
                  option->expected);
}

/* ---- One function an option ---- */

/* No list can be longer than the command line. */
static tidemill_status add_setting(struct parser *parser, const char *name, const char *value)
{
    struct mill_options *options = parser->options;
    options->settings[options->setting_count++] = (struct mill_setting){name, value};
    return TIDEMILL_OK;
}

static tidemill_status take_workers(struct parser *parser, const struct option *option,
                                    char *value)
{
    if (strcmp(value, "auto") == 0) return add_setting(parser, "workers", value);
    char *end;
    errno = 0;
    long count = strtol(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno || count > MOST_WORKERS)
        return refuse_value(parser, option, value);
    return add_setting(parser, "workers", value);
}

static tidemill_status take_serial(struct parser *parser, const struct option *option,
                                   char *value)
{
    (void)option, (void)value;
    return add_setting(parser, "workers", "0");
}

static tidemill_status take_lane(struct parser *parser, const struct option *option,
                                 char *value)
{
    static const char *const names[] = {"auto", "thread", "loop", "process"};
    if (strcmp(value, "serial") == 0) return add_setting(parser, "workers", "0");
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) return add_setting(parser, "lane", value);
    }
    return refuse_value(parser, option, value);
}

static tidemill_status take_cache(struct parser *parser, const struct option *option,
                                  char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    return add_setting(parser, "cache", value);
}

static tidemill_status take_cache_all(struct parser *parser, const struct option *option,
                                      char *value)
{
    (void)option, (void)value;
    return add_setting(parser, "cache.all", "on");
}

static tidemill_status take_config(struct parser *parser, const struct option *option,
                                   char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    return add_setting(parser, "config", value);
}

static tidemill_status take_trace(struct parser *parser, const struct option *option,
                                  char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    parser->options->trace = value;
    return add_setting(parser, "trace", value);
}

static tidemill_status take_log(struct parser *parser, const struct option *option, char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    parser->options->log = value;
    return add_setting(parser, "log", value);
}

static tidemill_status take_log_level(struct parser *parser, const struct option *option,
                                      char *value)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) return add_setting(parser, "log_level", value);
    }
    return refuse_value(parser, option, value);
}

static tidemill_status take_progress(struct parser *parser, const struct option *option,
                                     char *value)
{
    static const char *const names[] = {"auto", "plain", "off"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        parser->options->progress = (enum mill_progress)i;
        return TIDEMILL_OK;
    }
    return refuse_value(parser, option, value);
}

static tidemill_status take_set(struct parser *parser, const struct option *option, char *value)
{
    char *equals = strchr(value, '=');
    if (equals == NULL || equals == value) return refuse_value(parser, option, value);
    *equals = '\0';
    return add_setting(parser, value, equals + 1);
}

static tidemill_status take_json(struct parser *parser, const struct option *option,
                                 char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    // Opened by name it would be written over, or beside, what the script prints.
    parser->options->json = strcmp(value, "/dev/stdout") == 0 ? "-" : value;
    return TIDEMILL_OK;
}

static tidemill_status take_record(struct parser *parser, const struct option *option,
                                   char *value)
{
    if (value[0] == '\0') return refuse_value(parser, option, value);
    parser->options->record = value;
    return TIDEMILL_OK;
}

static tidemill_status take_explain(struct parser *parser, const struct option *option,
                                    char *value)
{
    (void)option, (void)value;
    parser->options->explain = true;
    return TIDEMILL_OK;
}

static tidemill_status take_quiet(struct parser *parser, const struct option *option,
                                  char *value)
{
    (void)option, (void)value;
    parser->options->quiet = true;
    return TIDEMILL_OK;
}

static tidemill_status take_strict(struct parser *parser, const struct option *option,
                                   char *value)
{
    (void)option, (void)value;
    parser->options->strict = true;
    return TIDEMILL_OK;
}

static const struct option engine_options[] = {
    {"--workers", "N|auto", "a number of workers; expected auto, 0 (serial) or 1 to 1024",
     "worker threads (auto: the CPUs it may really use)", take_workers},
    {"--serial", NULL, NULL, "no threads: tasks run one after another; same as --workers 0",
     take_serial},
    {"--lane", "LANE", "a lane; expected auto, serial, thread, loop or process",
     "where tasks run that do not say it; serial is --serial", take_lane},
    {"--cache", "FILE|off", "a cache; expected a file name, or off",
     "where results are kept, or off", take_cache},
    {"--cache-all", NULL, NULL,
     "keep results of all tasks that take long enough and do not say otherwise",
     take_cache_all},
    {"--progress", "auto|plain|off", "a kind of progress; expected auto, plain or off",
     "on stderr; auto shows a live line on a terminal", take_progress},
    {"--config", "FILE", "a file of settings; expected a file name",
     "settings that hold where nothing stronger has set them", take_config},
    {"--set", "NAME=VALUE", "a setting; expected NAME=VALUE",
     "any setting that tidemill config lists; repeatable", take_set},
    {"--trace", "FILE", "a place for the trace; expected a file name",
     "write what each worker did, for Perfetto", take_trace},
    {"--log", "FILE|-", "a place for the log; expected a file name, or - for stderr",
     "add the lines of tm.log to it; JSON in .json, .jsonl", take_log},
    {"--log-level", "LEVEL", "a level; expected debug, info, warn or error",
     "the least that is logged (info)", take_log_level},
    {"--json", "FILE|-", "a place for the result; expected a file name, or - for stdout",
     "write the value that the script returns", take_json},
    {"--explain", NULL, NULL,
     "say at the end what came from the cache, and why the rest did not", take_explain},
    {"--record", "FILE", "a place for the record; expected a file name",
     "write what is needed to trust or repeat the run", take_record},
    {"--quiet", NULL, NULL, "no notes of the script, no progress line", take_quiet},
    {"--strict", NULL, NULL, "exit with 3 when rows were dropped or something fell back",
     take_strict},
};

enum { OPTION_COUNT = sizeof engine_options / sizeof engine_options[0] };

/* A line of --help; one with a word is a command. */
struct command {
    const char *word;
    enum mill_command command;
    bool runs; /* what follows names a script */
    bool dry;
    const char *usage, *help;
};

static const struct command commands[] = {
    {NULL, 0, 0, 0, "tidemill", "an interactive session, or statements from a pipe"},
    {NULL, 0, 0, 0, "tidemill FILE [arguments]", "run a Lua script; - is stdin"},
    {"run", MILL_COMMAND_LIST, true, false, "tidemill run SCRIPT [arguments]",
     "run a Lua script; a name without / or .lua is a shipped one"},
    {NULL, 0, 0, 0, "tidemill run", "list the shipped scripts"},
    {NULL, 0, 0, 0, "tidemill -e CODE [arguments]", "run Lua text, where tm is there already"},
    {"new", MILL_COMMAND_NEW, false, false, "tidemill new FILE",
     "write a strategy that runs, to be changed; replaces nothing"},
    {"examples", MILL_COMMAND_EXAMPLES, false, false,
     "tidemill examples [NAME] [--copy [FOLDER]]",
     "list the examples; print one; copy it, or all of them"},
    {"explain", MILL_COMMAND_LIST, true, true, "tidemill explain SCRIPT [TASK] [-- arguments]",
     "what would come from the cache, and why the rest would not"},
    {"diff", MILL_COMMAND_DIFF, false, false, "tidemill diff A B",
     "what differs between two files of --record"},
    {"doctor", MILL_COMMAND_DOCTOR, false, false, "tidemill doctor",
     "what this build and this machine offer"},
    {"config", MILL_COMMAND_CONFIG, false, false, "tidemill config [SCRIPT]",
     "each setting, its value and where it comes from"},
    {"cache", MILL_COMMAND_CACHE, false, false, "tidemill cache COMMAND",
     "look after the cache; tidemill cache --help"},
    {"help", MILL_COMMAND_HELP, false, false, "tidemill help WORD",
     "what the documentation says of it; /WORD: where it occurs"},
    {NULL, 0, 0, 0, "tidemill --version, --help", "say what it is, say this"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

/* ---- Words ---- */

static const struct option *find_option(const char *word)
{
    size_t length = strcspn(word, "=");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *name = engine_options[i].name;
        if (strlen(name) == length && memcmp(name, word, length) == 0)
            return &engine_options[i];
    }
    return NULL;
}

/* A separate value may not look like an option: a forgotten value is the likelier reading, and
 * --name=--value remains. */
static tidemill_status take_option(struct parser *parser, const struct option *option,
                                   char *word)
{
    char *value = strchr(word, '=');
    if (value != NULL) value++;
    if (option->argument == NULL && value != NULL)
        return refuse(parser->options, "%s takes no value, got \"%s\"", option->name, value);
    if (option->argument != NULL && value == NULL) {
        value = *parser->next;
        bool missing = value == NULL || strncmp(value, "--", 2) == 0;
        if (parser->options->command == MILL_COMMAND_CACHE && option->take == take_json)
            return option->take(parser, option, "-"); // what follows is a key or a file
        if (missing && parser->options->command == MILL_COMMAND_CONFIG &&
            option->take == take_json)
            return option->take(parser, option, "-"); // what else could config write?
        if (missing)
            return refuse(parser->options, "%s: no value; %s", option->name,
                          strstr(option->expected, "expected"));
        parser->next++;
    }
    parser->any = true;
    return option->take(parser, option, value);
}

static tidemill_status refuse_option(struct parser *parser, const char *word)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *names[OPTION_COUNT + 3 + MILL_CACHE_OPTIONS];
    size_t count = 0;
    for (int i = 0; i < OPTION_COUNT; i++) names[count++] = engine_options[i].name;
    names[count++] = "--help";
    names[count++] = "--version";
    if (parser->options->command == MILL_COMMAND_EXAMPLES) names[count++] = "--copy";
    bool cache = parser->options->command == MILL_COMMAND_CACHE;
    for (int i = 0; cache && i < MILL_CACHE_OPTIONS; i++)
        names[count++] = mill_cache_options[i];
    const char *meant = tidemill_nearest(name, names, count);
    if (meant != NULL)
        return refuse(parser->options, "unknown option \"%s\"; did you mean %s?", word, meant);
    return refuse(parser->options, "unknown option \"%s\"; tidemill --help lists them all",
                  word);
}

static bool may_name_script(const struct mill_options *options)
{
    return options->command == MILL_COMMAND_REPL || options->command == MILL_COMMAND_LIST;
}

/* The folder may be left out: the current one is meant then. */
static tidemill_status take_copy(struct parser *parser, const char *word)
{
    struct mill_options *options = parser->options;
    const char *value = strchr(word, '=');
    options->copy = value != NULL ? value + 1 : ".";
    if (value == NULL && *parser->next != NULL && (*parser->next)[0] != '-')
        options->copy = *parser->next++;
    if (options->copy[0] != '\0') return TIDEMILL_OK;
    return refuse(options, "--copy: \"\" is not a folder; expected one, or nothing");
}

static bool is_copy(const struct mill_options *options, const char *word)
{
    return options->command == MILL_COMMAND_EXAMPLES && strncmp(word, "--copy", 6) == 0 &&
           (word[6] == '\0' || word[6] == '=');
}

/* An option that means something only before the script's name. */
static tidemill_status take_early_option(struct parser *parser, const char *word)
{
    struct mill_options *options = parser->options;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        bool cache = options->command == MILL_COMMAND_CACHE;
        options->command = cache ? MILL_COMMAND_CACHE_HELP : MILL_COMMAND_HELP;
    } else if (is_copy(options, word)) {
        return take_copy(parser, word);
    } else if (strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0) {
        options->command = MILL_COMMAND_VERSION;
    } else if (strcmp(word, "-e") == 0 && may_name_script(options)) {
        if (*parser->next == NULL) return refuse(options, "-e: no value; expected Lua text");
        options->command = MILL_COMMAND_STRING;
        options->script = *parser->next++;
        parser->named = true;
    } else {
        return refuse_option(parser, word);
    }
    return TIDEMILL_OK;
}

static bool is_path(const char *word)
{
    size_t length = strlen(word);
    return strcmp(word, "-") == 0 || strchr(word, '/') != NULL ||
           (length > 4 && strcmp(word + length - 4, ".lua") == 0);
}

static const struct command *find_command(const char *word)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].word != NULL && strcmp(commands[i].word, word) == 0)
            return &commands[i];
    }
    return NULL;
}

static tidemill_status refuse_command(struct mill_options *options, const char *word)
{
    const char *words[COMMAND_COUNT];
    size_t count = 0;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].word != NULL) words[count++] = commands[i].word;
    }
    const char *meant = tidemill_nearest(word, words, count);
    if (meant != NULL)
        return refuse(options, "unknown command \"%s\"; did you mean %s?", word, meant);
    return refuse(options,
                  "\"%s\" is neither a command nor a file; tidemill --help lists the commands, "
                  "tidemill run the shipped scripts",
                  word);
}

static tidemill_status name_script(struct parser *parser, const char *word)
{
    struct mill_options *options = parser->options;
    parser->named = true;
    options->script = word;
    options->command = parser->run ? MILL_COMMAND_SHIPPED : MILL_COMMAND_FILE;
    if (is_path(word)) options->command = MILL_COMMAND_FILE;
    if (options->command == MILL_COMMAND_FILE && !is_path(word) && access(word, F_OK) != 0)
        return refuse_command(options, word);
    return TIDEMILL_OK;
}

static tidemill_status take_record_name(struct mill_options *options, const char *word)
{
    if (options->other != NULL)
        return refuse(options, "diff takes two records, got \"%s\" as well", word);
    if (options->script == NULL)
        options->script = word;
    else
        options->other = word;
    return TIDEMILL_OK;
}

/* Behind the script of explain. */
static tidemill_status take_task(struct mill_options *options, const char *word)
{
    if (options->task != NULL)
        return refuse(
            options,
            "explain takes one task, got \"%s\" as well; arguments of the script stand "
            "behind --",
            word);
    options->task = word;
    return TIDEMILL_OK;
}

static tidemill_status refuse_more(struct mill_options *options, const char *word)
{
    switch (options->command) {
    case MILL_COMMAND_NEW:
        return refuse(options, "new takes one file, got \"%s\" as well", word);
    case MILL_COMMAND_EXAMPLES:
        return refuse(options, "examples takes one name, got \"%s\" as well", word);
    case MILL_COMMAND_ABOUT:
        return refuse(options, "help WORD takes no arguments, got \"%s\"", word);
    default:
        return refuse(options, "doctor takes no arguments, got \"%s\"", word);
    }
}

static tidemill_status take_name(struct parser *parser, const char *word)
{
    struct mill_options *options = parser->options;
    if (options->command == MILL_COMMAND_CONFIG && options->script == NULL && is_path(word)) {
        options->script = word;
        return TIDEMILL_OK;
    }
    if (options->command == MILL_COMMAND_DIFF) return take_record_name(options, word);
    bool one =
        options->command == MILL_COMMAND_NEW || options->command == MILL_COMMAND_EXAMPLES;
    if (one && options->script == NULL) {
        options->script = word;
        return TIDEMILL_OK;
    }
    if (options->command == MILL_COMMAND_HELP) {
        options->command = MILL_COMMAND_ABOUT;
        options->script = word;
        return TIDEMILL_OK;
    }
    if (options->command == MILL_COMMAND_CONFIG)
        return refuse(options, "config takes the path of one script, got \"%s\"", word);
    if (!may_name_script(options)) return refuse_more(options, word);
    if (parser->run || parser->all_words) return name_script(parser, word);
    const struct command *command = find_command(word);
    if (command == NULL) return name_script(parser, word);
    options->command = command->command;
    parser->run = command->runs;
    options->dry = command->dry;
    return TIDEMILL_OK;
}

static tidemill_status take_cache_word(struct parser *parser, char *word)
{
    struct mill_options *options = parser->options;
    switch (mill_cache_words_take(&options->cache, word, &parser->next, options->error,
                                  sizeof options->error)) {
    case MILL_CACHE_TAKEN:
        return TIDEMILL_OK;
    case MILL_CACHE_UNKNOWN:
        return take_early_option(parser, word);
    default:
        return TIDEMILL_USAGE;
    }
}

static tidemill_status take_word(struct parser *parser, char *word)
{
    struct mill_options *options = parser->options;
    if (!parser->all_words) {
        if (strcmp(word, "--") == 0) {
            parser->all_words = true;
            return TIDEMILL_OK;
        }
        const struct option *option = find_option(word);
        if (option != NULL) return take_option(parser, option, word);
        if (options->command == MILL_COMMAND_CACHE) return take_cache_word(parser, word);
        if (!parser->named && word[0] == '-' && word[1] != '\0')
            return take_early_option(parser, word);
    }
    if (!parser->named) return take_name(parser, word);
    if (options->dry && !parser->all_words) return take_task(options, word);
    options->arguments[options->argument_count++] = word;
    return TIDEMILL_OK;
}

/* What can be seen only when every word is known. */
static tidemill_status check_whole(struct parser *parser)
{
    struct mill_options *options = parser->options;
    if (options->command == MILL_COMMAND_LIST && options->dry)
        return refuse(options, "explain: no script; expected explain SCRIPT [TASK]");
    if (options->command == MILL_COMMAND_NEW && options->script == NULL)
        return refuse(options, "new: no file; expected new FILE");
    if (options->command == MILL_COMMAND_DIFF && options->other == NULL)
        return refuse(options, "diff: expected two records, as --record writes them");
    if (options->record != NULL && (!parser->named || options->dry))
        return refuse(options, "--record: no script whose run it could write down");
    if (options->command == MILL_COMMAND_LIST && parser->any)
        return refuse(options, "run: no script; expected a path or a name that "
                               "tidemill run, without options, lists");
    bool cache = options->command == MILL_COMMAND_CACHE;
    if (cache && mill_cache_words_check(&options->cache, options->error,
                                        sizeof options->error) != MILL_CACHE_TAKEN)
        return TIDEMILL_USAGE;
    bool config = options->command == MILL_COMMAND_CONFIG;
    bool named = parser->named || config || cache;
    if (options->json != NULL && (!named || options->dry))
        return refuse(options, "--json: no script whose value it could write");
    return TIDEMILL_OK;
}

tidemill_status mill_options_parse(struct mill_options *options, int argc, char **argv)
{
    *options = (struct mill_options){.command = MILL_COMMAND_REPL};
    options->cache.size = sizeof options->cache;
    options->arguments = calloc((size_t)argc + 1, sizeof *options->arguments);
    options->settings = calloc((size_t)argc + 1, sizeof *options->settings);
    if (options->arguments == NULL || options->settings == NULL) {
        refuse(options, "out of memory (command line)");
        return TIDEMILL_MEMORY;
    }
    struct parser parser = {.options = options, .next = argv + (argc > 0)};
    while (*parser.next != NULL) {
        tidemill_status status = take_word(&parser, *parser.next++);
        if (status != TIDEMILL_OK) return status;
        bool answered = options->command == MILL_COMMAND_VERSION ||
                        options->command == MILL_COMMAND_CACHE_HELP ||
                        (options->command == MILL_COMMAND_HELP && parser.next[-1][0] == '-');
        if (answered) return TIDEMILL_OK;
    }
    return check_whole(&parser);
}

void mill_options_free(struct mill_options *options)
{
    free(options->arguments);
    free(options->settings);
    options->arguments = NULL;
    options->settings = NULL;
}

static const char help_head[] = "usage: tidemill [options] [SCRIPT | COMMAND] [arguments]\n"
                                "\n";

static const char help_middle[] =
    "\n"
    "Options stand before or after the script's name; --name=value works too.  All other\n"
    "words after the name, and every word after --, are the script's arguments.\n"
    "\n";

static const char help_tail[] =
    "\n"
    "Exit status: 0 done; 1 the script failed; 2 wrong usage; 3 see --strict; 129, 130, 143\n"
    "stopped by SIGHUP, SIGINT, SIGTERM; 141 the reader of stdout went away.\n"
    "Ctrl-C cancels the run, a second one leaves at once.\n";

void mill_options_help(FILE *out)
{
    fputs(help_head, out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        int width = fprintf(out, "  %s", commands[i].usage);
        if (width >= HELP_COLUMN) fprintf(out, "\n%*s", width = 0, "");
        fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", commands[i].help);
    }
    fputs(help_middle, out);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &engine_options[i];
        int width = fprintf(out, "  %s %s", option->name,
                            option->argument != NULL ? option->argument : "");
        fprintf(out, "%*s%s\n", width < 29 ? 29 - width : 1, "", option->help);
    }
    fputs(help_tail, out);
}
