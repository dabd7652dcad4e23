-- How many of the sampled keys (key, checksum, expiry, ...) are here, and the same.
local equal, time = 0, redis.call('TIME')
local now = time[1] * 1000
for i = 1, #ARGV, 3 do
    local key = string.gsub(string.sub(ARGV[i], 2), '%x%x', function(h) return string.char(tonumber(h, 16)) end)
    local expires = tonumber(ARGV[i + 2])
    local has_expired = expires >= 0 and expires < now + 1000
    local found = redis.pcall('PEXPIRETIME', key) -- an error where another server holds its slot
    -- A time to live is copied as what is left of it, and the copy takes a moment.
    if type(found) == 'number' and (has_expired or math.abs(found - expires) <= 2000 and digest(key) == ARGV[i + 1]) then
        equal = equal + 1
    end
end
return equal
