// The assertions about Cloudflare, and where they run: with a probe Worker under `wrangler dev`, or deployed for the
// duration of the run with the operator's login.
import { join } from 'node:path'
import { startWorkerd } from '../../dev/lib/workerd-process.ts'
import { fireCron } from '../../dev/stack/crons.ts'
import { startWorker } from '../../dev/stack/worker.ts'
import type { Assertion } from './assertion.ts'
import { withDeployedProbe, wranglerIn } from './cloudflare/deploy.ts'
import { objectAssertions } from './cloudflare/objects.ts'
import { probeCron, type ProbeProject, writeProbeProject } from './cloudflare/project.ts'
import { queueAssertions } from './cloudflare/queues.ts'
import { requestAssertions } from './cloudflare/requests.ts'
import { type ProbeTarget, probeTarget } from './cloudflare/target.ts'
import { type Result, runAssertions, type RunChoices } from './run.ts'

export const cloudflareAssertions: readonly Assertion<ProbeTarget>[] = [
  ...queueAssertions,
  ...objectAssertions,
  ...requestAssertions,
]

/** Builds the probe as a deployment does. Returns the module. */
async function buildProbe({ folder }: ProbeProject): Promise<string> {
  const built = join(folder, 'built')
  await wranglerIn(folder)(['deploy', '--dry-run', '--outdir', built])
  return join(built, 'probe.js')
}

/**
 * Against `wrangler dev` on this machine and a bare workerd, because the proxy of `wrangler dev` hides a disconnect.
 */
export async function runCloudflareStandIn(choices: RunChoices): Promise<Result[]> {
  const { signal, print, slow } = choices
  const project = await writeProbeProject()
  const { folder, key } = project
  const parts: { stop(): Promise<void> }[] = []
  try {
    const bundle = await buildProbe(project)
    const common = { projectFolder: folder, bundle, variables: {}, signal }
    const direct = await startWorkerd({ ...common, folder: join(folder, 'direct') })
    parts.push(direct)
    const worker = await startWorker({ ...common, folder, port: 0, onLine: () => undefined, onExit: print })
    parts.push(worker)
    const { url } = worker
    const directUrl = `http://127.0.0.1:${direct.port}`
    const fire = () => fireCron(url, probeCron)
    const place = { url, directUrl, key, isDeployed: false, fireCron: fire, waitsForCron: slow }
    return await runAssertions(cloudflareAssertions, probeTarget(place), choices)
  } finally {
    for (const part of parts) await part.stop()
    await project.remove()
  }
}

/** Against Cloudflare, with a Worker and a queue that are created for the run and then deleted. */
export async function runCloudflare(choices: RunChoices): Promise<Result[]> {
  const project = await writeProbeProject()
  try {
    return await withDeployedProbe(project, wranglerIn(project.folder), (url) => {
      const place = {
        url,
        directUrl: url,
        key: project.key,
        isDeployed: true,
        fireCron: null,
        waitsForCron: choices.slow,
      }
      return runAssertions(cloudflareAssertions, probeTarget(place), choices)
    })
  } finally {
    await project.remove()
  }
}
