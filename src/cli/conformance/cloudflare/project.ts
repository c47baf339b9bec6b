// The folder from which wrangler runs or deploys the probe: a configuration with a name of this run.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ProbeProject {
  /** The name of the Worker and of its queue. */
  readonly name: string
  /** The key that a request must contain. */
  readonly key: string
  readonly folder: string
  remove(): Promise<void>
}

export const probeCron = '* * * * *'
const probeSource = join(import.meta.dirname, 'probe.ts')

/** The settings of this project's wrangler.toml that the probe tests. */
export function probeConfiguration(name: string, key: string): string {
  return `name = "${name}"
main = ${JSON.stringify(probeSource)}
compatibility_date = "2026-11-01"
compatibility_flags = ["nodejs_compat", "nodejs_compat_do_not_populate_process_env"]
workers_dev = true
send_metrics = false

[vars]
PROBE_KEY = "${key}"

[placement]
region = "aws:us-east-1"

[triggers]
crons = ["${probeCron}"]

[[queues.producers]]
binding = "QUEUE"
queue = "${name}"

[[queues.consumers]]
queue = "${name}"
max_batch_size = 1
max_batch_timeout = 0
max_retries = 2

[[durable_objects.bindings]]
name = "PROBE"
class_name = "Probe"

[[migrations]]
tag = "probe"
new_sqlite_classes = ["Probe"]
`
}

export async function writeProbeProject(): Promise<ProbeProject> {
  const name = `wn-conformance-${randomBytes(4).toString('hex')}`
  const key = randomBytes(24).toString('base64url')
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-probe-'))
  await writeFile(join(folder, 'wrangler.toml'), probeConfiguration(name, key), { mode: 0o600 })
  return { name, key, folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
