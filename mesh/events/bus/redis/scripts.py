"""The Lua scripts of the bus. All keys of one script belong to one shard and share its hash tag.

A shard is a stream whose entry ids are ``<epoch>-<n>``: the epoch begins anew, always higher, when
Redis has lost data or may have; n counts the shard's entries. The hash ``head`` holds both, the
run id of the Redis server that wrote them, and while the shard is rebuilt the builder's token.
A head that is missing, or was written by another run of the server, means that entries may be lost.
"""

from __future__ import annotations

BUILD_LOCK_MS = 5_000
"""How long a shard waits for a builder that has died."""

HEAD = """
local function run_id() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end
local function head(key)
  local h = redis.call('HMGET', key, 'epoch', 'n', 'run', 'building')
  return h[1], tonumber(h[2] or '0'), h[3], h[4] or ''
end
local function text(number) return string.format('%.0f', number) end
"""

APPEND = (
    HEAD
    + """
-- KEYS stream head recent lock; ARGV token lock_ms backlog remembered group, then id type key payload traceparent ...
-- With a group the events are replayed to it alone, whether they are remembered or not.
local epoch, n, run, building = head(KEYS[2])
if building ~= ARGV[1] then
  return redis.call('EXISTS', KEYS[4]) == 1 and 'building' or 'lost'
end
if not epoch or run ~= run_id() then return 'lost' end
if building ~= '' then redis.call('PEXPIRE', KEYS[4], ARGV[2]) end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'full' end
local group = ARGV[5]
for i = 6, #ARGV, 5 do
  if group ~= '' or not redis.call('ZSCORE', KEYS[3], ARGV[i]) then
    n = n + 1
    local entry = {'i', ARGV[i], 't', ARGV[i + 1], 'k', ARGV[i + 2], 'p', ARGV[i + 3]}
    if ARGV[i + 4] ~= '' then
      entry[#entry + 1], entry[#entry + 2] = 'c', ARGV[i + 4]
    end
    if group ~= '' then
      entry[#entry + 1], entry[#entry + 2] = 'g', group
    end
    redis.call('XADD', KEYS[1], epoch .. '-' .. text(n), unpack(entry))
    redis.call('ZADD', KEYS[3], n, ARGV[i])
  end
end
redis.call('HSET', KEYS[2], 'n', text(n))
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -(tonumber(ARGV[4]) + 1))
return 'ok'
"""
)

BEGIN_REBUILD = (
    HEAD
    + """
-- KEYS stream head lock; ARGV token lock_ms groups...
local epoch, n, run, building = head(KEYS[2])
if epoch and run == run_id() and building == '' then return 'open' end
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then return 'building' end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local fresh = time[1] * 1000 + math.floor(time[2] / 1000)
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then epoch = string.match(info[i + 1], '^%d+') end
  end
end
fresh = math.max(fresh, tonumber(epoch or '0') + 1)
redis.call('HSET', KEYS[2], 'epoch', text(fresh), 'n', text(n), 'run', run_id(), 'building', ARGV[1])
for i = 3, #ARGV do redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[i], '0', 'MKSTREAM') end
return 'begun'
"""
)

FINISH_REBUILD = """
-- KEYS head lock; ARGV token
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
redis.call('HDEL', KEYS[1], 'building')
redis.call('DEL', KEYS[2])
return 'ok'
"""

STATE = (
    HEAD
    + """
-- KEYS stream head lock; answers: sound, last position, length, and for each group its name, position, pending,
-- oldest unhandled event id, first unacknowledged position, how many processes have its lease or stand by
local epoch, n, run, building = head(KEYS[2])
local sound = epoch and run == run_id() and building == ''
if building ~= '' and redis.call('EXISTS', KEYS[3]) == 1 then sound = 'building' end
local last, info = '0-0', redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local condition = sound == 'building' and 'building' or sound and 'ok' or 'lost'
local answer = {condition, last, redis.call('XLEN', KEYS[1])}
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then groups = {} end
for _, fields in ipairs(groups) do
  local group = {}
  for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
  local acknowledged, oldest = group['last-delivered-id'], nil
  if group.pending > 0 then
    acknowledged = redis.call('XPENDING', KEYS[1], group.name)[2]
    oldest = redis.call('XRANGE', KEYS[1], acknowledged, acknowledged)[1]
  else
    oldest = redis.call('XRANGE', KEYS[1], '(' .. acknowledged, '+', 'COUNT', 1)[1]
  end
  answer[#answer + 1] = {group.name, group['last-delivered-id'], group.pending, oldest and oldest[2][2] or '0',
                         acknowledged, redis.call('EXISTS', KEYS[1] .. ':lease:' .. group.name,
                                                  KEYS[1] .. ':standby:' .. group.name)}
end
return answer
"""
)

TRIM = (
    HEAD
    + """
-- KEYS stream head; ARGV kept. Drops what every group has acknowledged, but for the last few.
local epoch, n = head(KEYS[2])
if not epoch or n <= tonumber(ARGV[1]) then return 0 end
local low_epoch, low_n = tonumber(epoch), n - tonumber(ARGV[1])
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then return 0 end
for _, fields in ipairs(groups) do
  local group = {}
  for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
  local position = group['last-delivered-id']
  if group.pending > 0 then position = redis.call('XPENDING', KEYS[1], group.name)[2] end
  local e, c = string.match(position, '^(%d+)-(%d+)$')
  e, c = tonumber(e), tonumber(c)
  if e < low_epoch or (e == low_epoch and c < low_n) then low_epoch, low_n = e, c end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', text(low_epoch) .. '-' .. text(low_n))
"""
)

LEASE = """
-- KEYS lease standby; ARGV owner ms. Takes the lease or renews it; answers whether the owner has it now.
-- Whoever is refused leaves word that it stands by.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return 0
end
if not owner then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

RELEASE = """
-- KEYS lease; ARGV owner
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

READ = """
-- KEYS stream lease; ARGV owner group count. Only the lease's owner is given entries: one that was paused,
-- or whose read was still under way when it left, must take none from its successor.
-- Answers the entries, or where none is left the position to wait behind.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
local found = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[1], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if found then return found[1][2] end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return info[i + 1] end
end
"""
