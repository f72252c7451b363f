/* sandbox.c: a script that somebody else has written: what it may use, how long it may take, and what becomes of
 * the host when it misbehaves: nothing.
 *     cc sandbox.c $(pkg-config --cflags --libs tidemill)
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill.h>

static const char *const scripts[] = {
    "balance = price(3) return balance",
    "return tm.map(function(x) return x * x end, {1, 2, 3})",
    "return tm.read_text('/etc/passwd')",
    "return io.open('/etc/passwd')",
    "while true do end",
    "return balance",
};

/* The one thing of ours that it may call. */
static tidemill_status price(void *context, tidemill_invocation *invocation,
                             const tidemill_value *arguments, size_t count,
                             tidemill_value *results)
{
    (void)context, (void)invocation, (void)count;
    double pieces = 0;
    tidemill_to_number(arguments[0], &pieces);
    results[0] = tidemill_from_number(pieces * 70.5);
    return TIDEMILL_OK;
}

static tidemill_status give_price(tidemill *engine)
{
    tidemill_function function = {
        .size = sizeof function,
        .name = "price",
        .signature = "number -> number",
        .call = price,
        .flags = TIDEMILL_SANDBOX,
    };
    return tidemill_register(engine, &function);
}

/* Whatever it does, here is a status. */
static void run(tidemill *engine, const char *code)
{
    char *json = NULL;
    tidemill_status status = tidemill_run_string(engine, code, "script", 0, NULL);
    if (status == TIDEMILL_OK) status = tidemill_result_json(engine, &json);
    printf("%2d  %s\n", status, status == TIDEMILL_OK ? json : tidemill_error(engine));
    free(json);
}

int main(void)
{
    tidemill_config config = {
        .size = sizeof config,
        .sandbox = 1,
        .deadline = 2,
        .memory = 512 << 20,
    };
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = give_price(engine);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    for (size_t i = 0; status == TIDEMILL_OK && i < sizeof scripts / sizeof *scripts; i++) {
        run(engine, scripts[i]);
    }
    tidemill_close(engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Output:
 *  0  211.5
 *  0  [1,4,9]
 *  1  script:1: tm.read_text is not open in a sandbox (files); the host program allows it by name
 * stack traceback:
 * 	script:1: in main chunk
 *  1  script:1: attempt to index global 'io' (a nil value)
 * stack traceback:
 * 	script:1: in main chunk
 * 12  the script took longer than its deadline of 2 s
 *  0  null
 */
