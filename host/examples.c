/* examples: `tidemill examples`.  SPDX-License-Identifier: MIT */
#include "examples.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_EXAMPLES = 128, NAME_ROOM = 64 };

struct example {
    const char *name;
    char *text; /* NULL: it could not be had */
    char summary[300];
    char shown[NAME_ROOM]; /* the name without ".lua" */
    char stem[NAME_ROOM];  /* without folder, number and end: "sum_of_squares" */
};

struct examples {
    struct example all[MOST_EXAMPLES];
    size_t count;
};

static void cut_stem(const char *name, char stem[NAME_ROOM])
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *rest = base + strspn(base, "0123456789");
    if (rest > base && *rest == '_') base = rest + 1;
    snprintf(stem, NAME_ROOM, "%.*s", (int)strcspn(base, "."), base);
}

static void add_example(void *context, const char *name, const char *summary, const char *text)
{
    struct examples *examples = context;
    if (examples->count == MOST_EXAMPLES) return;
    struct example *example = &examples->all[examples->count++];
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".lua") == 0) length -= 4;
    example->name = name;
    example->text = text != NULL ? strdup(text) : NULL;
    snprintf(example->summary, sizeof example->summary, "%s", summary);
    snprintf(example->shown, sizeof example->shown, "%.*s", (int)length, name);
    cut_stem(name, example->stem);
}

/* ---- Finding one ---- */

static bool has_number(const char *shown, const char *word)
{
    char *end, *number_end;
    unsigned long wanted = strtoul(word, &end, 10), number = strtoul(shown, &number_end, 10);
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && *number_end == '_' &&
           number == wanted;
}

static bool is_meant(const struct example *example, const char *word)
{
    return strcmp(word, example->name) == 0 || strcmp(word, example->shown) == 0 ||
           strcmp(word, example->stem) == 0 || has_number(example->shown, word);
}

static tidemill_status refuse_name(const struct examples *examples, const char *word,
                                   struct mill_outfile_error *error)
{
    const char *names[2 * MOST_EXAMPLES];
    size_t count = 0;
    for (size_t i = 0; i < examples->count; i++) {
        names[count++] = examples->all[i].shown;
        names[count++] = examples->all[i].stem;
    }
    const char *meant = tidemill_nearest(word, names, count);
    if (meant != NULL)
        snprintf(error->text, sizeof error->text, "examples: none is \"%s\"; did you mean %s?",
                 word, meant);
    else
        snprintf(error->text, sizeof error->text,
                 "examples: none is \"%s\"; tidemill examples lists them", word);
    return TIDEMILL_USAGE;
}

static const struct example *find_example(const struct examples *examples, const char *word)
{
    for (size_t i = 0; i < examples->count; i++) {
        if (is_meant(&examples->all[i], word)) return &examples->all[i];
    }
    return NULL;
}

/* ---- Copying ---- */

/* Folders above the last slash of the path that are not there yet. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777); // what fails here fails again where the file is made
        *slash = '/';
    }
}

/* An example alone goes into the folder itself, all of them keep folders of their own. */
static tidemill_status place_of(char place[PATH_MAX], const char *folder, const char *name,
                                struct mill_outfile_error *error)
{
    const char *gap = folder[0] != '\0' && folder[strlen(folder) - 1] == '/' ? "" : "/";
    if (snprintf(place, PATH_MAX, "%s%s%s", folder, gap, name) < PATH_MAX) return TIDEMILL_OK;
    snprintf(error->text, sizeof error->text, "%s: %s", folder, strerror(ENAMETOOLONG));
    return TIDEMILL_USAGE;
}

static tidemill_status refuse_text(const struct example *example,
                                   struct mill_outfile_error *error)
{
    snprintf(error->text, sizeof error->text, "examples: %s: no text: %s", example->shown,
             example->summary);
    return TIDEMILL_DATA;
}

static tidemill_status copy_to(const char *folder, const char *name,
                               const struct example *example, struct mill_outfile_error *error)
{
    const char *text = example->text;
    if (text == NULL) return refuse_text(example, error);
    char place[PATH_MAX];
    tidemill_status status = place_of(place, folder, name, error);
    if (status != TIDEMILL_OK) return status;
    make_folders(place);
    int failure = mill_outfile_create(place, text, strlen(text), error);
    if (failure != 0) return failure == EEXIST ? TIDEMILL_USAGE : TIDEMILL_IO;
    printf("%s\n", place);
    return TIDEMILL_OK;
}

/* That one is there already is said before the first is written. */
static tidemill_status check_free(const struct examples *examples, const char *folder,
                                  struct mill_outfile_error *error)
{
    char place[PATH_MAX];
    struct stat facts;
    for (size_t i = 0; i < examples->count; i++) {
        tidemill_status status = place_of(place, folder, examples->all[i].name, error);
        if (status != TIDEMILL_OK) return status;
        if (lstat(place, &facts) != 0) continue;
        snprintf(error->text, sizeof error->text,
                 "%.400s: is there already, and is not replaced; nothing was copied", place);
        return TIDEMILL_USAGE;
    }
    return TIDEMILL_OK;
}

static tidemill_status copy_all(const struct examples *examples, const char *folder,
                                struct mill_outfile_error *error)
{
    tidemill_status status = check_free(examples, folder, error);
    for (size_t i = 0; status == TIDEMILL_OK && i < examples->count; i++)
        status = copy_to(folder, examples->all[i].name, &examples->all[i], error);
    return status;
}

static tidemill_status copy_one(const struct example *example, const char *folder,
                                struct mill_outfile_error *error)
{
    const char *slash = strrchr(example->name, '/');
    return copy_to(folder, slash != NULL ? slash + 1 : example->name, example, error);
}

/* ---- Listing ---- */

static void list_examples(const struct examples *examples)
{
    size_t width = 0;
    for (size_t i = 0; i < examples->count; i++) {
        size_t length = strlen(examples->all[i].shown);
        if (length > width) width = length;
    }
    for (size_t i = 0; i < examples->count; i++)
        printf("%-*s  %s\n", (int)width, examples->all[i].shown, examples->all[i].summary);
}

static tidemill_status run_examples(const struct examples *examples, const char *name,
                                    const char *folder, struct mill_outfile_error *error)
{
    if (name == NULL && folder != NULL) return copy_all(examples, folder, error);
    if (name == NULL) {
        list_examples(examples);
        return TIDEMILL_OK;
    }
    const struct example *example = find_example(examples, name);
    if (example == NULL) return refuse_name(examples, name, error);
    if (folder != NULL) return copy_one(example, folder, error);
    if (example->text == NULL) return refuse_text(example, error);
    fputs(example->text, stdout);
    return TIDEMILL_OK;
}

tidemill_status mill_examples_run(const char *name, const char *folder,
                                  struct mill_outfile_error *error)
{
    struct examples examples = {.count = 0};
    tidemill_each_example(add_example, &examples);
    tidemill_status status = run_examples(&examples, name, folder, error);
    for (size_t i = 0; i < examples.count; i++) free(examples.all[i].text);
    return status;
}
