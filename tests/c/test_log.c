/* test_log: lines that are kept, found again and written.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/log.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "folder_check.h"
#include "json_check.h"

static struct mill_output output;
static char warned[1200];
static int warnings;

static void hear_warning(void *context, const char *text)
{
    (void)context;
    warnings++;
    snprintf(warned, sizeof warned, "%s", text);
}

static void open_log(struct mill_log *log, int workers)
{
    mill_output_init(&output);
    output.warning = hear_warning;
    warnings = 0;
    CHECK(mill_log_init(log, workers, &output));
}

static void close_log(struct mill_log *log)
{
    mill_log_fini(log);
    mill_output_fini(&output);
}

static struct mill_log_text text_of(const char *text)
{
    return (struct mill_log_text){text, text ? strlen(text) : 0};
}

static void say(struct mill_log *log, int worker, enum mill_log_level level, const char *text)
{
    struct mill_log_line line = {.level = level, .worker = worker, .text = text_of(text)};
    if (worker > 0) line.task = text_of("task");
    if (worker > 0) line.attempt = 1;
    CHECK(mill_log_add(log, &line));
}

static const struct mill_log_filter everything = {.worker = -1};

/* The texts of the lines that pass, with a blank behind each. */
static const char *texts_of(struct mill_log *log, const struct mill_log_filter *filter)
{
    static char texts[4096];
    struct mill_log_record **records;
    size_t count, used = 0;
    texts[0] = '\0';
    CHECK(mill_log_collect(log, filter, &records, &count));
    for (size_t i = 0; i < count && used < sizeof texts - 100; i++) {
        const struct mill_log_text *text = &records[i]->line.text;
        used += (size_t)sprintf(texts + used, "%.*s ", (int)text->size, text->bytes);
    }
    mill_log_release(records, count);
    return texts;
}

/* ---- keeping ----------------------------------------------------------------------------- */

static void lines_come_back_in_order_whoever_said_them(void)
{
    struct mill_log log;
    open_log(&log, 3);
    CHECK_TEXT(texts_of(&log, &everything), "");
    static const int workers[] = {2, 0, 3, 1, 2, 2, 0};
    for (int i = 0; i < 7; i++) say(&log, workers[i], MILL_LOG_INFO, (char[]){'a' + i, 0});
    CHECK_TEXT(texts_of(&log, &everything), "a b c d e f g ");
    close_log(&log);
}

static void filters_pass_what_they_name(void)
{
    struct mill_log log;
    open_log(&log, 2);
    say(&log, 0, MILL_LOG_DEBUG, "a");
    say(&log, 1, MILL_LOG_WARN, "b");
    say(&log, 2, MILL_LOG_ERROR, "c");
    say(&log, 1, MILL_LOG_INFO, "d");
    struct mill_log_line line = {.worker = 2, .text = text_of("e"), .task = text_of("other")};
    CHECK(mill_log_add(&log, &line));
    struct mill_log_filter filter = everything;
    filter.level = MILL_LOG_WARN;
    CHECK_TEXT(texts_of(&log, &filter), "b c ");
    filter = everything;
    filter.worker = 1;
    CHECK_TEXT(texts_of(&log, &filter), "b d ");
    filter.worker = 0;
    CHECK_TEXT(texts_of(&log, &filter), "a ");
    filter = everything;
    filter.task = text_of("other");
    CHECK_TEXT(texts_of(&log, &filter), "e ");
    filter.task = text_of("oth");
    CHECK_TEXT(texts_of(&log, &filter), "");
    filter = everything;
    filter.limit = 2;
    CHECK_TEXT(texts_of(&log, &filter), "d e ");
    filter.limit = 100;
    CHECK_TEXT(texts_of(&log, &filter), "a b c d e ");
    close_log(&log);
}

static void the_last_thousand_of_each_worker_are_kept(void)
{
    struct mill_log log;
    open_log(&log, 2);
    say(&log, 0, MILL_LOG_INFO, "quiet");
    for (int i = 0; i < 2500; i++) {
        char text[20];
        snprintf(text, sizeof text, "%d", i);
        say(&log, 1, MILL_LOG_INFO, text);
        if (i < 1000) say(&log, 2, MILL_LOG_INFO, text);
    }
    static const int first[] = {-1, 1500, 0}, kept[] = {1, 1000, 1000};
    for (int worker = 0; worker < 3; worker++) {
        struct mill_log_filter filter = everything;
        struct mill_log_record **records;
        size_t count;
        filter.worker = worker;
        CHECK(mill_log_collect(&log, &filter, &records, &count));
        CHECK((int)count == kept[worker]);
        for (size_t i = 0; i < count && worker > 0; i++) {
            char text[20];
            int size = snprintf(text, sizeof text, "%d", first[worker] + (int)i);
            CHECK(records[i]->line.text.size == (size_t)size &&
                  memcmp(records[i]->line.text.bytes, text, (size_t)size) == 0);
        }
        mill_log_release(records, count);
    }
    close_log(&log);
}

static void a_line_is_a_copy(void)
{
    struct mill_log log;
    struct mill_log_record **records;
    size_t count;
    open_log(&log, 1);
    char text[] = "text", name[] = "name", value[] = "value", task[] = "task";
    struct mill_log_field fields[] = {
        {.name = text_of(name), .text = text_of(value), .kind = MILL_LOG_STRING},
        {.name = text_of("n"), .number = 2.5, .kind = MILL_LOG_NUMBER},
    };
    struct mill_log_line line = {.worker = 1,
                                 .attempt = 3,
                                 .text = text_of(text),
                                 .task = text_of(task),
                                 .fields = fields,
                                 .field_count = 2};
    CHECK(mill_log_add(&log, &line));
    memset(text, 'x', 4), memset(name, 'x', 4), memset(value, 'x', 5), memset(task, 'x', 4);
    memset(fields, 0, sizeof fields);
    CHECK(mill_log_collect(&log, &everything, &records, &count) && count == 1);
    mill_log_fini(&log); /* who holds a record has it still */
    const struct mill_log_line *kept = &records[0]->line;
    CHECK(memcmp(kept->text.bytes, "text", 4) == 0 && memcmp(kept->task.bytes, "task", 4) == 0);
    CHECK(kept->field_count == 2 && kept->fields[1].number == 2.5 && kept->attempt == 3);
    CHECK(memcmp(kept->fields[0].name.bytes, "name", 4) == 0);
    CHECK(memcmp(kept->fields[0].text.bytes, "value", 5) == 0);
    CHECK(kept->key.bytes == NULL && kept->run.bytes == NULL);
    mill_log_release(records, count);
    mill_output_fini(&output);
}

static void levels_are_wanted_from_one_on(void)
{
    struct mill_log log;
    open_log(&log, 1);
    CHECK(!mill_log_wants(&log, MILL_LOG_DEBUG) && mill_log_wants(&log, MILL_LOG_INFO));
    atomic_store(&log.level, MILL_LOG_ERROR);
    CHECK(!mill_log_wants(&log, MILL_LOG_WARN) && mill_log_wants(&log, MILL_LOG_ERROR));
    CHECK((void *)&log == (void *)&log.level); /* where the FFI looks for it */
    close_log(&log);
}

/* ---- files ------------------------------------------------------------------------------- */

/* "2026-02-03T04:05:06.123456Z" becomes "TIME"; anything else stays. */
static const char *without_time(const char *line)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    static char out[2048];
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool fits = shape[i] == 'd' ? isdigit((unsigned char)line[i]) : line[i] == shape[i];
        if (!fits) return line;
    }
    snprintf(out, sizeof out, "TIME%s", line + sizeof shape - 1);
    return out;
}

static void add_a_rich_line(struct mill_log *log)
{
    struct mill_log_field fields[] = {
        {.name = text_of("a"), .text = text_of("plain"), .kind = MILL_LOG_STRING},
        {.name = text_of("b c"), .text = text_of("say \"x\""), .kind = MILL_LOG_STRING},
        {.name = text_of("empty"), .text = text_of(""), .kind = MILL_LOG_STRING},
        {.name = text_of("n"), .number = 0.1, .kind = MILL_LOG_NUMBER},
        {.name = text_of("nan"), .number = NAN, .kind = MILL_LOG_NUMBER},
        {.name = text_of("neg"), .number = -INFINITY, .kind = MILL_LOG_NUMBER},
        {.name = text_of("ok"), .number = 1, .kind = MILL_LOG_BOOL},
    };
    struct mill_log_line line = {.level = MILL_LOG_WARN,
                                 .worker = 2,
                                 .attempt = 2,
                                 .text = text_of("two\nlines \"q\" \xE2\x82\xAC"),
                                 .task = text_of("load x"),
                                 .key = text_of("0abc"),
                                 .run = text_of("7"),
                                 .fields = fields,
                                 .field_count = 7};
    CHECK(mill_log_add(log, &line));
}

static void text_has_one_line_a_record(void)
{
    struct mill_log log;
    struct mill_error error;
    open_log(&log, 2);
    CHECK(mill_log_open(&log, in_folder("log"), MILL_LOG_AUTO, &error) == TIDEMILL_OK);
    add_a_rich_line(&log);
    say(&log, 0, MILL_LOG_INFO, "from the script");
    close_log(&log);
    char *text = read_file(in_folder("log"), NULL), *rest = text;
    CHECK_TEXT(without_time(strsep(&rest, "\n")),
               "TIME 7 warn  [worker 2, load x, attempt 2, key 0abc] two\\nlines \"q\" "
               "\xE2\x82\xAC a=plain "
               "\"b c\"=\"say \\\"x\\\"\" empty=\"\" n=0.1 nan=nan neg=-inf ok=true");
    CHECK_TEXT(without_time(strsep(&rest, "\n")), "TIME info  [script] from the script");
    CHECK_TEXT(rest, "");
    free(text);
    unlink(in_folder("log"));
}

static void json_lines_are_objects(void)
{
    static const struct {
        const char *name;
        enum mill_log_format format;
    } ways[] = {
        {"log.json", MILL_LOG_AUTO}, {"log.jsonl", MILL_LOG_AUTO}, {"log", MILL_LOG_JSON}};
    for (int i = 0; i < 3; i++) {
        struct mill_log log;
        struct mill_error error;
        char member[256];
        open_log(&log, 2);
        CHECK(mill_log_open(&log, in_folder(ways[i].name), ways[i].format, &error) ==
              TIDEMILL_OK);
        add_a_rich_line(&log);
        say(&log, 0, MILL_LOG_ERROR, "bad \xFF byte");
        close_log(&log);
        char *text = read_file(in_folder(ways[i].name), NULL), *rest = text;
        const char *line = strsep(&rest, "\n");
        CHECK(json_is_good(line, strlen(line)));
        CHECK(json_member(line, "time", member, sizeof member));
        CHECK_TEXT(without_time(member), "TIME");
        CHECK(json_member(line, "text", member, sizeof member));
        CHECK_TEXT(member, "two\nlines \"q\" \xE2\x82\xAC");
        CHECK(json_member(line, "fields", member, sizeof member));
        CHECK_TEXT(member,
                   "{\"a\":\"plain\",\"b c\":\"say \\\"x\\\"\",\"empty\":\"\",\"n\":0.1,"
                   "\"nan\":null,\"neg\":null,\"ok\":true}");
        static const char *const others[][2] = {{"level", "warn"}, {"worker", "2"},
                                                {"attempt", "2"},  {"task", "load x"},
                                                {"key", "0abc"},   {"run", "7"}};
        for (int k = 0; k < 6; k++) {
            CHECK(json_member(line, others[k][0], member, sizeof member));
            CHECK_TEXT(member, others[k][1]);
        }
        line = strsep(&rest, "\n");
        CHECK(json_is_good(line, strlen(line)));
        CHECK(json_member(line, "worker", member, sizeof member));
        CHECK_TEXT(member, "0");
        CHECK(!json_member(line, "task", member, sizeof member) &&
              !json_member(line, "attempt", member, sizeof member) &&
              !json_member(line, "fields", member, sizeof member));
        CHECK_TEXT(rest, "");
        free(text);
        unlink(in_folder(ways[i].name));
    }
}

static void a_file_is_added_to(void)
{
    for (int i = 0; i < 2; i++) {
        struct mill_log log;
        struct mill_error error;
        open_log(&log, 1);
        say(&log, 0, MILL_LOG_INFO, "before it is open");
        CHECK(mill_log_open(&log, in_folder("log.json"), MILL_LOG_TEXT, &error) == TIDEMILL_OK);
        say(&log, 0, MILL_LOG_INFO, i ? "second" : "first");
        close_log(&log);
    }
    char *text = read_file(in_folder("log.json"), NULL);
    char *second = strchr(text, '\n') + 1;
    CHECK_TEXT(without_time(second), "TIME info  [script] second\n");
    second[-1] = '\0';
    CHECK_TEXT(without_time(text), "TIME info  [script] first");
    free(text);
    unlink(in_folder("log.json"));
}

static void a_file_that_cannot_be_opened_is_an_error(void)
{
    struct mill_log log;
    struct mill_error error;
    char expected[200];
    open_log(&log, 1);
    snprintf(expected, sizeof expected, "%s/none/log: No such file or directory", folder);
    CHECK(mill_log_open(&log, in_folder("none/log"), MILL_LOG_AUTO, &error) == TIDEMILL_IO);
    CHECK_TEXT(error.text, expected);
    say(&log, 0, MILL_LOG_INFO, "kept");
    CHECK_TEXT(texts_of(&log, &everything), "kept ");
    close_log(&log);
}

static void a_full_disk_warns_once_and_lines_are_kept(void)
{
    struct mill_log log;
    struct mill_error error;
    if (access("/dev/full", W_OK) != 0) SKIP("no /dev/full");
    open_log(&log, 1);
    CHECK(mill_log_open(&log, "/dev/full", MILL_LOG_AUTO, &error) == TIDEMILL_OK);
    say(&log, 0, MILL_LOG_INFO, "a");
    say(&log, 1, MILL_LOG_INFO, "b");
    CHECK(warnings == 1);
    CHECK_TEXT(warned, "log /dev/full: No space left on device; lines are missing from it");
    CHECK_TEXT(texts_of(&log, &everything), "a b ");
    close_log(&log);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 4, LINES = 1500 };

struct speaker {
    struct mill_log *log;
    int worker;
};

static void *speak(void *argument)
{
    struct speaker *speaker = argument;
    for (int i = 0; i < LINES; i++) {
        char text[64];
        snprintf(text, sizeof text, "line %d of %d", i, speaker->worker);
        say(speaker->log, speaker->worker, MILL_LOG_INFO, text);
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void)
{
    struct mill_log log;
    struct mill_error error;
    struct speaker speakers[THREADS];
    pthread_t threads[THREADS];
    open_log(&log, THREADS);
    CHECK(mill_log_open(&log, in_folder("log.jsonl"), MILL_LOG_AUTO, &error) == TIDEMILL_OK);
    for (int i = 0; i < THREADS; i++) {
        speakers[i] = (struct speaker){&log, i + 1};
        pthread_create(&threads[i], NULL, speak, &speakers[i]);
    }
    for (int i = 0; i < 50; i++) texts_of(&log, &everything);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    struct mill_log_record **records;
    size_t count;
    CHECK(mill_log_collect(&log, &everything, &records, &count));
    CHECK(count == THREADS * MILL_LOG_KEPT);
    for (size_t i = 1; i < count; i++) {
        CHECK(records[i - 1]->line.time <= records[i]->line.time);
    }
    mill_log_release(records, count);
    close_log(&log);
    int next[THREADS + 1] = {0}, lines = 0;
    char *text = read_file(in_folder("log.jsonl"), NULL), *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && *line; lines++) {
        char member[100], expected[64];
        CHECK(json_is_good(line, strlen(line)) &&
              json_member(line, "worker", member, sizeof member));
        int worker = atoi(member);
        snprintf(expected, sizeof expected, "line %d of %d", next[worker]++, worker);
        CHECK(json_member(line, "text", member, sizeof member));
        CHECK_TEXT(member, expected);
    }
    CHECK(lines == THREADS * LINES);
    free(text);
    unlink(in_folder("log.jsonl"));
}

int main(void)
{
    folder_make();
    RUN(lines_come_back_in_order_whoever_said_them);
    RUN(filters_pass_what_they_name);
    RUN(the_last_thousand_of_each_worker_are_kept);
    RUN(a_line_is_a_copy);
    RUN(levels_are_wanted_from_one_on);
    RUN(text_has_one_line_a_record);
    RUN(json_lines_are_objects);
    RUN(a_file_is_added_to);
    RUN(a_file_that_cannot_be_opened_is_an_error);
    RUN(a_full_disk_warns_once_and_lines_are_kept);
    RUN(lines_of_many_threads_stay_whole);
    folder_remove();
    return check_end();
}
