// What wrangler 4 prints and writes, as values. Every parser throws on output that it does not know, because a deployment
// must not guess.
import * as z from 'zod'

/** The share of the requests that a version gets, in per cent. */
export interface Share {
  readonly versionId: string
  readonly percentage: number
}

/** What gives the versions their shares. */
export interface Deployment {
  readonly shares: readonly Share[]
  /** The text that the command had which made it; null for none. */
  readonly message: string | null
}

export interface Version {
  readonly id: string
  readonly createdOn: string
  readonly tag: string | null
  readonly message: string | null
}

export interface VersionDetail extends Version {
  /** The events that its code handles. A Worker that only holds secrets handles `fetch` alone. */
  readonly handlers: readonly string[]
  /** The newest Durable Object migration that was applied when it was uploaded; null if Cloudflare does not say. */
  readonly migrationTag: string | null
  readonly secretNames: readonly string[]
}

export interface Lock {
  readonly name: string
  readonly prefix: string
  readonly condition: string
}

const annotations = z
  .object({ 'workers/tag': z.string().optional(), 'workers/message': z.string().optional() })
  .loose()
  .nullish()

const versionSchema = z.object({
  id: z.string(),
  metadata: z.object({ created_on: z.string() }),
  annotations,
})

const detailSchema = versionSchema.extend({
  resources: z.object({
    script: z.object({ handlers: z.array(z.string()).nullish() }),
    script_runtime: z.object({ migration_tag: z.string().nullish() }),
    bindings: z.array(z.object({ type: z.string(), name: z.string() })).nullish(),
  }),
})

const deploymentSchema = z.object({
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })).min(1),
  annotations,
})
const accountsSchema = z.object({ accounts: z.array(z.object({ id: z.string(), name: z.string() })) })
const secretsSchema = z.array(z.object({ name: z.string() }))
const uploadSchema = z.object({ type: z.enum(['version-upload', 'deploy']), version_id: z.string().nullable() })

/** The JSON that a command printed. Wrangler can print notices in front of it. */
function jsonIn(text: string): unknown {
  const start = /^[[{]/m.exec(text)?.index
  if (start === undefined) throw new Error(`wrangler printed no JSON: ${text.trim().slice(0, 200)}`)
  return JSON.parse(text.slice(start))
}

function toVersion({ id, metadata, annotations: notes }: z.infer<typeof versionSchema>): Version {
  return {
    id,
    createdOn: metadata.created_on,
    tag: notes?.['workers/tag'] ?? null,
    message: notes?.['workers/message'] ?? null,
  }
}

/** `versions list --json`, oldest first. */
export function versionsIn(text: string): Version[] {
  return z.array(versionSchema).parse(jsonIn(text)).map(toVersion)
}

/** `versions view ID --json`. */
export function detailIn(text: string): VersionDetail {
  const detail = detailSchema.parse(jsonIn(text))
  const { script, script_runtime: runtime, bindings } = detail.resources
  return {
    ...toVersion(detail),
    handlers: script.handlers ?? [],
    migrationTag: runtime.migration_tag ?? null,
    secretNames: (bindings ?? []).filter(({ type }) => type === 'secret_text').map(({ name }) => name),
  }
}

/** `deployments status --json`. */
export function deploymentIn(text: string): Deployment {
  const { versions, annotations: notes } = deploymentSchema.parse(jsonIn(text))
  return {
    shares: versions.map(({ version_id: versionId, percentage }) => ({ versionId, percentage })),
    message: notes?.['workers/message'] ?? null,
  }
}

/** `whoami --json`. */
export function accountsIn(text: string): { id: string; name: string }[] {
  return accountsSchema.parse(jsonIn(text)).accounts
}

/** `secret list`. */
export function secretNamesIn(text: string): string[] {
  return secretsSchema.parse(jsonIn(text)).map(({ name }) => name)
}

/**
 * The version in the events that wrangler writes to WRANGLER_OUTPUT_FILE_PATH, one JSON object a line. Wrangler also
 * succeeds where it uploads nothing, such as over changes of the dashboard; `printed` says why.
 */
export function uploadedVersionIn(events: string, printed: string): string {
  for (const line of events.split('\n').filter((text) => text.trim() !== '')) {
    const event = uploadSchema.safeParse(JSON.parse(line)).data
    if (event?.version_id != null) return event.version_id
  }
  throw new Error(`wrangler uploaded nothing: ${printed.trim().slice(-1000) || 'it printed no reason'}`)
}

/** Blocks of `label:  value` lines, separated by empty lines, as wrangler prints lists of R2. */
function labelledValuesIn(text: string): Map<string, string>[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => {
      const lines = block.split('\n').map((line) => /^\s*([a-z_]+):\s+(.*?)\s*$/i.exec(line))
      return new Map(lines.flatMap((found) => (found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const])))
    })
    .filter((block) => block.has('name'))
}

/** `r2 bucket list`. */
export function bucketNamesIn(text: string): string[] {
  return labelledValuesIn(text).map((block) => block.get('name') ?? '')
}

/** `r2 bucket lock list`: the rules that are in force. */
export function locksIn(text: string): Lock[] {
  return labelledValuesIn(text)
    .filter((block) => block.get('enabled') === 'Yes')
    .map((block) => ({
      name: block.get('name') ?? '',
      prefix: block.get('prefix') ?? '',
      condition: block.get('condition') ?? '',
    }))
}
