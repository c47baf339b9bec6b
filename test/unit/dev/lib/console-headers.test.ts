// The headers of hashed files, in development and in a deployment.
import { expect, test } from 'vitest'
import { assetHeaders } from '../../../../src/dev/lib/console-headers.ts'

test('a hashed file of a deployment has Strict-Transport-Security in addition, and one of a laptop has not', () => {
  const linesOf = (strict: boolean) => assetHeaders({ strict }).split('\n')
  const [strict, local] = [linesOf(true), linesOf(false)]
  expect(strict[0]).toBe('/assets/*')
  expect(strict.filter((line) => !local.includes(line))).toEqual([
    expect.stringMatching(/^ {2}Strict-Transport-Security: max-age=\d{8,}; includeSubDomains/),
  ])
  expect(local.filter((line) => !strict.includes(line))).toEqual([])
})
