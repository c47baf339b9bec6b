// Accessibility of a page in the browser: axe's rules, and the keyboard.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import * as z from 'zod'

const resultSchema = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
})
const script = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** The rules of axe that the page violates, with each element. The size of targets is not among its default rules. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(script, 'utf8'))
  const { violations } = resultSchema.parse(
    await page.evaluate("axe.run({ rules: { 'target-size': { enabled: true } } })"),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

const reachSchema = z.object({ all: z.array(z.string()), name: z.string().nullable(), isVisible: z.boolean() })

/** What the keyboard must reach, and what has the focus now. The radio buttons of one group count as one. */
const reach = `(() => {
  const nameOf = (element) =>
    element.type === 'radio' ? 'radio ' + element.name
      : element.type === 'checkbox' ? 'checkbox ' + element.value
      : element.tagName + ' ' + (element.id || element.name || element.textContent.replace(/\\s+/g, ' ').trim())
  const isShown = (element) => element.checkVisibility()
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')].filter(isShown).map(nameOf)
  const active = document.activeElement === document.body ? null : document.activeElement
  const style = active === null ? null : getComputedStyle(active)
  return {
    all: [...new Set(all)],
    name: active === null ? null : nameOf(active),
    isVisible: style === null || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0),
  }
})()`

/** What Tab does not reach, and what has the focus without a visible mark. Presses Tab until nothing new comes. */
export async function keyboardFaultsOf(page: Page): Promise<string[]> {
  const faults = new Set<string>()
  const reached = new Set<string>()
  let { all } = reachSchema.parse(await page.evaluate(reach))
  for (let presses = 0; presses < 4 * all.length + 10 && reached.size < all.length; presses += 1) {
    await page.keyboard.press('Tab')
    const now = reachSchema.parse(await page.evaluate(reach))
    ;({ all } = now)
    if (now.name === null) continue
    reached.add(now.name)
    if (!now.isVisible) faults.add(`the focus of ${now.name} is not visible`)
  }
  for (const name of all) if (!reached.has(name)) faults.add(`Tab does not reach ${name}`)
  return [...faults]
}
