// What goes wrong in a week of work: a server that is slow or full, a session ended from elsewhere, two tabs, a device
// that was away. Each says what is so, and nothing that was typed is lost. (Away and restarting: talk and offline; a wrong
// clock and a full device: shell.)
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer, messages, open, say, sees, waits } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, mei, mate, org, group, other, page
const pages = []

const ask = (method, route, body, who = mei) => api(node, who.token, method, `/api/v1${route}`, body)
const sending = (route) => route.request().method() === 'POST'
const MESSAGES = '**/api/v1/conversations/*/messages'
let number = 0
const post = (who, text, conversation = group.id) => {
  number += 1
  const client_id = `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}`
  return ask('POST', `/conversations/${conversation}/messages`, { client_id, body: { kind: 'blocks', blocks: [{ type: 'text', text }] } }, who)
}
const said = async (text) => {
  const { items } = await ask('GET', `/conversations/${group.id}/messages?limit=100`)
  return items.filter((m) => JSON.stringify(m.body).includes(text)).length
}
const allSent = () => eventually('nothing waits any more', async () => (await page.getByTestId('message-sending').count()) === 0, { within: 60_000 })
const row = (where, title) => where.getByTestId('conversation').filter({ hasText: title }).first()

async function device(who, options = DESKTOP) {
  const made = await newPerson(options)
  pages.push(made)
  await signInAs(made, node, who)
  await made.goto(`${node.base}/chat`)
  await made.getByTestId('conversation').first().waitFor()
  return made
}

async function look(where, name) {
  if (process.env.LOOKS) await where.screenshot({ path: `${process.env.LOOKS}/${name}.png` })
}

before(async () => {
  node = await Node.create()
  ;[mei, mate] = await seed(node, { people: 6, conversations: 3, messages: 60 })
  await node.start()
  ;[org] = (await ask('GET', '/orgs')).items
  group = await ask('POST', '/conversations', { org_id: org.id, title: '搬仓库', members: [mate.id] })
  other = await ask('POST', '/conversations', { org_id: org.id, title: '年货', members: [mate.id] })
  await post(mate, '周三搬')
  page = await device(mei)
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a slow server holds nothing up: the place changes at once, and what is written waits in sight', async () => {
  let answer
  const held = new Promise((resolve) => { answer = resolve })
  await page.route(MESSAGES, async (route) => {
    await held
    await route.continue().catch(() => {})
  })
  await row(page, '搬仓库').click()
  await page.getByRole('heading', { name: '搬仓库' }).waitFor()
  // What the device keeps already stands there; else it says that it loads.
  await page.getByRole('status', { name: '正在加载' }).or(page.getByTestId('bubble').filter({ hasText: '周三搬' })).first().waitFor()
  await composer(page).fill('慢也能写')
  await page.getByRole('button', { name: '发送' }).click()
  assert.equal(await composer(page).inputValue(), '')
  await composer(page).fill('再来一条')
  await page.getByRole('button', { name: '发送' }).click()
  await waits(page, '再来一条')
  await look(page, 'trouble-slow')
  answer()
  await allSent()
  await sees(page, '再来一条')
  await page.unroute(MESSAGES)
  const order = (await messages(page)).map((m) => m.text).filter((t) => /慢也能写|再来一条/.test(t))
  assert.deepEqual(order.map((t) => t.slice(0, 4)), ['慢也能写', '再来一条'])
})

step('a server whose disk is full says so beside the message, which goes by itself once there is room', async () => {
  await page.route(MESSAGES, (route) => sending(route)
    ? route.fulfill({
        status: 507, contentType: 'application/problem+json',
        body: JSON.stringify({ type: 'about:blank', title: 'full', status: 507, code: 'storage_full' }),
      })
    : route.continue())
  await composer(page).fill('服务器满了时写的')
  await page.getByRole('button', { name: '发送' }).click()
  await waits(page, '服务器满了时写的')
  await page.getByText(/会自动再发/).waitFor()
  await look(page, 'trouble-full')
  await page.reload()
  await waits(page, '服务器满了时写的')
  await page.unroute(MESSAGES)
  await allSent()
  assert.equal(await said('服务器满了时写的'), 1)
})

step('two tabs are one: what one sends the other shows, and whoever stays goes on when the first is closed', async () => {
  const second = await page.context().newPage()
  second.faults = []
  second.on('pageerror', (error) => second.faults.push(String(error)))
  await second.goto(`${node.base}/chat/${group.id}`)
  await composer(second).waitFor()
  await say(page, '第一个标签页')
  await sees(second, '第一个标签页')
  await say(second, '第二个标签页')
  await sees(page, '第二个标签页')
  // The one that came first leads: it goes, and the other must take over hearing and sending.
  await page.close()
  page = second
  pages.push(second)
  await post(mate, '关掉一个也收得到')
  await sees(page, '关掉一个也收得到')
  await say(page, '也发得出')
  assert.equal(await said('也发得出'), 1)
})

step('a session ended from elsewhere says so; what was being written and what was not sent are there after signing in', async () => {
  await page.route(MESSAGES, (route) => (sending(route) ? route.abort() : route.continue()))
  await composer(page).fill('没发出去就被退出了')
  await page.getByRole('button', { name: '发送' }).click()
  await waits(page, '没发出去就被退出了')
  await composer(page).fill('写到一半的话')
  await page.context().clearCookies()
  const { items } = await ask('GET', '/sessions')
  assert.ok(items.length > 0)
  // The server closes the socket of a session that is no more; here the cookie is gone, which any next answer tells.
  await page.evaluate(() => fetch('/api/v1/me'))
  await open(page, '年货').catch(() => {})
  await page.getByText('登录已失效').waitFor({ timeout: 30_000 })
  await look(page, 'trouble-ended')
  await page.unroute(MESSAGES)
  await signInAs(page, node, mei)
  await page.goto(`${node.base}/chat/${group.id}`)
  await composer(page).waitFor()
  await eventually('the draft is back', async () => (await composer(page).inputValue()) === '写到一半的话')
  await allSent()
  assert.equal(await said('没发出去就被退出了'), 1)
  await composer(page).fill('')
})

step('a device that was away for long catches up: what was said, taken back and read meanwhile, with its own draft kept', async () => {
  const phone = await device(mei, PHONE)
  await row(phone, '年货').click()
  await composer(phone).fill('手机上写了一半')
  await eventually('the draft is kept', async () => (await ask('GET', `/conversations/${other.id}`)).draft === '手机上写了一半')
  await phone.goto('about:blank')
  await open(page, '年货')
  const gone = await post(mate, '说错了的话', other.id)
  await ask('POST', `/conversations/${other.id}/messages/${gone.seq}/recall`, undefined, mate)
  for (let i = 1; i <= 12; i += 1) await post(mate, `不在的时候 ${i}`, other.id)
  await sees(page, '不在的时候 12')
  await eventually('it was read on the other device', async () => (await ask('GET', `/conversations/${other.id}`)).unread === 0)
  await post(mate, '另一处的新消息')
  await phone.goto(`${node.base}/chat/${other.id}`)
  await sees(phone, '不在的时候 12')
  await look(phone, 'trouble-away')
  assert.equal(await phone.getByText('说错了的话').count(), 0)
  assert.equal(await composer(phone).inputValue(), '手机上写了一半')
  await phone.getByRole('link', { name: '返回' }).click()
  await row(phone, '搬仓库').getByText('1 条未读').waitFor({ state: 'attached' })
  await row(phone, '年货').getByText('手机上写了一半').waitFor()
  assert.equal(await row(phone, '年货').getByText(/条未读/).count(), 0)
})

step('no page had a fault', () => {
  assert.deepEqual(pages.flatMap((p) => p.faults), [])
})
