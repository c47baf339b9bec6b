// The promises of Cloudflare: the assertions, and where they run: the probe Worker under `wrangler dev`, or deployed for
// the time of the run with the operator's own login.
import { fireCron } from '../../dev/crons.ts'
import { startWorker } from '../../dev/worker.ts'
import type { Assertion } from './assertion.ts'
import { withDeployedProbe, wranglerIn } from './cloudflare/deploy.ts'
import { objectAssertions } from './cloudflare/objects.ts'
import { PROBE_CRON, writeProbeProject } from './cloudflare/project.ts'
import { queueAssertions } from './cloudflare/queues.ts'
import { requestAssertions } from './cloudflare/requests.ts'
import { type ProbeTarget, probeTarget } from './cloudflare/target.ts'
import { type Result, type RunChoices, runAssertions } from './run.ts'

export const cloudflareAssertions: readonly Assertion<ProbeTarget>[] = [
  ...queueAssertions,
  ...objectAssertions,
  ...requestAssertions,
]

/** Against `wrangler dev` on this machine. */
export async function runCloudflareStandIn(choices: RunChoices): Promise<Result[]> {
  const project = await writeProbeProject()
  const stopping = new AbortController()
  try {
    const worker = await startWorker({
      projectFolder: project.folder,
      folder: project.folder,
      port: 0,
      variables: {},
      onLine: () => undefined,
      onExit: choices.print,
      signal: stopping.signal,
    })
    try {
      const { url } = worker
      const fire = () => fireCron(url, PROBE_CRON)
      const place = { url, key: project.key, isDeployed: false, fireCron: fire, isPatient: choices.slow }
      return await runAssertions(cloudflareAssertions, probeTarget(place), choices)
    } finally {
      await worker.stop()
    }
  } finally {
    stopping.abort()
    await project.remove()
  }
}

/** Against Cloudflare, by a Worker and a queue that are created for the run and deleted at its end. */
export async function runCloudflare(choices: RunChoices): Promise<Result[]> {
  const project = await writeProbeProject()
  try {
    return await withDeployedProbe(project, wranglerIn(project.folder), (url) => {
      const place = { url, key: project.key, isDeployed: true, fireCron: null, isPatient: choices.slow }
      return runAssertions(cloudflareAssertions, probeTarget(place), choices)
    })
  } finally {
    await project.remove()
  }
}
