/* cache_words: the words behind `tidemill cache`.  SPDX-License-Identifier: MIT */
#ifndef MILL_CACHE_WORDS_H
#define MILL_CACHE_WORDS_H

#include "tidemill.h"

#include <stdio.h>

enum { MILL_CACHE_OPTIONS = 4 };

/* The options that only this command has, with their dashes. */
extern const char *const mill_cache_options[MILL_CACHE_OPTIONS];

enum mill_cache_word {
    MILL_CACHE_TAKEN,
    MILL_CACHE_UNKNOWN, /* an option that is none of these */
    MILL_CACHE_WRONG,   /* why is in `error` */
};

/* Takes a word, and the value of an option behind it from *next. */
enum mill_cache_word mill_cache_words_take(tidemill_cache_request *request, char *word,
                                           char ***next, char *error, size_t room);

/* What can be seen only when every word is known; MILL_CACHE_TAKEN: all is well. */
enum mill_cache_word mill_cache_words_check(tidemill_cache_request *request, char *error,
                                            size_t room);

/* What `tidemill cache --help` says. */
void mill_cache_words_help(FILE *out);

#endif
