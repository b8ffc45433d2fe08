// PDF and text files that somebody sent, read in the client: large ones, locked ones, damaged ones, and ones that mean harm.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, pinch } from '../lib/browser.mjs'
import { composer, found, join, open } from '../lib/client.mjs'
import { injectedFaults, keyboardFaults, layoutFaults, listen } from '../lib/looks.mjs'
import { pdf } from '../lib/pdf.mjs'
import { eventually, tempDir } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const MEGABYTES = Number(process.env.MEGABYTES ?? 24)
const PASSWORD = 'magpie-7'

let node, mei, liang

const asFile = (name, buffer, mimeType = 'application/octet-stream') => ({ name, buffer, mimeType })

const pages = Array.from({ length: 40 }, (_, i) => [`Chapter ${i + 1}`, `第${i + 1}页 喜鹊搭桥`, ...(i === 21 ? ['Quarterly plan', '项目验收的桥梁报告'] : [])])
const plan = asFile('桥梁计划书.pdf', pdf(pages))
const locked = asFile('工资条.pdf', pdf([['Salary 12345']], { password: PASSWORD }))
const damaged = asFile('传坏了.pdf', Buffer.from(`%PDF-1.7\n${'x'.repeat(2_000)}`))
const harmful = asFile('点我.pdf', pdf([['Harmless'], ['Second page']], {
  catalog: '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\); pwned\\("an opened file"\\)) >> /Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (pwned\\("a name"\\)) >>] >> >>',
  links: [
    '/A << /S /URI /URI (javascript:pwned\\("a link"\\)) >>',
    '/A << /S /JavaScript /JS (pwned\\("an action"\\)) >>',
    '/A << /S /Launch /F (calc.exe) >>',
    '/A << /S /URI /URI (https://example.org/bridge) >>',
    '/A << /S /GoTo /D [1 /Fit] >>',
  ],
}))
/** 你好，世界！ as older programs write it. */
const gbk = asFile('旧系统导出.txt', Buffer.from('c4e3bac3a3accac0bde7a3a10ab5dab6fed0d0', 'hex'))
const markup = asFile('page.html', Buffer.from('<!DOCTYPE html><img src=x onerror=pwned("a page")><script>pwned("a script")</script>'), 'text/html')
const log = asFile('server.log', Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${i + 1} 喜鹊 ${'x'.repeat(40)}`).join('\n')))

async function send(page, files) {
  await page.getByRole('button', { name: '图片或文件' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('menuitem', { name: '文件', exact: true }).click()
  await (await chooser).setFiles(files)
  await page.getByRole('button', { name: '发送', exact: true }).click()
  await page.getByTestId('tray').waitFor({ state: 'detached', timeout: 60_000 })
}

const card = (page, name) => page.getByRole('button', { name: `打开 ${name}` })
const reader = (page) => page.getByTestId('reader')
const drawn = (page, number) => page.locator(`[data-page="${number}"][data-drawn]`).waitFor()
const number = (page) => page.getByRole('textbox', { name: '转到页码' })

async function axe(page, about) {
  await page.evaluate(AXE)
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }))
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), [], about)
}

/** A look in both themes, for whoever wants to see it. */
async function look(page, name) {
  if (!process.env.LOOKS) return
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${process.env.LOOKS}/${name}-${colorScheme}.png` })
  }
}

before(async () => {
  node = await (await Node.create()).start()
  mei = await newPerson(DESKTOP)
  liang = await newPerson(PHONE)
  for (const page of [mei, liang]) await page.addInitScript(listen)
  const invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  await join(liang, invitation.replace(/http:\/\/[^/]+/, node.base), { name: '李亮' })
  await open(mei, '鹊桥小队')
  await send(mei, [plan, locked, damaged, harmful])
  await send(mei, [gbk, markup, log])
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a PDF opens on the phone, page by page, and the back key leads to where one was', async () => {
  await card(liang, plan.name).scrollIntoViewIfNeeded()
  const before = await card(liang, plan.name).boundingBox()
  const address = liang.url()
  await card(liang, plan.name).click()
  await drawn(liang, 1)
  await liang.getByTestId('page-count').getByText('/ 40').waitFor()
  await eventually('its Chinese words can be selected', () => liang.locator('[data-page="1"]').getByText('喜鹊搭桥').count())
  await axe(liang, 'a PDF on the phone')
  assert.deepEqual(await liang.evaluate(layoutFaults), [])
  await look(liang, 'phone-pdf')
  await large(liang, 'pdf')
  await number(liang).fill('1')
  await number(liang).press('Enter')
  await drawn(liang, 1)
  await eventually('it is as sharp as the screen', () => liang.locator('[data-page="1"] canvas').evaluate((c) => Math.abs(c.width / c.getBoundingClientRect().width - 2) < 0.02))
  await number(liang).fill('30')
  await number(liang).press('Enter')
  await drawn(liang, 30)
  // What is far away is given back.
  assert.ok(await liang.locator('[data-testid=pages] canvas').count() <= 6)
  assert.equal(await liang.locator('[data-page="1"]').count(), 0)
  const wide = () => liang.locator('[data-page="30"]').evaluate((el) => el.getBoundingClientRect().width)
  const whole = await wide()
  await pinch(liang, await liang.getByTestId('pages').boundingBox(), 40, 100)
  await eventually('two fingers enlarge', async () => (await wide()) > whole * 2)
  await eventually('and it is drawn anew for that', () => liang.locator('[data-page="30"] canvas').evaluate((c) => c.width / c.getBoundingClientRect().width > 1.9))
  assert.equal(await number(liang).inputValue(), '30')
  await liang.goBack()
  await reader(liang).waitFor({ state: 'detached' })
  assert.equal(liang.url(), address)
  assert.deepEqual(await card(liang, plan.name).boundingBox(), before)
  await eventually('the focus is where it was', () => card(liang, plan.name).evaluate((el) => el === document.activeElement))
})

/** With type of 30 px on the smallest phone nothing is cut, covered or out of reach. */
async function large(page, about) {
  const was = page.viewportSize()
  await page.setViewportSize({ width: 360, height: 640 })
  await page.evaluate(() => document.documentElement.style.setProperty('--scale', String(30 / 14)))
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  assert.deepEqual(await page.evaluate(layoutFaults), [], about)
  await look(page, `large-${about}`)
  await page.evaluate(() => document.documentElement.style.removeProperty('--scale'))
  await page.setViewportSize(was)
}

step('on the desktop it is read by keys, searched, and its text is copied', async () => {
  await card(mei, plan.name).focus()
  await mei.keyboard.press('Enter')
  await drawn(mei, 1)
  await axe(mei, 'a PDF on the desktop')
  assert.deepEqual(await mei.evaluate(keyboardFaults), [])
  await look(mei, 'desktop-pdf')
  await mei.keyboard.press('End')
  await eventually('the last page', async () => (await number(mei).inputValue()) === '40')
  await mei.keyboard.press('Home')
  await mei.keyboard.press('ArrowRight')
  await eventually('the second page', async () => (await number(mei).inputValue()) === '2')
  for (let i = 0; i < 4; i += 1) await mei.keyboard.press('PageDown')
  await eventually('some pages on', async () => Number(await number(mei).inputValue()) > 2)
  const zoom = async () => Number.parseInt(await mei.getByTestId('zoom').textContent(), 10)
  const normal = await zoom()
  await mei.keyboard.press('+')
  await eventually('larger', async () => (await zoom()) > normal)
  await mei.keyboard.press('-')
  await mei.keyboard.press('-')
  await eventually('smaller', async () => (await zoom()) < normal)
  await mei.keyboard.press('0')
  await eventually('as wide as before', async () => (await zoom()) === normal)
  await mei.keyboard.press('Control+f')
  const find = mei.getByRole('textbox', { name: '在文件中查找' })
  await find.fill('桥梁报告')
  await find.press('Enter')
  await mei.getByText('第 22 页，本页 1 / 1 处').waitFor()
  await drawn(mei, 22)
  await look(mei, 'desktop-find')
  await axe(mei, 'the search')
  await find.fill('chapter 1')
  await find.press('Shift+Enter')
  await mei.getByText('第 19 页，本页 1 / 1 处').waitFor()
  await find.fill('没有的词')
  await find.press('Enter')
  await mei.getByText('没有找到').waitFor()
  await drawn(mei, 19)
  const copied = await mei.evaluate(() => {
    const range = document.createRange()
    range.selectNodeContents(document.querySelector('[data-page="19"]'))
    getSelection().removeAllRanges()
    getSelection().addRange(range)
    return getSelection().toString()
  })
  assert.match(copied, /Chapter 19/)
  assert.match(copied, /第19页\s*喜鹊搭桥/)
  const download = mei.waitForEvent('download')
  await reader(mei).getByRole('button', { name: '下载' }).click()
  assert.equal((await download).suggestedFilename(), plan.name)
  await mei.keyboard.press('Control+f')
  await eventually('the search has the focus again', () => find.evaluate((el) => el === document.activeElement))
  await mei.keyboard.press('Escape')
  await find.waitFor({ state: 'detached' })
  await mei.keyboard.press('Escape')
  await reader(mei).waitFor({ state: 'detached' })
  await eventually('the focus is where it was', () => card(mei, plan.name).evaluate((el) => el === document.activeElement))
})

step('a locked file asks for its password until it fits; a damaged one says so', async () => {
  await card(mei, locked.name).click()
  const password = mei.getByRole('textbox', { name: '这个文件有密码' })
  await password.waitFor()
  await axe(mei, 'the password')
  await look(mei, 'desktop-password')
  await password.fill('falsch')
  await password.press('Enter')
  await mei.getByText('密码不对，再试一次').waitFor()
  await password.fill(PASSWORD)
  await password.press('Enter')
  await drawn(mei, 1)
  await mei.locator('[data-page="1"]').getByText('Salary 12345').waitFor()
  await mei.keyboard.press('Escape')
  await reader(mei).waitFor({ state: 'detached' })
  await card(liang, damaged.name).click()
  await liang.getByText('文件已损坏，打不开').waitFor()
  await axe(liang, 'a damaged file')
  await look(liang, 'phone-damaged')
  await liang.keyboard.press('Escape')
  await reader(liang).waitFor({ state: 'detached' })
})

step('nothing of a file runs, and its links lead to the web or to its own pages alone', async () => {
  await card(mei, harmful.name).click()
  await drawn(mei, 1)
  const first = mei.locator('[data-page="1"]')
  const web = first.getByRole('link', { name: 'https://example.org/bridge' })
  await web.waitFor()
  assert.equal(await first.locator('a').count(), 1)
  assert.equal(await web.getAttribute('target'), '_blank')
  assert.match(await web.getAttribute('rel'), /noopener noreferrer/)
  await first.getByRole('button', { name: '文件内的链接' }).click()
  await eventually('the second page', async () => (await number(mei).inputValue()) === '2')
  await mei.keyboard.press('Home')
  // Where the links that would run something are drawn.
  const box = await first.boundingBox()
  for (const y of [600, 560, 520]) await mei.mouse.click(box.x + (100 / 595) * box.width, box.y + ((842 - y - 15) / 842) * box.height)
  assert.deepEqual(await mei.evaluate(injectedFaults), [])
  await mei.keyboard.press('Escape')
  await reader(mei).waitFor({ state: 'detached' })
})

step('the first page of a large file is there after a small part of it, and reading goes on after a break', async () => {
  const name = '航拍全集.pdf'
  const file = path.join(tempDir('large'), name)
  writeFileSync(file, pdf([['First of all'], ...Array(4).fill(['In between']), ['Last']], { ballast: MEGABYTES * 1024 * 1024 }))
  await open(mei, '鹊桥小队')
  await send(mei, [file])
  let served = 0
  liang.on('response', (response) => {
    if (response.url().includes('/f/')) served += Number(response.headers()['content-length'] ?? 0)
  })
  await card(liang, name).click()
  await drawn(liang, 1)
  await liang.locator('[data-page="1"]').getByText('First of all').waitFor()
  await drawn(liang, 2)
  assert.ok(served > 0 && served <= 4 * 262_144, `${served} bytes of ${MEGABYTES} MB`)
  await liang.context().setOffline(true)
  await number(liang).fill('6')
  await number(liang).press('Enter')
  await liang.getByText('连接断开，恢复后接着显示').waitFor()
  await look(liang, 'phone-away')
  await liang.context().setOffline(false)
  await liang.locator('[data-page="6"][data-drawn]').waitFor({ timeout: 40_000 })
  await liang.getByText('连接断开，恢复后接着显示').waitFor({ state: 'detached' })
  await liang.goBack()
  await reader(liang).waitFor({ state: 'detached' })
})

step('text is shown as it was written, in parts, and never as a page', async () => {
  await card(liang, gbk.name).click()
  const text = (page) => page.getByTestId('text')
  await text(liang).getByText('你好，世界！').waitFor()
  await axe(liang, 'a text on the phone')
  assert.deepEqual(await liang.evaluate(layoutFaults), [])
  await look(liang, 'phone-text')
  await large(liang, 'text')
  await liang.keyboard.press('Escape')
  await reader(liang).waitFor({ state: 'detached' })
  await card(mei, markup.name).click()
  await text(mei).getByText('<script>pwned("a script")</script>').waitFor()
  assert.deepEqual(await mei.evaluate(injectedFaults), [])
  await mei.keyboard.press('Escape')
  await reader(mei).waitFor({ state: 'detached' })
  await card(mei, log.name).click()
  await text(mei).getByText(/^1 喜鹊/).first().waitFor()
  const lines = () => text(mei).evaluate((el) => el.textContent.split('\n').filter((line) => /^\d+ 喜鹊/.test(line)).length)
  const some = await lines()
  assert.ok(some > 10_000 && some < 30_000, `${some} lines of the first part`)
  await axe(mei, 'a text on the desktop')
  // There the search is the browser's own.
  await mei.keyboard.press('Control+f')
  assert.equal(await mei.getByRole('dialog').count(), 1)
  await mei.getByRole('button', { name: '显示行号' }).click()
  await mei.getByRole('button', { name: '自动换行' }).click()
  await look(mei, 'desktop-text')
  await mei.getByRole('button', { name: '显示更多' }).click()
  await eventually('all of it', async () => (await lines()) === 30_000)
  assert.equal(await text(mei).evaluate((el) => el.textContent.includes('\ufffd')), false, 'no character is cut')
  await mei.keyboard.press('Escape')
  await reader(mei).waitFor({ state: 'detached' })
})

step('no page reported a fault', async () => {
  await composer(mei).waitFor()
  assert.deepEqual([mei, liang].flatMap((page) => page.faults), [])
  for (const page of [mei, liang]) assert.deepEqual(await page.evaluate(() => window.violations_ ?? []), [])
})
