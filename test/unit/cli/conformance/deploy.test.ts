// Deploys the probe with a fake wrangler that prints its arguments.
import { describe, expect, it } from 'vitest'
import { withDeployedProbe } from '../../../../src/cli/conformance/cloudflare/deploy.ts'
import { probeConfiguration } from '../../../../src/cli/conformance/cloudflare/project.ts'

const name = 'wn-conformance-00000000'
const project = { name, key: 'key', folder: '/nowhere', remove: () => Promise.resolve() }
const cleared = [`delete --name ${name} --force`, `queues delete ${name}`]
const ready = () => Promise.resolve()

function recordingWrangler(fails: (command: string) => boolean = () => false) {
  const commands: string[] = []
  const wrangler = (args: readonly string[]) => {
    const command = args.join(' ')
    commands.push(command)
    if (fails(command)) return Promise.reject(new Error(`${command} failed`))
    return Promise.resolve(command === 'deploy' ? `Deployed\n  https://${name}.someone.workers.dev\n` : '')
  }
  return { commands, wrangler }
}

describe('the deployed probe', () => {
  it('is used at the address that wrangler prints, and deleted with its queue', async () => {
    const { commands, wrangler } = recordingWrangler()
    const result = await withDeployedProbe(project, wrangler, (url) => Promise.resolve(url), ready)
    expect(result).toBe(`https://${name}.someone.workers.dev`)
    expect(commands).toEqual([`queues create ${name}`, 'deploy', ...cleared])
  })

  it.each([
    ['its use fails', () => false],
    ['its deployment fails', (command: string) => command === 'deploy'],
  ])('is deleted when %s', async (_, fails) => {
    const { commands, wrangler } = recordingWrangler(fails)
    const use = () => Promise.reject(new Error('used in vain'))
    await expect(withDeployedProbe(project, wrangler, use, ready)).rejects.toThrow(/used in vain|deploy failed/)
    expect(commands.slice(-2)).toEqual(cleared)
  })

  it('reports what stays in the account when it cannot be deleted', async () => {
    const { wrangler } = recordingWrangler((command) => command.startsWith('delete'))
    await expect(withDeployedProbe(project, wrangler, ready, ready)).rejects.toThrow(`wrangler ${cleared[0] ?? ''}`)
  })

  it('names nothing in the account but itself', () => {
    const names = [...probeConfiguration(name, 'key').matchAll(/^(?:name|queue) = "(.*)"$/gm)].map(([, found]) => found)
    expect(names).toEqual([name, name, name, 'PROBE'])
  })
})
