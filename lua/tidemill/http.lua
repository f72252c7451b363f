-- http: plain HTTP/1.1 requests.  The connection and the answer's bytes are the engine's
-- (host/lane/fetch.c, response.c); addresses, headers and redirects are here.
local core = require("tidemill.core")
local operation = require("tidemill.operation")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local http = {}

-- ---- addresses ------------------------------------------------------------------------------------

-- Parts of a URL, or nil and what is wrong with it.
local function parse(url)
  local scheme, rest = url:match("^(%a[%w+.-]*)://(.*)$")
  if not scheme then return nil, "expected a URL such as http://example.org/path" end
  scheme = scheme:lower()
  if scheme == "https" then
    return nil, "https is not supported, for want of TLS; tm.exec{\"curl\", ...} may do"
  end
  if scheme ~= "http" then return nil, ("only http:// is supported, not %s://"):format(scheme) end
  if url:find("[%z\1-\32\127-\255]") then
    return nil, "a blank, a control character or a byte beyond ASCII: write it as %XX"
  end
  local authority, path = rest:match("^([^/?#]*)([^#]*)")
  if authority:find("@", 1, true) then
    return nil, "a user name in a URL is not supported: use headers = {authorization = ...}"
  end
  local host, port = authority:match("^%[([%x:.]+)%](.*)$")
  if not host then host, port = authority:match("^([%w%-._]+)(.*)$") end
  if not host then return nil, "it names no host" end
  local number = port == "" and 80 or tonumber(port:match("^:(%d+)$"))
  if not number or number < 1 or number > 65535 then
    return nil, "the port is not a number from 1 to 65535"
  end
  if path == "" or path:sub(1, 1) == "?" then path = "/" .. path end
  return { host = host, port = number, path = path, authority = authority }
end

-- Without "." and ".." (RFC 3986, 5.2.4).
local function plain_path(path)
  local before, query = path:match("^([^?]*)(.*)$")
  local parts, last = {}, nil
  for part in before:gmatch("/([^/]*)") do
    last = part
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  local text = "/" .. table.concat(parts, "/")
  if (last == "." or last == "..") and text:sub(-1) ~= "/" then text = text .. "/" end
  return text .. query
end

-- Where a redirect leads, as a URL.
local function resolve(from, location)
  if location:find("^%a[%w+.-]*:") then return location end
  if location:sub(1, 2) == "//" then return "http:" .. location end
  local path = location:match("^[^#]*")
  if path == "" then
    path = from.path
  elseif path:sub(1, 1) == "?" then
    path = from.path:match("^[^?]*") .. path
  elseif path:sub(1, 1) ~= "/" then
    path = from.path:match("^[^?]*"):match("^(.*/)") .. path
  end
  return "http://" .. from.authority .. plain_path(path)
end

-- ---- requests ---------------------------------------------------------------------------------------

local function header_error(message, level) error("http_get: headers: " .. message, level + 1) end

local fixed = { connection = true, ["content-length"] = true, ["transfer-encoding"] = true }

-- name in lower case -> text
local function check_headers(given, level)
  local headers = { ["user-agent"] = "tidemill/" .. core.version, accept = "*/*",
    ["accept-encoding"] = "identity" }
  if given == nil then return headers end
  if type(given) ~= "table" then
    header_error("expected a table of names and values, got a " .. type(given), level + 1)
  end
  for name, value in pairs(given) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
      header_error(("%q is not the name of a header"):format(shown.name(name)), level + 1)
    end
    local text = (type(value) == "string" or type(value) == "number") and tostring(value)
    if not text or text:find("[%z\1-\8\10-\31\127]") then
      header_error(("%s: expected a text of one line, got %s"):format(name,
        text and "one with control characters" or "a " .. type(value)), level + 1)
    end
    if fixed[name:lower()] then header_error(name .. " is not yours to set", level + 1) end
    headers[name:lower()] = text
  end
  return headers
end

local function request_text(target, headers)
  local names = {}
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  local lines = { ("GET %s HTTP/1.1"):format(target.path) }
  if not headers.host then lines[2] = "host: " .. target.authority end
  for _, name in ipairs(names) do lines[#lines + 1] = name .. ": " .. headers[name] end
  lines[#lines + 1] = "connection: close\r\n\r\n"
  return table.concat(lines, "\r\n")
end

local function fail(url, message) error(("http_get: %s: %s"):format(url, message), 0) end

local redirected = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function get_one(url, target, wanted, deadline)
  local left = deadline and math.max(0, deadline - core.clock())
  local handle = core.fetch(target.host, target.port, request_text(target, wanted.headers), wanted.bytes)
  local fine, status, reason, headers, body = operation.run(handle, left)
  if fine == nil then fail(url, "timed out after " .. operation.time(wanted.seconds)) end
  if not fine then fail(url, status) end
  return { status = status, reason = reason, headers = headers, body = body }
end

-- What is meant for one server is not shown to another.
local function leave(wanted)
  wanted.headers.authorization, wanted.headers.cookie, wanted.headers.host = nil, nil, nil
end

local allowed = { "headers", "timeout", "max_bytes", "redirects" }

--- Gets a URL by plain HTTP (no TLS).  A task that waits for the answer holds no worker.  Raises when
--- there is no answer; an answer with any status is returned.
---
---     local answer = tm.http_get("http://127.0.0.1:8080/prices?day=3", {timeout = 5})
---     print(answer.status, answer.headers["content-type"], #answer.body)
---@param url string
---@param given? tidemill.http_options
---@return tidemill.answer
function http.get(url, given)
  operation.text(url, "http_get", "a URL", 2)
  given = options.only(given, allowed, "http_get", 2)
  local redirects = given.redirects == nil and 5 or given.redirects
  if type(redirects) ~= "number" or redirects < 0 or redirects > 100 or redirects % 1 ~= 0 then
    error("http_get: redirects: expected a whole number from 0 to 100, got " .. shown.value(redirects), 2)
  end
  local wanted = {
    headers = check_headers(given.headers, 2),
    seconds = operation.seconds(given.timeout, 30, "http_get", 2),
    bytes = operation.bytes(given.max_bytes, "http_get", 2),
  }
  local target, problem = parse(url)
  if not target then error(("http_get: %s: %s"):format(url, problem), 2) end
  local deadline, at = wanted.seconds and core.clock() + wanted.seconds, url
  for hops = 0, math.huge do
    local answer = get_one(at, target, wanted, deadline)
    local location = redirected[answer.status] and answer.headers.location
    if not location or redirects == 0 then return answer end
    if hops == redirects then fail(url, ("more than %d redirects"):format(redirects)) end
    at = resolve(target, location)
    local next_target, wrong = parse(at)
    if not next_target then fail(url, ("redirects to %s: %s"):format(at, wrong)) end
    if next_target.host ~= target.host or next_target.port ~= target.port then leave(wanted) end
    target = next_target
  end
end

return http
