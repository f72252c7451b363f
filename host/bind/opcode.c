/* opcode: the instructions of LuaJIT 2.1 in a dump.  SPDX-License-Identifier: MIT */
#include "bind/opcode.h"

enum {
    CODE_FORI = 77,
    CODE_FORL = 79,
    CODE_ITERC = 69,
    CODE_ITERL = 82,
    CODE_LOOP = 85,
};

const struct mill_opcode mill_opcodes[256] = {
    [6] = {MILL_D_STRING, 0},                       /* ISEQS */
    [7] = {MILL_D_STRING, 0},                       /* ISNES */
    [8] = {MILL_D_NUMBER, 0},                       /* ISEQN */
    [9] = {MILL_D_NUMBER, 0},                       /* ISNEN */
    [22 ... 26] = {MILL_C_NUMBER, 0},               /* ADDVN SUBVN MULVN DIVVN MODVN */
    [27 ... 31] = {MILL_C_NUMBER, 0},               /* ADDNV SUBNV MULNV DIVNV MODNV */
    [39] = {MILL_D_STRING, 0},                      /* KSTR */
    [40] = {MILL_D_CDATA, 0},                       /* KCDATA */
    [42] = {MILL_D_NUMBER, 0},                      /* KNUM */
    [45] = {MILL_D_UPVALUE, 0},                     /* UGET */
    [46] = {MILL_A_UPVALUE, 0},                     /* USETV */
    [47] = {MILL_A_UPVALUE | MILL_D_STRING, 0},     /* USETS */
    [48] = {MILL_A_UPVALUE | MILL_D_NUMBER, 0},     /* USETN */
    [49] = {MILL_A_UPVALUE, 0},                     /* USETP */
    [51] = {MILL_D_CHILD, 0},                       /* FNEW */
    [53] = {MILL_D_TABLE, 0},                       /* TDUP */
    [54] = {MILL_D_STRING | MILL_READS_GLOBAL, 0},  /* GGET */
    [55] = {MILL_D_STRING | MILL_WRITES_GLOBAL, 0}, /* GSET */
    [57] = {MILL_C_STRING, 0},                      /* TGETS */
    [61] = {MILL_C_STRING, 0},                      /* TSETS */
    [63] = {MILL_D_NUMBER, 0},                      /* TSETM */
    [70] = {0, CODE_ITERC},                         /* ITERN */
    [72] = {0, MILL_CODE_JMP},                      /* ISNEXT */
    [78] = {0, CODE_FORI},                          /* JFORI */
    [79] = {MILL_LOOPS, 0},                         /* FORL */
    [80] = {MILL_LOOPS, CODE_FORL},                 /* IFORL */
    [81] = {MILL_NEVER_DUMPED, 0},                  /* JFORL */
    [82] = {MILL_LOOPS, 0},                         /* ITERL */
    [83] = {MILL_LOOPS, CODE_ITERL},                /* IITERL */
    [84] = {MILL_NEVER_DUMPED, 0},                  /* JITERL */
    [85] = {MILL_LOOPS, 0},                         /* LOOP */
    [86] = {MILL_LOOPS, CODE_LOOP},                 /* ILOOP */
    [87] = {MILL_NEVER_DUMPED, 0},                  /* JLOOP */
};
