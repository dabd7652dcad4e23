-- Copies the next keys of this server to those that hold their slots: cursor, database, port, password,
-- and a host with its first and last slot for each range of them.
local crc = {}
for byte = 0, 255 do
    local value = bit.lshift(byte, 8)
    for _ = 1, 8 do
        local more = bit.band(value, 0x8000) ~= 0 and 0x1021 or 0
        value = bit.band(bit.bxor(bit.lshift(value, 1), more), 0xFFFF)
    end
    crc[byte] = value
end

local function slot(key)
    local tag = string.match(key, '^[^{]*{([^}]+)}') or key
    local value = 0
    for i = 1, #tag do
        local index = bit.bxor(bit.rshift(value, 8), string.byte(tag, i))
        value = bit.band(bit.bxor(bit.lshift(value, 8), crc[index]), 0xFFFF)
    end
    return value % 16384
end

local function holder(key)
    local wanted = slot(key)
    for i = 5, #ARGV, 3 do
        if tonumber(ARGV[i + 1]) <= wanted and wanted <= tonumber(ARGV[i + 2]) then return ARGV[i] end
    end
end

local scanned = redis.call('SCAN', ARGV[1], 'COUNT', 500)
local keys = {}
for _, key in ipairs(scanned[2]) do
    local host = holder(key)
    keys[host] = keys[host] or {}
    table.insert(keys[host], key)
end
for host, own in pairs(keys) do
    redis.call('MIGRATE', host, ARGV[3], '', ARGV[2], 60000, 'COPY', 'REPLACE', 'AUTH', ARGV[4], 'KEYS', unpack(own))
end
return scanned[1]
