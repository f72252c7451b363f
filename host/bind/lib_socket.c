/* lib_socket: connections and servers, for lua/tidemill/socket.lua.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "bind/operation.h"
#include "lane/server.h"

static const char socket_name[] = "tidemill.socket", server_name[] = "tidemill.server";
static const char network[] = "the network";

/* ---- handles: they close what they hold ------------------------------------------------------- */

struct socket_handle {
    struct mill_socket *socket;
};

struct server_handle {
    struct mill_server *server;
};

static int socket_gc(lua_State *L)
{
    struct socket_handle *handle = lua_touserdata(L, 1);
    if (handle->socket) mill_socket_close(handle->socket);
    mill_socket_unref(handle->socket);
    handle->socket = NULL;
    return 0;
}

static int server_gc(lua_State *L)
{
    struct server_handle *handle = lua_touserdata(L, 1);
    if (handle->server) mill_server_close(handle->server);
    mill_server_unref(handle->server);
    handle->server = NULL;
    return 0;
}

static struct mill_socket *check_socket(lua_State *L, int index)
{
    struct socket_handle *handle = mill_handle_check(L, index, socket_name);
    return handle->socket;
}

static struct mill_server *check_server(lua_State *L, int index)
{
    struct server_handle *handle = mill_handle_check(L, index, server_name);
    return handle->server;
}

/* The handle takes over the reference in *socket. -> socket, its peer */
static int push_socket(lua_State *L, struct mill_socket **socket)
{
    if (*socket == NULL) {
        lua_pushnil(L);
        return 1;
    }
    struct socket_handle *handle = mill_handle_new(L, socket_name, sizeof *handle, socket_gc);
    handle->socket = *socket;
    *socket = NULL;
    lua_pushstring(L, handle->socket->peer);
    return 2;
}

/* ---- connections --------------------------------------------------------------------------------- */

static int push_connected(lua_State *L, struct mill_operation *operation)
{
    return push_socket(L, &((struct mill_connect *)operation)->socket);
}

/* core.connect(host, port) */
static int start_connect(lua_State *L)
{
    struct mill_connect *connect =
        mill_connect_new(luaL_checkstring(L, 1), (int)luaL_checkinteger(L, 2));
    return mill_operation_push_started(L, connect ? &connect->operation : NULL, push_connected,
                                       network);
}

/* -> text, or nil at the end */
static int push_read(lua_State *L, struct mill_operation *operation)
{
    struct mill_read *read = (struct mill_read *)operation;
    if (read->at_end) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, read->bytes ? read->bytes : "", read->size);
    }
    return 1;
}

/* core.read(socket, mode, count): "count", "some" or "all" */
static int start_socket_read(lua_State *L)
{
    static const char *const modes[] = {"count", "some", "all", NULL};
    struct mill_socket *socket = check_socket(L, 1);
    int mode = luaL_checkoption(L, 2, NULL, modes);
    struct mill_read *read =
        mill_read_new(socket, (enum mill_read_mode)mode, (size_t)luaL_checknumber(L, 3));
    return mill_operation_push_started(L, read ? &read->operation : NULL, push_read, network);
}

static int push_nothing(lua_State *L, struct mill_operation *operation)
{
    (void)L;
    (void)operation;
    return 0;
}

/* core.write(socket, text) */
static int start_socket_write(lua_State *L)
{
    size_t size;
    struct mill_socket *socket = check_socket(L, 1);
    const char *text = luaL_checklstring(L, 2, &size);
    struct mill_write *write = mill_write_new(socket, text, size);
    return mill_operation_push_started(L, write ? &write->operation : NULL, push_nothing,
                                       network);
}

/* core.close_socket(socket) */
static int close_socket(lua_State *L)
{
    mill_socket_close(check_socket(L, 1));
    return 0;
}

/* ---- servers -------------------------------------------------------------------------------------- */

/* -> server, port */
static int push_listening(lua_State *L, struct mill_operation *operation)
{
    struct mill_listen *listen = (struct mill_listen *)operation;
    struct server_handle *handle = mill_handle_new(L, server_name, sizeof *handle, server_gc);
    handle->server = listen->server;
    listen->server = NULL;
    lua_pushinteger(L, handle->server->port);
    return 2;
}

/* core.listen(address, port); nil: the address is none in numbers. */
static int start_listen(lua_State *L)
{
    bool known;
    struct mill_listen *listen =
        mill_listen_new(luaL_checkstring(L, 1), (int)luaL_checkinteger(L, 2), &known);
    if (!known) return 0;
    return mill_operation_push_started(L, listen ? &listen->operation : NULL, push_listening,
                                       network);
}

static int push_accepted(lua_State *L, struct mill_operation *operation)
{
    return push_socket(L, &((struct mill_accept *)operation)->socket);
}

/* core.accept(server) -> its result: socket, peer; nil: the server is closed */
static int start_accept(lua_State *L)
{
    struct mill_accept *accept = mill_accept_new(check_server(L, 1));
    return mill_operation_push_started(L, accept ? &accept->operation : NULL, push_accepted,
                                       network);
}

/* core.close_server(server) */
static int close_server(lua_State *L)
{
    mill_server_close(check_server(L, 1));
    return 0;
}

static const luaL_Reg socket_functions[] = {
    {"accept", start_accept},       {"close_server", close_server},
    {"close_socket", close_socket}, {"connect", start_connect},
    {"listen", start_listen},       {"read", start_socket_read},
    {"write", start_socket_write},  {NULL, NULL},
};

void mill_lib_socket(lua_State *L)
{
    luaL_register(L, NULL, socket_functions);
}
