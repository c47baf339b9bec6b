// The signing keys and the deliveries of webhooks, as the world holds them.

/** The response of /webhook_verification_key/get: a P-256 public key as a JWK, with its lifetime in Unix seconds. */
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

/** Ways to break a signature, for tests of a receiver. */
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

/** Members that Plaid may add; receivers must ignore unknown ones. */
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
  /** Marks the key that is `skip` places older than the newest as expired now. It still signs until it is rotated. */
  expire(skip?: number): void
  /** The body to send and its header. They do not match if tampered with. */
  signed(body: string, nowMs: number, tampering: Tampering | null): { body: string; jwt: string | null }
}

export interface Attempt {
  at: string
  /** The receiver's status, or null without a response. */
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

/** Faults of the next deliveries; a number counts down to zero. */
export interface DeliveryFaults {
  /** How many are sent twice. */
  duplicate: number
  /** How many are held back, then sent in reverse order. */
  reorder: number
  delayMs: number
  /** How many are never sent. */
  drop: number
  tampering: Tampering | null
}

export interface WebhookDelivery {
  send(itemId: string | null, url: string, body: Record<string, unknown>): Delivery
  /** Every webhook so far, oldest first. */
  readonly deliveries: readonly Delivery[]
  readonly faults: DeliveryFaults
  /** Sends the deliveries that `reorder` holds back. */
  release(): void
}
