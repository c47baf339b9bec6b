// What the isolates and the object of a user's live sockets (./object.ts) exchange.

/** Why a socket is closed: the code, and the reason in words. Codes from 4000 on are an application's (RFC 6455, 7.4.2). */
export const closings = {
  expired: [4001, 'The access token has expired.'],
  signed_out: [4002, 'The session has ended.'],
  erased: [4003, 'The user was erased.'],
  replaced: [4004, 'A newer socket has taken its place.'],
  policy: [1008, 'This socket takes no messages.'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>
export type Closing = keyof typeof closings

export interface Notice {
  /** The number of the user's newest change. */
  readonly seq: number
  /** Items that changed, or whose rows did; empty if any may have. */
  readonly items: readonly string[]
}

/** A verified ticket, as the headers of the request that opens a socket. */
export const ticketHeaders = {
  id: 'x-live-ticket',
  issuedAtMs: 'x-live-issued-at',
  endsAtMs: 'x-live-ends-at',
} as const
