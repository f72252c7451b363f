/* folders: where a user's own files are, as the XDG base directories have it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FOLDERS_H
#define MILL_FOLDERS_H

/* "$VARIABLE/tidemill/NAME", without that variable (which must be an absolute path) "HOME/BESIDE/
 * tidemill/NAME", such as ("XDG_CACHE_HOME", ".cache", "cache.db").  malloc'ed; NULL: there is no
 * home, or no memory. */
char *mill_user_file(const char *variable, const char *beside, const char *name);

#endif
