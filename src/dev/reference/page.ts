// The reference as one page of static HTML: the API's description, readable without script.
import { html } from 'hono/html'
import { curlLine, pathVariables, whyNoCurl } from './curl.ts'
import {
  type ApiDocument,
  documentSchema,
  type Operation,
  operationsOf,
  type Response,
  type Schema,
} from './document.ts'
import { fieldTable, parameterTable, schemaAnchor } from './fields.ts'
import { type Html, prose } from './prose.ts'

const whoMayCall = {
  public: 'Anyone. No token.',
  user: 'A user: the access token of a user, or an API key that acts for one.',
  admin: 'An administrator: an access token with the role admin, or an API key of an administrator.',
} as const

/** Sets the variables of the curl lines. */
const firstBlock = `API=http://127.0.0.1:8787
TOKEN=$(npm run -s token -- --sub alice)
ADMIN_TOKEN=$(npm run -s token -- --sub operator --role admin)
first() { curl -s -H "Authorization: Bearer $TOKEN" "$API$1" | node -pe 'JSON.parse(fs.readFileSync(0)).data[0]?.id ?? ""'; }
ITEM_ID=$(first /api/v1/plaid/items) ACCOUNT_ID=$(first /api/v1/accounts) TRANSACTION_ID=$(first /api/v1/transactions)`

const json = (value: unknown): Html => html`<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre>`

function limits({ 'x-rate-limits': quotas }: ApiDocument, { 'x-rate-limits': names }: Operation): Html {
  if (names.length === 0) return html`Not limited.`
  const texts = names.map((name) => {
    const found = quotas[name]
    if (found === undefined) throw new Error(`The description has no limit ${name}.`)
    const { quota, window_seconds: seconds } = found
    return `${quota.toLocaleString('en-US')} in ${seconds === 60 ? 'a minute' : seconds === 3600 ? 'an hour' : `${seconds} s`} (${name})`
  })
  return html`${texts.join(', ')}`
}

const isSuccess = (status: string): boolean => Number(status) < 400

function success(status: string, { description, content = {} }: Response): Html {
  const [mediaType, media] = Object.entries(content)[0] ?? []
  const body =
    media === undefined || mediaType === undefined
      ? html``
      : html`${mediaType === 'application/json' ? fieldTable('Response', media.schema) : html`<p>${mediaType}</p>`}
        ${
          media.example === undefined
            ? ''
            : html`<details open>
                <summary>Example</summary>
                ${json(media.example)}
              </details>`
        }`
  return html`<p><b>${status}</b> ${prose(description)}</p>
    ${body}`
}

/** The codes that a response with this status can have. */
const codesOf = ({ content = {} }: Response): readonly unknown[] =>
  Object.values(content).flatMap(({ schema }) => schema.properties?.['code']?.enum ?? [])

function failures(responses: readonly (readonly [string, Response])[]): Html {
  const rows = responses.map(
    ([status, response]) =>
      html`<tr>
        <th scope="row">${status}</th>
        <td>${codesOf(response).map((code) => html`<code>${String(code)}</code> `)}</td>
        <td>${response.description}</td>
      </tr>`,
  )
  return html`<details>
    <summary>Errors</summary>
    <table>
      <caption>
        Errors, as
        <a href="#${schemaAnchor('Problem')}">Problem</a>
      </caption>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Code</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </details>`
}

/** Says where the ids of the curl line come from. */
function variables(operation: Operation, lists: ReadonlySet<string>): Html {
  const known = pathVariables(operation).filter(({ list }) => lists.has(list))
  return html`${known.map(
    ({ name, list }) =>
      html`<p>
        <small><code>$${name}</code> is the <code>id</code> of a row of <code>GET ${list}</code>.</small>
      </p>`,
  )}`
}

/** A path that a narrow screen may break after each slash. */
const breakable = (path: string): Html =>
  html`${path.split('/').map((part, index) => (index === 0 ? html`${part}` : html`/<wbr />${part}`))}`

/** A named schema of the description, or the schema itself. */
function resolve({ components }: ApiDocument, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return (name === undefined ? undefined : components.schemas[name]) ?? schema
}

function request(document: ApiDocument, { requestBody }: Operation): Html {
  if (requestBody === undefined) return html``
  const [media] = Object.values(requestBody.content)
  return html`<p>${prose(requestBody.description)}${requestBody.required ? '' : ' It may be absent.'}</p>
    ${media === undefined ? '' : fieldTable('Body', resolve(document, media.schema))}`
}

function section(document: ApiDocument, operation: Operation, lists: ReadonlySet<string>): Html {
  const { operationId, method, path, summary, description, parameters } = operation
  const responses = Object.entries(operation.responses)
  const line = curlLine(operation)
  return html`<article id="${operationId}">
    <h3><a href="#${operationId}">${summary}</a></h3>
    <p class="call"><b class="method ${method.toLowerCase()}">${method}</b> <code>${breakable(path)}</code></p>
    <p>${prose(description)}</p>
    <dl>
      <dt>Who</dt>
      <dd>${whoMayCall[operation['x-access']]}</dd>
      <dt>Limit</dt>
      <dd>${limits(document, operation)}</dd>
    </dl>
    ${parameterTable(parameters)}${request(document, operation)}
    ${
      line === null
        ? html`<p>${whyNoCurl(operation)}</p>`
        : html`<pre class="curl" tabindex="0"><code>${line}</code></pre>
            ${variables(operation, lists)}`
    }
    ${responses.filter(([status]) => isSuccess(status)).map(([status, response]) => success(status, response))}
    ${failures(responses.filter(([status]) => !isSuccess(status)))}
  </article>`
}

function events({ webhooks }: ApiDocument): Html {
  return html`<section aria-labelledby="events-out">
    <h2 id="events-out">Event requests</h2>
    <p>Requests that this deployment sends to the endpoints of applications.</p>
    ${Object.entries(webhooks).map(([type, { post }]) => {
      const [media] = Object.values(post.requestBody?.content ?? {})
      return html`<article id="event-${type}">
        <h3><a href="#event-${type}">${post.summary}</a></h3>
        <p class="call"><code>${type}</code></p>
        <p>${prose(post.description)}</p>
        ${media === undefined ? '' : fieldTable('Body', media.schema)}
        ${media?.example === undefined ? '' : json(media.example)}
      </article>`
    })}
  </section>`
}

function schemas({ components }: ApiDocument): Html {
  return html`<section aria-labelledby="schemas">
    <h2 id="schemas">Schemas</h2>
    ${Object.entries(components.schemas).map(
      ([name, schema]) =>
        html`<article id="${schemaAnchor(name)}">
          <h3>${name}</h3>
          ${schema.description === undefined ? '' : html`<p>${prose(schema.description)}</p>`}${fieldTable('Fields', schema)}
        </article>`,
    )}
  </section>`
}

/** The operations of a tag. Each operation stands under its first tag. */
const ofTag = (operations: readonly Operation[], tag: string): Operation[] =>
  operations.filter(({ tags }) => tags[0] === tag)

function navigation(document: ApiDocument, operations: readonly Operation[]): Html {
  return html`<nav aria-label="Operations">
    <ul>
      ${document.tags.map(
        ({ name }) =>
          html`<li>
            <details>
              <summary>${name}</summary>
              <ul>
                ${ofTag(operations, name).map(({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>`)}
              </ul>
            </details>
          </li>`,
      )}
      <li><a href="#events-out">Event requests</a></li>
      <li><a href="#schemas">Schemas</a></li>
    </ul>
  </nav>`
}

interface Assets {
  readonly style: string
  readonly icon: string
}

/**
 * The page.
 * @param description the parsed docs/openapi.json
 * @param assets the paths of its style sheet and its icon
 * @throws ZodError if it is not such a document
 */
export async function referencePage(description: unknown, assets: Assets): Promise<string> {
  const document = documentSchema.parse(description)
  const operations = operationsOf(document)
  const lists = new Set(operations.filter(({ method }) => method === 'GET').map(({ path }) => path))
  const { title, description: about, version } = document.info
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>API reference · ${title}</title>
        <link rel="icon" href="${assets.icon}" />
        <link rel="stylesheet" href="${assets.style}" />
      </head>
      <body>
        <header>
          <a class="skip" href="#content">Skip to the content</a><a href="/">${title}</a> <small>${version}</small>
        </header>
        ${navigation(document, operations)}
        <main id="content">
          <h1>API reference</h1>
          <p>${prose(about)} The machine-readable description is <a href="/openapi.json">openapi.json</a>.</p>
          <p>
            The curl lines run against the local stack. Start it with <code>npm run dev</code>, link a bank, and set
            these variables in the project’s folder:
          </p>
          <pre class="curl" tabindex="0"><code>${firstBlock}</code></pre>
          ${document.tags.map(
            ({ name, description: text }) =>
              html`<section aria-labelledby="tag-${name}">
                <h2 id="tag-${name}">${name}</h2>
                <p>${prose(text)}</p>
                ${ofTag(operations, name).map((operation) => section(document, operation, lists))}
              </section>`,
          )}
          ${events(document)}${schemas(document)}
        </main>
      </body>
    </html> `
  return page.toString()
}
