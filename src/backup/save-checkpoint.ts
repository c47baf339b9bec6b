// Copies a checkpoint of the audit trail into the bucket, the first one of each day. Who can rewrite the database cannot
// rewrite this copy, and where the bucket locks the prefix, neither can who has the Worker's bindings.
import { anchorMac } from '../audit/signed-chain.ts'
import { encodeHex } from '../crypto/encoding.ts'
import type { SignedCheckpoint } from '../db/audit/chains.ts'
import { type Bucket, checkpointPrefix } from './bucket.ts'

/** `checkpoint` is what `npm run audit -- verify --checkpoint` takes. */
function textOf({ number, at, previous, heads, keyId, mac }: SignedCheckpoint): string {
  const anchor = `${number}:${anchorMac(mac)}`
  const fields = { checkpoint: anchor, number, at: at.toISOString(), previous: previous && encodeHex(previous), heads }
  return `${JSON.stringify({ ...fields, key_id: keyId, mac: encodeHex(mac) }, null, 2)}\n`
}

/** Saves a checkpoint unless its day has one. An isolate asks the bucket once a day. */
export function createCheckpointSaver(bucket: Bucket): (checkpoint: SignedCheckpoint) => Promise<void> {
  let savedDay = ''
  return async (checkpoint) => {
    const day = checkpoint.at.toISOString().slice(0, 10)
    if (day === savedDay) return
    const onlyIf = { etagDoesNotMatch: '*' }
    await bucket.put(`${checkpointPrefix}${day}.json`, textOf(checkpoint), { onlyIf })
    savedDay = day
  }
}
