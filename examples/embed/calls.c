/* calls: a program around a strategy: functions of each called by the other, arrays shared in place.
 * cc calls.c $(pkg-config --cflags --libs tidemill) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill.h>

static const char script[] =
    "strategy = {}\n"
    "function strategy.on_bar(bar) return bar.close > quote(bar.symbol) and 'buy' or 'wait' "
    "end\n"
    "function strategy.signal(closes) return tm.kernels.sma(closes, 3) end\n";

/* What scripts, and their tasks, call as quote("OIL"). */
static tidemill_status quote(void *context, tidemill_invocation *invocation,
                             const tidemill_value *arguments, size_t count,
                             tidemill_value *results)
{
    (void)context, (void)count;
    size_t size;
    const char *symbol = tidemill_to_string(&arguments[0], &size);
    if (size != 3 || memcmp(symbol, "OIL", 3) != 0)
        return tidemill_raise(invocation, "only OIL is traded here");
    results[0] = tidemill_from_number(70.5);
    return TIDEMILL_OK;
}

static tidemill_status give_function(tidemill *engine)
{
    tidemill_function function = {
        .size = sizeof function,
        .name = "quote",
        .signature = "string -> number",
        .call = quote,
        .flags = TIDEMILL_THREAD_SAFE,
    };
    return tidemill_register(engine, &function);
}

/* One bar: a table goes in, a string comes out. */
static tidemill_status call_with_table(tidemill *engine)
{
    tidemill_value symbol, bar, answer;
    tidemill_from_string("OIL", 3, &symbol);
    tidemill_field fields[] = {{"symbol", symbol}, {"close", tidemill_from_number(71)}};
    tidemill_from_table(NULL, 0, fields, 2, &bar);
    tidemill_status status = tidemill_call(engine, "strategy.on_bar", &bar, 1, &answer, 1);
    size_t size;
    const char *text = tidemill_to_string(&answer, &size);
    if (status == TIDEMILL_OK) printf("on_bar says %.*s\n", (int)size, text);
    tidemill_release(answer);
    tidemill_release(bar);
    tidemill_release(symbol);
    return status;
}

/* Many closes: an array over our own memory goes in, the result is read where it is. */
static tidemill_status call_with_array(tidemill *engine)
{
    static const double closes[] = {70, 71, 72, 70, 74};
    tidemill_array in = {
        .size = sizeof in, .type = "float64", .dimensions = 1, .shape = {5}, .data = closes};
    tidemill_array out = {.size = sizeof out};
    tidemill_value array, signal;
    tidemill_status status = tidemill_from_array(engine, &in, NULL, NULL, &array);
    if (status != TIDEMILL_OK) return status;
    status = tidemill_call(engine, "strategy.signal", &array, 1, &signal, 1);
    if (tidemill_to_array(signal, &out))
        printf("the last mean of 3 is %g\n", ((const double *)out.data)[4]);
    tidemill_release(signal);
    tidemill_release(array);
    return status;
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = give_function(engine);
    if (status == TIDEMILL_OK) status = tidemill_run_string(engine, script, "script", 0, NULL);
    if (status == TIDEMILL_OK) status = call_with_table(engine);
    if (status == TIDEMILL_OK) status = call_with_array(engine);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    tidemill_close(engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Output:
 * on_bar says buy
 * the last mean of 3 is 72
 */
