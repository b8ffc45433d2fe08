// Phones whose pages are closed: told by a topic, by e-mail where that fails,
// and not at all while their owner rests.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson } from '../lib/browser.mjs'
import { found, join, open, say } from '../lib/client.mjs'
import { keyboardFaults, layoutFaults } from '../lib/looks.mjs'
import { eventually } from '../lib/process.mjs'
import { mailServer, topics } from '../lib/receivers.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, phones, mail, mei, liang, hua, invitation

before(async () => {
  phones = await topics()
  mail = await mailServer()
  node = await (await Node.create({
    env: { MAGPIE_OUTGOING_ALLOW: '127.0.0.1', MAGPIE_MAIL_URL: mail.url, MAGPIE_MAIL_FROM: 'Magpie <m@example.org>' },
  })).start()
})

after(async () => {
  await closeBrowser()
  await node.stop()
  phones.stop()
  mail.stop()
})

/** The API as the page's own session. */
const call = (page, method, path, body) => page.evaluate(async ([method, path, body]) => {
  const headers = { 'X-Magpie-CSRF': '1', ...(body ? { 'content-type': 'application/json' } : {}) }
  const response = await fetch(`/api/v1${path}`, { method, headers, body: body ? JSON.stringify(body) : undefined })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text ? JSON.parse(text) : null
}, [method, path, body])

/** Closes the page; the browser stays signed in. */
async function away(page) {
  const context = page.context()
  await page.close()
  return async (path = '/chat') => {
    const again = await context.newPage()
    again.faults = []
    await again.goto(`${node.base}${path}`)
    return again
  }
}

const told = (topic, text) => eventually(`${topic} is told ${text}`, () => phones.to(topic).some((p) => p.text.includes(text)), { within: 60_000 })

step('two people come in, and one puts up a way that leads to a phone', async () => {
  mei = await newPerson(DESKTOP)
  invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  const link = invitation.replace(/http:\/\/[^/]+/, node.base)
  liang = await newPerson(PHONE)
  await join(liang, link, { name: '亮' })
  await liang.goto(`${node.base}/me`)
  await liang.getByRole('link', { name: /叫到我/ }).click()
  await liang.getByText('现在只有打开客户端才能看到消息').waitFor()
  const ntfy = liang.getByRole('listitem').filter({ hasText: 'ntfy / UnifiedPush' })
  await ntfy.getByRole('button', { name: '添加' }).click()
  const dialog = liang.getByRole('dialog')
  await dialog.getByLabel('地址').fill('ntfy.sh/nowhere')
  await dialog.getByRole('button', { name: '添加' }).click()
  await dialog.getByLabel('地址').and(liang.locator('[aria-invalid=true]')).waitFor()
  await dialog.getByLabel('地址').fill(`${phones.base}/liang`)
  await dialog.getByLabel('名字').fill('我的手机')
  await dialog.getByRole('button', { name: '添加' }).click()
  await liang.getByText('还没送过').waitFor()
})

step('a test arrives, and that it did stands beside the way', async () => {
  await liang.getByRole('button', { name: '测试' }).click()
  await liang.getByText(/上次送达/).waitFor()
  await told('/liang', '收到这条')
})

step('a way that leads nowhere says why', async () => {
  phones.answers(() => 500)
  await call(liang, 'GET', '/me/notifications')
  // A rung is tested at most every ten seconds; the page says so until then.
  await eventually('a second test is sent', async () => {
    await liang.getByRole('button', { name: '测试' }).click()
    return liang.getByText(/没送到/).isVisible()
  }, { within: 40_000 })
  phones.answers(() => 200)
})

const shown = async () => (await call(liang, 'GET', '/me/notifications')).rungs.map((rung) => rung.shows)

step('how much is shown is chosen by touch or by keyboard, and is seen before it is sent', async () => {
  const choice = liang.getByRole('radiogroup', { name: '通知里显示' })
  const preview = liang.getByRole('figure')
  await preview.getByText('明天九点开会').waitFor()
  await choice.getByText('谁、在哪', { exact: true }).tap()
  await preview.getByText('1 条新消息').waitFor()
  await preview.getByText('王芳').waitFor()
  assert.deepEqual(await shown(), ['sender'])
  // The keyboard goes on from there.
  await choice.getByRole('radio', { name: '谁、在哪', exact: true }).focus()
  await liang.keyboard.press('ArrowDown')
  await preview.getByText('有新消息').waitFor()
  await eventually('it is kept', async () => (await shown()).every((shows) => shows === 'bare'))
  assert.equal(await preview.getByText('王芳').count(), 0)
  await liang.reload()
  await liang.getByRole('listitem').filter({ hasText: '我的手机' }).getByText('只说有新消息').waitFor()
  assert.deepEqual(await liang.evaluate(layoutFaults), [])
  assert.deepEqual(await liang.evaluate(keyboardFaults), [])
  await choice.getByText('谁、在哪、说了什么').tap()
  await eventually('it is kept', async () => (await shown()).every((shows) => shows === 'full'))
})

step('a way is put up, tried and moved by the keyboard alone', async () => {
  const add = liang.getByRole('listitem').filter({ hasText: 'iPhone 装 Bark' }).getByRole('button', { name: '添加' })
  await add.focus()
  await liang.keyboard.press('Enter')
  const dialog = liang.getByRole('dialog')
  await dialog.waitFor()
  await eventually('the keyboard is in the dialog', () => dialog.evaluate((el) => el.contains(document.activeElement)))
  await dialog.getByLabel('地址').focus()
  await liang.keyboard.type(`${phones.base}/canary-bark-key`)
  await liang.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  const row = liang.getByRole('listitem').filter({ hasText: '还没送过' })
  await row.waitFor()
  assert.equal(await liang.getByText('canary-bark').count(), 0, 'the key of a phone is shown nowhere')
  await row.getByRole('button', { name: '测试' }).focus()
  await liang.keyboard.press('Enter')
  await eventually('Bark is told', () => phones.to('/push').some((p) => p.text.includes('收到这条')))
  const menu = liang.getByRole('button', { name: 'Bark的更多操作' })
  await menu.focus()
  await liang.keyboard.press('Enter')
  await liang.getByRole('menuitem', { name: '上移' }).waitFor()
  await liang.keyboard.press('Escape')
  await liang.getByRole('menu').waitFor({ state: 'detached' })
  await eventually('the keyboard is back where it was', () => menu.evaluate((el) => el === document.activeElement))
  const { rungs } = await call(liang, 'GET', '/me/notifications')
  await call(liang, 'DELETE', `/me/notifications/rungs/${rungs.find((rung) => rung.kind === 'bark').id}`)
  await row.waitFor({ state: 'detached' })
})

step('an organisation has less shown, whatever its people chose', async () => {
  const { items } = await call(mei, 'GET', '/orgs')
  const here = mei.url()
  await mei.goto(`${node.base}/org/${items[0].id}/manage/settings`)
  const choice = mei.getByRole('button', { name: '手机通知最多显示' })
  const choose = async (name) => {
    await choice.focus()
    await mei.keyboard.press('Enter')
    await mei.getByRole('option', { name, exact: true }).click()
    await mei.getByText('已保存').first().waitFor()
  }
  await choose('只说有新消息')
  await mei.getByRole('figure').getByText('有新消息').waitFor()
  await mei.reload()
  await mei.getByRole('figure').getByText('有新消息').waitFor()
  await mei.goto(here)
  const back = await away(liang)
  await open(mei, '鹊桥小队')
  await say(mei, '不该出现在锁屏上')
  await told('/liang', '有新消息')
  assert.ok(!phones.to('/liang').some((p) => p.text.includes('锁屏')), 'the ceiling holds')
  liang = await back('/me/reach')
  await mei.goto(`${node.base}/org/${items[0].id}/manage/settings`)
  await choose('谁、在哪、说了什么')
  await mei.getByRole('figure').getByText('明天九点开会').waitFor()
  await mei.goto(here)
})

step('with the page closed, the phone is told what was said', async () => {
  const back = await away(liang)
  await open(mei, '鹊桥小队')
  await say(mei, '明天九点开会')
  await told('/liang', '明天九点开会')
  const post = phones.to('/liang').find((p) => p.text.includes('明天九点'))
  assert.match(Buffer.from(post.headers.title.slice(10, -2), 'base64').toString('utf8'), /梅兰 · 鹊桥小队/)
  liang = await back('/me/reach')
  await liang.getByText(/上次送达/).waitFor()
})

step('where the phone is not reached, a letter says what waits', async () => {
  const contact = await call(liang, 'POST', '/me/contacts', { kind: 'email', address: 'liang@example.org' })
  const code = await eventually('the code came', () => /\d{6}/.exec(mail.letters.at(-1) ?? '')?.[0])
  await call(liang, 'POST', `/me/contacts/${contact.id}/verify`, { code })
  await liang.reload()
  await liang.getByRole('listitem').filter({ hasText: '半小时最多一封' }).getByRole('button', { name: '添加' }).click()
  const dialog = liang.getByRole('dialog')
  await dialog.getByText('liang@example.org').click()
  await dialog.getByRole('button', { name: '添加' }).click()
  await liang.getByText('liang@example.org').first().waitFor()
  const back = await away(liang)
  phones.answers((path) => (path === '/liang' ? 500 : 200))
  const before = mail.letters.length
  await say(mei, '会议室改到三楼')
  await eventually('the letter came', () => mail.letters.slice(before).some((text) => text.includes('会议室改到三楼')), { within: 90_000 })
  phones.answers(() => 200)
  liang = await back('/me/reach')
})

step('whoever rests is not told, while somebody who does not is', async () => {
  const week = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00' }]
  await call(liang, 'PUT', '/me/rest-hours', { zone: 'Asia/Shanghai', hours: week })
  hua = await newPerson(DESKTOP)
  await join(hua, invitation.replace(/http:\/\/[^/]+/, node.base), { name: '华' })
  await call(hua, 'POST', '/me/notifications/rungs', { kind: 'ntfy', address: `${phones.base}/hua` })
  const back = await away(liang)
  await away(hua)
  await say(mei, '夜里的一句')
  await told('/hua', '夜里的一句')
  assert.ok(!phones.to('/liang').some((p) => p.text.includes('夜里的一句')), 'rest holds')
  liang = await back('/chat')
  await call(liang, 'PUT', '/me/rest-hours', { zone: 'Asia/Shanghai', hours: [] })
  const again = await away(liang)
  await say(mei, '早上的一句')
  await told('/liang', '早上的一句')
  liang = await again('/chat')
})

step('a way is taken down, and put back while that can be undone', async () => {
  await liang.goto(`${node.base}/me/reach`)
  const row = liang.getByRole('listitem').filter({ hasText: '我的手机' })
  const remove = async () => {
    await row.getByRole('button', { name: /更多操作/ }).click()
    await liang.getByRole('menuitem', { name: '移除' }).click()
    await row.waitFor({ state: 'detached' })
  }
  await remove()
  await liang.getByRole('button', { name: '撤销' }).click()
  await row.waitFor()
  await remove()
  await eventually('it is gone from the server', async () => {
    const { rungs } = await call(liang, 'GET', '/me/notifications')
    return rungs.length === 1
  })
})
