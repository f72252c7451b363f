/* doctor: what this build and machine offer.  SPDX-License-Identifier: MIT */
#ifndef MILL_DOCTOR_H
#define MILL_DOCTOR_H

/* Tells the BLAS that would be used: visit(context, "BLAS", "OpenBLAS 0.3.21 ..").  Takes some 6 ms. */
void mill_doctor_blas(void (*visit)(void *context, const char *what, const char *finding),
                      void *context);

#endif
