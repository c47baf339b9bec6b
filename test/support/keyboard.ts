// A person who has no mouse: finds things with Tab, presses Enter, types.
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

export interface Keyboard {
  /** Presses Tab, or Shift and Tab, until the element with this name has the focus. */
  find(name: string, back?: 'back'): Promise<void>
  /** Finds it and presses Enter. */
  press(name: string, back?: 'back'): Promise<void>
  type(text: string): Promise<void>
  enter(): Promise<void>
}

const mostPresses = 120

/** The name of what has the focus: its label or its text. */
const focusedName = `(() => {
  const active = document.activeElement
  if (active === null || active === document.body) return ''
  const label = active.labels?.[0]?.textContent ?? ''
  return (active.getAttribute('aria-label') || label || active.textContent || '').replace(/\\s+/g, ' ').trim()
})()`

const hasMark = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
  return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0
})()`

/** `pressed` gets the names of what was pressed. */
export function keyboardOf(page: Page, pressed: string[] = []): Keyboard {
  const { keyboard } = page
  const focused = async (): Promise<string> => String(await page.evaluate(focusedName))
  const find = async (name: string, back?: 'back'): Promise<void> => {
    const seen: string[] = []
    for (let presses = 0; presses < mostPresses && !(await focused()).startsWith(name); presses += 1) {
      await keyboard.press(back === undefined ? 'Tab' : 'Shift+Tab')
      seen.push(await focused())
    }
    expect((await focused()).startsWith(name), `${name} was reached, not only ${seen.join(' | ')}`).toBe(true)
    expect(await page.evaluate(hasMark), `the focus of ${name} is visible`).toBe(true)
  }
  return {
    find,
    async press(name, back) {
      await find(name, back)
      pressed.push(name)
      await keyboard.press('Enter')
    },
    type: (text) => keyboard.type(text),
    enter: () => keyboard.press('Enter'),
  }
}
