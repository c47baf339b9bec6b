// The arithmetic of Plaid's limits: calls counted by the second over a sliding minute, and an upper bound of them for
// storage. Errs towards fewer calls, never towards more. Knows no clock, no storage and no endpoint.

/**
 * A call counts for the rest of its second and so many more. Two beyond a minute, because calls take different times to
 * reach Plaid: of two that are 60 s apart here, the second may get there up to two seconds early.
 */
export const windowSeconds = 62
/** What is stored is rounded up to blocks of so many seconds. */
const blockSeconds = 5
/** What background work may use of a limit; the rest is for clicks. */
const backgroundShare = 0.8
/** What the clicks of one user may use of a limit while others need it. */
const userShare = 0.1
/** Beyond their share, a user's clicks are admitted while no more than this is used: the rest is for other users and the sweep. */
const spareShare = 0.5

export type Priority = 'interactive' | 'background'

/** Calls by the second, oldest first. Changed in place: there can be tens of thousands of them. */
export interface Meter {
  readonly ticks: { second: number; calls: number }[]
  total: number
  /** The current block: what was admitted in it beyond what goes unstored, and what storage has for it. */
  block: number
  admitted: number
  reserved: number
  /** What storage has, by block. */
  stored: Reserve
}

/** At most so many calls in each block (of five seconds, counted from 1970), oldest first. */
export type Reserve = readonly (readonly [block: number, calls: number])[]

export interface Storing {
  /** Calls in a window that need not be stored, because whoever restores a meter takes them for made. */
  readonly unstored: number
  /** How many calls one write covers. */
  readonly chunk: number
}

const secondOf = (nowMs: number): number => Math.floor(nowMs / 1000)
const lastSecondOf = (block: number): number => block * blockSeconds + blockSeconds - 1
const oldestSecond = (nowMs: number): number => secondOf(nowMs) - windowSeconds

export const emptyMeter = (): Meter => ({ ticks: [], total: 0, block: -1, admitted: 0, reserved: 0, stored: [] })

function add(meter: Meter, second: number, calls: number): void {
  const last = meter.ticks.at(-1)
  if (last?.second === second) last.calls += calls
  else meter.ticks.push({ second, calls })
  meter.total += calls
}

/** Whether none of a meter's calls counts any more. */
export function isIdle(meter: Meter, nowMs: number): boolean {
  const last = meter.ticks.at(-1)
  return last === undefined || last.second < oldestSecond(nowMs)
}

/**
 * Forgets what counts no more. After a clock was set back, calls of the future become calls of now: they count for
 * their window at most, and never for less than they should.
 */
function settle(meter: Meter, nowMs: number): void {
  const [oldest, now] = [oldestSecond(nowMs), secondOf(nowMs)]
  const { ticks } = meter
  while (ticks[0] !== undefined && ticks[0].second < oldest) meter.total -= ticks.shift()?.calls ?? 0
  let future = 0
  while ((ticks.at(-1)?.second ?? 0) > now) future += ticks.pop()?.calls ?? 0
  if (future === 0) return
  meter.total -= future
  add(meter, now, future)
}

/** At least one call, so that no limit shuts a kind of calls out. */
const partOf = (limit: number, share: number): number => Math.max(1, Math.floor(limit * share))

/** The most calls that a window may hold after one more of this priority. */
export const capOf = (limit: number, priority: Priority): number =>
  priority === 'interactive' ? limit : partOf(limit, backgroundShare)

/** How long until one more call keeps a window within `cap`, in milliseconds; 0 when it does now. */
export function waitFor(meter: Meter, cap: number, nowMs: number): number {
  settle(meter, nowMs)
  let excess = meter.total + 1 - cap
  if (excess <= 0) return 0
  for (const { second, calls } of meter.ticks) {
    excess -= calls
    if (excess <= 0) return (second + windowSeconds + 1) * 1000 - nowMs
  }
  return windowSeconds * 1000
}

/** How long until the user's share of the client's limit, or what is spare of it, has room for one more of their clicks. */
export const waitForShare = (user: Meter, client: Meter, limit: number, nowMs: number): number =>
  Math.min(waitFor(user, partOf(limit, userShare), nowMs), waitFor(client, partOf(limit, spareShare), nowMs))

/** Counts a call that storage does not need. */
export function count(meter: Meter, nowMs: number): void {
  settle(meter, nowMs)
  add(meter, secondOf(nowMs), 1)
}

/** Counts a call of now. Answers what has to be stored before it is made; null when storage covers it already. */
export function take(meter: Meter, { unstored, chunk }: Storing, nowMs: number): Reserve | null {
  count(meter, nowMs)
  if (meter.total <= unstored) return null
  const block = Math.floor(secondOf(nowMs) / blockSeconds)
  if (block !== meter.block) {
    // A clock that was set back comes to a block again that storage may know already.
    const known = meter.stored.find(([stored]) => stored === block)?.[1] ?? 0
    Object.assign(meter, { block, admitted: known, reserved: known })
  }
  meter.admitted += 1
  if (meter.admitted <= meter.reserved) return null
  meter.reserved += chunk
  const kept = meter.stored.filter(([stored]) => stored !== block && lastSecondOf(stored) >= oldestSecond(nowMs))
  meter.stored = [...kept, [block, meter.reserved]]
  return meter.stored
}

/**
 * A meter that has forgotten nothing that counts: every stored call is taken for made, at the end of its block, and
 * `unstored` more just now.
 */
export function restore(reserve: Reserve, unstored: number, nowMs: number): Meter {
  const meter = { ...emptyMeter(), stored: reserve }
  const now = secondOf(nowMs)
  for (const [block, calls] of reserve.toSorted(([one], [other]) => one - other))
    add(meter, Math.min(now, lastSecondOf(block)), calls)
  if (unstored > 0) add(meter, now, unstored)
  settle(meter, nowMs)
  return meter
}

/** Whether nothing of what was stored counts any more. */
export function isSpent(reserve: Reserve, nowMs: number): boolean {
  return reserve.every(([block]) => lastSecondOf(block) < oldestSecond(nowMs))
}
