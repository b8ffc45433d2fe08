// The shell that everything lives in: slots, what waits, the workbench and the search, by keyboard and by touch.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
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

/** Presses until it is answered: a page that was just drawn may not listen yet. */
const press = (page, keys, answer) => eventually(`${keys} is answered`, async () => {
  await page.keyboard.press(keys)
  return answer.waitFor({ timeout: 3_000 }).then(() => true)
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

const plain = (page) => page.addInitScript(() => { delete Navigator.prototype.serviceWorker })

const nav = (page) => page.getByRole('navigation', { name: '主导航' })
const slots = (page) => nav(page).getByRole('link').evaluateAll((all) => all.map((el) => el.innerText.split('\n').pop().trim()))
const waiting = (page) => page.getByTestId('waiting')
const pending = async () => (await api(node, owner.token, 'GET', '/api/v1/waiting')).items.map((i) => i.title)

step('the rail of a desktop and the tabs of a phone have the same five places', async () => {
  // Without a service worker, as on plain http in a LAN: files and new builds come from the server itself.
  desk = await newPerson(DESKTOP)
  await plain(desk)
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
  await press(desk, 'Control+2', desk.getByText('没有等你处理的事'))
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
  const box = desk.getByRole('combobox', { name: '搜索' })
  await press(desk, 'Control+k', box)
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
  const box = desk.getByRole('combobox', { name: '搜索' })
  await press(desk, 'Control+k', box)
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
  await press(desk, 'Control+4', desk.getByRole('heading', { name: '工作台' }))
  await desk.getByText(/今天新加入：.*喜鹊乙/).waitFor()
  await desk.getByRole('button', { name: '把 好友 固定到侧栏' }).click()
  await nav(desk).getByRole('link', { name: '好友' }).waitFor()
  await press(desk, 'Control+6', desk.getByRole('heading', { name: '好友' }).first())
  await desk.getByRole('link', { name: '工作台' }).click()
  await desk.getByRole('link', { name: '成员', exact: true }).click()
  await desk.waitForURL('**/manage/members')
})

step('Ctrl+/ lists every key', async () => {
  await press(desk, 'Control+/', desk.getByRole('dialog', { name: '快捷键' }).getByText('搜索和执行'))
  await desk.keyboard.press('Escape')
  await desk.getByRole('dialog').waitFor({ state: 'detached' })
})

step('the care view: few doors, large ones, and a way out', async () => {
  await nav(phone).getByRole('link', { name: '我', exact: true }).tap()
  await phone.getByText('关怀模式', { exact: true }).tap()
  await phone.waitForURL('**/home')
  const door = nav(phone).getByRole('link', { name: /消息/ })
  await door.waitFor()
  await nav(phone).getByRole('link', { name: '扫一扫' }).waitFor()
  const targets = await phone.locator('main a, main button').evaluateAll((all) => all.map((el) => el.getBoundingClientRect().height))
  assert.ok(targets.length >= 3 && targets.every((height) => height >= 60), `every target has 60 px: ${targets}`)
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  assert.ok(wide <= 0, 'nothing is wider than the phone')
  await door.tap()
  await phone.getByTestId('conversation').first().waitFor()
  await phone.getByRole('link', { name: '回到首页' }).tap()
  await phone.getByRole('button', { name: '离开关怀模式' }).tap()
  await nav(phone).getByRole('link', { name: '工作台' }).waitFor()
})

step('the key that sends, and the density, are kept over a reload', async () => {
  await desk.goto(`${node.base}/me`)
  await desk.getByRole('radiogroup', { name: '发送键' }).getByText('Ctrl 或 ⌘ + Enter').click()
  await desk.getByRole('radiogroup', { name: '疏密' }).getByText('紧凑').click()
  await desk.reload()
  await eventually('it is compact', () => desk.evaluate(() => document.documentElement.hasAttribute('data-compact')))
  const keys = desk.getByRole('dialog', { name: '快捷键' })
  await press(desk, 'Control+/', keys.getByText(/(Ctrl\+|⌘)Enter/))
  await desk.keyboard.press('Escape')
  await keys.waitFor({ state: 'detached' })
})

step('a page whose file does not come says so, leaves the shell, and is there once the network is', async () => {
  const page = await newPerson(DESKTOP)
  await plain(page)
  await signInAs(page, node, owner)
  await page.goto(`${node.base}/workbench`)
  await page.getByRole('link', { name: /账号记录/ }).waitFor()
  await page.route('**/assets/Activity-*.js', (route) => route.abort())
  await page.getByRole('link', { name: /账号记录/ }).click()
  await page.getByRole('heading', { name: '这一页还没有下载到' }).waitFor()
  await nav(page).getByRole('link', { name: '待处理' }).click()
  await page.getByRole('heading', { name: '待处理' }).waitFor()
  await page.goBack()
  await page.getByRole('heading', { name: '这一页还没有下载到' }).waitFor()
  await page.unroute('**/assets/Activity-*.js')
  await page.getByRole('button', { name: '重试' }).click()
  await page.getByRole('heading', { name: '账号记录' }).waitFor()
  await page.context().close()
})

step('a device whose clock is wrong is told so, and one whose disk is full sends all the same', async () => {
  const page = await newPerson(DESKTOP)
  await plain(page)
  await page.addInitScript(() => {
    const { now } = Date
    Date.now = () => now() + 12 * 60_000
    const { put } = IDBObjectStore.prototype
    IDBObjectStore.prototype.put = function (...args) {
      if (this.name === 'rows') throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, args)
    }
  })
  await signInAs(page, node, owner)
  await page.goto(`${node.base}/chat`)
  await page.getByText('这台设备的时间快了 12 分钟').waitFor()
  await page.getByTestId('conversation').first().click()
  await composer(page).fill('磁盘满了也不能丢')
  await page.getByRole('button', { name: '发送' }).click()
  await page.getByText('这台设备的存储空间已满').waitFor()
  await eventually('it was sent all the same', async () => {
    const { items } = await api(node, owner.token, 'GET', `/api/v1/conversations/${page.url().split('/').pop()}/messages?limit=5`)
    return JSON.stringify(items).includes('磁盘满了也不能丢')
  })
  await page.context().close()
})

step('a new build is offered when the server is back, and taken when the person wants it', async () => {
  const html = (await (await fetch(node.base)).text()).replace(/\/assets\/index-[^"]+\.js/, '/assets/index-newer.js')
  await desk.route(`${node.base}/`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await node.kill()
  await desk.getByText(/连接断开|没有网络|正在连接/).first().waitFor()
  await node.start()
  await desk.getByText('有新版本，刷新后使用').waitFor({ timeout: 40_000 })
  await desk.unroute(`${node.base}/`)
  const loaded = desk.waitForEvent('load')
  await desk.getByRole('button', { name: '刷新' }).click()
  await loaded
  await nav(desk).getByRole('link', { name: '工作台' }).waitFor()
  assert.equal(await desk.getByText('有新版本，刷新后使用').count(), 0)
})

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe calls serious or worse. By the protocol: the page's policy lets no script in. */
async function faultsOf(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: axe })
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))`,
    awaitPromise: true,
    returnByValue: true,
  })
  return result.value
}

step('every place of the shell reads well: for a reader of screens in both themes, and at the largest type on a small phone', async () => {
  await asks('喜鹊丁')
  for (const colorScheme of ['light', 'dark']) {
    const page = await newPerson({ ...DESKTOP, colorScheme })
    await signInAs(page, node, owner)
    for (const place of ['waiting', 'workbench', 'home', 'me']) {
      await page.goto(`${node.base}/${place}`)
      await page.locator('main').first().waitFor()
      await page.waitForLoadState('networkidle')
      assert.deepEqual(await faultsOf(page), [], `${place}, ${colorScheme}`)
    }
    await nav(page).getByRole('link', { name: '工作台' }).waitFor()
    await press(page, 'Control+k', page.getByTestId('result').first())
    assert.deepEqual(await faultsOf(page), [], `search, ${colorScheme}`)
    await page.context().close()
  }
  const page = await newPerson({ ...PHONE, viewport: { width: 360, height: 640 } })
  await page.addInitScript(() => localStorage.setItem('magpie:settings', JSON.stringify({ fontSize: 32 })))
  await signInAs(page, node, owner)
  for (const place of ['chat', 'waiting', 'workbench', 'home', 'me']) {
    await page.goto(`${node.base}/${place}`)
    await page.locator('main').first().waitFor()
    await page.waitForLoadState('networkidle')
    const wide = await page.evaluate(() => [...document.querySelectorAll('main, main *')]
      .filter((el) => el.scrollWidth > el.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(el).overflowX) && el.tagName === 'MAIN')
      .map((el) => `${el.tagName} ${el.scrollWidth} > ${el.clientWidth}`)
      .concat(document.documentElement.scrollWidth > 360 ? ['the page'] : []))
    assert.deepEqual(wide, [], `${place} at the largest type`)
  }
  await page.context().close()
})

step('no page had a fault', () => {
  assert.deepEqual([...desk.faults, ...phone.faults], [])
})
