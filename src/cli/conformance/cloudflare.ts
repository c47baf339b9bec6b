// The promises of Cloudflare: the assertions, and where they run: the probe Worker under `wrangler dev`, or deployed for
// the time of the run with the operator's own login.
import { join } from 'node:path'
import { fireCron } from '../../dev/crons.ts'
import { startWorker } from '../../dev/worker.ts'
import { startWorkerd, type Workerd } from '../bench/workerd-process.ts'
import type { Assertion } from './assertion.ts'
import { withDeployedProbe, wranglerIn } from './cloudflare/deploy.ts'
import { objectAssertions } from './cloudflare/objects.ts'
import { PROBE_CRON, type ProbeProject, writeProbeProject } from './cloudflare/project.ts'
import { queueAssertions } from './cloudflare/queues.ts'
import { requestAssertions } from './cloudflare/requests.ts'
import { type ProbeTarget, probeTarget } from './cloudflare/target.ts'
import { type Result, type RunChoices, runAssertions } from './run.ts'

export const cloudflareAssertions: readonly Assertion<ProbeTarget>[] = [
  ...queueAssertions,
  ...objectAssertions,
  ...requestAssertions,
]

/** The probe in a workerd of its own: the proxy of `wrangler dev` hides from a Worker that its client has left. */
async function startDirect({ folder }: ProbeProject, signal: AbortSignal): Promise<Workerd> {
  const built = join(folder, 'built')
  await wranglerIn(folder)(['deploy', '--dry-run', '--outdir', built])
  const bundle = join(built, 'probe.js')
  return startWorkerd({ projectFolder: folder, folder: join(folder, 'direct'), bundle, variables: {}, signal })
}

/** Against `wrangler dev` on this machine, and a bare workerd beside it. */
export async function runCloudflareStandIn(choices: RunChoices): Promise<Result[]> {
  const { signal, print, slow } = choices
  const project = await writeProbeProject()
  const { folder, key } = project
  const parts: { stop(): Promise<void> }[] = []
  try {
    const direct = await startDirect(project, signal)
    parts.push(direct)
    const options = {
      projectFolder: folder,
      folder,
      port: 0,
      variables: {},
      onLine: () => undefined,
      onExit: print,
      signal,
    }
    const worker = await startWorker(options)
    parts.push(worker)
    const { url } = worker
    const directUrl = `http://127.0.0.1:${direct.port}`
    const fire = () => fireCron(url, PROBE_CRON)
    const place = { url, directUrl, key, isDeployed: false, fireCron: fire, isPatient: slow }
    return await runAssertions(cloudflareAssertions, probeTarget(place), choices)
  } finally {
    for (const part of parts) await part.stop()
    await project.remove()
  }
}

/** Against Cloudflare, by a Worker and a queue that are created for the run and deleted at its end. */
export async function runCloudflare(choices: RunChoices): Promise<Result[]> {
  const project = await writeProbeProject()
  try {
    return await withDeployedProbe(project, wranglerIn(project.folder), (url) => {
      const place = { url, directUrl: url, key: project.key, isDeployed: true, fireCron: null, isPatient: choices.slow }
      return runAssertions(cloudflareAssertions, probeTarget(place), choices)
    })
  } finally {
    await project.remove()
  }
}
