-- How many keys expire in which second; those that never do count for one that is far away.
local counts, lines, cursor = {}, {}, '0'
repeat
    local scanned = redis.call('SCAN', cursor, 'COUNT', 1000)
    cursor = scanned[1]
    for _, key in ipairs(scanned[2]) do
        local expires = redis.call('PEXPIRETIME', key)
        local second = expires == -1 and 10 ^ 12 or math.floor(expires / 1000)
        counts[second] = (counts[second] or 0) + 1
    end
until cursor == '0'
for second, count in pairs(counts) do lines[#lines + 1] = string.format('%d %d', second, count) end
return lines
