/* fuzz_response: the reader of HTTP answers under libFuzzer, from the root of the tree:
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ihost -Ihost/include \
 *         tests/fuzz/fuzz_response.c host/lane/response.c -o build/fuzz_response
 *     build/fuzz_response -max_total_time=60
 * tests/c/test_response.c runs a bounded number of such inputs each time.
 * SPDX-License-Identifier: MIT */
#include "tests/c/response_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    if (!response_holds(bytes + 2, size - 2, bytes[0] * 16, bytes[1] % 32 + 1)) abort();
    return 0;
}
