// The lock file's entries for other platforms.
import { describe, expect, it } from 'vitest'
import { missingEntries, platformOf } from '../../../src/cli/lock.ts'

describe('an optional package of another platform', () => {
  it('is added once, at the top, as its dependent has it', () => {
    const packages = {
      '': {},
      'node_modules/tool': { version: '2.0.0', dev: true, optionalDependencies: { '@tool/darwin-arm64': '^2.0.0' } },
    }
    const missing = missingEntries(packages)
    expect(missing).toEqual({
      'node_modules/@tool/darwin-arm64': {
        version: '2.0.0',
        dev: true,
        optional: true,
        os: ['darwin'],
        cpu: ['arm64'],
      },
    })
    expect(missingEntries({ ...packages, ...missing })).toEqual({})
  })

  it('is added next to its dependent if the top level has another version', () => {
    const packages = {
      'node_modules/tool': { version: '2.0.0', optionalDependencies: { 'tool-linux-x64-musl': '2.0.0' } },
      'node_modules/tool-linux-x64-musl': { version: '1.0.0' },
    }
    expect(Object.keys(missingEntries(packages))).toEqual(['node_modules/tool/node_modules/tool-linux-x64-musl'])
  })

  it('is found next to any package above its dependent', () => {
    const packages = {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/tool': { version: '1.0.0', optionalDependencies: { 'tool-win32-x64': '^1.2.0' } },
      'node_modules/a/node_modules/tool-win32-x64': { version: '1.4.0' },
    }
    expect(missingEntries(packages)).toEqual({})
  })
})

it.each([
  ['@x/binding-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
  ['@x/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
  ['@x/workerd-darwin-64', { os: ['darwin'], cpu: ['x64'] }],
  ['@x/windows-x64', { os: ['win32'], cpu: ['x64'] }],
  ['@x/binding-wasm32-wasi', { os: ['none'] }],
  ['fsevents', { os: ['none'] }],
])('the package %s is for its platform alone', (name, platform) => {
  expect(platformOf(name)).toEqual(platform)
})
