/* signature: what a function of the host takes and gives.  SPDX-License-Identifier: MIT */
#include "bind/signature.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const char *const type_words[] = {"nil",   "boolean", "number", "integer",  "string",
                                         "table", "array",   "frame",  "function", "any"};
enum { TYPE_WORDS = sizeof type_words / sizeof type_words[0] };

struct signature_reader {
    const char *text, *at;
    struct mill_error *error;
};

static void skip_spaces(struct signature_reader *reader)
{
    while (isspace((unsigned char)*reader->at)) reader->at++;
}

/* Whether `word` comes next; moves behind it. */
static bool accept_word(struct signature_reader *reader, const char *word)
{
    skip_spaces(reader);
    size_t size = strlen(word);
    if (strncmp(reader->at, word, size) != 0) return false;
    reader->at += size;
    return true;
}

static bool refuse_signature(struct signature_reader *reader, const char *expected)
{
    mill_fail(reader->error, TIDEMILL_USAGE, "signature \"%s\": expected %s at \"%.20s\"",
              reader->text, expected, reader->at);
    return false;
}

static bool read_parameter(struct signature_reader *reader, struct mill_parameter *parameter)
{
    char word[16] = "";
    skip_spaces(reader);
    size_t size = 0;
    while (isalpha((unsigned char)reader->at[size])) size++;
    if (size > 0 && size < sizeof word) memcpy(word, reader->at, size);
    for (int i = 0; i < TYPE_WORDS; i++) {
        if (strcmp(word, type_words[i]) != 0) continue;
        reader->at += size;
        *parameter = (struct mill_parameter){(enum mill_expected)i, accept_word(reader, "?")};
        return true;
    }
    const char *near = word[0] ? mill_nearest(word, type_words, TYPE_WORDS) : NULL;
    char expected[64];
    snprintf(expected, sizeof expected, near ? "a type, such as \"%s\"," : "a type", near);
    return refuse_signature(reader, expected);
}

/* A list that may be empty, up to `stop` or the end. */
static bool read_list(struct signature_reader *reader, struct mill_parameter *list, int *count,
                      bool *variadic)
{
    skip_spaces(reader);
    if (*reader->at == '\0' || strncmp(reader->at, "->", 2) == 0) return true;
    do {
        if (variadic && accept_word(reader, "...")) {
            *variadic = true;
            return true;
        }
        if (*count == MILL_SIGNATURE_MOST) return refuse_signature(reader, "16 types at most");
        if (!read_parameter(reader, &list[(*count)++])) return false;
    } while (accept_word(reader, ","));
    return true;
}

tidemill_status mill_signature_read(const char *text, struct mill_signature *signature,
                                    struct mill_error *error)
{
    struct signature_reader reader = {text, text, error};
    *signature = (struct mill_signature){.argument_count = 0};
    bool fine = read_list(&reader, signature->arguments, &signature->argument_count,
                          &signature->variadic);
    if (fine && accept_word(&reader, "->")) {
        fine = read_list(&reader, signature->results, &signature->result_count, NULL);
    }
    skip_spaces(&reader);
    if (fine && *reader.at) fine = refuse_signature(&reader, "\",\", \"->\" or the end");
    return fine ? TIDEMILL_OK : TIDEMILL_USAGE;
}

static bool is_of(enum mill_expected type, tidemill_value value)
{
    static const tidemill_kind kinds[] = {
        TIDEMILL_KIND_NIL,   TIDEMILL_KIND_BOOLEAN, TIDEMILL_KIND_NUMBER,
        TIDEMILL_KIND_OTHER, TIDEMILL_KIND_STRING,  TIDEMILL_KIND_TABLE,
        TIDEMILL_KIND_ARRAY, TIDEMILL_KIND_FRAME,   TIDEMILL_KIND_FUNCTION};
    int64_t integer;
    uint64_t natural;
    if (type == MILL_EXPECT_ANY) return true;
    if (type == MILL_EXPECT_INTEGER) {
        return tidemill_to_int64(value, &integer) || tidemill_to_uint64(value, &natural);
    }
    return tidemill_kind_of(value) == kinds[type];
}

bool mill_signature_allows(const struct mill_parameter *parameter, tidemill_value value)
{
    if (parameter->optional && tidemill_kind_of(value) == TIDEMILL_KIND_NIL) return true;
    return is_of(parameter->type, value);
}

void mill_signature_name(const struct mill_parameter *parameter, char out[16])
{
    snprintf(out, 16, "%s%s", type_words[parameter->type], parameter->optional ? "?" : "");
}

const char *mill_signature_word(tidemill_value value)
{
    static const char *const of_kind[] = {"nil",    "boolean",  "number",       "int64",
                                          "uint64", "string",   "table",        "array",
                                          "frame",  "function", "shared object"};
    return of_kind[tidemill_kind_of(value)];
}
