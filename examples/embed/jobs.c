/* jobs: a host with a loop of its own: calls that run beside it, told when they have ended.
 * cc jobs.c $(pkg-config --cflags --libs tidemill) */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill.h>

static const char script[] = "function mean_of(first, last)\n"
                             "  local sum = 0\n"
                             "  for i = first, last do sum = sum + i end\n"
                             "  return sum / (last - first + 1)\n"
                             "end\n"
                             "function hang() while true do end end\n";

static int open_jobs;

/* On the thread that polls: it may call the engine, and touch what is that thread's. */
static void ended(void *context, tidemill_job *job)
{
    tidemill_value value;
    double mean;
    if (tidemill_job_result(job, &value) == TIDEMILL_OK && tidemill_to_number(value, &mean)) {
        printf("%s: %g\n", (const char *)context, mean);
    } else {
        const char *text = tidemill_job_error(job);
        printf("%s: %.*s\n", (const char *)context, (int)strcspn(text, "\n"), text);
    }
    tidemill_release(value);
    open_jobs--;
}

static tidemill_status start_mean(tidemill *engine)
{
    tidemill_job *job;
    tidemill_value range[] = {tidemill_from_number(1), tidemill_from_number(1e6)};
    tidemill_status status = tidemill_submit(engine, NULL, "mean_of", range, 2, &job);
    if (status != TIDEMILL_OK) return status;
    tidemill_on_result(job, ended, "mean");
    tidemill_job_release(job); /* it goes on, and is told of */
    open_jobs++;
    return TIDEMILL_OK;
}

/* With a timeout it runs in a process of its own, which can be killed. */
static tidemill_status start_hang(tidemill *engine)
{
    tidemill_job *job;
    tidemill_field timeout = {"timeout", tidemill_from_number(0.5)};
    tidemill_value options;
    tidemill_status status = tidemill_from_table(NULL, 0, &timeout, 1, &options);
    if (status == TIDEMILL_OK) {
        status = tidemill_submit(engine, &options, "hang", NULL, 0, &job);
        tidemill_release(options);
    }
    if (status != TIDEMILL_OK) return status;
    tidemill_on_result(job, ended, "hang");
    tidemill_job_release(job);
    open_jobs++;
    return TIDEMILL_OK;
}

static void loop(tidemill *engine)
{
    struct pollfd watched[] = {{.fd = tidemill_poll_descriptor(engine), .events = POLLIN}};
    while (open_jobs > 0 && poll(watched, 1, -1) > 0) {
        if (watched[0].revents) tidemill_poll(engine, 0);
    }
}

int main(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK) status = tidemill_run_string(engine, script, "script", 0, NULL);
    if (status == TIDEMILL_OK) status = start_hang(engine);
    if (status == TIDEMILL_OK) status = start_mean(engine);
    if (status == TIDEMILL_OK) loop(engine);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    tidemill_close(engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Output:
 * mean: 500000
 * hang: the task took longer than its timeout of 0.5 s and was stopped
 */
