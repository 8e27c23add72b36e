-- KEYS[3]: the session's record. ARGV[2]: its id.
-- The record goes first: should memory be too scarce for the ending, the session has ended all the same.
redis.call('DEL', KEYS[3])
return tell('s', ARGV[2])
