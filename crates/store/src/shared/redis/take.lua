local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
-- When all calls that were taken are worked off, by key, as far as this run has changed it.
local changed = {}

local function worked_off(key)
  return changed[key] or tonumber(redis.call('GET', key) or now)
end

local function wait(key, every, burst)
  return worked_off(key) - every * (burst - 1) - now
end

local function charge(key, every)
  changed[key] = math.max(worked_off(key), now) + every
end

-- How many members share a limit: those of this window or of the one before, whichever are more.
local function crowd(key, window, member)
  local number = math.floor(now / window)
  local members = key .. '\nmembers:' .. string.format('%.0f', number)
  local before = key .. '\nmembers:' .. string.format('%.0f', number - 1)
  if redis.call('SADD', members, member) == 1 then
    redis.call('PEXPIRE', members, string.format('%.0f', window / 500 + 1000))
  end
  return math.max(redis.call('SCARD', members), redis.call('SCARD', before))
end

for i, key in ipairs(KEYS) do
  local every, burst, window = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local member = ARGV[4 * i]
  local missing = wait(key, every, burst)
  if member ~= '' then
    local parts = crowd(key, window, member)
    local own = key .. '\nmember:' .. member
    local own_missing = wait(own, every * parts, math.max(1, math.floor(burst / parts)))
    if own_missing <= 0 then
      charge(own, every * parts)
      missing = 0
    else
      missing = missing > 0 and math.min(missing, own_missing) or missing
    end
  end
  if missing > 0 then
    return { i - 1, math.ceil(missing) }
  end
  charge(key, every)
end

for key, value in pairs(changed) do
  redis.call('SET', key, string.format('%.17g', value), 'PX', string.format('%.0f', math.ceil((value - now) / 1000) + 1000))
end
return { -1, 0 }
