// Adds a rule that changes an endpoint's responses.
import type * as z from 'zod'
import { parsePath } from '../lib/json-path.ts'
import type { Alteration, Replacement } from '../state/alterations.ts'
import { type alterationRequest, refuse } from './requests.ts'

type AlterationRequest = z.infer<typeof alterationRequest>

/**
 * Adds the rule after the existing ones. `times` 0 removes the endpoint's rules. Refuses a rule that changes nothing.
 */
export function addAlteration(rules: Alteration[], wanted: AlterationRequest): void {
  if (wanted.times === 0) {
    const kept = rules.filter(({ endpoint }) => endpoint !== wanted.endpoint)
    rules.splice(0, rules.length, ...kept)
    return
  }
  const replacement = replacementOf(wanted)
  const steps = wanted.path === undefined ? null : parsePath(wanted.path)
  if (wanted.path !== undefined && steps?.[0]?.kind !== 'name') throw refuse(400, 'path: must begin with a name')
  if ((steps === null) !== (replacement === null)) {
    throw refuse(400, 'a path needs one of value, remove, wrong_type, and they need a path')
  }
  if (steps === null && wanted.status === undefined) throw refuse(400, 'a rule needs a path or a status')
  rules.push({
    endpoint: wanted.endpoint,
    path: steps === null || wanted.path === undefined ? null : { text: wanted.path, steps },
    replacement,
    status: wanted.status ?? null,
    errors: wanted.errors ?? false,
    times: wanted.times ?? null,
    after: wanted.after,
  })
}

function replacementOf(wanted: AlterationRequest): Replacement | null {
  const given: Replacement[] = [
    ...(wanted.value === undefined ? [] : [{ kind: 'value' as const, value: wanted.value }]),
    ...(wanted.remove === true ? [{ kind: 'removed' as const }] : []),
    ...(wanted.wrong_type === true ? [{ kind: 'wrong_type' as const }] : []),
  ]
  if (given.length > 1) throw refuse(400, 'a rule takes one of value, remove, wrong_type')
  return given[0] ?? null
}

/** An active rule, in the shape of the request. */
export function alterationView({ path, replacement, ...rest }: Alteration): object {
  const { kind } = replacement ?? { kind: null }
  return {
    ...rest,
    path: path?.text ?? null,
    ...(replacement?.kind === 'value' && { value: replacement.value }),
    ...(kind === 'removed' && { remove: true }),
    ...(kind === 'wrong_type' && { wrong_type: true }),
  }
}
