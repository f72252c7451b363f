/* test_trace: lanes of events, and the file that is made of them.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "folder_check.h"
#include "json_check.h"

/* ---- reading what was written ------------------------------------------------------------ */

struct page {
    char *text;
    size_t size;
    char **lines; /* objects, one a line, without the commas between them */
    int count;
};

static struct page read_page(const char *path)
{
    struct page page = {0};
    page.text = read_file(path, &page.size);
    CHECK(json_is_good(page.text, page.size));
    size_t room = 0;
    for (size_t i = 0; i < page.size; i++) room += page.text[i] == '\n';
    page.lines = calloc(room + 1, sizeof *page.lines);
    for (char *rest = page.text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        size_t size = strlen(line);
        if (size && line[size - 1] == ',') line[size - 1] = '\0';
        if (strncmp(line, "{\"ph\"", 5) == 0) page.lines[page.count++] = line;
    }
    return page;
}

static struct page write_page(struct mill_trace *trace)
{
    struct mill_error error = {0};
    CHECK_SAYING(mill_trace_write(trace, in_folder("t.json"), &error) == TIDEMILL_OK, "%s",
                 error.text);
    return read_page(in_folder("t.json"));
}

static void free_page(struct page *page)
{
    free(page->lines);
    free(page->text);
    unlink(in_folder("t.json"));
}

/* Valid until the fourth call after it. */
static const char *member(const char *line, const char *name)
{
    static char texts[4][512];
    static int next;
    char *out = texts[next++ % 4];
    if (!json_member(line, name, out, sizeof texts[0])) strcpy(out, "(none)");
    return out;
}

static bool is_event(const char *line)
{
    return strcmp(member(line, "ph"), "M") != 0;
}

/* The i-th event, from 0. */
static const char *event_of(const struct page *page, int i)
{
    for (int k = 0; k < page->count; k++) {
        if (is_event(page->lines[k]) && i-- == 0) return page->lines[k];
    }
    return "{}";
}

static int count_events(const struct page *page)
{
    int count = 0;
    for (int k = 0; k < page->count; k++) count += is_event(page->lines[k]);
    return count;
}

/* ---- the file ---------------------------------------------------------------------------- */

static void every_lane_with_events_has_a_name(void)
{
    struct mill_trace *trace = mill_trace_new(4, 100);
    static const char *const names[] = {"script", "worker 1", "", "worker 3"};
    for (int i = 0; i < 4; i += i == 1 ? 2 : 1) {
        mill_trace_event(trace, i, MILL_TRACE_SLEEP, 1, 2, 0);
    }
    struct page page = write_page(trace);
    int found = 0;
    for (int i = 0; i < page.count; i++) {
        if (strcmp(member(page.lines[i], "name"), "thread_name") != 0) continue;
        int lane = atoi(member(page.lines[i], "tid"));
        CHECK(lane >= 0 && lane < 4 && lane != 2);
        CHECK_TEXT(member(member(page.lines[i], "args"), "name"), names[lane & 3]);
        found |= 1 << lane;
    }
    CHECK(found == 1 + 2 + 8);
    CHECK(count_events(&page) == 3);
    free_page(&page);
    mill_trace_free(trace);
}

static void events_say_what_when_and_how(void)
{
    static const char *const states[] = {"pending", "finished", "failed"};
    struct mill_trace *trace = mill_trace_new(2, 100);
    mill_trace_states(trace, states, 3);
    int64_t now = mill_clock_now();
    mill_trace_task(trace, 1, 7, "load", MILL_TRACE_TASK, now, now + 1234567, 1);
    mill_trace_task(trace, 1, 7, "load", MILL_TRACE_TASK, now, now + 5, 9);
    mill_trace_task(trace, 1, 8, "parse", MILL_TRACE_HIT, now + 7, now + 7, 0);
    mill_trace_event(trace, 2, MILL_TRACE_STEAL, now, now + 1000, 1);
    mill_trace_event(trace, 2, MILL_TRACE_SLEEP, now, now + 1001000, 0);
    struct page page = write_page(trace);
    CHECK(count_events(&page) == 5);

    const char *task = event_of(&page, 0);
    CHECK_TEXT(member(task, "name"), "load");
    CHECK_TEXT(member(task, "cat"), "task");
    CHECK_TEXT(member(task, "ph"), "X");
    CHECK_TEXT(member(task, "tid"), "1");
    CHECK_TEXT(member(task, "dur"), "1234.567");
    CHECK_TEXT(member(task, "args"), "{\"state\":\"finished\"}");
    CHECK_TEXT(member(event_of(&page, 1), "args"), "{\"state\":9}");
    CHECK_TEXT(member(event_of(&page, 1), "dur"), "0.005");
    const char *hit = event_of(&page, 2);
    CHECK_TEXT(member(hit, "ph"), "i");
    CHECK_TEXT(member(hit, "name"), "parse");
    CHECK_TEXT(member(hit, "cat"), "cache hit");
    CHECK(strstr(hit, "\"dur\"") == NULL && strstr(hit, "\"args\"") == NULL);
    const char *steal = event_of(&page, 3);
    CHECK_TEXT(member(steal, "name"), "steal");
    CHECK_TEXT(member(steal, "tid"), "2");
    CHECK_TEXT(member(steal, "args"), "{\"from\":1}");
    CHECK_TEXT(member(event_of(&page, 4), "dur"), "1001.000");
    free_page(&page);
    mill_trace_free(trace);
}

static void a_lane_of_many_tasks_at_once_has_pairs(void)
{
    struct mill_trace *trace = mill_trace_new(2, 100);
    mill_trace_title(trace, 2, "loop lane");
    int64_t now = mill_clock_now();
    for (int i = 0; i < 3; i++) {
        mill_trace_task(trace, 1 + i / 2, 7, "a\"b", MILL_TRACE_TASK, now + i, now + 5000, 3);
    }
    mill_trace_task(trace, 2, 7, "a\"b", MILL_TRACE_RETRY, now, now + 9000, 4);
    mill_trace_event(trace, 2, MILL_TRACE_SLEEP, now, now + 1000, 0);
    struct page page = write_page(trace);
    static const char *const phases[] = {"X", "X", "b", "e", "b", "e", "X"};
    CHECK(count_events(&page) == 7);
    for (int i = 0; i < 7; i++) CHECK_TEXT(member(event_of(&page, i), "ph"), phases[i]);
    for (int i = 2; i < 6; i += 2) {
        const char *begin = event_of(&page, i), *end = event_of(&page, i + 1);
        CHECK_TEXT(member(begin, "id"), member(end, "id"));
        CHECK_TEXT(member(begin, "name"), member(end, "name"));
        CHECK_TEXT(member(begin, "cat"), member(end, "cat"));
        CHECK(atof(member(end, "ts")) > atof(member(begin, "ts")) + 4.9);
    }
    CHECK(strcmp(member(event_of(&page, 2), "id"), member(event_of(&page, 4), "id")) != 0);
    CHECK_TEXT(member(event_of(&page, 4), "args"), "{\"attempt\":4}");
    free_page(&page);
    mill_trace_free(trace);
}

static void times_count_from_the_beginning_of_the_trace(void)
{
    int64_t before = mill_clock_now();
    struct mill_trace *trace = mill_trace_new(1, 100);
    int64_t after = mill_clock_now();
    mill_trace_event(trace, 1, MILL_TRACE_SLEEP, after + 5000, after + 6000, 0);
    mill_trace_event(trace, 1, MILL_TRACE_SLEEP, before - 1500, before - 1, 0);
    struct page page = write_page(trace);
    double first = atof(member(event_of(&page, 0), "ts"));
    double second = atof(member(event_of(&page, 1), "ts"));
    CHECK(first >= 5 && first <= 5 + (double)(after - before) / 1000 + .001);
    CHECK(second <= -1.5 && second >= -1.5 - (double)(after - before) / 1000 - .001);
    free_page(&page);
    mill_trace_free(trace);
}

static void names_of_any_bytes_make_good_json(void)
{
    static const char *const names[] = {
        "",         "a \"quoted\" name",        "back\\slash", "tab\tline\n",
        "\x01\x7f", "caf\xC3\xA9 \xE2\x82\xAC", "bad \xFF\xC3"};
    static const char *const read[] = {"",
                                       "a \"quoted\" name",
                                       "back\\slash",
                                       "tab\tline\n",
                                       "\x01\x7f",
                                       "caf\xC3\xA9 \xE2\x82\xAC",
                                       "bad \xEF\xBF\xBD\xEF\xBF\xBD"};
    struct mill_trace *trace = mill_trace_new(1, 100);
    for (uint32_t i = 0; i < 7; i++) {
        mill_trace_task(trace, 1, i + 1, names[i], MILL_TRACE_TASK, 1, 2, 0);
    }
    struct page page = write_page(trace);
    for (int i = 0; i < 7; i++) CHECK_TEXT(member(event_of(&page, i), "name"), read[i]);
    free_page(&page);
    mill_trace_free(trace);
}

static void long_names_are_cut_between_characters(void)
{
    char name[1000];
    for (int i = 0; i + 2 < (int)sizeof name; i += 2) memcpy(name + i, "\xC3\xA9", 2);
    name[sizeof name - 2] = '\0';
    struct mill_trace *trace = mill_trace_new(1, 100);
    mill_trace_task(trace, 1, 1, name, MILL_TRACE_TASK, 1, 2, 0);
    mill_trace_task(trace, 1, 2, name + 2, MILL_TRACE_TASK, 1, 2, 0);
    name[1] = 'x'; /* and what is no text is cut somewhere */
    memset(name + 2, 0x80, 500);
    mill_trace_task(trace, 1, 3, name, MILL_TRACE_TASK, 1, 2, 0);
    struct page page = write_page(trace);
    char read[512];
    strcpy(read, member(event_of(&page, 0), "name"));
    CHECK_SAYING(strlen(read) == 200, "%zu bytes", strlen(read));
    CHECK_TEXT(member(event_of(&page, 1), "name"), read);
    free_page(&page);
    mill_trace_free(trace);
}

/* ---- names and serial numbers ------------------------------------------------------------ */

static void a_serial_number_keeps_its_name(void)
{
    struct mill_trace *trace = mill_trace_new(1, 100);
    char name[20] = "first";
    mill_trace_task(trace, 1, 5, name, MILL_TRACE_TASK, 1, 2, 0);
    strcpy(name, "second"); /* is not looked at again ... */
    mill_trace_task(trace, 1, 5, name, MILL_TRACE_TASK, 1, 2, 0);
    mill_trace_task(trace, 1, 0, name, MILL_TRACE_TASK, 1, 2, 0); /* ... but for no function */
    mill_trace_task(trace, 1, 6, name, MILL_TRACE_TASK, 1, 2, 0);
    struct page page = write_page(trace);
    static const char *const expected[] = {"first", "first", "second", "second"};
    for (int i = 0; i < 4; i++) CHECK_TEXT(member(event_of(&page, i), "name"), expected[i]);
    free_page(&page);
    mill_trace_free(trace);
}

static void very_many_functions_keep_their_names(void)
{
    enum { FUNCTIONS = 150000 };
    struct mill_trace *trace = mill_trace_new(1, 2 * FUNCTIONS);
    char name[32];
    for (uint32_t i = 0; i < 2 * FUNCTIONS; i++) {
        snprintf(name, sizeof name, "f%u", i % 1000);
        mill_trace_task(trace, 1, (i % FUNCTIONS) * 2654435761u | 1, name, MILL_TRACE_TASK, 1,
                        2, 0);
    }
    struct page page = write_page(trace);
    int wrong = 0, event = 0;
    for (int i = 0; i < page.count; i++) {
        if (!is_event(page.lines[i])) continue;
        snprintf(name, sizeof name, "f%d", event++ % 1000);
        wrong += strcmp(member(page.lines[i], "name"), name) != 0;
    }
    CHECK_SAYING(event == 2 * FUNCTIONS && wrong == 0, "%d of %d wrong", wrong, event);
    free_page(&page);
    mill_trace_free(trace);
}

static void names_beyond_the_most_are_others(void)
{
    enum { NAMES = 70000 };
    struct mill_trace *trace = mill_trace_new(1, NAMES);
    char name[32];
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%u", i);
        mill_trace_task(trace, 1, i + 1, name, MILL_TRACE_TASK, 1, 2, 0);
    }
    struct page page = write_page(trace);
    int others = 0, named = 0, event = 0;
    for (int i = 0; i < page.count; i++) {
        if (!is_event(page.lines[i])) continue;
        const char *read = member(page.lines[i], "name");
        snprintf(name, sizeof name, "n%d", event++);
        named += strcmp(read, name) == 0;
        others += strcmp(read, "(other)") == 0;
    }
    CHECK_SAYING(named + others == NAMES && named > 65000 && others > 0, "%d named, %d others",
                 named, others);
    free_page(&page);
    mill_trace_free(trace);
}

/* ---- the cap ----------------------------------------------------------------------------- */

static void what_does_not_fit_is_counted(void)
{
    static const int64_t caps[] = {0, 1, 10, 65536, 65537, 100000};
    for (int i = 0; i < 6; i++) {
        struct mill_trace *trace = mill_trace_new(2, caps[i]);
        for (int64_t k = 0; k < caps[i] + 5; k++) {
            mill_trace_event(trace, 1, MILL_TRACE_SPILL, k, k + 1, k);
        }
        if (caps[i] > 0) mill_trace_event(trace, 2, MILL_TRACE_SLEEP, 1, 2, 0);
        CHECK(mill_trace_count(trace) == caps[i] + (caps[i] > 0));
        CHECK(mill_trace_left_out(trace) == 5);
        struct page page = write_page(trace);
        CHECK(count_events(&page) == caps[i] + (caps[i] > 0));
        CHECK(strstr(page.text, "\"left_out\":5}"));
        if (caps[i] > 1) { /* the first ones are kept, in order */
            char last[40];
            snprintf(last, sizeof last, "{\"bytes\":%lld}", (long long)caps[i] - 1);
            CHECK_TEXT(member(event_of(&page, (int)caps[i] - 1), "args"), last);
        }
        free_page(&page);
        mill_trace_free(trace);
    }
}

/* ---- files that cannot be written -------------------------------------------------------- */

static struct mill_trace *some_trace(void)
{
    struct mill_trace *trace = mill_trace_new(1, 10000);
    for (int i = 0; i < 5000; i++) mill_trace_event(trace, 1, MILL_TRACE_SLEEP, i, i + 1, 0);
    return trace;
}

static void a_full_disk_is_an_error(void)
{
    if (access("/dev/full", W_OK) != 0) SKIP("no /dev/full");
    struct mill_trace *trace = some_trace();
    struct mill_error error = {0};
    CHECK(mill_trace_write(trace, "/dev/full", &error) == TIDEMILL_IO);
    CHECK_TEXT(error.text, "/dev/full: No space left on device");
    CHECK(access("/dev/full", F_OK) == 0);
    mill_trace_free(trace);
}

static void a_missing_folder_is_an_error(void)
{
    struct mill_trace *trace = some_trace();
    struct mill_error error = {0};
    char expected[256];
    snprintf(expected, sizeof expected, "%s/none/t.json: No such file or directory", folder);
    CHECK(mill_trace_write(trace, in_folder("none/t.json"), &error) == TIDEMILL_IO);
    CHECK_TEXT(error.text, expected);
    CHECK(count_files(folder) == 0);
    mill_trace_free(trace);
}

static void a_file_is_replaced_whole_and_keeps_its_mode_and_link(void)
{
    struct mill_trace *trace = some_trace();
    struct mill_error error = {0};
    struct stat facts;
    char link[128];
    int file = open(in_folder("real.json"), O_WRONLY | O_CREAT, 0640);
    CHECK(write(file, "old", 3) == 3 && fchmod(file, 0640) == 0 && close(file) == 0);
    snprintf(link, sizeof link, "%s", in_folder("link.json"));
    CHECK(symlink("real.json", link) == 0);
    CHECK(mill_trace_write(trace, link, &error) == TIDEMILL_OK);
    CHECK(lstat(link, &facts) == 0 && S_ISLNK(facts.st_mode));
    CHECK(stat(in_folder("real.json"), &facts) == 0 && (facts.st_mode & 0777) == 0640);
    CHECK(count_files(folder) == 2);
    struct page page = read_page(in_folder("real.json"));
    CHECK(count_events(&page) == 5000);
    free_page(&page);
    unlink(link);
    unlink(in_folder("real.json"));
    mill_trace_free(trace);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 4, EVENTS = 70000 };

struct crowd {
    struct mill_trace *trace;
    _Atomic int next;
};

static void *add_events(void *argument)
{
    struct crowd *crowd = argument;
    int worker = 1 + atomic_fetch_add(&crowd->next, 1);
    char name[32];
    for (uint32_t i = 0; i < EVENTS; i++) {
        snprintf(name, sizeof name, "f%u", i % 300);
        mill_trace_task(crowd->trace, worker, i % 300 + 1, name, MILL_TRACE_TASK, i, i + 1, 0);
        if (i % 1000 == 0) {
            mill_trace_task(crowd->trace, 0, 0, name, MILL_TRACE_WAIT, i, i + 1, 0);
        }
    }
    return NULL;
}

static void threads_add_while_the_file_is_written(void)
{
    struct crowd crowd = {.trace = mill_trace_new(THREADS, EVENTS)};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, add_events, &crowd);
    for (int i = 0; i < 3; i++) { /* each is good, however far it is */
        struct page page = write_page(crowd.trace);
        for (int k = 0; k < page.count; k++) {
            if (is_event(page.lines[k])) CHECK(member(page.lines[k], "name")[0] == 'f');
        }
        free_page(&page);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK(mill_trace_count(crowd.trace) == THREADS * (EVENTS + EVENTS / 1000));
    CHECK(mill_trace_left_out(crowd.trace) == 0);
    struct page page = write_page(crowd.trace);
    int next[THREADS + 1] = {0}, wrong = 0;
    for (int k = 0; k < page.count; k++) {
        if (!is_event(page.lines[k])) continue;
        int lane = atoi(member(page.lines[k], "tid")), i = next[lane]++;
        char name[32];
        snprintf(name, sizeof name, "f%d", i % 300);
        if (lane > 0) wrong += strcmp(member(page.lines[k], "name"), name) != 0;
    }
    CHECK(wrong == 0);
    CHECK(next[0] == THREADS * EVENTS / 1000);
    for (int i = 1; i <= THREADS; i++) CHECK(next[i] == EVENTS);
    free_page(&page);
    mill_trace_free(crowd.trace);
}

int main(void)
{
    folder_make();
    RUN(every_lane_with_events_has_a_name);
    RUN(events_say_what_when_and_how);
    RUN(a_lane_of_many_tasks_at_once_has_pairs);
    RUN(times_count_from_the_beginning_of_the_trace);
    RUN(names_of_any_bytes_make_good_json);
    RUN(long_names_are_cut_between_characters);
    RUN(a_serial_number_keeps_its_name);
    RUN(very_many_functions_keep_their_names);
    RUN(names_beyond_the_most_are_others);
    RUN(what_does_not_fit_is_counted);
    RUN(a_full_disk_is_an_error);
    RUN(a_missing_folder_is_an_error);
    RUN(a_file_is_replaced_whole_and_keeps_its_mode_and_link);
    RUN(threads_add_while_the_file_is_written);
    folder_remove();
    return check_end();
}
