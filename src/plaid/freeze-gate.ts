// Whether a freeze allows a call of Plaid. Remembers for a moment that there is none, so that calls in quick succession
// read the switch once. A caller that has just written to the database notes that there was none.

/** For how long an observation counts: the longest time in which an isolate still calls Plaid after a freeze. */
const knownForMs = 2000

/** The only call of Plaid in the state `recovery`. */
const recoveryPath = '/item/access_token/invalidate'

/** `unknown`: the switch could not be read. */
export type GateAnswer = 'open' | 'frozen' | 'unknown'

export interface FreezeGate {
  readonly check: (path: string) => Promise<GateAnswer>
  /** Notes that a write which a freeze refuses, begun at `atMs`, was done. */
  readonly noteWritten: (atMs: number) => void
}

export interface FreezeGateOptions {
  /** Reads the switch. Rejects if the database does not respond. */
  readonly read: () => Promise<string>
  readonly now: () => number
  readonly onFailure: (error: unknown) => void
}

/** One per isolate. Each caller reads the switch itself: a request cannot wait for the I/O of another one. */
export function createFreezeGate({ read, now, onFailure }: FreezeGateOptions): FreezeGate {
  let openAtMs = Number.NEGATIVE_INFINITY
  const noteWritten = (atMs: number): void => {
    openAtMs = Math.max(openAtMs, atMs)
  }
  return {
    noteWritten,
    check: async (path) => {
      const atMs = now()
      if (atMs - openAtMs < knownForMs) return 'open'
      let state: string
      try {
        state = await read()
      } catch (error) {
        onFailure(error)
        return 'unknown'
      }
      if (state === 'off') {
        noteWritten(atMs)
        return 'open'
      }
      return state === 'recovery' && path === recoveryPath ? 'open' : 'frozen'
    },
  }
}
