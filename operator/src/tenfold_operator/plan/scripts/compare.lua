-- How many of the sampled keys (key, checksum, expiry, ...) are not the same here.
local different, time = 0, redis.call('TIME')
local now = time[1] * 1000
for i = 1, #ARGV, 3 do
    local key = string.gsub(string.sub(ARGV[i], 2), '%x%x', function(h) return string.char(tonumber(h, 16)) end)
    local expires = tonumber(ARGV[i + 2])
    local has_expired = expires >= 0 and expires < now + 1000
    local drift = math.abs(redis.call('PEXPIRETIME', key) - expires)
    -- A time to live is copied as what is left of it, and the copy takes a moment.
    if not has_expired and (digest(key) ~= ARGV[i + 1] or drift > 2000) then
        different = different + 1
    end
end
return different
