/* cache_words: the words behind `tidemill cache`.
 * The commands are those that tidemill_each_cache_command visits.  SPDX-License-Identifier: MIT */
#include "cache_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_LIMIT = 50, MOST_COMMANDS = 16 };

const char *const mill_cache_options[MILL_CACHE_OPTIONS] = {"--task", "--limit", "--repair",
                                                            "--all"};

struct command {
    const char *name, *word, *fields;
};

struct commands {
    struct command all[MOST_COMMANDS];
    size_t count;
};

static void add_command(void *context, const char *name, const char *word, const char *fields,
                        const char *summary)
{
    struct commands *commands = context;
    (void)summary;
    if (commands->count < MOST_COMMANDS)
        commands->all[commands->count++] = (struct command){name, word, fields};
}

static enum mill_cache_word refuse_command(const struct commands *commands, const char *word,
                                           char *error, size_t room)
{
    const char *names[MOST_COMMANDS];
    for (size_t i = 0; i < commands->count; i++) names[i] = commands->all[i].name;
    const char *meant = tidemill_nearest(word, names, commands->count);
    if (meant != NULL)
        snprintf(error, room, "cache: unknown command \"%s\"; did you mean %s?", word, meant);
    else
        snprintf(error, room,
                 "cache: unknown command \"%s\"; tidemill cache --help lists them all", word);
    return MILL_CACHE_WRONG;
}

static bool find(const char *name, struct command *found, struct commands *commands)
{
    commands->count = 0;
    *found = (struct command){"", NULL, ""};
    tidemill_each_cache_command(add_command, commands);
    for (size_t i = 0; i < commands->count; i++) {
        if (strcmp(commands->all[i].name, name) != 0) continue;
        *found = commands->all[i];
        return true;
    }
    return false;
}

static enum mill_cache_word take_value(tidemill_cache_request *request, const char *name,
                                       const char *value, char *error, size_t room)
{
    if (value == NULL || value[0] == '\0') {
        snprintf(error, room, "%s: no value; expected %s", name,
                 strcmp(name, "--task") == 0 ? "the name of a task" : "a number of entries");
        return MILL_CACHE_WRONG;
    }
    if (strcmp(name, "--task") == 0) {
        request->task = value;
        return MILL_CACHE_TAKEN;
    }
    char *end;
    errno = 0;
    long long limit = strtoll(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || limit < 1) {
        snprintf(error, room,
                 "--limit: \"%s\" is not a number of entries; expected a whole number from 1",
                 value);
        return MILL_CACHE_WRONG;
    }
    request->limit = limit;
    return MILL_CACHE_TAKEN;
}

/* The field of an option that takes no value; NULL: it takes one. */
static int *flag_of(tidemill_cache_request *request, const char *name)
{
    if (strcmp(name, "--repair") == 0) return &request->repair;
    return strcmp(name, "--all") == 0 ? &request->all : NULL;
}

static enum mill_cache_word take_option(tidemill_cache_request *request, char *word,
                                        char ***next, char *error, size_t room)
{
    size_t length = strcspn(word, "=");
    for (int i = 0; i < MILL_CACHE_OPTIONS; i++) {
        const char *name = mill_cache_options[i];
        if (strlen(name) != length || memcmp(name, word, length) != 0) continue;
        char *value = word[length] == '=' ? word + length + 1 : NULL;
        int *flag = flag_of(request, name);
        if (flag != NULL) {
            *flag = 1;
            if (value == NULL) return MILL_CACHE_TAKEN;
            snprintf(error, room, "%s takes no value, got \"%s\"", name, value);
            return MILL_CACHE_WRONG;
        }
        if (value == NULL && **next != NULL && strncmp(**next, "--", 2) != 0)
            value = *(*next)++;
        return take_value(request, name, value, error, room);
    }
    return MILL_CACHE_UNKNOWN;
}

enum mill_cache_word mill_cache_words_take(tidemill_cache_request *request, char *word,
                                           char ***next, char *error, size_t room)
{
    struct commands commands;
    struct command command;
    if (word[0] == '-' && word[1] != '\0') return take_option(request, word, next, error, room);
    if (request->command == NULL) {
        request->command = word;
        if (find(word, &command, &commands)) return MILL_CACHE_TAKEN;
        return refuse_command(&commands, word, error, room);
    }
    find(request->command, &command, &commands);
    if (command.word != NULL && request->word == NULL) {
        request->word = word;
        return MILL_CACHE_TAKEN;
    }
    snprintf(error, room, "cache %s takes %s%s, got \"%s\"", command.name,
             command.word ? "one " : "no arguments", command.word ? command.word : "", word);
    return MILL_CACHE_WRONG;
}

static bool takes(const struct command *command, const char *field)
{
    return strstr(command->fields, field) != NULL;
}

enum mill_cache_word mill_cache_words_check(tidemill_cache_request *request, char *error,
                                            size_t room)
{
    struct commands commands;
    struct command command;
    if (request->command == NULL) {
        snprintf(error, room, "cache: no command; tidemill cache --help lists them all");
        return MILL_CACHE_WRONG;
    }
    find(request->command, &command, &commands);
    const char *wrong = NULL;
    if (request->task != NULL && !takes(&command, "task")) wrong = "--task";
    if (request->limit != 0 && !takes(&command, "limit")) wrong = "--limit";
    if (request->repair != 0 && !takes(&command, "repair")) wrong = "--repair";
    if (request->all != 0 && !takes(&command, "all")) wrong = "--all";
    if (wrong != NULL) {
        snprintf(error, room, "cache %s takes no %s", command.name, wrong);
        return MILL_CACHE_WRONG;
    }
    if (command.word != NULL && (request->word == NULL || request->word[0] == '\0')) {
        snprintf(error, room, "cache %s: no %s", command.name, command.word);
        return MILL_CACHE_WRONG;
    }
    if (takes(&command, "limit") && request->limit == 0) request->limit = USUAL_LIMIT;
    return MILL_CACHE_TAKEN;
}

/* ---- Help ---- */

static void print_command(void *context, const char *name, const char *word, const char *fields,
                          const char *summary)
{
    FILE *out = context;
    char text[80];
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s", name, word ? " " : "", word ? word : "",
             strstr(fields, "task") ? " [--task NAME]" : "",
             strstr(fields, "limit") ? " [--limit N]" : "",
             strstr(fields, "repair") ? " [--repair]" : "",
             strstr(fields, "all") ? " [--all]" : "");
    fprintf(out, "  %-28s %s\n", text, summary);
}

void mill_cache_words_help(FILE *out)
{
    fputs("usage: tidemill cache COMMAND [--cache FILE] [--json[=FILE]]\n\n", out);
    tidemill_each_cache_command(print_command, out);
    fprintf(
        out,
        "\n"
        "KEY: 32 hexadecimal digits, or the first of them, at least 4.  ls shows %d entries\n"
        "unless --limit says otherwise.  --json: an object, on stdout or in FILE.\n"
        "Exit status: 0 done; 1 no such cache or key, or verify has found damage; 2 wrong\n"
        "usage.\n",
        USUAL_LIMIT);
}
