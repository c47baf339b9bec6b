// Writes a workerd configuration that corresponds to wrangler.toml's top level: the Worker, its objects and its queue.
// A further, small Worker passes on messages and cron triggers, which arrive there over HTTP.
import { join } from 'node:path'
import * as z from 'zod'

/** Which of two versions of the Worker serves the Durable Objects, or an event. */
export type Version = 'current' | 'previous'

export interface Configured {
  readonly projectFolder: string
  /** Added to the variables of wrangler.toml. */
  readonly variables: Readonly<Record<string, string>>
  /** Whether a second version runs, too. */
  readonly hasPrevious: boolean
  readonly objectsOf: Version
  /** `HOST:PORT` of an HTTP server that receives the messages of every queue; null drops them. */
  readonly queue: string | null
  /** What the binding CF_VERSION_METADATA has as the version's id; null leaves the binding out. */
  readonly versionId: string | null
}

/** The names of the files that the configuration embeds. */
export const modules: Readonly<Record<Version, string>> = { current: 'worker.js', previous: 'previous.js' }

const deployed = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  queues: z.object({ producers: z.array(z.object({ binding: z.string() })) }),
})

/** Cap'n Proto's text strings have the syntax of JSON's for printable characters. */
const quoted = (text: string): string => JSON.stringify(text)
const listed = (items: readonly string[]): string => `[${items.join(', ')}]`

/** Receives `{queue, messages}` at /VERSION/queue and `{cron}` at /VERSION/cron, and returns the handler's result. */
const eventsModule = `export default {
  async fetch(request, env) {
    const [, version, kind] = new URL(request.url).pathname.split('/')
    const { queue, messages, cron } = await request.json()
    if (kind === 'cron') return Response.json(await env[version].scheduled({ scheduledTime: new Date(), cron }))
    const dated = messages.map((message) => ({ ...message, timestamp: new Date(message.timestamp) }))
    const result = await env[version].queue(queue, dated, { metrics: { backlogCount: 0, backlogBytes: 0 } })
    return Response.json(result)
  },
}`

/** Accepts and drops messages. The producer's `send` waits until they are read, and rejects a response without `metadata`. */
const nowhereModule = `export default {
  async fetch(request) {
    await request.arrayBuffer()
    return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } })
  },
}`

/** Loads wrangler on use, because that takes a second. */
async function settingsOf(projectFolder: string): Promise<z.output<typeof deployed>> {
  const { unstable_readConfig: readConfig } = await import('wrangler')
  return deployed.parse(readConfig({ config: join(projectFolder, 'wrangler.toml'), env: '' }, { hideWarnings: true }))
}

/** The Durable Object classes that a module must export. */
export async function objectClasses(projectFolder: string): Promise<string[]> {
  const { durable_objects: objects } = await settingsOf(projectFolder)
  return objects.bindings.map(({ class_name: type }) => type)
}

export async function configurationOf(configured: Configured): Promise<string> {
  const { projectFolder, variables, hasPrevious, objectsOf, queue, versionId } = configured
  const settings = await settingsOf(projectFolder)
  const versions: readonly Version[] = hasPrevious ? ['current', 'previous'] : ['current']
  const objects = settings.durable_objects.bindings
  const date = `compatibilityDate = ${quoted(settings.compatibility_date)}`
  const bindings = [
    ...Object.entries({ ...settings.vars, ...variables }).map(([name, text]) => [name, `text = ${quoted(text)}`]),
    ...settings.queues.producers.map(({ binding }) => [binding, 'queue = "queue"']),
    ...objects.map(({ name, class_name: type }) => [
      name,
      `durableObjectNamespace = (className = ${quoted(type)}, serviceName = ${quoted(objectsOf)})`,
    ]),
    ...(versionId === null
      ? []
      : [['CF_VERSION_METADATA', `json = ${quoted(JSON.stringify({ id: versionId, tag: '', timestamp: '' }))}`]]),
  ].map(([name = '', value]) => `(name = ${quoted(name)}, ${value})`)
  const namespaces = objects.map(
    ({ class_name: type }) => `(className = ${quoted(type)}, uniqueKey = ${quoted(type)}, enableSql = true)`,
  )
  const workerOf = (version: Version): string => `const ${version} :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${quoted(modules[version])})],
  ${date},
  compatibilityFlags = ${listed(settings.compatibility_flags.map(quoted))},
  bindings = ${listed(bindings)},${
    version === objectsOf
      ? `
  durableObjectNamespaces = ${listed(namespaces)},
  durableObjectStorage = (localDisk = "disk"),`
      : ''
  }
);`
  const services = versions.map((version) => `(name = ${quoted(version)}, worker = .${version})`)
  const sockets = versions.map(
    (version) => `(name = ${quoted(version)}, address = "127.0.0.1:0", http = (), service = ${quoted(version)})`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(',\n    ')},
    (name = "events", worker = .events),
    (name = "queue", ${queue === null ? 'worker = .nowhere' : `external = (address = ${quoted(queue)}, http = ())`}),
    (name = "disk", disk = (path = "objects", writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [
    ${sockets.join(',\n    ')},
    (name = "events", address = "127.0.0.1:0", http = (), service = "events"),
  ],
);
${versions.map(workerOf).join('\n')}
const events :Workerd.Worker = (
  modules = [(name = "events.js", esModule = ${quoted(eventsModule)})],
  ${date},
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = ${listed(versions.map((version) => `(name = ${quoted(version)}, service = ${quoted(version)})`))},
);
const nowhere :Workerd.Worker = (
  modules = [(name = "nowhere.js", esModule = ${quoted(nowhereModule)})],
  ${date},
);
`
}
