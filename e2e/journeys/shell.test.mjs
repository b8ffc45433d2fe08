// The shell that everything lives in: slots, what waits, the workbench and the search, by keyboard and by touch.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, owner, people, org, desk, phone, invitation

before(async () => {
  node = await Node.create()
  people = await seed(node, { people: 12, conversations: 6, messages: 200 })
  owner = people[0]
  await node.start()
  const { items } = await api(node, owner.token, 'GET', '/api/v1/orgs')
  org = items[0]
  invitation = await api(node, owner.token, 'POST', `/api/v1/orgs/${org.id}/invitations`, { approval: true })
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

/** Somebody who asks to be let in. */
async function asks(name) {
  const response = await fetch(`${node.base}/api/v1/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, invitation: invitation.code, bearer: true, device: 'journey' }),
  })
  const made = await response.json()
  assert.ok(response.ok, JSON.stringify(made))
  await api(node, made.token, 'POST', `/api/v1/invitations/${invitation.code}/accept`)
}

/** The moment for taking something back lasts longer here: on a busy machine five seconds are short. */
const stretch = (page) => page.addInitScript(() => {
  const { setTimeout } = window
  window.setTimeout = (run, ms, ...rest) => setTimeout(run, ms >= 5_000 && ms <= 5_500 ? ms * 4 : ms, ...rest)
})

const nav = (page) => page.getByRole('navigation', { name: '主导航' })
const slots = (page) => nav(page).getByRole('link').evaluateAll((all) => all.map((el) => el.innerText.split('\n').pop().trim()))
const waiting = (page) => page.getByTestId('waiting')
const pending = async () => (await api(node, owner.token, 'GET', '/api/v1/waiting')).items.map((i) => i.title)

step('the rail of a desktop and the tabs of a phone have the same five places', async () => {
  desk = await newPerson(DESKTOP)
  await stretch(desk)
  await signInAs(desk, node, owner)
  await desk.goto(node.base)
  await nav(desk).getByRole('link', { name: '工作台' }).waitFor()
  phone = await newPerson(PHONE)
  await signInAs(phone, node, owner)
  await phone.goto(node.base)
  await nav(phone).getByRole('link', { name: '工作台' }).waitFor()
  const expected = ['消息', '待处理', '通讯录', '工作台', '我']
  const named = (list) => list.map((text) => expected.find((name) => text.startsWith(name)))
  assert.deepEqual(named(await slots(desk)), expected)
  assert.deepEqual(named(await slots(phone)), expected)
})

step('who asks to join is counted at once, and let in or refused in the list, by keyboard', async () => {
  await desk.keyboard.press('Control+2')
  await desk.getByText('没有等你处理的事').waitFor()
  await asks('喜鹊甲')
  await waiting(desk).filter({ hasText: '喜鹊甲 申请加入' }).waitFor()
  await asks('喜鹊乙')
  await asks('喜鹊丙')
  await waiting(desk).nth(2).waitFor()
  const titles = await waiting(desk).evaluateAll((all) => all.map((el) => el.innerText.split('\n')[0]))
  assert.deepEqual(titles, ['喜鹊甲 申请加入', '喜鹊乙 申请加入', '喜鹊丙 申请加入'], 'the oldest promise first')
  await nav(desk).getByRole('link', { name: /待处理.*3 件事等你处理/ }).waitFor()
  // Arrows keep to the same button of the next row.
  await waiting(desk).nth(0).getByRole('button', { name: '同意' }).focus()
  await desk.keyboard.press('ArrowDown')
  await desk.keyboard.press('Enter')
  await waiting(desk).filter({ hasText: '喜鹊乙' }).waitFor({ state: 'detached' })
  await nav(desk).getByRole('link', { name: /待处理.*2 件事等你处理/ }).waitFor()
})

step('what was done a moment ago can be taken back', async () => {
  await waiting(desk).filter({ hasText: '喜鹊丙' }).getByRole('button', { name: '拒绝' }).click()
  await waiting(desk).filter({ hasText: '喜鹊丙' }).waitFor({ state: 'detached' })
  await desk.getByRole('status').filter({ hasText: '喜鹊丙' }).getByRole('button', { name: '撤销' }).last().click()
  await waiting(desk).filter({ hasText: '喜鹊丙' }).waitFor()
  await eventually('the one that was not taken back is done', async () => {
    const left = await pending()
    return !left.includes('喜鹊乙') && left.includes('喜鹊丙') && left.includes('喜鹊甲')
  }, { within: 60_000 })
})

step('on the phone the same list, done by touch, and leaving the page does not lose it', async () => {
  await nav(phone).getByRole('link', { name: /待处理/ }).tap()
  await waiting(phone).filter({ hasText: '喜鹊甲' }).getByRole('button', { name: '同意' }).tap()
  await waiting(phone).filter({ hasText: '喜鹊甲' }).waitFor({ state: 'detached' })
  await phone.goto(`${node.base}/workbench`)
  await eventually('it was done when the page was left', async () => !(await pending()).includes('喜鹊甲'))
  // The other device hears of it without a reload.
  await waiting(desk).filter({ hasText: '喜鹊甲' }).waitFor({ state: 'detached' })
})

step('the search finds people by pinyin and its initials, and Enter writes to them', async () => {
  const other = people[3]
  await desk.keyboard.press('Control+k')
  const box = desk.getByRole('combobox', { name: '搜索' })
  await box.fill(other.name)
  await desk.getByTestId('result').filter({ hasText: other.name }).first().waitFor()
  await box.fill('xqy')
  await desk.getByTestId('result').filter({ hasText: '喜鹊乙' }).first().waitFor()
  await box.fill('xiqueyi')
  await desk.getByTestId('result').filter({ hasText: '喜鹊乙' }).first().waitFor()
  await desk.keyboard.press('Enter')
  await composer(desk).waitFor()
  assert.match(desk.url(), /\/chat\//)
  await desk.getByRole('heading', { name: '喜鹊乙' }).waitFor()
})

step('an input method that still composes chooses nothing', async () => {
  await desk.keyboard.press('Control+k')
  const box = desk.getByRole('combobox', { name: '搜索' })
  await box.waitFor()
  const session = await desk.context().newCDPSession(desk)
  await session.send('Input.imeSetComposition', { text: 'gong', selectionStart: 4, selectionEnd: 4 })
  await desk.keyboard.press('Enter')
  assert.ok(await box.isVisible(), 'Enter belonged to the input method')
  await session.send('Input.insertText', { text: '工作台' })
  await desk.getByTestId('result').filter({ hasText: '工作台' }).first().waitFor()
  await desk.keyboard.press('Escape')
  await box.waitFor({ state: 'detached' })
})

step('by touch the search does things: the theme changes', async () => {
  await nav(phone).getByRole('link', { name: /消息/ }).tap()
  await phone.getByRole('button', { name: '搜索' }).tap()
  await phone.getByRole('combobox', { name: '搜索' }).fill('深色')
  await phone.getByTestId('result').filter({ hasText: '改用深色' }).tap()
  await eventually('it is dark', () => phone.evaluate(() => document.documentElement.dataset.theme === 'dark'))
})

step('the workbench shows the team today, holds what has no slot, and pins it to the rail', async () => {
  await desk.keyboard.press('Control+4')
  await desk.getByRole('heading', { name: '工作台' }).waitFor()
  await desk.getByText(/今天新加入：.*喜鹊乙/).waitFor()
  await desk.getByRole('button', { name: '把 好友 固定到侧栏' }).click()
  await nav(desk).getByRole('link', { name: '好友' }).waitFor()
  await desk.keyboard.press('Control+6')
  await desk.waitForURL('**/friends')
  await desk.getByRole('link', { name: '工作台' }).click()
  await desk.getByRole('link', { name: '成员', exact: true }).click()
  await desk.waitForURL('**/manage/members')
})

step('Ctrl+/ lists every key', async () => {
  await desk.keyboard.press('Control+/')
  await desk.getByRole('dialog', { name: '快捷键' }).getByText('搜索和执行').waitFor()
  await desk.keyboard.press('Escape')
  await desk.getByRole('dialog').waitFor({ state: 'detached' })
})

step('no page had a fault', () => {
  assert.deepEqual([...desk.faults, ...phone.faults], [])
})
