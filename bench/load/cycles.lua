-- What wrk sends: cycles of a start and a stop by the returned id. Each answer is checked. `done` prints a line of JSON.
--
-- wrk does not say to which connection an answer belongs, so running timers wait in a queue. A connection that is free
-- stops the oldest running timer, or else starts one for an owner who has none. There are as many owners as
-- connections: each owner has one timer at a time, and presses only after the answer to the press before.
--
-- Arguments: the token ("" for none), a prefix for owners, how many connections, a comment for each start ("" for none),
-- and how many milliseconds a connection waits before each press (0 for none).

-- Global, because `done` asks each thread for them by name.
cycles, wrong, first_wrong = 0, 0, ""

local head, start_tail, prefix
local owners, owner_of = 0, {}

local function queue()
  return { first = 1, last = 0 }
end

local function put(into, one)
  into.last = into.last + 1
  into[into.last] = one
end

local function take(from)
  if from.first > from.last then return nil end
  local one = from[from.first]
  from[from.first] = nil
  from.first = from.first + 1
  return one
end

local free, running = queue(), queue()

local function fresh_owner()
  owners = owners + 1
  return prefix .. "-" .. owners
end

function init(args)
  local token, connections, comment, wait_ms = args[1], tonumber(args[3]), args[4], tonumber(args[5])
  prefix = args[2]
  head = " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
  if token ~= "" then head = head .. "Authorization: Bearer " .. token .. "\r\n" end
  start_tail = comment ~= "" and ('","comment":"' .. comment .. '"}') or '"}'
  for _ = 1, connections do put(free, fresh_owner()) end
  -- Defined only when asked for, because wrk then sets a timer for each press.
  if wait_ms > 0 then delay = function() return wait_ms end end
end

function request()
  local id = take(running)
  if id then return "POST /v1/timers/" .. id .. "/stop" .. head .. "Content-Length: 0\r\n\r\n" end
  -- After a wrong answer an owner may still have a timer running, and a fresh one presses instead.
  local body = '{"owner":"' .. (take(free) or fresh_owner()) .. start_tail
  return "POST /v1/timers" .. head .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

-- Whether an answer is the one that the documents of the API promise. It moves its timer on.
local function is_right(status, body)
  local id = body:match('"id": ?"(%d+)"')
  local state = body:match('"state": ?"(%u+)"')
  local owner = body:match('"owner": ?"([^"]+)"')
  if not (id and #id == 39 and owner) then return false end
  if status == 201 then
    if state ~= "RUNNING" or owner_of[id] then return false end
    owner_of[id] = owner
    put(running, id)
    return true
  end
  local minutes = body:match('"total_minutes": ?"(%d+%.%d)"')
  if status ~= 200 or state ~= "STOPPED" or not minutes or owner_of[id] ~= owner then return false end
  owner_of[id] = nil
  put(free, owner)
  cycles = cycles + 1
  return true
end

function response(status, headers, body)
  if is_right(status, body) then return end
  wrong = wrong + 1
  if wrong == 1 then first_wrong = status .. " " .. body:sub(1, 200) end
end

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency)
  local all, bad, told = 0, 0, ""
  for _, thread in ipairs(threads) do
    all, bad = all + thread:get("cycles"), bad + thread:get("wrong")
    if told == "" then told = thread:get("first_wrong") end
  end
  local failed = summary.errors
  local lost = failed.connect + failed.read + failed.write + failed.timeout
  print(string.format(
    '{"requests":%d,"cycles":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,"first_error":"%s"}',
    summary.requests, all, summary.duration / 1e6, bad + lost,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, (told:gsub('[%c"\\]', "'"))))
end
