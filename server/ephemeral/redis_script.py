"""The rate limit as one Lua script, atomic in the store and by the store's own clock (Redis 7.0 and later)."""

from __future__ import annotations

# KEYS: the call counts, a hash of slice number to calls. ARGV: calls allowed, window in ms, slice in ms.
# Answers {allowed, remaining, retry in ms, reset in ms}. Same rules as server.ephemeral.window.
TAKE = """
local calls, window, length = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = math.floor((now - window) / length)
local here = math.floor(now / length)
local stored = redis.call('HGETALL', KEYS[1])
local used, slices, gone = 0, {}, {}
for i = 1, #stored, 2 do
  local number, count = tonumber(stored[i]), tonumber(stored[i + 1])
  if number < oldest then
    gone[#gone + 1] = stored[i]
  else
    used = used + count
    slices[#slices + 1] = {number, count}
  end
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
local allowed = 0
if used < calls then
  allowed, used = 1, used + 1
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', here), 1)
  redis.call('PEXPIRE', KEYS[1], window + length)
  slices[#slices + 1] = {here, 1}
end
table.sort(slices, function(a, b) return a[1] < b[1] end)
local retry, reset, freed = 0, 0, 0
for _, slice in ipairs(slices) do
  reset = (slice[1] + 1) * length + window - now
  freed = freed + slice[2]
  if retry == 0 and used >= calls and used - freed < calls then retry = reset end
end
return {allowed, calls - used, retry, reset}
"""
