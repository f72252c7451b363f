/* server: a server with an event loop of its own answers requests by functions of a strategy, which is
 * loaded again whenever its file changes, while clients stay connected.
 * cc server.c -pthread $(pkg-config --cflags --libs tidemill)
 *
 *     ./server SOCKET STRATEGY.lua    serves "FUNCTION NUMBER" lines on a Unix socket until "quit":
 *     printf 'signal 71\n' | nc -UN SOCKET
 *     ./server                        shows that to itself */
#define _GNU_SOURCE
#include <pthread.h>
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

/* One connection, with what has come of its next line. */
struct client {
    int socket;
    size_t used;
    char line[256];
};

/* ---- the strategy --------------------------------------------------------------------------- */

/* Runs the file: its global functions replace those of before, at once for all clients.  A file that is
 * broken changes nothing. */
static void load_strategy(struct server *server)
{
    char events[4096]; /* which file it was does not matter: loading again is cheap */
    if (read(server->watch, events, sizeof events) < 0) perror("inotify");
    if (tidemill_run_file(server->engine, server->strategy, 0, NULL) != TIDEMILL_OK) {
        const char *text = tidemill_error(server->engine),
                   *slash = strrchr(server->strategy, '/');
        if (slash) text += slash + 1 - server->strategy; /* it begins with the path */
        printf("kept the old strategy: %.*s\n", (int)strcspn(text, "\n"), text);
    }
}

/* "signal 71" becomes a call of signal(71); the reply is what it returns, or the error. */
static void answer(struct server *server, const char *line, char reply[REPLY])
{
    char name[64] = "";
    double number = 0;
    size_t size;
    sscanf(line, "%63s %lf", name, &number);
    tidemill_value argument = tidemill_from_number(number), result;
    tidemill_status status = tidemill_call(server->engine, name, &argument, 1, &result, 1);
    const char *text = tidemill_to_string(&result, &size);
    if (status != TIDEMILL_OK) {
        const char *problem = tidemill_error(server->engine);
        snprintf(reply, REPLY - 1, "error: %.*s", (int)strcspn(problem, "\n"), problem);
    } else if (text) {
        snprintf(reply, REPLY - 1, "%.*s", (int)size, text);
    } else if (tidemill_to_number(result, &number)) {
        snprintf(reply, REPLY - 1, "%.14g", number);
    } else {
        snprintf(reply, REPLY - 1, "error: %s returned neither text nor number", name);
    }
    tidemill_release(result);
}

/* ---- the event loop ------------------------------------------------------------------------- */

static void add_descriptor(struct server *server, int descriptor, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    if (epoll_ctl(server->loop, EPOLL_CTL_ADD, descriptor, &event) != 0) abort();
}

static void accept_client(struct server *server)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) return;
    client->socket = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client->socket >= 0)
        add_descriptor(server, client->socket, client);
    else
        free(client);
}

/* Answers each whole line that has come. */
static void serve_client(struct server *server, struct client *client)
{
    size_t room = sizeof client->line - 1 - client->used;
    ssize_t count = recv(client->socket, client->line + client->used, room, 0);
    if (count <= 0) { /* gone, or a line that is too long */
        close(client->socket);
        free(client);
        return;
    }
    client->used += (size_t)count;
    client->line[client->used] = '\0';
    char *start = client->line, *end;
    while ((end = strchr(start, '\n')) != NULL) {
        char reply[REPLY] = "bye";
        *end = '\0';
        if (strcmp(start, "quit") == 0)
            server->stop = 1;
        else
            answer(server, start, reply);
        strcat(reply, "\n"); /* there is room for it: see answer */
        send(client->socket, reply, strlen(reply), MSG_NOSIGNAL);
        start = end + 1;
    }
    client->used = strlen(start);
    memmove(client->line, start, client->used);
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
            if (owner == &server->listener)
                accept_client(server);
            else if (owner != &server->watch)
                serve_client(server, owner);
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
    add_descriptor(server, server->listener, &server->listener);
    add_descriptor(server, server->watch, &server->watch);
    return listen(server->listener, 16);
}

static int run_server(const char *path, const char *strategy)
{
    struct server server = {.path = path, .strategy = strategy};
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill_status status = tidemill_open(&config, &server.engine);
    if (status == TIDEMILL_OK) status = tidemill_run_file(server.engine, strategy, 0, NULL);
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

static void ask(int descriptor, const char *request)
{
    char reply[REPLY];
    dprintf(descriptor, "%s\n", request);
    ssize_t count = read(descriptor, reply, sizeof reply);
    printf("%s -> %.*s", request, (int)(count > 0 ? count : 0), reply);
}

/* A client, which also changes the strategy: in life, somebody with an editor. */
static void *demonstrate(void *unused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", demo_path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 10000; i++) { /* until the server listens */
        if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) break;
        usleep(1000);
    }
    ask(descriptor, "signal 71");
    write_strategy("function signal(price) return price > 75 and 'buy' or 'wait' end\n"
                   "function half(price) return price / 2 end\n");
    ask(descriptor, "signal 71");
    ask(descriptor, "half 71");
    write_strategy("function signal(price) return\n");
    ask(descriptor, "signal 76");
    ask(descriptor, "sell 76");
    ask(descriptor, "quit");
    close(descriptor);
    return unused;
}

int main(int count, char **arguments)
{
    if (count == 3) return run_server(arguments[1], arguments[2]);
    pthread_t client;
    if (mkdtemp(demo_folder) == NULL) return EXIT_FAILURE;
    snprintf(demo_path, sizeof demo_path, "%s/socket", demo_folder);
    snprintf(demo_strategy, sizeof demo_strategy, "%s/strategy.lua", demo_folder);
    write_strategy("function signal(price) return price > 70 and 'buy' or 'wait' end\n");
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
 * quit -> bye
 */
