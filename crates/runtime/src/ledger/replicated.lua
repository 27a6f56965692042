-- Writes, or without a text forgets, one text of a tenant, who may have so many bytes.
-- KEYS: the text; the tenant's names by the time when they end; the sizes by name, and in all under ''.
-- ARGV: the name; the most bytes; then the text, its life in milliseconds, and 'new' where it must not be there yet.
-- Gives 'written', 'full', or 'held' and what is there.
local name, most, text, life, new = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
local names, sizes = KEYS[2], KEYS[3]

local function size_of(which)
  return tonumber(redis.call('HGET', sizes, which) or 0)
end

local function forget(which)
  redis.call('HINCRBY', sizes, '', 0 - size_of(which))
  redis.call('HDEL', sizes, which)
  redis.call('ZREM', names, which)
end

if not text then
  redis.call('DEL', KEYS[1])
  forget(name)
  return {'written', ''}
end

local held = redis.call('GET', KEYS[1])
if held and new == 'new' then
  return {'held', held}
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- More than one is over for each that is written, so that none stays for long.
for _, over in ipairs(redis.call('ZRANGEBYSCORE', names, '-inf', now, 'LIMIT', 0, 1000)) do
  forget(over)
end

-- What Redis itself keeps of a text is not in its length.
local size = #text + 200
if size_of('') - size_of(name) + size > most then
  return {'full', ''}
end
forget(name)
redis.call('SET', KEYS[1], text, 'PX', life)
redis.call('ZADD', names, now + life, name)
redis.call('HSET', sizes, name, size)
redis.call('HINCRBY', sizes, '', size)
for _, key in ipairs({names, sizes}) do
  if redis.call('PTTL', key) < life then
    redis.call('PEXPIRE', key, life)
  end
end
return {'written', ''}
