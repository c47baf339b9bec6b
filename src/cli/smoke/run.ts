// The smoke test of a deployment. `deploy` runs it against a new version before that serves users.
import { type CheckOptions, type CheckReport, runChecks } from '../lib/checks.ts'
import { redactor } from '../lib/redacted.ts'
import { trafficChecks } from './after-deploy.ts'
import { recordChecks } from './after-deploy-records.ts'
import { sameVersion, serviceChecks } from './service.ts'
import { smokePorts, type SmokeTarget } from './target.ts'
import { transportChecks } from './tls.ts'

export type SmokeReport = CheckReport
export type { SmokeTarget } from './target.ts'

/** @throws Error if the target's URL is no http(s) URL */
export function runSmoke(target: SmokeTarget, options: CheckOptions = {}): Promise<SmokeReport> {
  const ports = smokePorts(target)
  const redact = redactor(target.token === undefined ? [] : [target.token])
  const later = target.afterDeploy === true ? [...trafficChecks, ...recordChecks] : []
  const last = target.version === undefined ? [] : [sameVersion]
  return runChecks([...transportChecks, ...serviceChecks, ...later, ...last], ports, { redact, ...options })
}
