-- How every script about endings begins: what time it is, whether anything was lost, how to append.
-- KEYS: the stream of endings, the hash about it. ARGV[1]: the latest position that the caller knows of, or nothing.
local stream, about, known = KEYS[1], KEYS[2], ARGV[1]

local function whole(number)
  return string.format('%.0f', number)
end

local function parts(id)
  local moment, count = string.match(id, '^(%d+)%-(%d+)$')
  return assert(tonumber(moment), 'not a position'), tonumber(count)
end

local last, count, lost = 0, 0, redis.call('EXISTS', stream) == 0
if not lost then
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      last, count = parts(info[i + 1])
    end
  end
end
-- Somebody has heard of more than there is: a snapshot was restored, or a replica that lagged took over.
if known ~= '' then
  local moment, number = parts(known)
  if moment > last or (moment == last and number > count) then
    lost, last, count = true, moment, number
  end
end

-- The store's time, which never goes back behind anything that it has told.
local time = redis.call('TIME')
local now = math.max(tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), last)

local function position()
  return whole(last) .. '-' .. whole(count)
end

local function append(...)
  if now > last then
    last, count = now, 0
  else
    count = count + 1
  end
  redis.call('XADD', stream, position(), ...)
end

local at = redis.call('HMGET', about, 'birth', 'keep')
local birth, keep = tonumber(at[1]), tonumber(at[2])
if lost or not birth then
  birth = now
  redis.call('HSET', about, 'birth', whole(birth))
  append('b', whole(birth))
end

-- Throws away what is too old, appends an ending, and throws away what is too much. In that order: where memory is scarce, Redis
-- lets a script go on that has begun with a command which takes none.
local function tell(...)
  redis.call('XTRIM', stream, 'MINID', '=', whole(math.max(now - (keep or now), 0)))
  append(...)
  local surplus = redis.call('XLEN', stream) - 100000
  if surplus > 0 then
    local cut = redis.call('XRANGE', stream, '-', '+', 'COUNT', whole(surplus))
    birth = math.max(birth, (parts(cut[#cut][1])))
    redis.call('HSET', about, 'birth', whole(birth))
    redis.call('XTRIM', stream, 'MAXLEN', '=', '100000')
  end
  return position()
end
