// The states of an item in the code and in docs/items.md: the tables are the same.
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isItemStatus, itemStatusTable, lostStatuses, stoppedStatuses } from '../../src/item-status.ts'
import { classify } from '../../src/plaid/errors.ts'
import { itemStatusFor } from '../../src/sync/failure.ts'
import { syncProducts } from '../../src/sync/products.ts'
import { effectOf, webhookBody } from '../../src/webhooks/events.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const document = readFileSync(join(projectFolder, 'docs/items.md'), 'utf8')

/** The cells of the table whose first column has this title. */
function tableOf(title: string): string[][] {
  const [, after = ''] = document.split(`\n| ${title} |`)
  const rows = after.split('\n').slice(2)
  const end = rows.findIndex((row) => !row.startsWith('|'))
  return rows.slice(0, end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const names = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

const [, reportedText = ''] = /"Any reported\s+state" is ([^.]+)\./.exec(document) ?? []
const reported = names(reportedText)

describe('the table of states', () => {
  const rows = tableOf('state')

  it('is the same in the code and in the document', () => {
    const documented = rows.map(([state, , background, action, next = '']) => [
      names(state)[0],
      {
        background,
        action: names(action)[0] ?? null,
        next: [...(next.includes('any reported state') ? reported : []), ...names(next)],
      },
    ])
    expect(Object.fromEntries(documented)).toEqual(itemStatusTable)
  })

  it('names each state once, and only states', () => {
    const states = rows.map(([state]) => names(state)[0])
    expect(states).toEqual(Object.keys(itemStatusTable))
    for (const { next } of Object.values(itemStatusTable))
      expect(next.filter((state) => !isItemStatus(state))).toEqual([])
  })

  it('ends in the deletion alone: from every state all that may follow leads to `removed`', () => {
    const reached = new Set<string>(['removed'])
    for (let before = 0; before !== reached.size;) {
      before = reached.size
      for (const [state, { next }] of Object.entries(itemStatusTable))
        if (next.some((follower) => reached.has(follower))) reached.add(state)
    }
    expect([...reached].toSorted((a, b) => a.localeCompare(b))).toEqual(
      Object.keys(itemStatusTable).toSorted((a, b) => a.localeCompare(b)),
    )
  })

  it('stops background work wherever only its user can help', () => {
    expect(lostStatuses).toEqual(['relink_required', 'revoked', 'removing', 'removed'])
    expect(stoppedStatuses).toEqual(['needs_update', 'bank_action_required', ...lostStatuses])
  })

  it('knows no state by the names that every object has', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])
      expect(isItemStatus(name)).toBe(false)
  })
})

describe('the table of webhooks', () => {
  it.each(tableOf('webhook'))('%s looks again at %s', (webhook, products) => {
    const [type = '', code = ''] = (names(webhook)[0] ?? '').split(': ')
    const effect = effectOf(webhookBody.parse({ webhook_type: type, webhook_code: code }), new Date())
    expect(effect.products).toEqual(products === 'everything' ? syncProducts : names(products))
  })

  it.each(tableOf('webhook'))('%s changes the state as it says: %s, %s', (webhook, _products, effect) => {
    const [type = '', code = ''] = (names(webhook)[0] ?? '').split(': ')
    const { update } = effectOf(webhookBody.parse({ webhook_type: type, webhook_code: code }), new Date())
    expect(update.status ?? null).toBe(names(effect).find(isItemStatus) ?? null)
  })
})

describe('the table of errors', () => {
  const types: Readonly<Record<string, string>> = {
    RATE_LIMIT: 'RATE_LIMIT_EXCEEDED',
    CREDITS_EXHAUSTED: 'RATE_LIMIT_EXCEEDED',
  }

  it.each(tableOf('error'))('%s is %s, and makes the item %s', (error, failureClass, state) => {
    const [code = ''] = names(error)
    const found = classify(types[code] ?? 'SOME_TYPE', code, 400)
    expect([found, itemStatusFor(found)]).toEqual([names(failureClass)[0], names(state)[0] ?? null])
  })
})
