// The reference of the API as a page: complete, without script, and safe for any text of the description.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { documentSchema, type Operation, operationsOf } from '../../../../src/dev/reference/document.ts'
import { curlLine } from '../../../../src/dev/reference/curl.ts'
import { referencePage } from '../../../../src/dev/reference/page.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

const description: unknown = JSON.parse(await readFile(join(projectFolder, 'docs', 'openapi.json'), 'utf8'))
const operations = operationsOf(documentSchema.parse(description))

const assets = { style: '/assets/style.css', icon: '/assets/icon.svg' }

/** The part of the page about one operation. */
const partOf = (page: string, { operationId }: Operation): string =>
  page.split(`<article id="${operationId}">`)[1]?.split('</article>')[0] ?? ''

describe('the reference', () => {
  let page: string
  beforeAll(async () => {
    page = await referencePage(description, assets)
  })

  it.each(operations)('shows $method $path with what it needs, returns and refuses', (operation) => {
    const part = partOf(page, operation)
    expect(part).toContain(`<b class="method ${operation.method.toLowerCase()}">${operation.method}</b>`)
    expect(part).toContain('<dt>Limit</dt>')
    expect(part).toMatch(/curl -s|Plaid signs this request|A WebSocket/)
    for (const status of Object.keys(operation.responses)) expect(part).toMatch(new RegExp(`>${status}<`))
    for (const { name } of operation.parameters) expect(part).toContain(`<code>${name}</code>`)
    const hasExample = Object.values(operation.responses).some(({ content = {} }) =>
      Object.values(content).some(({ example }) => example !== undefined),
    )
    expect(part.includes('<summary>Example</summary>')).toBe(hasExample)
  })

  it('links only to what it contains', () => {
    const anchors = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    const links = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id)
    expect(links.length).toBeGreaterThan(operations.length)
    expect(links.filter((id) => !anchors.has(id))).toEqual([])
  })

  it('has each id once', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  it('needs no script and no style within the page, which its policy refuses', () => {
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i)
  })

  it('shows markup in a text as text', async () => {
    const hostile = structuredClone(documentSchema.parse(description))
    hostile.info.description = '<img src=x onerror=alert(1)> `<b>` "\''
    const shown = await referencePage(hostile, assets)
    expect(shown).not.toContain('<img')
    expect(shown).toContain('<code>&lt;b&gt;</code>')
  })

  it('refuses a document that is no such description', async () => {
    await expect(referencePage({ paths: {} }, assets)).rejects.toThrow('"info"')
  })
})

describe('a curl line', () => {
  const [template] = operations
  const made = (parts: Partial<Operation>): string | null =>
    template === undefined ? null : curlLine({ ...template, parameters: [], ...parts })

  it('keeps a quote of the example within the quotes of the shell', () => {
    const content = { 'application/json': { schema: {}, example: { name: "it's" } } }
    const line = made({ method: 'POST', path: '/x', requestBody: { description: '', required: true, content } })
    expect(line).toContain(String.raw`-d '{"name":"it'\''s"}'`)
  })

  it('takes ids, tokens and what only a Link session gives from variables', () => {
    const exchange = operations.find(({ operationId }) => operationId === 'exchangePublicToken')
    expect(exchange === undefined ? '' : curlLine(exchange)).toContain(`"public_token":"'$PUBLIC_TOKEN'"`)
    const item = operations.find(({ path, method }) => path === '/api/v1/plaid/items/{id}' && method === 'GET')
    expect(item === undefined ? '' : curlLine(item)).toBe(
      'curl -s -H "Authorization: Bearer $TOKEN" "$API/api/v1/plaid/items/$ITEM_ID"',
    )
  })
})
