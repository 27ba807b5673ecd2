-- Books once for each line of the file named by LINES ("person<TAB>token<TAB>slot"): holds a place, then confirms
-- it with the id of the answer, each with an Idempotency-Key of its own. ROUND keeps the keys of several runs apart;
-- the threads take every second line. A held place is confirmed before the next one is asked for.
local lines, tokens, threads, held = {}, {}, {}, {}
local next_line, first_held, last_held = 0, 1, 0
local round = os.getenv("ROUND")
booked = 0

function setup(thread)
  thread:set("seed", #threads)
  threads[#threads + 1] = thread
end

function init(args)
  local n = 0
  for line in io.lines(os.getenv("LINES")) do
    if n % 2 == seed then lines[#lines + 1] = line end
    n = n + 1
  end
end

local function post(path, token, key, body, device)
  return wrk.format("POST", path, {
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = body and "application/json" or nil,
    ["Idempotency-Key"] = "bench-" .. round .. "-" .. key,
    ["X-Device-Id"] = device,
  }, body)
end

function request()
  if first_held <= last_held then
    local one = held[first_held]
    held[first_held] = nil
    first_held = first_held + 1
    return post("/mp/v1/bookings/" .. one.id .. "/confirmation", one.token, one.id)
  end
  next_line = next_line + 1
  if next_line > #lines then
    io.stderr:write("book_each: out of lines\n")
    os.exit(3)
  end
  local person, token, slot = lines[next_line]:match("([^\t]+)\t([^\t]+)\t(.+)")
  tokens[person] = token
  return post("/mp/v1/bookings", token, person, '{"slot_id":"' .. slot .. '"}', person)
end

function response(status, headers, body)
  if status == 201 then
    local person = body:match('"person_id":"([^"]+)"')
    last_held = last_held + 1
    held[last_held] = {id = body:match('"id":"([^"]+)"'), token = tokens[person]}
    tokens[person] = nil
  elseif status == 200 and body:find('"state":"confirmed"', 1, true) then
    booked = booked + 1
  else
    io.stderr:write("book_each: " .. status .. " " .. body .. "\n")
  end
end

function done(summary, latency, requests)
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("booked") end
  print(string.format("Booked/sec: %.3f", all * 1e6 / summary.duration))
end
