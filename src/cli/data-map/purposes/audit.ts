// The audit trail.
import type { Purposes } from './purposes.ts'

const signature = { key_id: 'which audit key signed', mac: 'the signature' }
const previous = 'the signature before, which ties them together'
const signedAt = 'when it was signed'

/** Table → column → purpose. */

export const audit: Purposes = {
  'public.audit_chains': {
    person: 'whose chain it is; deleted by an erasure',
    number: 'the number of its last row',
    head: 'the signature of its end',
  },
  'public.audit_checkpoints': {
    ...signature,
    previous,
    at: signedAt,
    number: 'the number of the checkpoint',
    heads: 'the ends of the chains at that time',
  },
  'public.audit_links': {
    ...signature,
    chain: 'the chain',
    number: 'the place in the chain',
    previous,
    audit_id: 'the row',
    checkpoint: 'the checkpoint that was signed with it',
  },
  'public.audit_log': {
    at: 'when it was done',
    actor_kind: 'what kind of actor did it',
    actor_hash: 'a salted hash of the person who did it; the salt is deleted by an erasure',
    action: 'what was done',
    target_kind: 'the kind of its target',
    target_id: 'the id of its target',
    request_id: 'finds the log line of the request',
    correlation_id: 'the client’s id of the request',
    network: 'a pseudonym of the client’s network, which changes every day',
    ...signature,
  },
  'public.audit_people': {
    audit_id: 'the row of the trail',
    part: 'whether the person acted, or has the row in their trail',
    person: 'issuer and subject of the person; deleted by an erasure',
    salt: 'the salt of the hash in the row; deleted by an erasure',
    api_key: 'the first characters of the API key with which the person acted; deleted by an erasure',
    at: 'the order of the person’s trail',
  },
  'public.audit_prunings': {
    ...signature,
    chain: 'the chain',
    at: signedAt,
    number: 'the number of the last deleted row, or checkpoint',
    head: 'its signature, which the rest follows',
  },
  'public.audit_unchained': { audit_id: 'a row that waits for its place in a chain', at: 'the order of waiting rows' },
}
