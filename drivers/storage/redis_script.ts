/**
 * What is done in Redis: one script for commits, one for scans.
 *
 * A record is a hash: `v` its version, `d` its value, `x` when the value goes (0: it was deleted), `w:<session>` the last
 * commit of a session and its time, `p` when these were looked through last. A sorted set of the app's keys
 * tells which there are, and another when those go that go by themselves. The rules are those of `runtime/storage/record.ts`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type {
  EncodedCommit,
  EncodedEntry,
  StaleCheck,
  Verdict,
} from "../../runtime/storage/backend.ts";

/** A script, and the name under which Redis remembers it. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text = string.format('%.0f', now)

-- the version of a record now, and whether it has a value
local function look(key)
  local record = redis.call('HMGET', key, 'v', 'x')
  local version, expiry = record[1], record[2]
  if not version then return '', false end
  if not expiry then return version, true end
  if expiry == '0' then return version, false end
  if tonumber(expiry) <= now then return version .. '~', false end
  return version, true
end
`;

/**
 * KEYS: the index, when keys go, then every record that occurs. ARGV: retention, length of the keys' prefix (0: no index), then for each
 * commit: session, seq, version, whether to look for a repetition first, the numbers of checks and writes, for
 * each check the record's number and the version, for each write the record's number, the value (empty deletes) and the expiry.
 *
 * Answers for each commit 1, or for each check that does not hold its index, version and value.
 */
export const COMMIT_SCRIPT = script(`${TIME}
local index, expiries, retention, prefix = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])

-- notes when a key goes, and takes some out of the index that have gone: more than come, so that none are left
local function expire(key, member, time)
  redis.call('PEXPIREAT', key, time)
  if prefix == 0 then return end
  redis.call('ZADD', expiries, time, member)
  -- Redis takes the time at which the script began, which is a little earlier
  local past = string.format('%.0f', now - 1000)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', past, 'LIMIT', 0, 3)) do
    redis.call('ZREM', expiries, gone)
    if redis.call('EXISTS', string.sub(key, 1, prefix) .. gone) == 0 then redis.call('ZREM', index, gone) end
  end
end

-- forgets commits that are too old to be sent again
local function prune(key)
  local fields = redis.call('HKEYS', key)
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 2) == 'w:' then
      local _, time = string.match(redis.call('HGET', key, field), '^(%d+) (%d+)$')
      if tonumber(time) + retention <= now then redis.call('HDEL', key, field) end
    end
  end
  redis.call('HSET', key, 'p', now_text)
end

local function write(key, version, writer, value, expiry)
  local before = redis.call('HMGET', key, 'x', 'p')
  local member = string.sub(key, prefix + 1)
  if value == '' then
    redis.call('HSET', key, 'v', version, 'x', '0', writer[1], writer[2])
    redis.call('HDEL', key, 'd')
    redis.call('PEXPIRE', key, retention)
    if prefix > 0 then redis.call('ZREM', index, member) end
  else
    redis.call('HSET', key, 'v', version, 'd', value, writer[1], writer[2])
    if expiry ~= '0' then
      redis.call('HSET', key, 'x', expiry)
      expire(key, member, string.format('%.0f', math.max(tonumber(expiry), now + retention)))
    elseif before[1] then
      redis.call('HDEL', key, 'x')
      redis.call('PERSIST', key)
    end
    -- a record that had no p is new
    if prefix > 0 and (before[1] or not before[2]) then redis.call('ZADD', index, 0, member) end
  end
  if not before[2] then
    redis.call('HSET', key, 'p', now_text)
  elseif tonumber(before[2]) + retention <= now then
    prune(key)
  end
end

local function repeated(key, field, seq)
  local writer = redis.call('HGET', key, field)
  return writer and tonumber(string.match(writer, '^%d+')) >= seq
end

local at, replies = 3, {}
while ARGV[at] do
  local field, seq, version, blind = 'w:' .. ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local checks, writes = at + 6, at + 6 + 2 * ARGV[at + 4]
  local stop = writes + 3 * ARGV[at + 5]
  local reply = nil
  if blind == '1' and repeated(KEYS[tonumber(ARGV[writes])], field, seq) then
    reply = 1
  else
    local stale = {}
    for i = checks, writes - 2, 2 do
      local current, there = look(KEYS[tonumber(ARGV[i])])
      if current ~= ARGV[i + 1] then stale[#stale + 1] = { i, current, there } end
    end
    if #stale == 0 then
      local writer = { field, ARGV[at + 1] .. ' ' .. now_text }
      for i = writes, stop - 3, 3 do
        write(KEYS[tonumber(ARGV[i])], version, writer, ARGV[i + 1], ARGV[i + 2])
      end
      reply = 1
    elseif stop > writes and repeated(KEYS[tonumber(ARGV[writes])], field, seq) then
      reply = 1
    else
      reply = {}
      for _, check in ipairs(stale) do
        reply[#reply + 1] = (check[1] - checks) / 2
        reply[#reply + 1] = check[2]
        reply[#reply + 1] = check[3] and redis.call('HGET', KEYS[tonumber(ARGV[check[1]])], 'd')
      end
    end
  end
  replies[#replies + 1] = reply
  at = stop
end
return replies
`);

/**
 * KEYS: the index. ARGV: the keys' prefix, from, before, how many keys and how many bytes are read at most.
 *
 * Answers where to go on, or an empty text at the end, then keys, versions and values.
 */
export const SCAN_SCRIPT = script(`${TIME}
local prefix, limit, room = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local members = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[2], '(' .. ARGV[3], 'LIMIT', 0, limit)
local reply = { #members == limit and members[limit] .. '!' or '' }
for i, member in ipairs(members) do
  local version, there = look(prefix .. member)
  if there then
    local value = redis.call('HGET', prefix .. member, 'd')
    reply[#reply + 1] = member
    reply[#reply + 1] = version
    reply[#reply + 1] = value
    room = room - #value
    if room < 0 then
      reply[1] = member .. '!'
      break
    end
  end
end
return reply
`);

function script(text: string): RedisScript {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** Keys and arguments of a script. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** Where records are. */
export interface RecordPlaces {
  /** The set of keys; where there is none, a record in the same slot. */
  readonly index: string;
  /** The set of when keys go. */
  readonly expiries: string;
  /** The length of what comes before a key in its record's name; 0 where there is no index. */
  readonly prefixLength: number;
  recordOf(key: string): string;
}

/** The arguments of {@linkcode COMMIT_SCRIPT}. */
export function commitCall(
  batch: readonly EncodedCommit[],
  retention: number,
  { index, expiries, prefixLength, recordOf }: RecordPlaces,
): ScriptCall {
  const keys = [index, expiries];
  const numbers = new Map<string, string>();
  const numberOf = (key: string): string => {
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, number = String(keys.push(recordOf(key))));
    return number;
  };
  const args = [String(retention), String(prefixLength)];
  for (const { session, seq, version, checks, writes } of batch) {
    // one that was carried out cannot hold again if it checks what it writes, so there the hot path need not look
    const blind = writes.length > 0 &&
      !writes.some(({ key }) => checks.some((check) => check.key === key));
    args.push(session, String(seq), version, blind ? "1" : "0");
    args.push(String(checks.length), String(writes.length));
    for (const { key, version } of checks) args.push(numberOf(key), version);
    for (const { key, value, expiresAt } of writes) {
      args.push(numberOf(key), value ?? "", String(expiresAt));
    }
  }
  return { keys, args };
}

/** What {@linkcode COMMIT_SCRIPT} answered. */
export function verdictsOf(reply: unknown): Verdict[] {
  return (reply as (number | (number | string | null)[])[]).map((one) => {
    if (!Array.isArray(one)) return null;
    const stale: StaleCheck[] = [];
    for (let i = 0; i < one.length; i += 3) {
      const [index, version, value] = one.slice(i, i + 3);
      stale.push({ index: Number(index), version: String(version), value: value as string | null });
    }
    return stale;
  });
}

/** What {@linkcode SCAN_SCRIPT} answered. */
export function pageOf(
  reply: unknown,
): { readonly next: string; readonly entries: EncodedEntry[] } {
  const [next, ...rest] = reply as string[];
  const entries: EncodedEntry[] = [];
  for (let i = 0; i < rest.length; i += 3) {
    entries.push({ key: rest[i]!, version: rest[i + 1]!, value: rest[i + 2]! });
  }
  return { next: next!, entries };
}
