-- A checksum of a key's type and value that does not depend on how a server keeps it.
local function flat(value)
    if type(value) ~= 'table' then return #tostring(value) .. ':' .. tostring(value) end
    local parts = {}
    for i, each in ipairs(value) do parts[i] = flat(each) end
    return '(' .. table.concat(parts, ',') .. ')'
end

local function sorted(values, width)
    local entries = {}
    for i = 1, #values, width do
        local entry = {}
        for j = i, i + width - 1 do entry[#entry + 1] = flat(values[j]) end
        entries[#entries + 1] = table.concat(entry, '=')
    end
    table.sort(entries)
    return entries
end

local function digest(key)
    local kind = redis.call('TYPE', key)['ok']
    local value
    if kind == 'string' then value = redis.call('GET', key)
    elseif kind == 'hash' then value = sorted(redis.call('HGETALL', key), 2)
    elseif kind == 'set' then value = sorted(redis.call('SMEMBERS', key), 1)
    elseif kind == 'zset' then value = sorted(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 2)
    elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+')
    else value = '' end
    return redis.sha1hex(kind .. flat(value))
end
