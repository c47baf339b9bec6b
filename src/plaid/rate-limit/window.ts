// Counts calls by the second over a sliding minute, and computes an upper bound of the counts for storage. Never
// undercounts. Independent of clock, storage and endpoint.

/**
 * A call counts for the rest of its second and for this many more. Two beyond a minute, because calls take different
 * times to reach Plaid: of two that are 60 s apart here, the second may arrive up to two seconds early.
 */
export const windowSeconds = 62
/** Stored counts are rounded up to blocks of this length. */
const blockSeconds = 5
/** The share of a limit that background calls may use; the rest is for interactive calls. */
const backgroundShare = 0.8
/** The share of a limit that one user's interactive calls may use while others need it. */
const userShare = 0.1
/** Beyond that share, a user's calls are admitted while at most this part of the limit is used. */
const spareShare = 0.5

export type Priority = 'interactive' | 'background'

/** Calls by the second, oldest first. Mutable, because there can be tens of thousands of entries. */
export interface SlidingWindow {
  readonly ticks: { second: number; calls: number }[]
  total: number
  /** The current block, its admitted calls that need to be stored, and the calls that storage covers. */
  block: number
  admitted: number
  reserved: number
  /** The stored blocks. */
  stored: StoredBlocks
}

/** The most calls in each block (of five seconds, counted from 1970), oldest first. */
export type StoredBlocks = readonly (readonly [block: number, calls: number])[]

export interface StoragePolicy {
  /** Calls in a window that are not stored, because `restore` assumes that they were made. */
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

/** Whether no call of the window counts any longer. */
export function isIdle(window: SlidingWindow, nowMs: number): boolean {
  const last = window.ticks.at(-1)
  return last === undefined || last.second < oldestSecond(nowMs)
}

/** How many calls count now, and when the oldest of them no longer does (ms since 1970; null without one). */
export interface Fill {
  readonly used: number
  readonly freesAtMs: number | null
}

export function fillOf(window: SlidingWindow, nowMs: number): Fill {
  settle(window, nowMs)
  const first = window.ticks[0]
  return { used: window.total, freesAtMs: first === undefined ? null : freeAt(first.second) }
}

/** When a call of that second no longer counts. */
const freeAt = (second: number): number => (second + windowSeconds + 1) * 1000

/**
 * Drops expired calls. After the clock was set back, calls in the future count as made now: for one window at most, and
 * never for less than they should.
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

/** At least one call, so that no limit excludes a kind of calls. */
const partOf = (limit: number, share: number): number => Math.max(1, Math.floor(limit * share))

/** The most calls in a window, including one more of this priority. */
export const capOf = (limit: number, priority: Priority): number =>
  priority === 'interactive' ? limit : partOf(limit, backgroundShare)

/** Milliseconds until one more call keeps the window within `cap`; 0 if it does now. */
export function waitFor(window: SlidingWindow, cap: number, nowMs: number): number {
  settle(window, nowMs)
  let excess = window.total + 1 - cap
  if (excess <= 0) return 0
  for (const { second, calls } of window.ticks) {
    excess -= calls
    if (excess <= 0) return freeAt(second) - nowMs
  }
  return windowSeconds * 1000
}

/** Milliseconds until the user's share of the client's limit, or its spare part, has room for one more call. */
export const waitForShare = (user: SlidingWindow, client: SlidingWindow, limit: number, nowMs: number): number =>
  Math.min(waitFor(user, partOf(limit, userShare), nowMs), waitFor(client, partOf(limit, spareShare), nowMs))

/** Counts a call that is not stored. */
export function count(window: SlidingWindow, nowMs: number): void {
  settle(window, nowMs)
  add(window, secondOf(nowMs), 1)
}

/** Counts a call now. Returns the blocks to store before it is made; null if storage covers it already. */
export function take(window: SlidingWindow, { unstored, chunk }: StoragePolicy, nowMs: number): StoredBlocks | null {
  count(window, nowMs)
  if (window.total <= unstored) return null
  const block = Math.floor(secondOf(nowMs) / blockSeconds)
  if (block !== window.block) {
    // After the clock was set back, storage may already have this block.
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
 * Restores a window from storage as an upper bound: every stored call counts as made at the end of its block, and
 * `unstored` more as made now.
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

/** Whether no stored block counts any longer. */
export function isExpired(blocks: StoredBlocks, nowMs: number): boolean {
  return blocks.every(([block]) => lastSecondOf(block) < oldestSecond(nowMs))
}
