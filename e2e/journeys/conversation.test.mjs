// One conversation with a long past: finding one's way in it, and doing something with several messages.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer, open, say, sees } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, owner, other, page, group

const UNREAD = 80
const row = (text) => page.getByTestId('bubble').filter({ hasText: text })
const inSight = (locator) => locator.evaluate((el) => {
  const box = el.getBoundingClientRect()
  const frame = el.closest('[role=log]').getBoundingClientRect()
  return box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1
})

before(async () => {
  node = await Node.create()
  const people = await seed(node, { people: 12, conversations: 4, messages: 400 })
  ;[owner, other] = people
  await node.start()
  group = await api(node, owner.token, 'POST', '/api/v1/conversations', {
    org_id: (await api(node, owner.token, 'GET', '/api/v1/orgs')).items[0].id,
    title: '长长的群', members: [other.id],
  })
  const post = (person, text, more = {}) => api(node, person.token, 'POST', `/api/v1/conversations/${group.id}/messages`, {
    client_id: crypto.randomUUID(), body: { kind: 'blocks', blocks: [{ type: 'text', text }] }, ...more,
  })
  const first = await post(owner, '最早的一句')
  for (let i = 1; i <= UNREAD; i += 1) await post(other, `第 ${i} 句，共 ${UNREAD} 句`)
  await post(other, '回答最早的那句', { reply_to: first.seq })
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('more unread than a page holds: it opens at the end and leads to the first of them', async () => {
  page = await newPerson(DESKTOP)
  await signInAs(page, node, owner)
  await page.goto(`${node.base}/chat`)
  await open(page, '长长的群')
  await sees(page, '回答最早的那句')
  await page.getByRole('button', { name: `${UNREAD + 1} 条未读` }).click()
  await row('第 1 句').waitFor()
  await eventually('the first unread is in sight', () => inSight(row('第 1 句')))
  await page.getByTestId('unread-divider').waitFor()
  assert.equal(await page.getByRole('button', { name: `${UNREAD + 1} 条未读` }).count(), 0)
})

step('from an answer to what it answers, and back', async () => {
  await page.getByRole('button', { name: /回到最新|条新消息/ }).click()
  await row('回答最早的那句').waitFor()
  await page.getByRole('button', { name: /最早的一句|查看引用的消息/ }).click()
  await eventually('the quoted message is in sight', () => inSight(row('最早的一句').first()))
  await page.getByRole('button', { name: '回到刚才的位置' }).click()
  await eventually('the answer is in sight again', () => inSight(row('回答最早的那句')))
})

/** Where each message stands, once nothing moves any more. */
function places() {
  const read = () => page.locator('article[data-seq]').evaluateAll((all) =>
    all.map((el) => [Number(el.dataset.seq), Math.round(el.getBoundingClientRect().top)]))
  return eventually('nothing moves', async () => {
    const one = await read()
    await page.waitForTimeout(250)
    return JSON.stringify(one) === JSON.stringify(await read()) && one
  })
}

step('a place in the past is kept while another conversation is open', async () => {
  await places()
  await page.getByRole('log').hover()
  await page.mouse.wheel(0, -700)
  await page.getByRole('button', { name: '回到最新' }).waitFor()
  const before = new Map(await places())
  await open(page, '文件传输助手')
  await page.goBack()
  await row('第 60 句').waitFor()
  await eventually('it is where it was left', async () => {
    const now = await places()
    const same = now.filter(([seq, top]) => Math.abs(before.get(seq) - top) <= 2)
    return same.length > 10
  })
})

step('several messages are chosen, also a run of them, and Escape lets go', async () => {
  await page.getByRole('button', { name: /回到最新|条新消息/ }).click()
  await places()
  await page.locator('article[data-seq]').last().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: '消息操作' }).getByRole('button', { name: '多选' }).click()
  await page.getByText('已选 1 条').waitFor()
  await page.locator('article').filter({ hasText: `第 ${UNREAD - 3} 句` }).getByRole('checkbox').click({ modifiers: ['Shift'] })
  await page.getByText('已选 5 条').waitFor()
  await page.keyboard.press('Escape')
  await composer(page).waitFor()
})

step('a row of the list is pinned and marked from its menu', async () => {
  const first = page.getByTestId('conversation').first()
  const target = page.getByTestId('conversation').filter({ hasText: '文件传输助手' })
  await target.click({ button: 'right' })
  await page.getByRole('menuitem', { name: '置顶' }).click()
  await eventually('it stands first', async () => (await first.textContent()).includes('文件传输助手'))
  await target.click({ button: 'right' })
  await page.getByRole('menuitem', { name: '标为未读' }).click()
  await page.getByRole('radio', { name: '未读' }).click({ force: true })
  await target.waitFor()
  await page.getByRole('radio', { name: '全部' }).click({ force: true })
})

step('an emoji goes into the text where the caret is', async () => {
  await open(page, '长长的群')
  await composer(page).fill('好的')
  await composer(page).press('ArrowLeft')
  await page.getByRole('button', { name: '表情', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: '😂' }).click()
  assert.equal(await composer(page).inputValue(), '好😂的')
  await composer(page).fill('')
})

step('Tab passes the run of messages in one step, and goes through what can be pressed in one that has the focus', async () => {
  const at = () => page.evaluate(() => {
    const el = document.activeElement
    const log = el.closest('[role=log]')
    return log === el ? 'log' : el.matches('article') ? 'message' : el.closest('article') ? 'in a message' : log ? 'in the log' : 'outside'
  })
  const after = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key)
    return at()
  }
  await composer(page).focus()
  let steps = 0
  while (await after('Shift+Tab') === 'outside') assert.ok((steps += 1) < 8, 'the run is not far from the composer')
  assert.equal(await at(), 'log')
  assert.equal(await after('Tab'), 'outside')
  assert.equal(await after('Shift+Tab'), 'log')
  assert.equal(await after('Shift+Tab'), 'outside')
  assert.equal(await after('Tab', 'ArrowUp'), 'message')
  assert.equal(await after('Tab'), 'in a message')
  assert.equal(await after('Shift+Tab'), 'message')
  assert.equal(await after('Shift+Tab'), 'outside')
  assert.equal(await after('Tab'), 'log')
})

step('on a phone a long press opens the sheet, and a message is answered', async () => {
  const phone = await newPerson(PHONE)
  await signInAs(phone, node, other)
  await phone.goto(`${node.base}/chat/${group.id}`)
  const bubble = phone.getByTestId('bubble').filter({ hasText: '回答最早的那句' })
  await bubble.waitFor()
  const box = await bubble.boundingBox()
  const finger = await phone.context().newCDPSession(phone)
  await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: box.x + 12, y: box.y + 12 }] })
  await phone.getByRole('dialog', { name: '消息操作' }).waitFor()
  await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  await phone.getByRole('button', { name: '回复', exact: true }).click()
  await say(phone, '从手机上回答')
  await sees(page, '从手机上回答')
  assert.deepEqual(phone.faults, [])
})

step('no page had a fault', () => {
  assert.deepEqual(page.faults, [])
})
