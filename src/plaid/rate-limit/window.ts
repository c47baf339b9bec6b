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
/**
 * Beyond their share, a user's clicks are admitted while no more than this is used: the rest is for other users and the
 * sweep.
 */
const spareShare = 0.5

export type Priority = 'interactive' | 'background'

/** Calls by the second, oldest first. Changed in place: there can be tens of thousands of them. */
export interface SlidingWindow {
  readonly ticks: { second: number; calls: number }[]
  total: number
  /** The current block: what was admitted in it beyond what goes unstored, and what storage has for it. */
  block: number
  admitted: number
  reserved: number
  /** What storage has, by block. */
  stored: StoredBlocks
}

/** At most so many calls in each block (of five seconds, counted from 1970), oldest first. */
export type StoredBlocks = readonly (readonly [block: number, calls: number])[]

export interface StoragePolicy {
  /** Calls in a window that need not be stored, because whoever restores a window takes them for made. */
  readonly unstored: number
  /** How many calls one write covers. */
  readonly chunk: number
}

const secondOf = (nowMs: number): number => Math.floor(nowMs / 1000)
const lastSecondOf = (block: number): number => block * blockSeconds + blockSeconds - 1
const oldestSecond = (nowMs: number): number => secondOf(nowMs) - windowSeconds

export const emptyWindow = (): SlidingWindow => ({
  ticks: [],
  total: 0,
  block: -1,
  admitted: 0,
  reserved: 0,
  stored: [],
})

function add(window: SlidingWindow, second: number, calls: number): void {
  const last = window.ticks.at(-1)
  if (last?.second === second) last.calls += calls
  else window.ticks.push({ second, calls })
  window.total += calls
}

/** Whether none of a window's calls counts any more. */
export function isIdle(window: SlidingWindow, nowMs: number): boolean {
  const last = window.ticks.at(-1)
  return last === undefined || last.second < oldestSecond(nowMs)
}

/**
 * Forgets what counts no more. After a clock was set back, calls of the future become calls of now: they count for
 * their window at most, and never for less than they should.
 */
function settle(window: SlidingWindow, nowMs: number): void {
  const [oldest, now] = [oldestSecond(nowMs), secondOf(nowMs)]
  const { ticks } = window
  while (ticks[0] !== undefined && ticks[0].second < oldest) window.total -= ticks.shift()?.calls ?? 0
  let future = 0
  while ((ticks.at(-1)?.second ?? 0) > now) future += ticks.pop()?.calls ?? 0
  if (future === 0) return
  window.total -= future
  add(window, now, future)
}

/** At least one call, so that no limit shuts a kind of calls out. */
const partOf = (limit: number, share: number): number => Math.max(1, Math.floor(limit * share))

/** The most calls that a window may hold after one more of this priority. */
export const capOf = (limit: number, priority: Priority): number =>
  priority === 'interactive' ? limit : partOf(limit, backgroundShare)

/** How long until one more call keeps a window within `cap`, in milliseconds; 0 when it does now. */
export function waitFor(window: SlidingWindow, cap: number, nowMs: number): number {
  settle(window, nowMs)
  let excess = window.total + 1 - cap
  if (excess <= 0) return 0
  for (const { second, calls } of window.ticks) {
    excess -= calls
    if (excess <= 0) return (second + windowSeconds + 1) * 1000 - nowMs
  }
  return windowSeconds * 1000
}

/**
 * How long until the user's share of the client's limit, or what is spare of it, has room for one more of their clicks.
 */
export const waitForShare = (user: SlidingWindow, client: SlidingWindow, limit: number, nowMs: number): number =>
  Math.min(waitFor(user, partOf(limit, userShare), nowMs), waitFor(client, partOf(limit, spareShare), nowMs))

/** Counts a call that storage does not need. */
export function count(window: SlidingWindow, nowMs: number): void {
  settle(window, nowMs)
  add(window, secondOf(nowMs), 1)
}

/** Counts a call of now. Answers what has to be stored before it is made; null when storage covers it already. */
export function take(window: SlidingWindow, { unstored, chunk }: StoragePolicy, nowMs: number): StoredBlocks | null {
  count(window, nowMs)
  if (window.total <= unstored) return null
  const block = Math.floor(secondOf(nowMs) / blockSeconds)
  if (block !== window.block) {
    // A clock that was set back comes to a block again that storage may know already.
    const known = window.stored.find(([stored]) => stored === block)?.[1] ?? 0
    Object.assign(window, { block, admitted: known, reserved: known })
  }
  window.admitted += 1
  if (window.admitted <= window.reserved) return null
  window.reserved += chunk
  const kept = window.stored.filter(([stored]) => stored !== block && lastSecondOf(stored) >= oldestSecond(nowMs))
  window.stored = [...kept, [block, window.reserved]]
  return window.stored
}

/**
 * A window that has forgotten nothing that counts: every stored call is taken for made, at the end of its block, and
 * `unstored` more just now.
 */
export function restore(blocks: StoredBlocks, unstored: number, nowMs: number): SlidingWindow {
  const window = { ...emptyWindow(), stored: blocks }
  const now = secondOf(nowMs)
  for (const [block, calls] of blocks.toSorted(([one], [other]) => one - other))
    add(window, Math.min(now, lastSecondOf(block)), calls)
  if (unstored > 0) add(window, now, unstored)
  settle(window, nowMs)
  return window
}

/** Whether nothing of what was stored counts any more. */
export function isExpired(blocks: StoredBlocks, nowMs: number): boolean {
  return blocks.every(([block]) => lastSecondOf(block) < oldestSecond(nowMs))
}
