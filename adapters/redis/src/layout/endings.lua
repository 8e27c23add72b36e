-- ARGV[2]: the position to go on from, or nothing. ARGV[3]: how long the caller's sessions live, in milliseconds.
local since, lifetime = ARGV[2], tonumber(ARGV[3])
if not keep or lifetime > keep then
  -- What was too old for everybody until now may have been thrown away.
  if keep then
    birth = math.max(birth, now - keep)
  end
  redis.call('HSET', about, 'birth', whole(birth), 'keep', whole(lifetime))
end

local entries = redis.call('XRANGE', stream, since == '' and '-' or '(' .. since, '+', 'COUNT', '10000')
local to = since == '' and position() or since
if #entries > 0 then
  to = entries[#entries][1]
end
local more = #entries == 10000 and to ~= position()

local reply = { to, more and '1' or '0', whole(birth), whole(now) }
for _, entry in ipairs(entries) do
  local fields = entry[2]
  if fields[1] == 's' then
    table.insert(reply, 's:' .. whole((parts(entry[1]))) .. ':' .. fields[2])
  elseif fields[1] == 'u' then
    table.insert(reply, 'u:' .. fields[4] .. ':' .. fields[2])
  end
end
return reply
