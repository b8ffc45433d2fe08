// Programs the journeys start, each stopped by its id when the journey ends.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A port nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A folder that is gone when the process ends. */
export function tempDir(name) {
  const dir = mkdtempSync(path.join(tmpdir(), `magpie-${name}-`))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Starts a program; its output is kept for when something goes wrong. */
export function start(command, args, { env = {}, ...options } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, ...options })
  child.log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      child.log = (child.log + data).slice(-20_000)
    })
  }
  child.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  running.add(child)
  child.ended.then(() => running.delete(child))
  return child
}

/** Runs a program to its end; fails with its output. */
export async function run(command, args, options) {
  const child = start(command, args, options)
  const { code } = await child.ended
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${child.log}`)
  return child.log
}

export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await child.ended
    clearTimeout(timer)
  }
}

/** Asks until it is so; the error of the last try is told. */
export async function eventually(what, check, { within = 20_000, every = 100 } = {}) {
  const end = Date.now() + within
  let last
  for (;;) {
    try {
      const value = await check()
      if (value) return value
      last = new Error(`not so: ${value}`)
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${within} ms (${last?.message})`)
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}
