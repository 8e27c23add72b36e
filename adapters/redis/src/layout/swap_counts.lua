-- KEYS: the counts. ARGV, three for each: what it was, what it becomes (nothing: none), for how many milliseconds.
for i, key in ipairs(KEYS) do
  local is = redis.call('GET', key) or ''
  -- What cannot be read is no count.
  if not string.match(is, '^%-?%d+:%-?%d+$') then
    is = ''
  end
  if is ~= ARGV[3 * i - 2] then
    return 0
  end
end
for i, key in ipairs(KEYS) do
  local becomes = ARGV[3 * i - 1]
  if becomes == '' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, becomes, 'PX', ARGV[3 * i])
  end
end
return 1
