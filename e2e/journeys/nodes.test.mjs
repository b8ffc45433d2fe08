// Three nodes over PostgreSQL and NATS, each person on another node.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, closeBrowser, newPerson } from '../lib/browser.mjs'
import { composer, found, join, messages, open, say, sees } from '../lib/client.mjs'
import { Nats, startPostgres } from '../lib/cluster.mjs'
import { eventually, run } from '../lib/process.mjs'
import { BINARY, Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let postgres, nats
const nodes = []
const people = []

before(async () => {
  ;[postgres, nats] = await Promise.all([startPostgres(), Nats.start()])
  const env = { MAGPIE_DATABASE_URL: postgres.url, MAGPIE_NATS_URL: nats.url }
  await run(BINARY, ['migrate'], { env })
  for (let i = 0; i < 3; i += 1) nodes.push(await (await Node.create({ env })).start())
})

after(async () => {
  await closeBrowser()
  await Promise.all(nodes.map((node) => node.stop()))
  await nats.kill()
  await postgres.stop()
})

/** What every person's timeline holds, once all hold the same. */
function same(within) {
  return eventually('all three hold the same', async () => {
    const all = await Promise.all(people.map(messages))
    return all.every((m) => JSON.stringify(m) === JSON.stringify(all[0])) && all[0]
  }, { within })
}

step('three people come together, each on another node', async () => {
  for (let i = 0; i < 3; i += 1) people.push(await newPerson(DESKTOP))
  // The link of the node that started last is the one that counts, on any node.
  const setup = (await nodes[2].setupLink()).replace(nodes[2].base, nodes[0].base)
  const link = await found(people[0], setup, { name: '一号', org: '三座桥' })
  await join(people[1], link.replace(/http:\/\/[^/]+/, nodes[1].base), { name: '二号' })
  await join(people[2], link.replace(/http:\/\/[^/]+/, nodes[2].base), { name: '三号' })
  await open(people[0], '三座桥')
  for (const [i, person] of people.entries()) await say(person, `来自 ${i + 1} 号节点`)
  const all = await same()
  assert.deepEqual(all.filter((m) => m.text.startsWith('来自')).map((m) => m.text), ['来自 1 号节点', '来自 2 号节点', '来自 3 号节点'])
})

step('NATS is wiped and stopped: everybody still hears everybody, only later', async () => {
  await nats.kill()
  for (const [i, person] of people.entries()) await say(person, `没有总线 ${i + 1}`)
  for (const person of people) for (const i of [1, 2, 3]) await sees(person, `没有总线 ${i}`)
  await same()
  await nats.begin()
  await say(people[2], '总线回来了')
  for (const person of people) await sees(person, '总线回来了')
})

step('a node that dies between commit and telling: the others see the message within ten seconds', async () => {
  // Without NATS the first node cannot tell anybody; it is killed as soon as
  // the message is acknowledged, so only the row of its hint can speak for it.
  await nats.kill()
  await composer(people[0]).fill('最后一句')
  await composer(people[0]).press('Enter')
  await sees(people[0], '最后一句')
  await nodes[0].kill()
  const began = Date.now()
  await Promise.all([sees(people[1], '最后一句'), sees(people[2], '最后一句')])
  assert.ok(Date.now() - began < 10_000, `it took ${Date.now() - began} ms`)
  await nats.begin()
})

step('the dead node comes back, its person resumes, and all agree', async () => {
  await say(people[1], '你不在的时候')
  await nodes[0].start()
  await sees(people[0], '你不在的时候')
  const all = await same()
  for (const text of ['最后一句', '你不在的时候', '总线回来了']) {
    assert.equal(all.filter((m) => m.text === text).length, 1, text)
  }
})

step('no page had a fault', () => {
  assert.deepEqual(people.flatMap((p) => p.faults), [])
})
