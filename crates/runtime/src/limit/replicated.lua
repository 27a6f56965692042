-- The sliding log of one key: counts a call, or answers how many microseconds to wait for the next one. 0 = it passes.
local log, most, window, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then -- Only tests say what time it is: the clocks of replicas differ, that of Redis is one.
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
-- After the clock was set back, calls of the future would never grow old.
local last = redis.call('LINDEX', log, -1)
while last and tonumber(last) > now do
  redis.call('RPOP', log)
  last = redis.call('LINDEX', log, -1)
end
local first = redis.call('LINDEX', log, 0)
while first and now - tonumber(first) >= window do
  redis.call('LPOP', log)
  first = redis.call('LINDEX', log, 0)
end
local count = redis.call('LLEN', log)
if count >= most then -- There may be more than now allowed, after the operator lowered the limit.
  return window - (now - tonumber(redis.call('LINDEX', log, count - most)))
end
redis.call('RPUSH', log, string.format('%.0f', now))
redis.call('PEXPIRE', log, math.ceil(window / 1000))
return 0
