-- Sends each notice of the file named by LINES once ("path<TAB>Header: value<TAB>…<TAB>body"), as a provider does.
-- The threads take every second line; requests are made before the clock runs.
local requests = {}
local next_one = 0
local number = 0

function setup(thread)
  thread:set("seed", number)
  number = number + 1
end

local function made(line)
  local fields = {}
  for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
  local headers = {}
  for i = 2, #fields - 1 do
    local name, value = fields[i]:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  return wrk.format("POST", fields[1], headers, fields[#fields])
end

function init(args)
  local n = 0
  for line in io.lines(os.getenv("LINES")) do
    if n % 2 == seed then requests[#requests + 1] = made(line) end
    n = n + 1
  end
end

function request()
  next_one = next_one + 1
  if next_one > #requests then
    io.stderr:write("post_notices: out of lines\n")
    os.exit(3)
  end
  return requests[next_one]
end
