/* embed_finding: what an engine finds where it is, line by line.  SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>
#include <tidemill.h>

#include "check.h"

static tidemill *open_engine(void)
{
    const tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine = NULL;
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    return engine;
}

static bool has_mapped(const char *library)
{
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) found = found || strstr(line, library);
    if (maps) fclose(maps);
    return found;
}

/* A session's first prompt asks for these. */
static void a_line_opens_no_library_of_another(void)
{
    char text[200];
    tidemill *engine = open_engine();
    CHECK(tidemill_finding(engine, "workers", text, sizeof text) == TIDEMILL_OK);
    CHECK_TEXT(text, "2");
    CHECK(tidemill_finding(engine, "cache", text, sizeof text) == TIDEMILL_OK);
    CHECK_TEXT(text, "off");
    CHECK(!has_mapped("openblas"));
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

struct comparison {
    tidemill *engine;
    int lines;
    char what[20][40], finding[20][2000];
};

static void take_line(void *context, const char *what, const char *finding)
{
    struct comparison *all = context;
    if (all->lines == 20) return;
    snprintf(all->what[all->lines], sizeof all->what[0], "%s", what);
    snprintf(all->finding[all->lines++], sizeof all->finding[0], "%s", finding);
}

static void each_line_is_that_of_the_doctor(void)
{
    static struct comparison all;
    char text[2000];
    tidemill *engine = open_engine();
    tidemill_doctor(engine, take_line, &all);
    CHECK(all.lines >= 8);
    for (int i = 0; i < all.lines; i++) {
        CHECK(tidemill_finding(engine, all.what[i], text, sizeof text) == TIDEMILL_OK);
        CHECK_TEXT(text, all.finding[i]);
    }
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

static void what_is_not_known_is_refused(void)
{
    char text[10] = "before";
    tidemill *engine = open_engine();
    CHECK(tidemill_finding(engine, "worker", text, sizeof text) == TIDEMILL_USAGE);
    CHECK_TEXT(text, "");
    CHECK_TEXT(tidemill_error(engine),
               "tidemill_finding: what: nothing is known of \"worker\"; "
               "did you mean workers?");
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

static void no_more_is_written_than_there_is_room(void)
{
    char text[8] = "xxxxxxx";
    tidemill *engine = open_engine();
    CHECK(tidemill_finding(engine, "tidemill", text, 3) == TIDEMILL_OK);
    CHECK(strlen(text) == 2 && text[3] == 'x');
    CHECK(tidemill_finding(engine, "tidemill", text, 0) == TIDEMILL_OK);
    CHECK(strlen(text) == 2);
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

int main(void)
{
    RUN(a_line_opens_no_library_of_another);
    RUN(each_line_is_that_of_the_doctor);
    RUN(what_is_not_known_is_refused);
    RUN(no_more_is_written_than_there_is_room);
    return check_end();
}
