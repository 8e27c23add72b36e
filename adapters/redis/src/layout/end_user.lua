-- ARGV[2]: the user's id. ARGV[3]: how long ago, in milliseconds.
return tell('u', ARGV[2], 'until', whole(now - tonumber(ARGV[3])))
