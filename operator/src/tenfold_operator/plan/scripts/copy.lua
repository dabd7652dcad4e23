-- Copies the next keys of this server to another one: cursor, host, port, database, password.
local scanned = redis.call('SCAN', ARGV[1], 'COUNT', 500)
if #scanned[2] > 0 then
    redis.call('MIGRATE', ARGV[2], ARGV[3], '', ARGV[4], 60000,
        'COPY', 'REPLACE', 'AUTH', ARGV[5], 'KEYS', unpack(scanned[2]))
end
return scanned[1]
