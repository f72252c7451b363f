/* settings_read: settings from the environment and from files of NAME = VALUE lines.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folders.h"
#include "bind/engine.h"
#include "kernels/bodies.h"

/* ---- the environment --------------------------------------------------------------------- */

static const char prefix[] = "TIDEMILL_";

/* Variables of ours that set no setting. */
static bool is_other_variable(const char *name)
{
    static const char *const whole[] = {"BIN", "CONFIG", "DOT", "ISA"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, whole[i]) == 0) return true;
    }
    return strncmp(name, "TEST_", 5) == 0 || strncmp(name, "BENCH_", 6) == 0;
}

/* The setting that a variable's name, without the prefix, means. */
static void lower_case(const char *from, char *out, size_t room)
{
    size_t i = 0;
    for (; from[i] && i + 1 < room; i++) {
        out[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] | 32) : from[i];
    }
    out[i] = '\0';
}

static void upper_case(char *text)
{
    for (; *text; text++) {
        if (*text >= 'a' && *text <= 'z') *text = (char)(*text & ~32);
        if (*text == '.') *text = '_';
    }
}

static void warn_variable(struct tidemill *engine, const char *variable, const char *name)
{
    const char *meant = mill_settings_nearest(name);
    char upper[64] = "";
    snprintf(upper, sizeof upper, "%s", meant ? meant : "");
    upper_case(upper);
    mill_output_warn(&engine->output, "unknown variable %.200s%s%s%s", variable,
                     meant ? ", did you mean TIDEMILL_"
                           : "; tidemill config lists the settings",
                     upper, meant ? "?" : "");
}

static tidemill_status take_variable(struct tidemill *engine, const char *variable,
                                     struct mill_error *error)
{
    const char *equals = strchr(variable, '=');
    char whole[256], name[256];
    size_t size = equals ? (size_t)(equals - variable) : 0;
    if (size <= sizeof prefix - 1 || size >= sizeof whole) return TIDEMILL_OK;
    memcpy(whole, variable, size);
    whole[size] = '\0';
    if (is_other_variable(whole + sizeof prefix - 1)) return TIDEMILL_OK;
    const char *rest = whole + sizeof prefix - 1;
    if (strcmp(rest, "WORKER") == 0) rest = "WORKER_PATH"; /* what others call it */
    lower_case(rest, name, sizeof name);
    char again[256];
    snprintf(again, sizeof again, "%s", name);
    upper_case(again);
    bool shouted = strcmp(again, rest) == 0;
    int number = mill_settings_find_variable(name);
    if (number < 0 || !shouted) {
        warn_variable(engine, whole, name);
        return TIDEMILL_OK;
    }
    struct mill_error reason;
    tidemill_status status = mill_settings_set(engine, mill_settings_name(number), equals + 1,
                                               MILL_FROM_ENVIRONMENT, whole, &reason);
    if (status == TIDEMILL_OK) return status;
    return mill_fail(error, status, "%s: %s", whole, reason.text);
}

tidemill_status mill_settings_environment(struct tidemill *engine, struct mill_error *error)
{
    if (!mill_kernel_isa_is_there()) {
        return mill_fail(
            error, TIDEMILL_USAGE,
            "TIDEMILL_ISA: \"%.100s\" is not an instruction set that this machine and "
            "build have; expected plain, avx2, avx512 or neon",
            getenv("TIDEMILL_ISA"));
    }
    for (char **variable = environ; variable && *variable; variable++) {
        if (strncmp(*variable, prefix, sizeof prefix - 1) != 0) continue;
        tidemill_status status = take_variable(engine, *variable, error);
        if (status != TIDEMILL_OK) return status;
    }
    return TIDEMILL_OK;
}

/* ---- files ------------------------------------------------------------------------------- */

struct reading {
    struct tidemill *engine;
    const char *path;
    int line;
    int seen[MILL_SETTING_COUNT]; /* line that has set it; 0: none */
    struct mill_error *error;
};

static tidemill_status fail_line(const struct reading *reading, const char *reason)
{
    return mill_fail(reading->error, TIDEMILL_USAGE, "%s:%d: %s", reading->path, reading->line,
                     reason);
}

/* Cuts the blanks around a text in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1])) size--;
    text[size] = '\0';
    return text;
}

/* A comment begins where a line or a word would. */
static void cut_comment(char *line)
{
    for (char *at = line; *at; at++) {
        if (*at == '#' && (at == line || at[-1] == ' ' || at[-1] == '\t')) {
            *at = '\0';
            return;
        }
    }
}

/* A path in a file counts from the file's own folder; malloc'ed, NULL: no memory. */
static char *placed(const struct reading *reading, int number, const char *value)
{
    const char *slash = strrchr(reading->path, '/');
    bool word = strcmp(value, "off") == 0 || strcmp(value, "auto") == 0 ||
                strcmp(value, "none") == 0 || strcmp(value, "-") == 0;
    if (!mill_settings_is_path(number) || word || *value == '/' || *value == '\0' ||
        slash == NULL) {
        return strdup(value);
    }
    char *path;
    int folder = (int)(slash - reading->path);
    return asprintf(&path, "%.*s/%s", folder, reading->path, value) < 0 ? NULL : path;
}

static tidemill_status set_from_line(struct reading *reading, int number, const char *value)
{
    char reason[100];
    if (reading->seen[number] > 0) {
        snprintf(reason, sizeof reason, "%s is set in line %d already",
                 mill_settings_name(number), reading->seen[number]);
        return fail_line(reading, reason);
    }
    reading->seen[number] = reading->line;
    char *where;
    if (asprintf(&where, "%s:%d", reading->path, reading->line) < 0) where = NULL;
    char *whole = placed(reading, number, value);
    struct mill_error error;
    tidemill_status status = TIDEMILL_MEMORY;
    if (where && whole) {
        status = mill_settings_set(reading->engine, mill_settings_name(number), whole,
                                   MILL_FROM_FILE, where, &error);
    }
    free(where);
    free(whole);
    if (status == TIDEMILL_MEMORY) return mill_no_memory(reading->error, "configuration");
    return status == TIDEMILL_OK ? status : fail_line(reading, error.text);
}

static tidemill_status take_setting(struct reading *reading, char *line)
{
    cut_comment(line);
    char *name = trimmed(line);
    if (*name == '\0') return TIDEMILL_OK;
    char *equals = strchr(name, '=');
    if (equals == NULL) return fail_line(reading, "expected NAME = VALUE");
    *equals = '\0';
    name = trimmed(name);
    int number = mill_settings_find(name);
    if (number >= 0) return set_from_line(reading, number, trimmed(equals + 1));
    char text[400];
    mill_settings_unknown(name, text, sizeof text);
    mill_output_warn(&reading->engine->output, "%s:%d: %s", reading->path, reading->line, text);
    return TIDEMILL_OK;
}

static tidemill_status read_lines(struct reading *reading, FILE *file)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some editors begin a text with it */
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    tidemill_status status = TIDEMILL_OK;
    errno = 0;
    while (status == TIDEMILL_OK && (size = getline(&line, &room, file)) >= 0) {
        reading->line++;
        bool marked = reading->line == 1 && strncmp(line, mark, 3) == 0;
        if (strlen(line) == (size_t)size) {
            status = take_setting(reading, marked ? line + 3 : line);
        } else {
            status = fail_line(reading, "a zero byte; expected text");
        }
        errno = 0;
    }
    int reason = errno;
    free(line);
    if (status == TIDEMILL_OK && !feof(file)) {
        return mill_fail(reading->error, TIDEMILL_IO, "%s: %s", reading->path,
                         strerror(reason));
    }
    return status;
}

/* `needed`: somebody has named this file. */
static tidemill_status read_settings(struct tidemill *engine, const char *path, bool needed,
                                     struct mill_error *error)
{
    struct reading reading = {.engine = engine, .path = path, .error = error};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        if (!needed && (errno == ENOENT || errno == ENOTDIR)) return TIDEMILL_OK;
        return mill_fail(error, TIDEMILL_IO, "%s: %s", path, strerror(errno));
    }
    tidemill_status status = read_lines(&reading, file);
    fclose(file);
    return status;
}

/* Takes the path over. */
static tidemill_status read_maybe(struct tidemill *engine, char *path, struct mill_error *error)
{
    if (path == NULL) return TIDEMILL_OK;
    tidemill_status status = read_settings(engine, path, false, error);
    free(path);
    return status;
}

static char *beside(const char *script)
{
    const char *slash = strrchr(script, '/');
    int folder = slash ? (int)(slash - script) + 1 : 0;
    char *path;
    return asprintf(&path, "%.*stidemill.conf", folder, script) < 0 ? NULL : path;
}

tidemill_status mill_settings_files(struct tidemill *engine, const char *script,
                                    struct mill_error *error)
{
    if (engine->settings.files_read) return TIDEMILL_OK;
    engine->settings.files_read = true;
    const char *variable = getenv("TIDEMILL_CONFIG");
    tidemill_status status = TIDEMILL_OK;
    if (engine->settings.file)
        status = read_settings(engine, engine->settings.file, true, error);
    if (status == TIDEMILL_OK && variable && *variable) {
        status = read_settings(engine, variable, true, error);
    }
    if (status == TIDEMILL_OK && script) status = read_maybe(engine, beside(script), error);
    if (status == TIDEMILL_OK) {
        char *path = mill_user_file("XDG_CONFIG_HOME", ".config", "tidemill.conf");
        status = read_maybe(engine, path, error);
    }
    if (status == TIDEMILL_OK) {
        status = read_settings(engine, "/etc/tidemill/tidemill.conf", false, error);
    }
    return status;
}
