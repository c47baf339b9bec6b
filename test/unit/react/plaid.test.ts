// The script of Plaid Link, in a stand-in for a page.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { loadPlaid } from '../../../src/react/plaid.ts'

type Listener = () => void
interface FakeScript {
  src: string
  async: boolean
  readonly listeners: Map<string, Listener>
  remove(): void
  addEventListener(name: string, listener: Listener): void
}

let scripts: FakeScript[] = []

function createElement(): FakeScript {
  const listeners = new Map<string, Listener>()
  const script: FakeScript = {
    src: '',
    async: false,
    listeners,
    remove: () => void (scripts = scripts.filter((each) => each !== script)),
    addEventListener: (name, listener) => void listeners.set(name, listener),
  }
  return script
}
const end = (name: 'load' | 'error'): void => scripts.at(-1)?.listeners.get(name)?.()

beforeEach(() => {
  scripts = []
  vi.stubGlobal('document', { createElement, head: { appendChild: (script: FakeScript) => void scripts.push(script) } })
})
afterEach(() => void vi.unstubAllGlobals())

it("the loader of Link loads Plaid's script from the address that Plaid documents, once, and again after a failure", async () => {
  for (const failure of ['error', 'load'] as const) {
    const failing = loadPlaid()
    expect(scripts.map(({ src }) => src)).toEqual(['https://cdn.plaid.com/link/v2/stable/link-initialize.js'])
    // A script that loads and is not Plaid's fails as one that does not load.
    end(failure)
    await expect(failing).rejects.toThrow('Plaid Link did not load.')
    expect(scripts).toEqual([])
  }
  const both = [loadPlaid(), loadPlaid()]
  expect(scripts).toHaveLength(1)
  const handler = { open: () => undefined, destroy: () => undefined }
  vi.stubGlobal('Plaid', { create: () => handler })
  end('load')
  const [create] = await Promise.all(both)
  expect(create?.({ token: 'link-1', onSuccess: () => undefined, onExit: () => undefined })).toBe(handler)
})

it('the loader of Link loads nothing where the page has Plaid already', async () => {
  vi.stubGlobal('Plaid', { create: () => null })
  await loadPlaid()
  expect(scripts).toEqual([])
})
