/* npy_write: arrays as NumPy would write them.  SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/npy.h"

/* Elements as the file has them where that is not as the array does: dates are 64 bits wide, and what
 * is missing has a value.  malloc'ed. */
static void *elements_of(const struct mill_array *array)
{
    size_t item = array->type == MILL_FLOAT32 ? 4 : 8;
    uint8_t *bytes = malloc((size_t)array->length * item + 1);
    for (int64_t i = 0; bytes && i < array->length; i++) {
        const uint8_t *value = (const uint8_t *)array->values +
                               (size_t)i * mill_type_size((enum mill_type)array->type);
        uint8_t *to = bytes + (size_t)i * item;
        int64_t time = INT64_MIN;
        bool there = mill_array_present(array, i);
        if (array->type == MILL_DATE) {
            int32_t day;
            memcpy(&day, value, 4);
            if (there) time = day;
            memcpy(to, &time, 8);
        } else if (there) {
            memcpy(to, value, item);
        } else if (array->type == MILL_TIMESTAMP) {
            memcpy(to, &time, 8);
        } else if (array->type == MILL_FLOAT32) {
            memcpy(to, &(float){NAN}, 4);
        } else {
            memcpy(to, &(double){NAN}, 8);
        }
    }
    return bytes;
}

tidemill_status mill_npy_write(const char *path, const struct mill_array *array,
                               struct mill_error *error)
{
    char header[MILL_NPY_ROOM];
    size_t size = mill_npy_format(array, header);
    const char *name = mill_type_name((enum mill_type)array->type);
    bool time = array->type == MILL_DATE || array->type == MILL_TIMESTAMP;
    if (size == 0) {
        return mill_fail(error, TIDEMILL_UNSUPPORTED, "%s: a .npy file does not hold %s arrays",
                         path, name);
    }
    if (array->nulls > 0 && !time && array->type != MILL_FLOAT32 &&
        array->type != MILL_FLOAT64) {
        return mill_fail(error, TIDEMILL_UNSUPPORTED,
                         "%s: %" PRId64 " elements are missing, which a .npy file of %s cannot "
                         "hold",
                         path, array->nulls, name);
    }
    struct mill_file_part parts[2] = {
        {header, size},
        {array->values, (size_t)array->length * mill_type_size((enum mill_type)array->type)}};
    void *made = NULL;
    if (array->nulls > 0 || array->type == MILL_DATE) {
        made = elements_of(array);
        if (made == NULL) return mill_no_memory(error, path);
        parts[1] = (struct mill_file_part){made, (size_t)array->length *
                                                     (array->type == MILL_FLOAT32 ? 4 : 8)};
    }
    tidemill_status status = mill_file_write_parts(path, parts, 2, error);
    free(made);
    return status;
}
