/* anatomy: a packed function taken apart: its own bytecode, the functions that it calls and how many
 * calls away each is, the values that it captures and the globals that it reads, by their names.
 * For explanations: nothing is decoded and no code runs.  Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_ANATOMY_H
#define MILL_ANATOMY_H

#include "cache/parts.h"

/* Adds the parts of the function's code.  What is too much to be told one by one stands as a whole. */
void mill_anatomy_of(const struct mill_value *code, struct mill_packer *parts);

/* Where in a value the first object without content is: ", upvalue held, field .out[2]"; "" when there is
 * none in it, or the value is one itself. */
void mill_anatomy_opaque(const struct mill_value *value, char *out, size_t room);

#endif
