"""What Redis does in one step. Entries begin with version and fresh_until (tenfold_cache.entry)."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """A Lua script, called by its digest where the server has it already."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "digest", digest)


# The server's clock in seconds, with its microseconds.
_NOW = "local t = redis.call('TIME') local now = t[1] + t[2] / 1000000 "

# KEYS: entry, lease. ARGV: token, lease in ms. Returns {state, now as a big-endian double,
# entry or nil}: 0 the entry is fresh, 1 the caller has the lease, 2 somebody else has it.
CLAIM = Script(
    _NOW
    + """
local held = redis.call('GET', KEYS[1])
if held and #held >= 17 and struct.unpack('>d', held, 9) > now then
  return {0, '', held}
end
local state = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 2
return {state, struct.pack('>d', now), held}
"""
)

# KEYS: entry. ARGV: entry, its life in ms. Of two entries the later version stays.
PUT = Script(
    """
local held = redis.call('GETRANGE', KEYS[1], 0, 7)
if #held == 8 and struct.unpack('>d', held) > struct.unpack('>d', ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
)

# KEYS: lease. ARGV: token. A lease that somebody else holds by now is left alone.
RELEASE = Script(
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)

# KEYS: entry, lease. ARGV: the entry's bytes after its version, its life in ms, channel, key.
# Makes the entry the latest, ends a lease on what was there and tells every process: version, then
# key. Returns the version, since the other tiers must have the same.
REPLACE = Script(
    _NOW
    + """
local version = struct.pack('>d', now)
redis.call('SET', KEYS[1], version .. ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[3], version .. ARGV[4])
return version
"""
)
