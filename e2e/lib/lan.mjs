// A second host: a network namespace of its own, joined to this machine by a
// pair of virtual cards with private addresses. Needs root.
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { run, tempDir } from './process.mjs'

const ASKER = new URL('./asker.mjs', import.meta.url).pathname

/** Why there can be no second host here, or nothing. Root of a container may be refused too. */
export const noSecondHost = (() => {
  const name = `magpie-try-${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (made.status !== 0) return `no network namespaces: ${made.error ?? made.stderr}`
  spawnSync('ip', ['netns', 'del', name])
})()

/**
 * A host that reaches this machine at `address`, and at `publicAddress`, which looks like one of the open internet
 * (RFC 5737). `wrap(program)` gives a program that runs `program` there; `exec` runs one to its end; `ask` sends one
 * request from there (see asker.mjs).
 */
export async function secondHost() {
  const id = process.pid % 10_000
  const name = `magpie${id}`
  const [near, far] = [`mp${id}a`, `mp${id}b`]
  // A corner of 10/8 that is rarely in use: the addresses must be private ones.
  const net = `10.213.${id % 250}`
  const open = '203.0.113'
  await run('ip', ['netns', 'add', name])
  const remove = () => run('ip', ['netns', 'del', name]).catch(() => {})
  try {
    await run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name])
    await run('ip', ['addr', 'add', `${net}.1/30`, 'dev', near])
    await run('ip', ['addr', 'add', `${open}.1/30`, 'dev', near])
    await run('ip', ['link', 'set', near, 'up'])
    const there = [
      ['addr', 'add', `${net}.2/30`, 'dev', far], ['addr', 'add', `${open}.2/30`, 'dev', far],
      ['link', 'set', far, 'up'], ['link', 'set', 'lo', 'up'],
    ]
    for (const args of there) {
      await run('ip', ['-n', name, ...args])
    }
  } catch (error) {
    await remove()
    throw error
  }
  return {
    address: `${net}.1`,
    publicAddress: `${open}.1`,
    privateFrom: `${net}.2`,
    wrap(program) {
      const script = path.join(tempDir('lan'), 'program')
      writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${name} ${program} "$@"\n`)
      chmodSync(script, 0o755)
      return script
    },
    exec: (program, args) => run('ip', ['netns', 'exec', name, program, ...args]),
    ask: async (request) => JSON.parse(await run('ip', ['netns', 'exec', name, process.execPath, ASKER, JSON.stringify(request)])),
    remove,
  }
}
