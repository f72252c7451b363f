-- palette: colours of states and times, for dark text on light boxes.
-- Hues are Okabe and Ito's, which people with any colour vision tell apart; each state has its own
-- border too, and times grow darker.
local palette = {}

palette.text, palette.edge, palette.paper = "#1a1a1a", "#7a7a7a", "#ffffff"

--- In the order of a legend.
palette.states = { "finished", "hit", "failed", "skipped", "cancelled", "pending" }

local looks = {
  pending = { fill = "#eeeeee", border = "#8a8a8a", width = 1 },
  finished = { fill = "#d3e8f6", border = "#0072b2", width = 1 },
  hit = { fill = "#cdeee3", border = "#00805f", width = 1 },
  failed = { fill = "#f9cdb5", border = "#b34700", width = 2.5 },
  skipped = { fill = "#fbf4c4", border = "#8f7b00", width = 1, dash = "5,3" },
  cancelled = { fill = "#f3dfeb", border = "#a6477f", width = 1, dash = "2,2" },
}

--- fill, border, width and dash of a state; those of "pending" for one that is not known.
function palette.state(state) return looks[state] or looks.pending end

local ramp = { { 255, 250, 235 }, { 253, 212, 140 }, { 236, 140, 62 } }

--- Colour of a share from 0 to 1 of the longest time.
function palette.time(share)
  local place = math.max(0, math.min(1, share)) * (#ramp - 1)
  local low = math.min(math.floor(place), #ramp - 2)
  local from, to, part = ramp[low + 1], ramp[low + 2], place - low
  local rgb = {}
  for i = 1, 3 do rgb[i] = math.floor(from[i] + (to[i] - from[i]) * part + 0.5) end
  return ("#%02x%02x%02x"):format(unpack(rgb))
end

return palette
