-- Asks for the timeline of a case drawn evenly, with its owner's token: case n belongs to person n % people.
local tokens = {}
local cases = tonumber(os.getenv("CASES"))
local number = 0

function setup(thread)
  thread:set("seed", number)
  number = number + 1
end

function init(args)
  math.randomseed(20260101 + seed)
  for line in io.lines(os.getenv("TOKENS")) do
    tokens[#tokens + 1] = {["Authorization"] = "Bearer " .. line}
  end
end

function request()
  local n = math.random(0, cases - 1)
  return wrk.format("GET", string.format("/mp/v1/cases/cs-%026d", n), tokens[n % #tokens + 1])
end
