/* server: a server with an event loop of its own answers requests by functions of a strategy, which is
 * loaded again whenever its file changes, while clients stay connected.  Each request is a job: one that
 * takes long keeps nobody else waiting.
 * cc server.c -pthread $(pkg-config --cflags --libs tidemill)
 *
 *     ./server SOCKET STRATEGY.lua    serves "FUNCTION NUMBER" lines on a Unix socket until "quit":
 *     printf 'signal 71\n' | nc -UN SOCKET
 *     ./server                        shows that to itself */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <tidemill.h>
#include <unistd.h>

enum { REPLY = 256 };

struct server {
    tidemill *engine;
    const char *path, *strategy; /* of the socket, and of the file of the strategy */
    int loop, listener, watch;   /* descriptors */
    int stop;
};

/* One connection, with what has come of its next lines.  While it waits for a job it is not listened to,
 * so there is one job at most that knows of it. */
struct client {
    struct server *server;
    int socket;
    size_t used;
    char line[256];
};

/* ---- the strategy --------------------------------------------------------------------------- */

/* Runs the file: its global functions replace those of before, for all requests from now on.  A call, for
 * which jobs that run are no reason to wait; tidemill_run_file would wait for them. */
static tidemill_status run_strategy(struct server *server)
{
    tidemill_value path;
    tidemill_status status =
        tidemill_from_string(server->strategy, strlen(server->strategy), &path);
    if (status == TIDEMILL_OK)
        status = tidemill_call(server->engine, "dofile", &path, 1, NULL, 0);
    tidemill_release(path);
    return status;
}

/* Its folder has changed.  A file that is broken changes nothing. */
static void load_strategy(struct server *server)
{
    char events[4096]; /* which file it was does not matter: loading again is cheap */
    if (read(server->watch, events, sizeof events) < 0) perror("inotify");
    if (run_strategy(server) == TIDEMILL_OK) return;
    const char *text = tidemill_error(server->engine), *slash = strrchr(server->strategy, '/');
    if (slash) text += slash + 1 - server->strategy; /* it begins with the path */
    printf("kept the old strategy: %.*s\n", (int)strcspn(text, "\n"), text);
}

/* ---- requests --------------------------------------------------------------------------------- */

static void next_request(struct client *client);

static void send_line(struct client *client, const char *format, ...)
{
    char line[REPLY];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[strcspn(line, "\n")] = '\0'; /* of an error its first line */
    strcat(line, "\n");
    send(client->socket, line, strlen(line), MSG_NOSIGNAL);
}

/* A job has ended: tidemill_poll calls this, so it is in the event loop. */
static void finish_request(void *context, tidemill_job *job)
{
    struct client *client = context;
    tidemill_value result;
    double number;
    size_t size;
    tidemill_status status = tidemill_job_result(job, &result);
    const char *text = tidemill_to_string(&result, &size);
    if (status != TIDEMILL_OK)
        send_line(client, "error: %s", tidemill_job_error(job));
    else if (text)
        send_line(client, "%.*s", (int)size, text);
    else if (tidemill_to_number(result, &number))
        send_line(client, "%.14g", number);
    else
        send_line(client, "error: it returned neither text nor number");
    tidemill_release(result);
    next_request(client);
}

/* "signal 71" becomes a job: signal(71). */
static void start_request(struct client *client, const char *line)
{
    tidemill *engine = client->server->engine;
    char name[64] = "";
    double number = 0;
    tidemill_job *job;
    sscanf(line, "%63s %lf", name, &number);
    tidemill_value argument = tidemill_from_number(number);
    if (tidemill_submit(engine, NULL, name, &argument, 1, &job) != TIDEMILL_OK) {
        send_line(client, "error: %s", tidemill_error(engine));
        next_request(client);
        return;
    }
    tidemill_on_result(job, finish_request, client);
    tidemill_job_release(job); /* it goes on */
}

static void listen_to(struct server *server, int descriptor, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    if (epoll_ctl(server->loop, EPOLL_CTL_ADD, descriptor, &event) != 0) abort();
}

/* Starts what the next line asks for, or waits for the rest of it. */
static void next_request(struct client *client)
{
    char *end = strchr(client->line, '\n');
    if (end == NULL) {
        listen_to(client->server, client->socket, client);
        return;
    }
    char line[sizeof client->line];
    *end = '\0';
    strcpy(line, client->line);
    client->used -= (size_t)(end + 1 - client->line);
    memmove(client->line, end + 1, client->used + 1);
    if (strcmp(line, "quit") == 0) {
        send_line(client, "bye");
        client->server->stop = 1;
    } else {
        start_request(client, line);
    }
}

/* ---- the event loop ------------------------------------------------------------------------- */

static void accept_client(struct server *server)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) return;
    client->server = server;
    client->socket = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client->socket >= 0)
        listen_to(server, client->socket, client);
    else
        free(client);
}

static void hear_client(struct server *server, struct client *client)
{
    size_t room = sizeof client->line - 1 - client->used;
    ssize_t count = recv(client->socket, client->line + client->used, room, 0);
    epoll_ctl(server->loop, EPOLL_CTL_DEL, client->socket, NULL);
    if (count <= 0) { /* gone, or a line that is too long */
        close(client->socket);
        free(client);
        return;
    }
    client->used += (size_t)count;
    client->line[client->used] = '\0';
    next_request(client);
}

static void serve(struct server *server)
{
    struct epoll_event events[16];
    while (!server->stop) {
        int count = epoll_wait(server->loop, events, 16, -1);
        for (int i = 0; i < count;
             i++) { /* first the strategy: who asks next gets the new one */
            if (events[i].data.ptr == &server->watch) load_strategy(server);
        }
        for (int i = 0; i < count; i++) {
            void *owner = events[i].data.ptr;
            if (owner == &server->engine)
                tidemill_poll(server->engine, 0);
            else if (owner == &server->listener)
                accept_client(server);
            else if (owner != &server->watch)
                hear_client(server, owner);
        }
    }
}

/* ---- opening and closing ---------------------------------------------------------------------- */

static int open_sockets(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[108];
    snprintf(address.sun_path, sizeof address.sun_path, "%s", server->path);
    snprintf(folder, sizeof folder, "%s", server->strategy);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    unlink(server->path);
    server->loop = epoll_create1(EPOLL_CLOEXEC);
    server->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->loop < 0 || server->watch < 0 || server->listener < 0) return -1;
    /* The folder: editors write a new file beside and rename it. */
    if (inotify_add_watch(server->watch, slash ? folder : ".", IN_CLOSE_WRITE | IN_MOVED_TO) <
        0)
        return -1;
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    listen_to(server, server->listener, &server->listener);
    listen_to(server, server->watch, &server->watch);
    listen_to(server, tidemill_poll_descriptor(server->engine), &server->engine);
    return listen(server->listener, 16);
}

static int run_server(const char *path, const char *strategy)
{
    struct server server = {.path = path, .strategy = strategy};
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill_status status = tidemill_open(&config, &server.engine);
    if (status == TIDEMILL_OK) status = run_strategy(&server);
    if (status != TIDEMILL_OK) {
        fprintf(stderr, "%s\n", tidemill_error(server.engine));
    } else if (open_sockets(&server) != 0) {
        perror(path);
        status = TIDEMILL_IO;
    } else {
        serve(&server);
        unlink(path);
    }
    tidemill_close(server.engine);
    return status == TIDEMILL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the demonstration ------------------------------------------------------------------------ */

static char demo_folder[] = "/tmp/tidemill-server-XXXXXX", demo_path[64], demo_strategy[64];

static void write_strategy(const char *text)
{
    char beside[80];
    snprintf(beside, sizeof beside, "%s.new", demo_strategy);
    FILE *file = fopen(beside, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) abort();
    if (rename(beside, demo_strategy) != 0) abort();
}

static int connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", demo_path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 10000; i++) { /* until the server listens */
        if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) break;
        usleep(1000);
    }
    return descriptor;
}

static void print_reply(int descriptor, const char *request)
{
    char reply[REPLY];
    ssize_t count = read(descriptor, reply, sizeof reply);
    printf("%s -> %.*s", request, (int)(count > 0 ? count : 0), reply);
}

static void ask(int descriptor, const char *request)
{
    dprintf(descriptor, "%s\n", request);
    print_reply(descriptor, request);
}

/* Two clients, one of which also changes the strategy: in life, somebody with an editor. */
static void *demonstrate(void *unused)
{
    int first = connect_client(), second = connect_client();
    dprintf(first, "wait 71\n");
    ask(second, "signal 71");
    write_strategy("function signal(price) return price > 75 and 'buy' or 'wait' end\n"
                   "function half(price) return price / 2 end\n");
    ask(second, "signal 71");
    ask(second, "half 71");
    write_strategy("function signal(price) return\n");
    ask(second, "signal 76");
    ask(second, "sell 76");
    print_reply(first, "wait 71");
    ask(second, "quit");
    close(first);
    close(second);
    return unused;
}

int main(int count, char **arguments)
{
    if (count == 3) return run_server(arguments[1], arguments[2]);
    pthread_t client;
    if (mkdtemp(demo_folder) == NULL) return EXIT_FAILURE;
    snprintf(demo_path, sizeof demo_path, "%s/socket", demo_folder);
    snprintf(demo_strategy, sizeof demo_strategy, "%s/strategy.lua", demo_folder);
    write_strategy("local tm = require 'tidemill'\n"
                   "function signal(price) return price > 70 and 'buy' or 'wait' end\n"
                   "function wait(price) tm.sleep(1) return signal(price) end\n");
    if (pthread_create(&client, NULL, demonstrate, NULL) != 0) return EXIT_FAILURE;
    int status = run_server(demo_path, demo_strategy);
    pthread_join(client, NULL);
    unlink(demo_strategy);
    rmdir(demo_folder);
    return status;
}

/* Output:
 * signal 71 -> buy
 * signal 71 -> wait
 * half 71 -> 35.5
 * kept the old strategy: strategy.lua:2: 'end' expected (to close 'function' at line 1) near '<eof>'
 * signal 76 -> buy
 * sell 76 -> error: cannot call "sell": sell is nil, not a function
 * wait 71 -> buy
 * quit -> bye
 */
