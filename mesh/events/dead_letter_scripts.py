"""The Lua scripts of the dead letters of one group and shard.

Three keys hold them: the stream ``dead`` of the letters in the order they were given up, whose first
field is the event's id; the hash ``index``, which tells the letter of an event; and the hash
``replayed``, which tells the letter of a position where its event stands again, and with an @ before
it the position of a letter. A replayed letter stays until its event has been handled: until then
nothing but the bus knows that there is something left to do.
"""

from __future__ import annotations

from mesh.events.scripts import HEAD

_DROP = """
local function drop(dead, index, replayed, letter)
  local found = redis.call('XRANGE', dead, letter, letter)[1]
  if not found then return 0 end
  redis.call('XDEL', dead, letter)
  if redis.call('HGET', index, found[2][2]) == letter then redis.call('HDEL', index, found[2][2]) end
  local position = redis.call('HGET', replayed, '@' .. letter)
  if position then redis.call('HDEL', replayed, position, '@' .. letter) end
  return 1
end
"""

BURY = (
    _DROP
    + """
-- KEYS dead index replayed stream tries; ARGV group position most event, then the fields of the dead letter
local before = redis.call('HGET', KEYS[2], ARGV[4])
if before then drop(KEYS[1], KEYS[2], KEYS[3], before) end
redis.call('HSET', KEYS[2], ARGV[4], redis.call('XADD', KEYS[1], '*', unpack(ARGV, 5)))
redis.call('XACK', KEYS[4], ARGV[1], ARGV[2])
redis.call('HDEL', KEYS[5], ARGV[2])
while redis.call('XLEN', KEYS[1]) > tonumber(ARGV[3]) do
  drop(KEYS[1], KEYS[2], KEYS[3], redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1])
end
return 1
"""
)

ACKNOWLEDGE = (
    _DROP
    + """
-- KEYS dead index replayed stream tries; ARGV group positions...
redis.call('XACK', KEYS[4], unpack(ARGV))
redis.call('HDEL', KEYS[5], unpack(ARGV, 2))
if redis.call('EXISTS', KEYS[3]) == 0 then return 1 end
for i = 2, #ARGV do
  local letter = redis.call('HGET', KEYS[3], ARGV[i])
  if letter then drop(KEYS[1], KEYS[2], KEYS[3], letter) end
end
return 1
"""
)

REPLAY = (
    HEAD
    + """
-- KEYS dead index replayed stream head; ARGV group letter. Puts the event at the end of the stream, for this group.
local letter = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not letter or redis.call('HEXISTS', KEYS[3], '@' .. ARGV[2]) == 1 then return 'gone' end
local epoch, n, run, building = head(KEYS[5])
if not epoch or run ~= run_id() or building ~= '' then return 'lost' end
local held = {}
for i = 1, #letter[2], 2 do held[letter[2][i]] = letter[2][i + 1] end
local position = redis.call('XADD', KEYS[4], epoch .. '-' .. text(n + 1), 'i', held.i, 't', held.t, 'k', held.k,
                            'p', held.p, 'c', held.c or '', 'g', ARGV[1])
redis.call('HSET', KEYS[5], 'n', text(n + 1))
redis.call('HSET', KEYS[3], position, ARGV[2], '@' .. ARGV[2], position)
return 'ok'
"""
)

DISCARD = (
    _DROP
    + """
-- KEYS dead index replayed; ARGV letter. Drops it for good; answers whether it was there.
if redis.call('HEXISTS', KEYS[3], '@' .. ARGV[1]) == 1 then return 0 end
return drop(KEYS[1], KEYS[2], KEYS[3], ARGV[1])
"""
)

NEWEST = """
-- KEYS dead index replayed; ARGV most. The newest letters that are not being replayed.
local found, last = {}, '+'
while #found < tonumber(ARGV[1]) do
  local page = redis.call('XREVRANGE', KEYS[1], last, '-', 'COUNT', ARGV[1])
  for _, letter in ipairs(page) do
    last = '(' .. letter[1]
    if #found < tonumber(ARGV[1]) and redis.call('HEXISTS', KEYS[3], '@' .. letter[1]) == 0 then
      found[#found + 1] = letter
    end
  end
  if #page < tonumber(ARGV[1]) then break end
end
return found
"""

IDS = (
    HEAD
    + """
-- KEYS dead head; ARGV epoch first count. A page of the letters' ids, or that the epoch is over: an empty page
-- of a shard that was lost must not be taken for letters that were dropped.
local epoch, n, run, building = head(KEYS[2])
if epoch ~= ARGV[1] or run ~= run_id() or building ~= '' then return 'lost' end
local answer = {}
for _, letter in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])) do
  answer[#answer + 1] = letter[1]
end
return answer
"""
)

RESTORE = (
    HEAD
    + """
-- KEYS dead index replayed head lock; ARGV token lock_ms width, then each letter's id, its event's id and its fields.
-- A letter keeps its id, unless newer ones stand behind its place already.
local epoch, n, run, building = head(KEYS[4])
if building ~= ARGV[1] or run ~= run_id() then
  return redis.call('EXISTS', KEYS[5]) == 1 and 'building' or 'lost'
end
redis.call('PEXPIRE', KEYS[5], ARGV[2])
local width = tonumber(ARGV[3])
for i = 4, #ARGV, width do
  local there = redis.call('HEXISTS', KEYS[2], ARGV[i + 1]) == 1
  if not there and #redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) == 0 then
    local id = redis.pcall('XADD', KEYS[1], ARGV[i], unpack(ARGV, i + 2, i + width - 1))
    if type(id) == 'table' then id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, i + 2, i + width - 1)) end
    redis.call('HSET', KEYS[2], ARGV[i + 1], id)
  end
end
return 'ok'
"""
)
