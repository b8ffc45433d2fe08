// The release binary, as an administrator runs it.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { eventually, freePort, run, start, stop, tempDir } from './process.mjs'

export const BINARY = process.env.MAGPIE_BINARY
  ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '../../target/release/magpie')

if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run \`make server\` first`)

/** One node. `env` chooses PostgreSQL and NATS. */
export class Node {
  static async create({ env = {}, dataDir = tempDir('data'), address = '127.0.0.1' } = {}) {
    const node = new Node()
    node.port = await freePort()
    node.address = address
    node.base = `http://${address}:${node.port}`
    node.dataDir = dataDir
    node.env = { MAGPIE_PUBLIC_URL: node.base, MAGPIE_LOG: 'warn', ...env }
    return node
  }

  async start() {
    this.child = start(BINARY, ['serve', '--data-dir', this.dataDir, '--listen', `${this.address}:${this.port}`], { env: this.env })
    this.child.ended.then(({ code }) => {
      this.exit = code
    })
    await eventually(`the server listens on ${this.base}`, async () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.child.log}`)
      return (await fetch(`${this.base}/api/v1/server`)).ok
    })
    return this
  }

  /** The one-time link that a fresh server prints. */
  async setupLink() {
    const match = await eventually('the set-up link is printed', () => /http\S+\/setup\/\S+/.exec(this.child.log))
    return match[0].replace(/http:\/\/[^/]+/, this.base)
  }

  /** As a power cut would: no goodbye. */
  async kill() {
    this.child.kill('SIGKILL')
    await this.child.ended
  }

  async stop() {
    if (this.child) await stop(this.child)
  }
}

/** A seeded organisation; its people with their tokens. */
export async function seed(node, { people, conversations, messages, seed = 1 }) {
  const tokens = path.join(tempDir('tokens'), 'tokens')
  await run(BINARY, [
    'admin', 'seed', '--data-dir', node.dataDir, '--people', `${people}`, '--conversations', `${conversations}`,
    '--messages', `${messages}`, '--seed', `${seed}`, '--tokens', tokens,
  ], { env: node.env })
  return readFileSync(tokens, 'utf8').trim().split('\n').map((line) => {
    const [id, name, token] = line.split('\t')
    return { id, name, token }
  })
}

/** Speaks to the API as somebody. */
export async function api(node, token, method, route, body) {
  const response = await fetch(`${node.base}${route}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`)
  return text ? JSON.parse(text) : null
}
