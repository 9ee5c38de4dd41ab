-- Refuses JSON bodies with a field that the contract does not have, and bodies that are too large; gives
-- a refusal the HTTP status that the service names where gRPC has no code for it.
--
-- The transcoder drops what it does not know, so a client that misspells a field would never hear of
-- it. Everything else that can be wrong with a body is left to the transcoder, which knows better.
-- FIELDS (message -> field -> its message, or true) and MAX_BYTES are put in front of this file.

local find, sub, byte = string.find, string.sub, string.byte
local QUOTE, COMMA, COLON = byte('"'), byte(","), byte(":")
local OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = byte("{"), byte("}"), byte("["), byte("]")
local MAX_DEPTH = 32

local value

local function skip(text, at)
  return select(2, find(text, "^[ \t\r\n]*", at)) + 1
end

-- The position after a string, or nil.
local function after_string(text, at)
  if byte(text, at) ~= QUOTE then return nil end
  at = at + 1
  while true do
    local stop = find(text, '["\\]', at)
    if not stop then return nil end
    if byte(text, stop) == QUOTE then return stop + 1 end
    at = stop + 2
  end
end

-- Items of an object or a list up to its end: the position after it, or nil and perhaps a bad field.
local function items(text, at, close, item)
  at = skip(text, at + 1)
  if byte(text, at) == close then return at + 1 end
  while true do
    local next_at, bad = item(at)
    if not next_at then return nil, bad end
    at = skip(text, next_at)
    local sign = byte(text, at)
    if sign == close then return at + 1 end
    if sign ~= COMMA then return nil end
    at = skip(text, at + 1)
  end
end

local function object(text, at, message, depth)
  local known = FIELDS[message]
  return items(text, at, CLOSE, function(from)
    local after = after_string(text, from)
    if not after then return nil end
    local name = sub(text, from + 1, after - 2)
    local field = true
    if known and not find(name, "\\", 1, true) then
      field = known[name]
      if not field then return nil, '"' .. sub(name, 1, 64) .. '" in ' .. message end
    end
    local colon = skip(text, after)
    if byte(text, colon) ~= COLON then return nil end
    return value(text, skip(text, colon + 1), field, depth + 1)
  end)
end

-- The position after a value; nil where it is malformed; nil and which field where one is unknown.
value = function(text, at, message, depth)
  if depth > MAX_DEPTH then return nil end
  local first = byte(text, at)
  if first == OPEN then return object(text, at, message, depth) end
  if first == OPEN_LIST then
    return items(text, at, CLOSE_LIST, function(from) return value(text, from, message, depth + 1) end)
  end
  if first == QUOTE then return after_string(text, at) end
  local _, last = find(text, "^[%w.+-]+", at)
  return last and last + 1
end

local function too_large(handle)
  handle:respond({[":status"] = "413"}, "too large")
end

function envoy_on_request(handle)
  local message = handle:metadata():get("body")
  if not message then return end
  if (tonumber(handle:headers():get("content-length")) or 0) > MAX_BYTES then return too_large(handle) end
  local body = handle:body()
  if not body then return end
  if body:length() > MAX_BYTES then return too_large(handle) end
  local text = body:getBytes(0, body:length())
  local _, unknown = value(text, skip(text, 1), message, 0)
  if unknown then
    handle:respond({[":status"] = "400"}, "there is no field " .. unknown .. ": see /docs")
  end
end

function envoy_on_response(handle)
  local status = handle:headers():get("x-tintype-status")
  if not status then return end
  handle:headers():remove("x-tintype-status")
  handle:headers():replace(":status", status)
end
