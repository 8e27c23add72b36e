-- ARGV[2]: the user's id. ARGV[3]: how long ago, in milliseconds; that means nothing while the clock stands still.
local ago = now > clock + 1000 and 0 or tonumber(ARGV[3])
return tell('u', ARGV[2], 'until', whole(now - ago))
