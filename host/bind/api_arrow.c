/* api_arrow: the functions of tidemill.h for Arrow's C Data Interface.  SPDX-License-Identifier: MIT */
#include "bind/api.h"
#include "data/arrow.h"

tidemill_status tidemill_to_arrow(tidemill *engine, tidemill_value value,
                                  struct ArrowSchema *schema, struct ArrowArray *array)
{
    struct mill_error error = {0};
    struct mill_value given = mill_value_in(value);
    error.status = mill_arrow_export(&given, schema, array, &error);
    return mill_api_say(engine, &error);
}

tidemill_status tidemill_from_arrow(tidemill *engine, struct ArrowSchema *schema,
                                    struct ArrowArray *array, tidemill_value *value)
{
    struct mill_error error = {0};
    struct mill_value made;
    error.status = mill_arrow_import(schema, array, &made, &error);
    *value = mill_value_out(made);
    return mill_api_say(engine, &error);
}
