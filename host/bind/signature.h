/* signature: what a function of the host takes and gives: "string, number? -> number".
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SIGNATURE_H
#define MILL_SIGNATURE_H

#include <stdbool.h>

#include "base/status.h"

enum { MILL_SIGNATURE_MOST = 16 };

enum mill_expected {
    MILL_EXPECT_NIL,
    MILL_EXPECT_BOOLEAN,
    MILL_EXPECT_NUMBER,
    MILL_EXPECT_INTEGER,
    MILL_EXPECT_STRING,
    MILL_EXPECT_TABLE,
    MILL_EXPECT_ARRAY,
    MILL_EXPECT_FRAME,
    MILL_EXPECT_FUNCTION,
    MILL_EXPECT_ANY,
};

struct mill_signature {
    struct mill_parameter {
        enum mill_expected type;
        bool optional;
    } arguments[MILL_SIGNATURE_MOST], results[MILL_SIGNATURE_MOST];
    int argument_count, result_count;
    bool variadic; /* any more arguments */
};

tidemill_status mill_signature_read(const char *text, struct mill_signature *signature,
                                    struct mill_error *error);

/* Whether a value is what a parameter expects. */
bool mill_signature_allows(const struct mill_parameter *parameter, tidemill_value value);

/* "number", "string?" */
void mill_signature_name(const struct mill_parameter *parameter, char out[16]);

/* What a value is, in the same words. */
const char *mill_signature_word(tidemill_value value);

#endif
