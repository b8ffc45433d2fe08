// The client on a device that keeps it: it opens while the server is away, shows what was said, and loses nothing that
// is typed; signing out leaves nothing behind.
import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before } from 'node:test'

import { DESKTOP, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer, messages, say, sees, waits } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, mei, page, talks, upgrading, upgraded

before(async () => {
  node = await Node.create()
  ;[mei] = await seed(node, { people: 8, conversations: 6, messages: 600 })
  await node.start()
  talks = (await api(node, mei.token, 'GET', '/api/v1/conversations?limit=20')).items
})

after(async () => {
  await closeBrowser()
  upgrading?.close()
  await node.stop()
})

/** Something before the server that changes what it answers; plain requests only, which is enough to open the client. */
async function inFront({ base, port }, change) {
  const server = http.createServer(async (request, response) => {
    const headers = { ...request.headers, host: `127.0.0.1:${port}`, 'accept-encoding': 'identity' }
    delete headers['if-none-match']
    const onward = http.request(base + request.url, { method: request.method, headers }, async (answer) => {
      const body = change(request.url, Buffer.concat(await answer.toArray()))
      const { 'content-length': _, ...rest } = answer.headers
      response.writeHead(answer.statusCode, rest).end(body)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What the databases of this page hold of conversations, by their ids. */
const kept = () => page.evaluate(async () => {
  const all = {}
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith('magpie:')) continue
    const db = await new Promise((resolve, reject) => {
      const asked = indexedDB.open(name)
      asked.onsuccess = () => resolve(asked.result)
      asked.onerror = () => reject(asked.error)
    })
    const rows = await new Promise((resolve) => {
      const asked = db.transaction('timelines').objectStore('timelines').getAll()
      asked.onsuccess = () => resolve(asked.result)
    })
    for (const row of rows) all[row.conversation] = row.messages.length
    db.close()
  }
  return all
})

step('the client can be installed, and is on the device after the first visit', async () => {
  page = await newPerson(DESKTOP)
  await signInAs(page, node, mei)
  await page.goto(`${node.base}/chat`)
  await page.getByTestId('conversation').first().waitFor()
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json())
  assert.equal(manifest.display, 'standalone')
  for (const { src } of manifest.icons) assert.equal((await fetch(node.base + src)).status, 200, src)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
  assert.equal((await fetch(`${node.base}/assets/of-an-older-build.js`)).status, 404)
})

step('the ends of conversations that nobody opened come to the device too', async () => {
  const ends = {}
  for (const { id, head } of talks.filter((c) => c.head.seq > 0)) {
    const { items } = await api(node, mei.token, 'GET', `/api/v1/conversations/${id}/messages?limit=200`)
    ends[id] = items.length
    assert.ok(items.length === 200 || items.length >= head.seq - 5, 'the seed is what this journey thinks it is')
  }
  const here = await eventually('every conversation is kept', async () => {
    const now = await kept()
    return Object.keys(ends).every((id) => now[id] > 0) && now
  }, { within: 60_000, every: 500 })
  assert.deepEqual(here, ends)
})

step('with the server gone a reload opens, with the messages', async () => {
  await node.kill()
  await page.reload()
  await page.getByTestId('conversation').first().waitFor()
  const talk = talks.find((c) => c.kind === 'group')
  await page.goto(`${node.base}/chat/${talk.id}`)
  await composer(page).waitFor()
  await eventually('messages are there', async () => (await messages(page)).length > 0)
})

step('what is typed then waits in the outbox over another reload, and is sent once when the server is back', async () => {
  await composer(page).fill('没有服务器时写下的')
  await composer(page).press('Enter')
  await waits(page, '没有服务器时写下的')
  await page.reload()
  await waits(page, '没有服务器时写下的')
  await node.start()
  await page.getByTestId('message-sending').waitFor({ state: 'detached', timeout: 60_000 })
  await sees(page, '没有服务器时写下的')
  const id = page.url().split('/').pop()
  const { items } = await api(node, mei.token, 'GET', `/api/v1/conversations/${id}/messages?limit=50`)
  assert.equal(items.filter((m) => JSON.stringify(m).includes('没有服务器时写下的')).length, 1)
})

step('a newer version waits until somebody asks for it', async () => {
  upgrading = await inFront(node, (path, body) => path === '/sw.js' && upgraded ? `${body}\n// newer` : body)
  const here = page
  page = await newPerson(DESKTOP)
  await signInAs(page, upgrading, mei)
  await page.goto(`${upgrading.base}/chat`)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
  await page.reload()
  await eventually('the worker is in charge', () => page.evaluate(() => Boolean(navigator.serviceWorker.controller)))
  upgraded = true
  await page.evaluate(async () => { await (await navigator.serviceWorker.getRegistration()).update() })
  const prompt = page.getByTestId('update')
  await prompt.waitFor()
  assert.ok(await page.evaluate(async () => {
    const { waiting, active } = await navigator.serviceWorker.getRegistration()
    return waiting && navigator.serviceWorker.controller === active
  }), 'nothing was exchanged under the page')
  await Promise.all([page.waitForEvent('load'), prompt.getByRole('button').click()])
  await eventually('the newer one is in charge', () => page.evaluate(async () => {
    const { waiting, active } = await navigator.serviceWorker.getRegistration()
    return !waiting && active?.state === 'activated' && navigator.serviceWorker.controller === active
  }))
  assert.equal(await prompt.count(), 0)
  assert.deepEqual(page.faults, [])
  await page.context().close()
  page = here
})

step('signing out leaves nothing of anybody on the device', async () => {
  await say(page, '下班了')
  await page.goto(`${node.base}/me`)
  await page.getByRole('button', { name: '退出登录' }).click()
  await page.waitForURL(/sign-in|welcome/)
  await eventually('no database is left', () => page.evaluate(async () => (await indexedDB.databases()).length === 0))
  assert.equal(await page.evaluate(() => localStorage.getItem('magpie:last')), null)
  const names = await page.evaluate(() => caches.keys())
  const urls = await page.evaluate(async (all) => (await Promise.all(
    all.map(async (name) => (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname)),
  )).flat(), names)
  assert.deepEqual(urls.filter((path) => !/^\/(assets\/.+|index\.html|favicon\.svg|manifest\.webmanifest)$/.test(path)), [])
})

step('the page had no fault', () => {
  assert.deepEqual(page.faults, [])
})
