// A seeded organisation of 500 people, 60 conversations, 100,000 messages.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer, messages } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, owner, page

before(async () => {
  node = await Node.create()
  ;[owner] = await seed(node, { people: 500, conversations: 60, messages: 100_000 })
  await node.start()
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

const rows = () => page.getByTestId('conversation')

step('it opens with its conversations', async () => {
  page = await newPerson(DESKTOP)
  await signInAs(page, node, owner)
  await page.goto(node.base)
  await rows().nth(5).waitFor()
})

step('each of forty switches shows the other conversation where one left it', async () => {
  const { items } = await api(node, owner.token, 'GET', '/api/v1/conversations?limit=20')
  const talks = items.filter((c) => c.last && c.title).slice(0, 8)
  for (const talk of talks) {
    const page = await api(node, owner.token, 'GET', `/api/v1/conversations/${talk.id}/messages?limit=20`)
    talk.end = page.items.findLast((m) => m.body?.kind === 'blocks').seq
  }
  for (let i = 0; i < 40; i += 1) {
    const talk = talks[i % talks.length]
    await rows().filter({ hasText: talk.title }).first().click()
    await page.getByRole('heading', { name: talk.title }).first().waitFor()
    // It opens at the first unread message, or at the end.
    const end = talk.end - talk.unread
    await eventually(`the end of ${talk.title}`, async () => (await messages(page)).some((m) => m.seq >= end))
  }
})

step('scrolling leads to last year', async () => {
  const { items } = await api(node, owner.token, 'GET', '/api/v1/conversations?limit=60')
  const longest = items.reduce((a, b) => (b.head.seq > a.head.seq ? b : a))
  assert.ok(longest.head.seq > 10_000, `the longest history has ${longest.head.seq} messages`)
  await page.goto(`${node.base}/chat/${longest.id}`)
  await composer(page).waitFor()
  await eventually('the end is drawn', async () => (await messages(page)).some((m) => m.seq > longest.head.seq - 20))
  // By hand: upwards through several pages, without a jump.
  const log = page.getByRole('log', { name: /的消息/ })
  const box = await log.boundingBox()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  for (let i = 0; i < 60; i += 1) {
    await page.mouse.wheel(0, -900)
    await page.waitForTimeout(30)
  }
  const above = await messages(page)
  assert.ok(above.at(-1).seq < longest.head.seq - 50, 'scrolling up loads older messages')
  const seqs = above.map((m) => m.seq)
  assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i), 'without a gap')
  // By date: a day of last year.
  const day = new Date(Date.now() - 380 * 86_400_000)
  const time = new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime()
  const { seq } = await api(node, owner.token, 'GET', `/api/v1/conversations/${longest.id}/messages/at?time=${time}`)
  await page.getByRole('button', { name: '查找聊天记录' }).click()
  const two = (n) => String(n).padStart(2, '0')
  const field = page.locator('input[type=date]')
  await field.fill(`${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`)
  await page.getByRole('button', { name: '跳转' }).click()
  await eventually(`message ${seq} of that day is drawn`, async () => (await messages(page)).some((m) => m.seq === seq))
})

step('words are found wherever one stands in the history', async () => {
  const { items } = await api(node, owner.token, 'GET', '/api/v1/conversations?limit=60')
  const longest = items.reduce((a, b) => (b.head.seq > a.head.seq ? b : a))
  const text = '蓝鹊飞过 7 号桥'
  const body = { kind: 'blocks', blocks: [{ type: 'text', text }] }
  const { seq } = await api(node, owner.token, 'POST', `/api/v1/conversations/${longest.id}/messages`, { client_id: crypto.randomUUID(), body })
  const drawn = async () => (await messages(page)).some((m) => m.seq === seq)
  assert.equal(await drawn(), false, 'one stands in last year')
  await page.keyboard.press('Control+f')
  await page.getByRole('searchbox', { name: '找一句话或文件名' }).fill('飞过 ７')
  await page.getByRole('button', { name: /蓝鹊飞过 7 号桥/ }).waitFor()
  await page.keyboard.press('Enter')
  await eventually('what was found is drawn', drawn)
  // And from the search of everything.
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: '搜索' }).fill('7 号桥')
  await page.getByTestId('result').filter({ hasText: text }).click()
  await eventually('it leads to the message', drawn)
})

step('names that programs get wrong are whole, on the phone too', async () => {
  page = await newPerson(PHONE)
  await signInAs(page, node, owner)
  await page.goto(`${node.base}/contacts`)
  for (const name of ['王䶮', '𠮷野亮', '古丽娜尔·阿不都热依木·艾山', 'བསོད་ནམས་རྒྱ་མཚོ', 'ئابدۇللا ئابدۇرېھىم']) {
    await page.getByRole('searchbox').or(page.getByPlaceholder(/搜索|查找/)).first().fill(name)
    await page.getByText(name, { exact: true }).first().waitFor()
  }
})

step('no page had a fault', () => {
  assert.deepEqual(page.faults, [])
})
