/* api_example: the functions of tidemill.h over texts that people begin with.
 * What an example shows is the first sentence of its first comment, whatever language it is in.
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bind/embedded.h"
#include "tidemill.h"

enum { SUMMARY_ROOM = 300 };

static const char example_prefix[] = "example:";

/* Behind what opens a line of a comment, in Lua, C, C++ or Python. */
static const char *skip_opening(const char *text)
{
    return text + strspn(text, " -/*#\"'");
}

/* Behind "name: " of "name: what it is", and behind "Shows ". */
static const char *skip_name(const char *text)
{
    size_t length = strcspn(text, ": \n");
    if (strncmp(text + length, ": ", 2) == 0) return text + length + 2;
    return strncmp(text, "Shows ", 6) == 0 ? text + 6 : text;
}

static bool ends_sentence(const char *text)
{
    return *text == '\0' || (*text == '.' && strchr(" \n*", text[1]) != NULL) ||
           strncmp(text, "*/", 2) == 0;
}

static void summarise(const char *text, char *summary)
{
    size_t used = 0;
    if (strncmp(text, "#!", 2) == 0) text += strcspn(text, "\n") + 1;
    text = skip_name(skip_opening(text));
    while (used + 2 < SUMMARY_ROOM && !ends_sentence(text)) {
        bool blank = *text == '\n';
        summary[used++] = blank ? ' ' : *text;
        text = blank ? skip_opening(text + 1) : text + 1;
    }
    summary[used] = '\0';
}

void tidemill_each_example(void (*visit)(void *context, const char *name, const char *summary,
                                         const char *text),
                           void *context)
{
    const size_t prefix = sizeof example_prefix - 1;
    for (const struct mill_embedded *entry = mill_embedded; entry->name; entry++) {
        if (strncmp(entry->name, example_prefix, prefix) != 0) continue;
        char summary[SUMMARY_ROOM], *owned;
        struct mill_error error;
        const char *text = mill_embedded_text(entry, &owned, &error);
        if (text) summarise(text, summary);
        visit(context, entry->name + prefix, text ? summary : error.text, text);
        free(owned);
    }
}

const char *tidemill_starter(void)
{
    return mill_embedded_find("new:strategy")->bytes; /* as it is: embed.lua */
}
