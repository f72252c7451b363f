-- day_trade: daily prices in, indicators, correlations and each symbol's best crossover out.
-- The graph: load -> prepare -> (measure, sweep); prepare -> align -> correlate; all -> report.
-- Every task is cached by what it read, so a second run computes only what changed.
-- SPDX-License-Identifier: MIT
local tm = require "tidemill"
local kernels = tm.kernels

-- Options -------------------------------------------------------------------------------------

local options = tm.args({
  data = "", encoding = "", symbols = 200, days = 1260, seed = 1,
}, {
  usage = "tidemill run day_trade [--data PATH] [--encoding NAME]\n"
    .. "       tidemill run day_trade [--symbols N] [--days N] [--seed N]",
  help = {
    data = "one CSV with a symbol column, or a folder or glob of one CSV per symbol",
    encoding = "encoding of the files when it is not UTF-8, such as GBK",
    symbols = "size of the made-up market that is used without --data",
    days = "trading days of the made-up market, from 2015-01-02 on",
    seed = "seed of the made-up market",
  },
})

-- Ends the run with one line: what is wrong with the input or an option needs no traceback.
local function refuse(text, status)
  io.stderr:write("tidemill: ", text, "\n")
  os.exit(status)
end

local function check_whole(name, least)
  local value = options[name]
  if value < least or value >= 2 ^ 31 or value % 1 ~= 0 then
    refuse(("--%s: expected a whole number from %d on, got %s"):format(name, least, value), 2)
  end
end

check_whole("symbols", 1)
check_whole("days", 1)
check_whole("seed", 0)

-- Loading files -------------------------------------------------------------------------------

-- The first name that a file has is taken, in any case.
local SYNONYMS = {
  symbol = {"symbol", "ticker", "code", "股票代码", "name"},
  date = {"date", "time", "timestamp", "day", "日期"},
  open = {"open", "开盘价"},
  high = {"high", "最高价"},
  low = {"low", "最低价"},
  close = {"close", "收盘价"},
  volume = {"volume", "成交量"},
}
local FIELDS = {"date", "open", "high", "low", "close", "volume"}

-- Our field -> the file's name for it; or nil and what is missing.
local function find_columns(path, header)
  local by_name, found, absent = {}, {}, {}
  for _, name in ipairs(header) do
    local key = name:match("^%s*(.-)%s*$"):lower()
    by_name[key] = by_name[key] or name
  end
  for field, names in pairs(SYNONYMS) do
    for i = #names, 1, -1 do found[field] = by_name[names[i]] or found[field] end
  end
  for _, field in ipairs(FIELDS) do
    if not found[field] then absent[#absent + 1] = field end
  end
  if #absent > 0 then
    return nil, ("%s: no column %s; it has %s"):format(path, table.concat(absent, ", "),
      table.concat(header, ", "))
  end
  return found
end

-- What to read of a file that has these columns, and as which types.
local function choose_columns(path, header)
  local found, fault = find_columns(path, header)
  if not found then error(fault, 0) end
  local columns, types = {}, {}
  for field, name in pairs(found) do
    columns[#columns + 1] = name
    types[name] = field == "symbol" and "dictionary" or field == "date" and "date" or "float64"
  end
  table.sort(columns)
  return columns, types
end

-- A row without a date or a symbol belongs nowhere.
local function check_present(path, name, column)
  if column.nulls == 0 then return end
  local row = 1
  while column:present(row) do row = row + 1 end
  error(("%s:%d: column \"%s\": the cell has no value"):format(path, row + 1, name), 0)
end

-- The columns of one file as our fields name them, and the number of its rows.
local function read_columns(path, encoding)
  local frame = tm.read_csv(path, {
    encoding = encoding,
    columns = function(header) return choose_columns(path, header) end,
  })
  if frame.rows == 0 then error(path .. ": no rows below the header", 0) end
  local columns, found = {}, find_columns(path, frame.columns)
  for field, name in pairs(found) do columns[field] = frame:column(name) end
  check_present(path, found.date, columns.date)
  if columns.symbol then check_present(path, found.symbol, columns.symbol) end
  return columns, frame.rows
end

-- A pointer does not keep its array alive: an array is named again after the last use of one.
local function hold() end

-- Whether each key is above the one before.
local function is_ascending(keys)
  local values, ascending = keys:pointer(), true
  for i = 1, #keys - 1 do
    if values[i] <= values[i - 1] then
      ascending = false
      break
    end
  end
  hold(keys)
  return ascending
end

-- A file without a symbol column can only be read by itself when it shows one row a day.
local function check_single(path, dates)
  if is_ascending(dates) then return end
  local sorted = kernels.take(dates, kernels.argsort(dates))
  if is_ascending(sorted) then return end
  error(path .. ": no symbol column (symbol, ticker, code or name), and dates repeat; "
    .. "read a folder or a glob where each file is one symbol", 0)
end

-- Puts the rows of each symbol side by side, in file order: those of the g-th symbol are
-- offsets[g] up to, not including, offsets[g + 1].
local function group_rows(columns, rows)
  local symbols = columns.symbol
  if not symbols then return columns, tm.array({1, rows + 1}, "int32") end
  local offsets, index = kernels.group(symbols.codes, #symbols.dictionary)
  local grouped = columns
  if not is_ascending(index) then
    grouped = {}
    for _, field in ipairs(FIELDS) do grouped[field] = kernels.take(columns[field], index) end
  end
  return grouped, offsets
end

local load_file = tm.delayed(function(path, encoding, alone)
  local columns, rows = read_columns(path, encoding)
  if alone and not columns.symbol then check_single(path, columns.date) end
  local market, offsets = group_rows(columns, rows)
  return {
    rows = rows, offsets = offsets, symbols = columns.symbol and columns.symbol.dictionary,
    date = market.date, open = market.open, high = market.high, low = market.low,
    close = market.close, volume = market.volume,
  }
end, {name = "load", kind = "io", cache = true})

-- The symbols that a file names; none when it has no column of them.  Some Chinese sources
-- write codes as '000300, so that spreadsheets keep the zeros.
local list_symbols = tm.delayed(function(market)
  local names = {}
  for i = 1, market.symbols and #market.symbols or 0 do
    names[i] = market.symbols[i]:gsub("^'", "")
  end
  return names
end, {name = "list_symbols", cache = true})

-- A made-up market ----------------------------------------------------------------------------

-- Only + - * / and sqrt on reproducible streams: the same bits on every machine.  Near enough
-- to normal: the sum of twelve uniform numbers less six (Irwin-Hall).
local function normals(seed, stream, n)
  local uniform, out = kernels.uniform(seed, stream, 12 * n), {}
  local values = uniform:pointer()
  for i = 1, n do
    local sum, base = 0, 12 * (i - 1)
    for j = 0, 11 do sum = sum + values[base + j] end
    out[i] = sum - 6
  end
  hold(uniform)
  return out
end

-- Daily moves whose volatility clusters, as GARCH(1,1) has it, around `sigma` in the long run.
local function clustered(seed, stream, n, sigma)
  local moves, variance = normals(seed, stream, n), sigma * sigma
  for t = 1, n do
    local move = math.sqrt(variance) * moves[t]
    moves[t] = move
    variance = 0.05 * sigma * sigma + 0.10 * move * move + 0.85 * variance
  end
  return moves
end

local SECTORS = 8

-- What all symbols share: weekdays from 2015-01-02 (day 16437, a Friday) and common moves.
local invent_factors = tm.delayed(function(days, seed)
  local factors, dates, day = {}, {}, 16437
  for t = 1, days do
    dates[t] = day
    -- Day 1 of the epoch was a Friday.
    day = day + (day % 7 == 1 and 3 or 1)
  end
  for i = 0, SECTORS do
    local moves = clustered(seed, i, days, i == 0 and 0.008 or 0.006)
    factors[i + 1] = tm.array(moves, "float64")
  end
  return {dates = tm.array(dates, "date"), moves = factors}
end, {name = "invent_factors", cache = true})

local function cents(price)
  return math.max(math.floor(price * 100 + 0.5) / 100, 0.01)
end

local CELLS = {"open", "high", "low", "close", "volume"}

-- What sets one symbol apart from the others.
local function invent_traits(seed, number, days)
  local u = kernels.uniform(seed, 100 + 4 * number, 6)
  return {
    sigma = 0.006 + 0.012 * u[1], beta = 0.5 + u[2], tilt = 0.3 + 0.7 * u[3],
    price = 10 + 190 * u[4], drift = 0.0008 * u[5] - 0.0002, turnover = 1e5 + 5e6 * u[6],
    -- Every fortieth symbol is listed late.
    listed = number % 40 == 0 and math.floor(0.6 * days) + 1 or 1,
  }
end

-- The returns of a symbol: its share in the market and a sector, and moves of its own.
local function invent_returns(traits, factors, number, seed)
  local days = #factors.dates
  local own, common = clustered(seed, 101 + 4 * number, days, traits.sigma), factors.moves[1]
  local sector = factors.moves[2 + number % SECTORS]
  for t = 1, days do
    local move = traits.drift + traits.beta * common[t] + traits.tilt * sector[t] + own[t]
    own[t] = math.min(math.max(move, -0.3), 0.3)
  end
  return own
end

-- A row of the five cells for a day that opens at `open` and closes at `close`; u[at] to
-- u[at + 4] are its chances.
local function invent_row(open, close, turnover, u, at)
  local row = {open = cents(open), close = cents(close)}
  row.high = cents(math.max(open, close) * (1 + 0.01 * u[at]))
  row.low = cents(math.min(open, close) * (1 - 0.01 * u[at + 1]))
  row.volume = math.floor(turnover * (0.5 + u[at + 2]))
  if u[at + 3] < 1 / 4000 then row[CELLS[1 + math.floor(5 * u[at + 4])]] = 0 / 0 end
  return row
end

-- One symbol of its own: prices that gap overnight, a few days without a row, a few rows
-- without a cell.
local invent_symbol = tm.delayed(function(factors, number, seed)
  local days = #factors.dates
  local traits = invent_traits(seed, number, days)
  local returns = invent_returns(traits, factors, number, seed)
  local gaps, chances = normals(seed, 102 + 4 * number, days),
    kernels.uniform(seed, 103 + 4 * number, 6 * days)
  local u, price, rows = chances:pointer(), traits.price, 0
  local columns = {date = {}, open = {}, high = {}, low = {}, close = {}, volume = {}}
  for t = traits.listed, days do
    local move = returns[t]
    local open, close = price * (1 + 0.3 * move + 0.003 * gaps[t]), price * (1 + move)
    if u[6 * t - 6] >= 1 / 2500 then
      local turnover = traits.turnover * (1 + 20 * math.abs(move))
      local row = invent_row(open, close, turnover, u, 6 * t - 5)
      rows = rows + 1
      columns.date[rows] = factors.dates[t]
      for _, cell in ipairs(CELLS) do columns[cell][rows] = row[cell] end
    end
    price = math.min(math.max(close, 0.5), 1e6)
  end
  hold(chances)
  local market = {rows = rows, offsets = tm.array({1, rows + 1}, "int32")}
  market.date = tm.array(columns.date, "date")
  for _, cell in ipairs(CELLS) do market[cell] = tm.array(columns[cell], "float64") end
  return market
end, {name = "invent_symbol", cache = true})

-- One symbol ----------------------------------------------------------------------------------

local function rows_of(market, group)
  local first, last, rows = market.offsets[group], market.offsets[group + 1] - 1, {}
  for _, field in ipairs(FIELDS) do rows[field] = market[field]:slice{{first, last}} end
  return rows
end

-- A symbol that is in several files: their rows one after the other.
local function join_rows(parts)
  local joined = {}
  for _, field in ipairs(FIELDS) do
    local values = {}
    for _, part in ipairs(parts) do
      for _, value in part[field]:iter() do values[#values + 1] = value end
    end
    joined[field] = tm.array(values, field == "date" and "date" or "float64")
  end
  return joined
end

local function take_rows(rows, index)
  local taken = {}
  for _, field in ipairs(FIELDS) do taken[field] = kernels.take(rows[field], index) end
  return taken
end

-- Rows in order of date; of several with one date the last in the file stays.
local function order_by_date(rows)
  if is_ascending(rows.date) then return rows end
  local order = kernels.argsort(rows.date)
  local kept = {}
  for i = 1, #order do
    local same_day = i < #order and rows.date[order[i]] == rows.date[order[i + 1]]
    if not same_day then kept[#kept + 1] = order[i] end
  end
  return take_rows(rows, tm.array(kept, "int32"))
end

-- Rows without a fault, how many lacked a value and how many contradicted themselves.
local function drop_faults(rows)
  local faults, count = kernels.ohlcv_check(rows.open, rows.high, rows.low, rows.close,
    rows.volume)
  if count == 0 then return rows, 0, 0 end
  local kept, missing = {}, 0
  for i, fault in faults:iter() do
    if fault == 0 then kept[#kept + 1] = i end
    if fault == 1 then missing = missing + 1 end
  end
  return take_rows(rows, tm.array(kept, "int32")), missing, count - missing
end

-- `parts` says where the symbol's rows are: a list of {market =, group =}.
local prepare = tm.delayed(function(parts)
  local found = {}
  for i, part in ipairs(parts) do found[i] = rows_of(part.market, part.group) end
  local rows = #found == 1 and found[1] or join_rows(found)
  local ordered = order_by_date(rows)
  local kept, missing, inconsistent = drop_faults(ordered)
  return {
    read = #rows.date, duplicate = #rows.date - #ordered.date, missing = missing,
    inconsistent = inconsistent, date = kept.date, high = kept.high, low = kept.low,
    close = kept.close,
  }
end, {name = "prepare", cache = true})

local nan = 0 / 0

local function last(values)
  return values[#values]
end

-- Everything at the last bar; NaN, which JSON writes as null, where there are too few rows.
local function measure_rows(date, high, low, close)
  -- The first bar has no return.
  local returns = kernels.returns(close):slice{{2, #close}}
  local macd, signal = kernels.macd(close, 12, 26, 9)
  local upper, _, lower = kernels.bbands(close, 20, 2)
  return {
    last_date = tm.date_text(last(date)), last_close = last(close),
    suspect = kernels.count_moves(returns, 0.4),
    sma20 = last(kernels.sma(close, 20)), ema20 = last(kernels.ema(close, 20)),
    rsi14 = last(kernels.rsi(close, 14)), macd = last(macd), macd_signal = last(signal),
    bb_upper = last(upper), bb_lower = last(lower),
    atr14 = last(kernels.atr(high, low, close, 14)),
    volatility = kernels.std(returns, 1) * math.sqrt(252),
    max_drawdown = kernels.max_drawdown(close),
  }
end

local function measure_nothing()
  return {
    last_date = nan, last_close = nan, suspect = 0, sma20 = nan, ema20 = nan, rsi14 = nan,
    macd = nan, macd_signal = nan, bb_upper = nan, bb_lower = nan, atr14 = nan,
    volatility = nan, max_drawdown = nan,
  }
end

local measure = tm.delayed(function(symbol)
  local rows = #symbol.close
  local found = rows > 0 and measure_rows(symbol.date, symbol.high, symbol.low, symbol.close)
    or measure_nothing()
  found.rows = rows
  found.read, found.duplicate = symbol.read, symbol.duplicate
  found.missing, found.inconsistent = symbol.missing, symbol.inconsistent
  return found
end, {name = "measure", cache = true})

-- The pair of averages that earned most: hold while the fast one is above the slow one.
local sweep = tm.delayed(function(symbol)
  local fasts, slows = {5, 10, 15, 20, 25, 30, 35, 40, 45, 50}, {}
  for slow = 20, 200, 20 do slows[#slows + 1] = slow end
  local _, best = kernels.sma_cross(symbol.close, fasts, slows)
  return {fast = best.fast, slow = best.slow, total_return = best.total}
end, {name = "sweep", cache = true})

-- All symbols ---------------------------------------------------------------------------------

-- The days on which any of the symbols has a row, sorted.
local function union_of_dates(symbols)
  local seen, dates = {}, {}
  for _, symbol in ipairs(symbols) do
    local values = symbol.date:pointer()
    for i = 0, #symbol.date - 1 do
      local date = values[i]
      if not seen[date] then
        seen[date] = true
        dates[#dates + 1] = date
      end
    end
  end
  table.sort(dates)
  return dates
end

-- The returns of one symbol between consecutive dates of `shared`, which it has all.
local function returns_on(symbol, shared)
  local closes = kernels.take(symbol.close, kernels.locate(symbol.date, shared))
  return kernels.returns(closes):slice{{2, #shared}}
end

-- Which symbols correlate (by their places in the list) and, standardised, their returns on
-- the days that they share.  Those with rows on under half of all dates would leave too few.
local align = tm.delayed(function(symbols)
  local dates, used, left_out, shared = union_of_dates(symbols), {}, {}, nil
  for i, symbol in ipairs(symbols) do
    if 2 * #symbol.date < #dates then
      left_out[#left_out + 1] = i
    else
      used[#used + 1] = i
      shared = shared and kernels.intersect(shared, symbol.date) or symbol.date
    end
  end
  local days, returns = shared and math.max(#shared - 1, 0) or 0, {}
  if days > 0 then
    for i, place in ipairs(used) do returns[i] = returns_on(symbols[place], shared) end
  end
  return {
    dates = #dates, first_date = dates[1], last_date = dates[#dates], used = used,
    left_out = left_out, days = days, returns = days > 0 and kernels.standardise(returns) or nil,
  }
end, {name = "align", cache = true})

-- Keeps `list` the ten pairs of highest r that it was given, in order; of equal ones the pair
-- with the smaller places first.  Pairs come in order of their places, so that a later equal
-- one goes behind.
local function keep_ten(list, a, b, r)
  local place = #list + 1
  while place > 1 and list[place - 1].r < r do place = place - 1 end
  if place > 10 then return end
  table.insert(list, place, {a = a, b = b, r = r})
  list[11] = nil
end

-- The matrix of coefficients goes in blocks of so many rows, whatever the number of workers:
-- the order of additions, and with it every bit of the mean, follows from the data alone.
local BLOCK = 32

-- Rows [first, first + BLOCK) of the upper triangle: sum and number of the coefficients that
-- are defined, and the ten highest.
local correlate = tm.delayed(function(aligned, first)
  local used, found = aligned.used, {sum = 0, count = 0, top = {}}
  local final = math.min(first + BLOCK - 1, #used)
  if final < first or aligned.days == 0 then return found end
  local matrix = kernels.correlation(aligned.returns, first, final)
  local values = matrix:pointer()
  for a = first, final do
    for b = a + 1, #used do
      local r = values[(a - first) * #used + b - 1]
      if r == r then
        found.sum, found.count = found.sum + r, found.count + 1
        keep_ten(found.top, used[a], used[b], r)
      end
    end
  end
  hold(matrix)
  return found
end, {name = "correlate", cache = true})

-- The report ----------------------------------------------------------------------------------

local function join_blocks(names, aligned, blocks)
  local sum, count, closest, top, left_out = 0, 0, {}, {}, {}
  for _, block in ipairs(blocks) do
    sum, count = sum + block.sum, count + block.count
    for _, pair in ipairs(block.top) do keep_ten(closest, pair.a, pair.b, pair.r) end
  end
  for i, pair in ipairs(closest) do
    top[i] = {a = names[pair.a], b = names[pair.b], r = pair.r}
  end
  for i, place in ipairs(aligned.left_out) do left_out[i] = names[place] end
  return {
    symbols = #aligned.used, left_out = left_out, days = aligned.days, mean = sum / count,
    top = top,
  }
end

local function describe(name, measured, best)
  local line = {symbol = name, best = best}
  for field, value in pairs(measured) do line[field] = value end
  line.read, line.missing, line.inconsistent, line.duplicate = nil, nil, nil, nil
  return line
end

local function date_or_null(day)
  return day and tm.date_text(day) or nan
end

-- All that --json writes, but for what belongs to the run and not to the data.
local report = tm.delayed(function(names, measured, best, aligned, blocks)
  local rows, dropped, per_symbol = 0, {missing = 0, inconsistent = 0, duplicate = 0}, {}
  for i, name in ipairs(names) do
    rows = rows + measured[i].read
    for reason, count in pairs(dropped) do dropped[reason] = count + measured[i][reason] end
    per_symbol[i] = describe(name, measured[i], best[i])
  end
  return {
    schema = 1, rows = rows, dropped = dropped, symbols = #names, dates = aligned.dates,
    first_date = date_or_null(aligned.first_date), last_date = date_or_null(aligned.last_date),
    per_symbol = per_symbol, correlation = join_blocks(names, aligned, blocks),
  }
end, {name = "report", cache = true})

-- The input -----------------------------------------------------------------------------------

local CSV = "*.[cC][sS][vV]"

local function files_in(folder)
  local exact = folder:gsub("/+$", ""):gsub("[%*%?%[]", "[%0]")
  local files = tm.glob(exact .. "/" .. CSV)
  for _, path in ipairs(tm.glob(exact .. "/" .. CSV .. ".[gG][zZ]")) do
    files[#files + 1] = path
  end
  table.sort(files)
  return files
end

-- The files that --data names, and whether it named one file by itself.
local function find_files(path)
  local kind = tm.path_kind(path)
  if kind == "file" then return {path}, true end
  if kind == "folder" then
    local files = files_in(path)
    if #files == 0 then refuse(path .. ": no .csv or .csv.gz files", 1) end
    return files, false
  end
  if not path:find("[%*%?%[]") then refuse(path .. ": no such file or folder", 1) end
  local files = tm.glob(path)
  if #files == 0 then refuse(path .. ": no file matches", 1) end
  return files, false
end

local function symbol_of(path)
  return (path:match("([^/]*)$"):gsub("%.[gG][zZ]$", ""):gsub("%.[cC][sS][vV]$", ""))
end

-- Ends the run with what reading a file found; what the library calls encoding is ours too.
local function refuse_file(fault)
  refuse((tostring(fault):gsub('encoding = "([^"]*)"', "--encoding %1")), 1)
end

-- Whether a file has a column of symbols.
local function names_symbols(path, encoding)
  local done, header = pcall(tm.read_header, path, {encoding = encoding})
  if not done then refuse_file(header) end
  local found, fault = find_columns(path, header)
  if not found then refuse_file(fault) end
  return found.symbol ~= nil
end

local function compute(nodes)
  local done, result = pcall(tm.compute, nodes)
  if done then return result end
  if type(result) == "table" and result.task == "load" then refuse_file(result.message) end
  error(result, 0)
end

-- The symbols of each file by its place in `paths`; none for those whose name is their symbol.
-- Which symbols a file holds shows once it has been read, which the cache spares the tasks that
-- follow.  The header tells whether that is needed, but to read a large file by itself twice for
-- its header is not worth it.
local function find_symbols(paths, markets, alone, encoding)
  local lists, count = {}, 0
  for i, path in ipairs(paths) do
    if alone or names_symbols(path, encoding) then
      lists[i], count = list_symbols(markets[i]), count + 1
    end
  end
  return count > 0 and compute(lists) or lists, count
end

-- Symbol -> where its rows are, and the number of tasks so far.
local function open_files(paths, alone, encoding)
  local by_name, markets = {}, {}
  for i, path in ipairs(paths) do markets[i] = load_file(path, encoding, alone) end
  local lists, count = find_symbols(paths, markets, alone, encoding)
  for i, path in ipairs(paths) do
    local names = lists[i] and #lists[i] > 0 and lists[i] or {symbol_of(path)}
    for group, name in ipairs(names) do
      by_name[name] = by_name[name] or {}
      table.insert(by_name[name], {market = markets[i], group = group})
    end
  end
  return by_name, #paths + count
end

local function open_invented(count, days, seed)
  local factors, by_name = invent_factors(days, seed), {}
  for i = 1, count do
    by_name[("S%04d"):format(i)] = {{market = invent_symbol(factors, i, seed), group = 1}}
  end
  return by_name, count + 1
end

local function open_input()
  if options.data == "" then
    return open_invented(options.symbols, options.days, options.seed)
  end
  local paths, alone = find_files(options.data)
  return open_files(paths, alone, options.encoding)
end

-- The graph -----------------------------------------------------------------------------------

-- The node of the report, and how many tasks there are in all, run or found in the cache.
local function build(by_name, tasks)
  local names, prepared, measured, best, blocks = {}, {}, {}, {}, {}
  for name in pairs(by_name) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    prepared[i] = prepare(by_name[name])
    measured[i], best[i] = measure(prepared[i]), sweep(prepared[i])
  end
  local aligned = align(prepared)
  for first = 1, #names, BLOCK do blocks[#blocks + 1] = correlate(aligned, first) end
  return report(names, measured, best, aligned, blocks), tasks + 3 * #names + #blocks + 2
end

-- The summary ---------------------------------------------------------------------------------

local function grouped(number)
  local text = ("%d"):format(number):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function say(form, ...)
  tm.say(form:format(...))
end

-- Prints words in lines of 80 columns; past fifty words only how many more there are.
local function say_list(indent, words)
  local line = indent
  for i, word in ipairs(words) do
    if i > 50 then word = ("and %d more"):format(#words - 50) end
    if #line + 1 + #word > 80 then
      tm.say(line)
      line = indent
    end
    line = line .. " " .. word
    if i > 50 then break end
  end
  tm.say(line)
end

local function say_counts(result)
  local dropped, suspects = result.dropped, 0
  for _, line in ipairs(result.per_symbol) do
    if line.suspect > 0 then suspects = suspects + 1 end
  end
  say("rows        %s read; dropped %s missing, %s inconsistent, %s duplicate",
    grouped(result.rows), grouped(dropped.missing), grouped(dropped.inconsistent),
    grouped(dropped.duplicate))
  say("symbols     %s; %s with a move beyond 40 %% in a day", grouped(result.symbols),
    grouped(suspects))
  if result.dates > 0 then
    say("dates       %s, %s to %s", grouped(result.dates), result.first_date, result.last_date)
  end
end

local function say_correlation(correlation)
  local mean = correlation.mean
  say("correlated  %s symbols on %s days%s", grouped(correlation.symbols),
    grouped(correlation.days), mean == mean and (", mean %.4f"):format(mean) or "")
  if #correlation.left_out > 0 then
    say("left out    %s with rows on under half of all dates:", grouped(#correlation.left_out))
    say_list((" "):rep(11), correlation.left_out)
  end
  if #correlation.top == 0 then return end
  tm.say("")
  tm.say("most correlated pairs")
  for _, pair in ipairs(correlation.top) do
    say("  %-12s %-12s %7.4f", pair.a, pair.b, pair.r)
  end
end

local function is_better(x, y)
  if x.best.total_return ~= y.best.total_return then
    return x.best.total_return > y.best.total_return
  end
  return x.symbol < y.symbol
end

local function say_strategies(per_symbol)
  local lines = {}
  for i, line in ipairs(per_symbol) do lines[i] = line end
  table.sort(lines, is_better)
  tm.say("")
  tm.say("best strategies        fast  slow      return")
  for i = 1, math.min(10, #lines) do
    local best = lines[i].best
    say("  %-20s %4d  %4d %9.1f %%", lines[i].symbol, best.fast, best.slow,
      100 * best.total_return)
  end
end

-- The run -------------------------------------------------------------------------------------

local started = tm.clock()
local node, tasks = build(open_input())
local result = compute({node})[1]
local stats = tm.stats()
result.elapsed = tm.clock() - started
result.workers, result.tasks = stats.workers, tasks
result.cache = {hits = stats.hits, misses = stats.misses}
-- These may be empty, and are lists all the same.
tm.json.list(result.correlation.top)
tm.json.list(result.correlation.left_out)

say_counts(result)
say_correlation(result.correlation)
say_strategies(result.per_symbol)
tm.say("")
say("%.3f s, %d workers, %s tasks; cache: %s hits, %s misses", result.elapsed,
  result.workers, grouped(result.tasks), grouped(result.cache.hits),
  grouped(result.cache.misses))

local lost = result.dropped
tm.degraded(lost.missing + lost.inconsistent + lost.duplicate, "rows dropped")
return result
