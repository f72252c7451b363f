/* bar: checks of price bars.
 * Missing wins over inconsistent; the numbers of the faults are in kernels.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

/* One operator & per test, not &&: no branches, so the compiler can work on several bars. */
int64_t tidemill_kernel_ohlcv_check(const double *open, const double *high, const double *low,
                                    const double *close, const double *volume, int64_t n,
                                    uint8_t *fault)
{
    int64_t faults = 0;
    for (int64_t i = 0; i < n; i++) {
        double o = open[i], h = high[i], l = low[i], c = close[i];
        int missing = (o != o) | (h != h) | (l != l) | (c != c) | (volume[i] != volume[i]);
        /* With the order right, a positive low makes every price positive. */
        int right = (l > 0) & (l <= o) & (l <= c) & (o <= h) & (c <= h);
        fault[i] = (uint8_t)(missing ? TIDEMILL_BAR_MISSING
                             : right ? TIDEMILL_BAR_FINE
                                     : TIDEMILL_BAR_INCONSISTENT);
        faults += fault[i] != TIDEMILL_BAR_FINE;
    }
    return faults;
}
