// PostgreSQL and NATS of a journey's own, on loopback, in temporary folders.
import { chownSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { eventually, freePort, run, start, stop, tempDir } from './process.mjs'

function postgresBin() {
  const root = '/usr/lib/postgresql'
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  return path.join(root, versions[0], 'bin')
}

/** PostgreSQL refuses to run as root: then it runs as its own user. */
async function asPostgres(command, args) {
  if (process.getuid() !== 0) return [command, args]
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--init-groups', command, ...args]]
}

export async function startPostgres() {
  const dir = tempDir('postgres')
  if (process.getuid() === 0) {
    const [uid, gid] = (await run('sh', ['-c', 'id -u postgres; id -g postgres'])).trim().split('\n').map(Number)
    chownSync(dir, uid, gid)
  }
  const bin = postgresBin()
  const data = path.join(dir, 'data')
  await run(...(await asPostgres(path.join(bin, 'initdb'), [
    '-D', data, '-U', 'magpie', '--auth=trust', '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync',
  ])), { cwd: dir })
  const port = await freePort()
  const child = start(...(await asPostgres(path.join(bin, 'postgres'), [
    '-D', data, '-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${dir}`,
    '-c', 'max_connections=200', '-c', 'log_min_messages=fatal',
  ])), { cwd: dir })
  await eventually('PostgreSQL answers', async () => {
    await run(path.join(bin, 'psql'), ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'magpie', '-d', 'postgres', '-c', 'select 1'])
    return true
  })
  await run(path.join(bin, 'createdb'), ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'magpie', 'magpie'])
  return { url: `postgres://magpie@127.0.0.1:${port}/magpie`, stop: () => stop(child, 'SIGINT') }
}

export class Nats {
  static async start() {
    const nats = new Nats()
    nats.port = await freePort()
    nats.url = `nats://127.0.0.1:${nats.port}`
    await nats.begin()
    return nats
  }

  /** Core NATS keeps nothing: stopping it is wiping it. */
  async begin() {
    this.child = start('nats-server', ['-a', '127.0.0.1', '-p', `${this.port}`])
    await eventually('NATS listens', () => /Server is ready/.test(this.child.log))
  }

  async kill() {
    this.child.kill('SIGKILL')
    await this.child.ended
  }
}
