-- convert: objects that stand for a node when they are passed to a task: futures, lazy arrays.
-- Encoding asks the table that is registered here: metatable -> function that gives the node.
-- SPDX-License-Identifier: MIT

local core = require("tidemill.core")

local convert = {}

local converters = {}
core.register("tidemill.convert", converters)

--- Objects with this metatable become nodes by `node`.
function convert.add(meta, node) converters[meta] = node end

--- The node that an object stands for; nil when it is not such an object.
function convert.node(value)
  local kind = type(value)
  local node = (kind == "table" or kind == "userdata") and converters[getmetatable(value)]
  return node and node(value)
end

return convert
