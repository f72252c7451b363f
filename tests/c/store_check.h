/* store_check: databases of the cache in the folder of a test program, one a test, and SQL on them.
 * For one file of a test program, which defines _GNU_SOURCE.  SPDX-License-Identifier: MIT */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "check.h"
#include "folder_check.h"

static char path[256]; /* the database of the running test */

static inline void fresh_path(const char *test)
{
    mkdir(in_folder(test), 0700);
    snprintf(path, sizeof path, "%s/%s/cache.db", folder, test);
}

static inline struct mill_hash hash_of(const char *domain, uint64_t number)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, domain);
    mill_hasher_number(&hasher, number);
    return mill_hasher_end(&hasher);
}

/* Runs SQL on the database behind the store's back; the first column of the last row. */
static inline int64_t sql(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sqlite3 *connection;
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_open(path, &connection) != SQLITE_OK) abort();
    sqlite3_busy_timeout(connection, 5000);
    const char *rest = text;
    int code = SQLITE_OK;
    while (*rest && (code == SQLITE_OK || code == SQLITE_DONE)) {
        code = sqlite3_prepare_v2(connection, rest, -1, &statement, &rest);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            code = sqlite3_step(statement);
            if (code == SQLITE_ROW) number = sqlite3_column_int64(statement, 0);
        }
        sqlite3_finalize(statement);
    }
    CHECK_SAYING(code == SQLITE_DONE, "%s: %s", text, sqlite3_errmsg(connection));
    sqlite3_close(connection);
    return number;
}

#endif
