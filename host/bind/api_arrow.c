/* api_arrow: the functions of tidemill.h for Arrow's C Data Interface.  SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "bind/api.h"
#include "data/arrow.h"

static tidemill_status arrow_end(tidemill_status status, const struct mill_error *error,
                                 char *problem, size_t room)
{
    bool failed = status != TIDEMILL_OK;
    if (problem && room > 0) snprintf(problem, room, "%s", failed ? error->text : "");
    return status;
}

tidemill_status tidemill_arrow_export(tidemill_value value, struct ArrowSchema *schema,
                                      struct ArrowArray *array, char *problem, size_t room)
{
    struct mill_error error = {0};
    struct mill_value given = mill_value_in(value);
    return arrow_end(mill_arrow_export(&given, schema, array, &error), &error, problem, room);
}

tidemill_status tidemill_arrow_import(struct ArrowSchema *schema, struct ArrowArray *array,
                                      tidemill_value *value, char *problem, size_t room)
{
    struct mill_error error = {0};
    struct mill_value made;
    tidemill_status status = mill_arrow_import(schema, array, &made, &error);
    *value = mill_value_out(made);
    return arrow_end(status, &error, problem, room);
}
