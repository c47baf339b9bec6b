// The signing keys and the deliveries of webhooks, as the world holds them.

/** What /webhook_verification_key/get answers: a P-256 public key as a JWK, with its life in Unix seconds. */
export interface PublicKeyView {
  alg: 'ES256'
  created_at: number
  crv: 'P-256'
  expired_at: number | null
  kid: string
  kty: 'EC'
  use: 'sig'
  x: string
  y: string
}

/** Ways of breaking a signature, so that a receiver can be tried. */
export const tamperings = [
  'body',
  'signature',
  'missing',
  'alg_none',
  'alg_hs256',
  'alg_rs256',
  'kid_unknown',
  'iat_old',
  'iat_future',
  'hash',
  'junk',
] as const
export type Tampering = (typeof tamperings)[number]

/** Members that Plaid may add one day; receivers ignore those that they do not know. */
export interface Extras {
  header: Readonly<Record<string, unknown>>
  claims: Readonly<Record<string, unknown>>
  key: Readonly<Record<string, unknown>>
}

export interface SigningKeys {
  readonly extras: Extras
  byId(kid: string): (PublicKeyView & Extras['key']) | null
  /** Signs with a new key from now on; the old one stays valid. */
  rotate(): void
  /** Marks the newest key but `skip` as expired now; it goes on signing until it is rotated out. */
  expire(skip?: number): void
  /** The body to send and its header; they do not fit each other when tampered with. */
  signed(body: string, nowMs: number, tampering: Tampering | null): { body: string; jwt: string | null }
}

export interface Attempt {
  at: string
  /** The receiver's status, or null when there was no answer. */
  status: number | null
  error?: string
}

export interface Delivery {
  id: number
  item_id: string | null
  url: string
  body: Record<string, unknown>
  state: 'waiting' | 'delivered' | 'retrying' | 'failed' | 'dropped'
  attempts: Attempt[]
}

/** How the next webhooks are delivered; a number counts down to none. */
export interface Mischief {
  /** So many are sent twice. */
  duplicate: number
  /** So many are held back, then sent in reverse. */
  reorder: number
  delayMs: number
  /** So many are never sent. */
  drop: number
  tampering: Tampering | null
}

export interface WebhookDelivery {
  send(itemId: string | null, url: string, body: Record<string, unknown>): Delivery
  /** Every webhook so far, oldest first. */
  readonly deliveries: readonly Delivery[]
  readonly mischief: Mischief
  /** Sends what `reorder` holds back. */
  release(): void
}
