-- day_trade_oracle: the main job again, slow and plain, to hold scripts/day_trade.lua against.
-- Uses no kernel and no engine: its own CSV splitting, textbook formulas, one loop per formula.
-- SPDX-License-Identifier: MIT
local oracle = {}

-- Reading -------------------------------------------------------------------------------------

local SYNONYMS = {
  symbol = {"symbol", "ticker", "code", "股票代码", "name"},
  date = {"date", "time", "timestamp", "day", "日期"},
  open = {"open", "开盘价"},
  high = {"high", "最高价"},
  low = {"low", "最低价"},
  close = {"close", "收盘价"},
  volume = {"volume", "成交量"},
}
local PRICES = {"open", "high", "low", "close", "volume"}
local MISSING = {
  [""] = true, NA = true, ["N/A"] = true, NaN = true, nan = true, null = true, None = true,
}

local function read_text(path, encoding)
  local command = path:find("%.gz$") and "gzip -dc '" .. path .. "'" or "cat '" .. path .. "'"
  if encoding then command = command .. " | iconv -f " .. encoding .. " -t UTF-8" end
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("^\239\187\191", ""):gsub("\r\n", "\n"))
end

-- Splits one line; a quoted cell may hold the delimiter and doubled quotes, but no line break.
local function split(line, delimiter)
  local cells, cell, quoted, i = {}, "", false, 1
  while i <= #line do
    local c = line:sub(i, i)
    if c == '"' and quoted and line:sub(i + 1, i + 1) == '"' then
      cell, i = cell .. '"', i + 1
    elseif c == '"' then
      quoted = not quoted
    elseif c == delimiter and not quoted then
      cells[#cells + 1], cell = cell, ""
    else
      cell = cell .. c
    end
    i = i + 1
  end
  cells[#cells + 1] = cell
  return cells
end

local function find_column(header, names)
  for _, name in ipairs(names) do
    for i, cell in ipairs(header) do
      if cell:lower() == name then return i end
    end
  end
end

local function iso_date(cell)
  return ("%s-%s-%s"):format(cell:match("^(%d%d%d%d)[-/]?(%d%d)[-/]?(%d%d)"))
end

-- Appends the rows of one file to `by_symbol`: symbol -> list of rows in file order.
local function read_rows(path, symbol, encoding, by_symbol)
  local text = read_text(path, encoding)
  local first_line = text:match("^[^\n]*")
  local delimiter = first_line:find("[,;\t]") and first_line:match("[,;\t]") or ","
  local header = split(first_line, delimiter)
  local at = {}
  for field, names in pairs(SYNONYMS) do at[field] = find_column(header, names) end
  local rows = 0
  for line in text:sub(#first_line + 2):gmatch("[^\n]+") do
    local cells = split(line, delimiter)
    local row = {date = iso_date(cells[at.date])}
    for _, field in ipairs(PRICES) do
      local cell = cells[at[field]]
      row[field] = not MISSING[cell] and assert(tonumber(cell)) or nil
    end
    local name = at.symbol and cells[at.symbol]:gsub("^'", "") or symbol
    by_symbol[name] = by_symbol[name] or {}
    table.insert(by_symbol[name], row)
    rows = rows + 1
  end
  return rows
end

-- Steps 1 and 2: order, duplicates, faults ----------------------------------------------------

-- Of several rows with one date the last in the file stays.
local function order_by_date(rows, dropped)
  local latest, dates = {}, {}
  for _, row in ipairs(rows) do
    if latest[row.date] then
      dropped.duplicate = dropped.duplicate + 1
    else
      dates[#dates + 1] = row.date
    end
    latest[row.date] = row
  end
  table.sort(dates)
  local ordered = {}
  for i, date in ipairs(dates) do ordered[i] = latest[date] end
  return ordered
end

local function is_missing(row)
  return not (row.open and row.high and row.low and row.close and row.volume)
end

local function is_inconsistent(row)
  local fits = row.low <= row.open and row.low <= row.close
    and row.open <= row.high and row.close <= row.high
  local positive = row.open > 0 and row.high > 0 and row.low > 0 and row.close > 0
  return not (fits and positive)
end

local function clean(rows, dropped)
  local kept = {}
  for _, row in ipairs(rows) do
    if is_missing(row) then
      dropped.missing = dropped.missing + 1
    elseif is_inconsistent(row) then
      dropped.inconsistent = dropped.inconsistent + 1
    else
      kept[#kept + 1] = row
    end
  end
  return kept
end

-- Step 3: indicators at the last bar; nil where there are too few rows ------------------------

local function sum(x, first, last)
  local total = 0
  for i = first, last do total = total + x[i] end
  return total
end

local function mean(x, first, last)
  return sum(x, first, last) / (last - first + 1)
end

-- Square root of the mean square distance from the mean, with n - ddof below.
local function deviation(x, first, last, ddof)
  local middle, squares = mean(x, first, last), 0
  for i = first, last do squares = squares + (x[i] - middle) ^ 2 end
  return math.sqrt(squares / (last - first + 1 - ddof))
end

local function sma_last(x, n)
  if #x >= n then return mean(x, #x - n + 1, #x) end
end

-- Exponential average from bar `start` on, seeded with the mean of the n bars up to it.
local function ema_from(x, n, start)
  local out = {}
  if #x < start then return out end
  out[start] = mean(x, start - n + 1, start)
  for i = start + 1, #x do out[i] = out[i - 1] + 2 / (n + 1) * (x[i] - out[i - 1]) end
  return out
end

local function macd_last(close)
  if #close < 34 then return nil, nil end
  local fast, slow = ema_from(close, 12, 26), ema_from(close, 26, 26)
  local line = {}
  for i = 26, #close do line[#line + 1] = fast[i] - slow[i] end
  return line[#line], ema_from(line, 9, 9)[#line]
end

-- Wilder's average: the mean of the first n values, then (previous * (n - 1) + value) / n.
local function wilder(x, n)
  local average = mean(x, 1, n)
  for i = n + 1, #x do average = (average * (n - 1) + x[i]) / n end
  return average
end

local function rsi_last(close, n)
  if #close < n + 1 then return nil end
  local gains, losses = {}, {}
  for i = 2, #close do
    local change = close[i] - close[i - 1]
    gains[i - 1], losses[i - 1] = math.max(change, 0), math.max(-change, 0)
  end
  local gain, loss = wilder(gains, n), wilder(losses, n)
  if gain + loss == 0 then return 0 end
  return 100 * gain / (gain + loss)
end

local function atr_last(rows, n)
  if #rows < n + 1 then return nil end
  local ranges = {}
  for i = 2, #rows do
    local high, low, before = rows[i].high, rows[i].low, rows[i - 1].close
    ranges[i - 1] = math.max(high - low, math.abs(high - before), math.abs(low - before))
  end
  return wilder(ranges, n)
end

local function bands_last(close, n, width)
  if #close < n then return nil, nil end
  local middle = mean(close, #close - n + 1, #close)
  local distance = width * deviation(close, #close - n + 1, #close, 0)
  return middle + distance, middle - distance
end

local function returns_of(close)
  local out = {}
  for i = 2, #close do out[i - 1] = close[i] / close[i - 1] - 1 end
  return out
end

local function max_drawdown(close)
  local peak, worst
  for _, price in ipairs(close) do
    peak = math.max(peak or price, price)
    worst = math.min(worst or 0, price / peak - 1)
  end
  return worst
end

local function count_moves(returns, limit)
  local count = 0
  for _, r in ipairs(returns) do
    if math.abs(r) > limit then count = count + 1 end
  end
  return count
end

-- Step 5: the crossover sweep -----------------------------------------------------------------

-- Prices of up to six decimals as whole millionths, so that equal averages compare as equal
-- whatever the order of additions; other prices as they are.
local function exact(close)
  local units = {}
  for i, price in ipairs(close) do
    units[i] = math.floor(price * 1e6 + 0.5)
    if units[i] / 1e6 ~= price then return close end
  end
  return units
end

-- Prefix sums: sums[i + 1] is the sum of the first i.
local function prefix_sums(x)
  local sums = {0}
  for i = 1, #x do sums[i + 1] = sums[i] + x[i] end
  return sums
end

local function crossover_return(returns, sums, fast, slow)
  local bars, wealth = #sums - 1, 1
  for t = 3, bars do
    local s = t - 2
    if s >= slow then
      local fast_sum = sums[s + 1] - sums[s + 1 - fast]
      local slow_sum = sums[s + 1] - sums[s + 1 - slow]
      if fast_sum * slow > slow_sum * fast then wealth = wealth * (1 + returns[t - 1]) end
    end
  end
  return wealth - 1
end

local function best_crossover(close)
  local returns, sums = returns_of(close), prefix_sums(exact(close))
  local best
  for fast = 5, 50, 5 do
    for slow = 20, 200, 20 do
      if fast < slow then
        local total = crossover_return(returns, sums, fast, slow)
        if not best or total > best.total_return then
          best = {fast = fast, slow = slow, total_return = total}
        end
      end
    end
  end
  return best
end

local function describe(symbol, rows)
  local close = {}
  for i, row in ipairs(rows) do close[i] = row.close end
  local returns = returns_of(close)
  local out = {symbol = symbol, rows = #rows, suspect = count_moves(returns, 0.4)}
  out.last_date, out.last_close = #rows > 0 and rows[#rows].date or nil, close[#close]
  out.sma20, out.ema20 = sma_last(close, 20), ema_from(close, 20, 20)[#close]
  out.rsi14, out.atr14 = rsi_last(close, 14), atr_last(rows, 14)
  out.macd, out.macd_signal = macd_last(close)
  out.bb_upper, out.bb_lower = bands_last(close, 20, 2)
  if #returns >= 2 then out.volatility = deviation(returns, 1, #returns, 1) * math.sqrt(252) end
  out.max_drawdown = max_drawdown(close)
  out.best = best_crossover(close)
  return out
end

-- Step 4: correlation -------------------------------------------------------------------------

local function pearson(x, y)
  local mean_x, mean_y, xy, xx, yy = mean(x, 1, #x), mean(y, 1, #y), 0, 0, 0
  for i = 1, #x do
    local dx, dy = x[i] - mean_x, y[i] - mean_y
    xy, xx, yy = xy + dx * dy, xx + dx * dx, yy + dy * dy
  end
  if xx > 0 and yy > 0 then return xy / math.sqrt(xx * yy) end
end

-- The union of all dates, sorted, and on how many symbols' rows each stands.
local function all_dates(symbols, kept)
  local count, dates = {}, {}
  for _, symbol in ipairs(symbols) do
    for _, row in ipairs(kept[symbol]) do
      if not count[row.date] then dates[#dates + 1] = row.date end
      count[row.date] = (count[row.date] or 0) + 1
    end
  end
  table.sort(dates)
  return dates
end

local function shared_closes(symbols, kept, dates)
  local closes, by_date = {}, {}
  for _, symbol in ipairs(symbols) do
    closes[symbol], by_date[symbol] = {}, {}
    for _, row in ipairs(kept[symbol]) do by_date[symbol][row.date] = row.close end
  end
  for _, date in ipairs(dates) do
    local everywhere = #symbols > 0
    for _, symbol in ipairs(symbols) do everywhere = everywhere and by_date[symbol][date] end
    if everywhere then
      for _, symbol in ipairs(symbols) do
        table.insert(closes[symbol], by_date[symbol][date])
      end
    end
  end
  return closes
end

local function correlate(symbols, kept, dates)
  local used, left_out = {}, {}
  for _, symbol in ipairs(symbols) do
    table.insert(#kept[symbol] < #dates / 2 and left_out or used, symbol)
  end
  local closes, returns, pairs_found, total = shared_closes(used, kept, dates), {}, {}, 0
  for i, symbol in ipairs(used) do returns[i] = returns_of(closes[symbol]) end
  for i = 1, #used do
    for j = i + 1, #used do
      local r = #returns[i] > 0 and pearson(returns[i], returns[j])
      if r then
        total = total + r
        table.insert(pairs_found, {a = used[i], b = used[j], r = r})
      end
    end
  end
  -- Pairs were made in order of their names, which therefore decides between equals.
  for i, pair in ipairs(pairs_found) do pair.place = i end
  table.sort(pairs_found, function(x, y)
    if x.r ~= y.r then return x.r > y.r end
    return x.place < y.place
  end)
  local top = {}
  for i = 1, math.min(10, #pairs_found) do
    local pair = pairs_found[i]
    top[i] = {a = pair.a, b = pair.b, r = pair.r}
  end
  return {
    symbols = #used, left_out = left_out, top = top,
    days = #used > 0 and math.max(#closes[used[1]] - 1, 0) or 0,
    mean = #pairs_found > 0 and total / #pairs_found or nil,
  }
end

-- The job -------------------------------------------------------------------------------------

local function symbol_of(path)
  return (path:match("([^/]*)$"):gsub("%.gz$", ""):gsub("%.csv$", ""))
end

-- `files` in byte order of their names.  The result has the fields that the job writes, but for
-- those that tell of the run itself (cache, elapsed, workers, tasks, schema).
function oracle.run(files, encoding)
  local by_symbol, rows, symbols, kept = {}, 0, {}, {}
  for _, path in ipairs(files) do
    rows = rows + read_rows(path, symbol_of(path), encoding, by_symbol)
  end
  for symbol in pairs(by_symbol) do symbols[#symbols + 1] = symbol end
  table.sort(symbols)
  local dropped = {missing = 0, inconsistent = 0, duplicate = 0}
  local per_symbol = {}
  for i, symbol in ipairs(symbols) do
    kept[symbol] = clean(order_by_date(by_symbol[symbol], dropped), dropped)
    per_symbol[i] = describe(symbol, kept[symbol])
  end
  local dates = all_dates(symbols, kept)
  return {
    rows = rows, dropped = dropped, symbols = #symbols, dates = #dates,
    first_date = dates[1], last_date = dates[#dates],
    per_symbol = per_symbol, correlation = correlate(symbols, kept, dates),
  }
end

return oracle
