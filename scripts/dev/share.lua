-- share: writes what is installed beside the program, and made of what it says of itself: the manual
-- pages tidemill(1) and tidemill.h(3), and completions for bash, zsh and fish.
-- Usage: luajit scripts/dev/share.lua PROGRAM FOLDER.  SPDX-License-Identifier: MIT
package.path = "scripts/dev/share/?.lua;" .. package.path
local shell, words = dofile("scripts/dev/shell.lua"), require("words")

local binary, folder = arg[1], arg[2]

local function write(name, text) shell.write(folder .. "/" .. name, text) end

local known = words.of(binary)
write("tidemill.1", require("command").page(known))
write("tidemill.h.3", require("header").page(shell.read("host/include/tidemill.h"), known.version))
write("tidemill.bash", require("bash").completion(known))
write("tidemill.zsh", require("zsh").completion(known))
write("tidemill.fish", require("fish").completion(known))
