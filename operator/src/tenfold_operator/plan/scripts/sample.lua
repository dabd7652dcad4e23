-- Every n-th key by its hash: the key in hexadecimal, its checksum, and when it expires.
local lines, cursor, step = {}, '0', tonumber(ARGV[1])
repeat
    local scanned = redis.call('SCAN', cursor, 'COUNT', 1000)
    cursor = scanned[1]
    for _, key in ipairs(scanned[2]) do
        if tonumber(string.sub(redis.sha1hex(key), 1, 8), 16) % step == 0 then
            local hex = string.gsub(key, '.', function(c) return string.format('%02x', string.byte(c)) end)
            lines[#lines + 1] = 'k' .. hex .. ' ' .. digest(key) .. ' ' .. redis.call('PEXPIRETIME', key)
        end
    end
until cursor == '0'
return lines
