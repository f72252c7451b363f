/* status: result codes and the text that goes with them.  SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tidemill_status mill_fail(struct mill_error *error, tidemill_status status, const char *format,
                          ...)
{
    if (error == NULL) return status;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->status = status;
    if (size >= (int)sizeof error->text) {
        size_t end = sizeof error->text - 4;
        while (end > 0 && ((unsigned char)error->text[end] & 0xC0) == 0x80) end--;
        memcpy(error->text + end, "...", 4);
    }
    return status;
}

tidemill_status mill_no_memory(struct mill_error *error, const char *what)
{
    return mill_fail(error, TIDEMILL_MEMORY, "out of memory (%s)", what);
}
