// The smoke test of a running service: with `--after-deploy`, it reads the real admin routes of the built Worker.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runSmoke } from '../../src/cli/smoke/run.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
  await edge.linkAndSync('ada')
})
afterAll(() => edge.stop())

test('a smoke test understands every route that it reads after a deployment', async () => {
  const claims = { ...goodClaims('operator'), role: 'admin' }
  const token = mintToken({ secret: String(edge.variables['SECRET_KEY']), claims })
  const report = await runSmoke({ url: edge.url, token, afterDeploy: true })
  const found = Object.fromEntries(report.results.map(({ name, status, said }) => [name, `${status} ${said}`]))
  expect(found).toMatchObject({
    health: expect.stringMatching(/^pass/),
    ready: expect.stringMatching(/^pass/),
    'refused authentication': expect.stringMatching(/^pass/),
    'refused webhook': expect.stringMatching(/^pass/),
    'sync jobs': expect.stringMatching(/^pass 0 of \d+ runs failed/),
    'webhook delivery': expect.stringMatching(/^pass [1-9]/),
    'dead letters': 'pass none is open',
    'errors of Plaid': expect.stringMatching(/^pass 0.00 % of [1-9]/),
    backups: expect.stringMatching(/^warn unknown: BACKUP_RECIPIENT is none/),
    'audit trail': expect.stringMatching(/^warn it was never verified/),
    'security log': expect.stringMatching(/^pass \d+ rows/),
  })
})
