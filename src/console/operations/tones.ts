// The tones of the codes of operations.
import type { Tone } from '../format/words.ts'

const tones: Readonly<Record<string, Tone>> = {
  healthy: 'good',
  committed: 'good',
  ok: 'good',
  linked: 'good',
  finished: 'good',
  complete: 'good',
  initializing: 'busy',
  pending: 'busy',
  open: 'busy',
  started: 'busy',
  running: 'busy',
  failed: 'bad',
  firing: 'bad',
  needs_update: 'bad',
  revoked: 'bad',
  relink_required: 'bad',
  retries_exhausted: 'bad',
}

export const toneOf = (code: string): Tone => tones[code] ?? 'warn'
