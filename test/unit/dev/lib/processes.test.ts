// Ends the right processes, all of them, and no others.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endGroup, groupCommands, noteGroup, stopLeftOverGroup } from '../../../../src/dev/lib/left-over-group.ts'
import { commandLine, endProcess } from '../../../../src/dev/lib/processes.ts'

const stubborn = "process.on('SIGTERM', () => {}); process.on('SIGINT', () => {}); setInterval(() => {}, 1000)"
const children: ChildProcess[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** Starts Node with `program` as the leader of a new process group, and resolves when the program runs. */
async function run(program: string, mark: string): Promise<number> {
  const args = ['-e', `${program}; process.stdout.write('up')`, mark]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child.pid ?? 0
}

describe('a process', () => {
  it('is left alone if its command line is not the expected one', async () => {
    const pid = await run(stubborn, 'bystander')
    expect(await endProcess(pid, (command) => command.includes('postgres'), ['SIGKILL'], 100)).toBe(false)
    expect(await commandLine(pid)).toContain('bystander')
  })

  it('gets the next signal if it ignores the first', async () => {
    const pid = await run(stubborn, 'mine')
    expect(await endProcess(pid, (command) => command.includes('mine'), ['SIGINT', 'SIGKILL'], 200)).toBe(true)
    expect(await commandLine(pid)).toBeNull()
  })
})

describe('a process group', () => {
  const parent = `const c = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}, 'workerd'], {stdio: 'ignore'})`

  it('is ended as a whole, members that ignore the request too', { timeout: 20_000 }, async () => {
    const leader = await run(`${parent}; setInterval(() => {}, 1000)`, 'wrangler')
    await expect.poll(() => groupCommands(leader)).toHaveLength(2)
    await endGroup(leader)
    expect(await groupCommands(leader)).toEqual([])
  })

  it('is found by the note of a killed run even when its leader has ended', { timeout: 20_000 }, async () => {
    const leader = await run(`${parent}; setTimeout(() => process.exit(), 300)`, 'wrangler')
    await noteGroup(folder, leader)
    await expect.poll(() => commandLine(leader)).toBeNull()
    expect(await groupCommands(leader)).toHaveLength(1)
    expect(await stopLeftOverGroup(folder)).toBe(leader)
    expect(await groupCommands(leader)).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it('is left alone if its number belongs to another process', async () => {
    const leader = await run(stubborn, 'editor')
    await noteGroup(folder, leader)
    expect(await stopLeftOverGroup(folder)).toBeNull()
    expect(await groupCommands(leader)).toHaveLength(1)
  })
})
