/* opcode: the instructions of LuaJIT 2.1 in a dump: what each refers to besides stack slots.
 * An instruction is four bytes: code, A, C, B; D is C and B together.  SPDX-License-Identifier: MIT */
#ifndef MILL_OPCODE_H
#define MILL_OPCODE_H

#include <stdint.h>

enum mill_reference {
    MILL_D_STRING = 1,
    MILL_D_NUMBER = 2,
    MILL_D_CHILD = 4,
    MILL_D_TABLE = 8,
    MILL_D_CDATA = 16,
    MILL_D_UPVALUE = 32,
    MILL_C_STRING = 64,
    MILL_C_NUMBER = 128,
    MILL_A_UPVALUE = 256,    /* assigned */
    MILL_READS_GLOBAL = 512, /* the global named by D */
    MILL_WRITES_GLOBAL = 1024,
    MILL_NEVER_DUMPED = 2048, /* this and the next are no references */
    MILL_LOOPS = 4096,
};

enum mill_code {
    MILL_CODE_JMP = 88,
    MILL_CODE_LAST_BIT_OPERATOR = 95, /* of newer builds: a & b and the like, codes after JMP */
};

/* What the hash and the reach need to know of an instruction, and which of its operands refer
 * to constants and upvalues.  The latter are verified in every dump: a LuaJIT that numbers its
 * instructions differently does not pass for long.  Codes that are not here stand for
 * themselves and refer to stack slots only. */
struct mill_opcode {
    uint16_t operands; /* of mill_reference */
    uint8_t plain;     /* hashed in place of the code; 0: the code itself */
};

extern const struct mill_opcode mill_opcodes[256];

#endif
