-- Sends each body of the file named by LINES once ("token<TAB>body"), with an Idempotency-Key of its own.
-- ROUND keeps the keys of several runs apart; the threads take every second line.
local lines = {}
local next_line = 0
local number = 0

function setup(thread)
  thread:set("seed", number)
  number = number + 1
end

function init(args)
  local n = 0
  for line in io.lines(os.getenv("LINES")) do
    if n % 2 == seed then lines[#lines + 1] = line end
    n = n + 1
  end
end

function request()
  next_line = next_line + 1
  if next_line > #lines then
    io.stderr:write("post_each: out of lines\n")
    os.exit(3)
  end
  local token, body = lines[next_line]:match("([^\t]+)\t(.+)")
  return wrk.format("POST", os.getenv("POST_PATH"), {
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "bench-" .. os.getenv("ROUND") .. "-" .. seed .. "-" .. next_line,
    ["X-Device-Id"] = "phone-" .. seed .. "-" .. next_line,
  }, body)
end
