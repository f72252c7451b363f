/* smallest: a C program with an engine of its own: run Lua text, read its value as JSON.
 * cc smallest.c $(pkg-config --cflags --libs tidemill) */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill.h>

static const char script[] = "local squares = tm.map(function(x) return x * x end, {1, 2, 3})\n"
                             "return {squares = squares, mean = tm.kernels.mean(squares)}";

int main(void)
{
    tidemill_config config = {.size = sizeof config, .cache = "off"};
    tidemill *engine;
    char *json = NULL;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = tidemill_run_string(engine, script, "script", 0, NULL);
    if (status == TIDEMILL_OK) status = tidemill_result_json(engine, &json);
    if (status == TIDEMILL_OK) puts(json);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    free(json);
    tidemill_close(engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Output:
 * {"mean":4.666666666666667,"squares":[1,4,9]}
 */
