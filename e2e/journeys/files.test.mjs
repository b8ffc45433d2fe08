// Pictures and files between a phone and a desktop: what is sent, what breaks on the way, what is seen large.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, pinch } from '../lib/browser.mjs'
import { composer, found, join, open, say, sees } from '../lib/client.mjs'
import { png } from '../lib/png.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let node, mei, liang

const photo = { name: '海边的照片.png', mimeType: 'image/png', buffer: png(1200, 800, [60, 130, 200]) }
const second = { name: '山.png', mimeType: 'image/png', buffer: png(600, 900, [80, 160, 90]) }
const sheet = { name: '一份名字特别特别特别长的二〇二六年度预算与决算对照表（最终版本）.xlsx', mimeType: 'application/octet-stream', buffer: Buffer.alloc(70_000, 7) }

async function choose(page, what, files) {
  await page.getByRole('button', { name: '图片或文件' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('menuitem', { name: what }).click()
  await (await chooser).setFiles(files)
}

const send = (page) => page.getByRole('button', { name: '发送', exact: true }).click()
const shown = (page) => page.waitForFunction(() => {
  const all = [...document.querySelectorAll('[data-testid=pictures] img')]
  return all.length > 0 && all.every((img) => img.complete && img.naturalWidth > 0)
})

async function axe(page, about) {
  await page.evaluate(AXE)
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }))
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`), [], about)
}

/** A look, for whoever wants to see it. */
async function look(page, name) {
  if (process.env.LOOKS) await page.screenshot({ path: `${process.env.LOOKS}/${name}.png` })
}

before(async () => {
  node = await (await Node.create()).start()
  mei = await newPerson(DESKTOP)
  liang = await newPerson(PHONE)
  const invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  await join(liang, invitation.replace(/http:\/\/[^/]+/, node.base), { name: '李亮' })
  await open(mei, '鹊桥小队')
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a picture from the phone, with words, is seen on the desktop and moves nothing when it comes', async () => {
  await say(mei, '等你的照片')
  // Its bytes come later than its message: what stands in the timeline must not move then.
  let letThrough
  const held = new Promise((resolve) => { letThrough = resolve })
  await mei.route('**/picture/*', async (route) => {
    await held
    await route.continue()
  })
  await choose(liang, '图片或拍照', photo)
  await liang.getByTestId('tray').getByText('海边').waitFor()
  await composer(liang).fill('刚拍的')
  await look(liang, 'phone-tray')
  await send(liang)
  await sees(liang, '刚拍的')
  await sees(mei, '刚拍的')
  const box = () => mei.getByTestId('pictures').last().boundingBox()
  await eventually('the place is there before the picture', async () => (await box())?.height > 100)
  const placed = await box()
  await look(mei, 'desktop-placed')
  letThrough()
  await shown(mei)
  assert.deepEqual(await box(), placed)
  await mei.unroute('**/picture/*')
  await shown(liang)
  assert.equal(await liang.getByTestId('tray').count(), 0, 'nothing is left in the composer')
  assert.equal(await composer(liang).inputValue(), '')
  await look(mei, 'desktop-picture')
  await look(liang, 'phone-picture')
})

step('a picture opens large, turns by keys, and closes by Escape and by the back key', async () => {
  await mei.getByRole('button', { name: /查看图片/ }).last().click()
  const viewer = mei.getByTestId('viewer')
  await viewer.waitFor()
  await viewer.getByText('1 / 1').waitFor()
  await eventually('the large picture is there', () => viewer.locator('img').last().evaluate((img) => img.complete && img.naturalWidth > 600))
  await look(mei, 'desktop-viewer')
  await axe(mei, 'the viewer')
  await viewer.getByTestId('viewer-stage').dblclick()
  await eventually('a double click enlarges', () => viewer.locator('img').last().evaluate((img) => img.getBoundingClientRect().width > innerWidth))
  await look(mei, 'desktop-viewer-large')
  const wide = () => viewer.locator('img').last().evaluate((img) => Math.round(img.getBoundingClientRect().width))
  await viewer.getByTestId('viewer-stage').dblclick()
  const whole = await eventually('a second one makes it whole', async () => {
    const now = await wide()
    return now <= 1440 && now
  })
  const stage = await viewer.getByTestId('viewer-stage').boundingBox()
  await mei.mouse.move(stage.x + stage.width / 4, stage.y + stage.height / 2)
  await mei.mouse.wheel(0, -400)
  await eventually('the wheel enlarges', async () => (await wide()) > whole * 1.5)
  await mei.mouse.wheel(0, 4_000)
  await eventually('and never makes it smaller than whole', async () => Math.abs((await wide()) - whole) <= 1)
  const download = mei.waitForEvent('download')
  await viewer.getByRole('button', { name: '下载' }).click()
  assert.equal((await download).suggestedFilename(), photo.name)
  await mei.keyboard.press('Escape')
  await viewer.waitFor({ state: 'detached' })
  const address = mei.url()
  await mei.getByRole('button', { name: /查看图片/ }).last().click()
  await viewer.waitFor()
  await mei.goBack()
  await viewer.waitFor({ state: 'detached' })
  assert.equal(mei.url(), address)
  await composer(mei).waitFor()
})

step('two files at once go in one message, each with its name and size', async () => {
  await choose(mei, '文件', [second, sheet])
  await composer(mei).fill('预算和山')
  await look(mei, 'desktop-tray')
  await axe(mei, 'the tray')
  await send(mei)
  await sees(liang, '预算和山')
  const file = liang.getByTestId('file').last()
  await file.getByText('.xlsx').waitFor()
  await file.getByText('68.4 KB').waitFor()
  await shown(liang)
  await look(liang, 'phone-file')
  await look(mei, 'desktop-file')
  const download = liang.waitForEvent('download')
  await file.getByRole('button', { name: /下载/ }).click()
  assert.equal((await download).suggestedFilename(), sheet.name)
  // The phone turns from one picture to the other.
  await liang.getByRole('button', { name: /查看图片 山/ }).click()
  const viewer = liang.getByTestId('viewer')
  await viewer.getByText('2 / 2').waitFor()
  await look(liang, 'phone-viewer')
  const stage = await viewer.getByTestId('viewer-stage').boundingBox()
  const wide = () => viewer.locator('img').last().evaluate((img) => img.getBoundingClientRect().width)
  const whole = await wide()
  await pinch(liang, stage, 40, 160)
  await eventually('two fingers enlarge', async () => (await wide()) > whole * 2)
  await look(liang, 'phone-pinched')
  await swipe(liang, stage, 1)
  await viewer.getByText('2 / 2').waitFor()
  await pinch(liang, stage, 160, 20)
  await eventually('and bring it back', async () => Math.abs((await wide()) - whole) < 2)
  await swipe(liang, stage, 1)
  await viewer.getByText('1 / 2').waitFor()
  await liang.goBack()
  await viewer.waitFor({ state: 'detached' })
})

async function swipe(page, box, direction) {
  const session = await page.context().newCDPSession(page)
  const y = box.y + box.height / 2
  const from = box.x + box.width / 2 - direction * 100
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: from, y }] })
  for (let i = 1; i <= 10; i += 1) {
    await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: from + direction * i * 20, y }] })
  }
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
}

step('a connection that is cut in mid-upload continues; the message goes when all is there', async () => {
  const big = { name: '录像.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9 * 1024 * 1024, 3) }
  let cuts = 0
  await mei.route('**/api/v1/files/uploads/*', (route) => {
    if (route.request().method() !== 'PATCH' || route.request().headers()['upload-offset'] === '0' || cuts >= 2) return route.continue()
    cuts += 1
    return route.abort('connectionreset')
  })
  await choose(mei, '文件', big)
  await mei.getByTestId('tray').getByText('录像').waitFor()
  await composer(mei).fill('断线也能传')
  await send(mei)
  await sees(liang, '断线也能传')
  await liang.getByTestId('file').filter({ hasText: '录像' }).getByText('9 MB').waitFor()
  assert.equal(cuts, 2)
  await mei.unroute('**/api/v1/files/uploads/*')
})

step('files are paused, taken away, and outlive a look at another conversation', async () => {
  let letThrough
  const held = new Promise((resolve) => { letThrough = resolve })
  await mei.route('**/api/v1/files/uploads/*', async (route) => {
    if (route.request().method() === 'PATCH') await held
    await route.continue().catch(() => {})
  })
  await choose(mei, '文件', [sheet, { ...sheet, name: '第二个.csv' }])
  const tray = mei.getByTestId('tray')
  await tray.getByRole('button', { name: /暂停上传 第二个/ }).click()
  await tray.getByText('已暂停').waitFor()
  await composer(mei).fill('写到一半')
  await open(mei, '文件传输助手')
  assert.equal(await mei.getByTestId('tray').count(), 0)
  await open(mei, '鹊桥小队')
  await tray.getByText('已暂停').waitFor()
  assert.equal(await composer(mei).inputValue(), '写到一半')
  await composer(mei).fill('')
  await open(mei, '文件传输助手')
  const waiting = mei.getByTestId('conversation').filter({ hasText: '鹊桥小队' })
  await waiting.getByText('[草稿]').waitFor()
  await waiting.getByText(/\[文件\]/).waitFor()
  await look(mei, 'desktop-draft-of-files')
  await open(mei, '鹊桥小队')
  await composer(mei).fill('写到一半')
  await look(mei, 'desktop-paused')
  await tray.getByRole('button', { name: /移除 一份/ }).click()
  await tray.getByRole('button', { name: /继续上传 第二个/ }).click()
  letThrough()
  await send(mei)
  await sees(liang, '写到一半')
  const last = liang.getByTestId('bubble').last()
  await last.getByText('个.csv').waitFor()
  assert.equal(await last.getByTestId('file').count(), 1)
  await mei.unroute('**/api/v1/files/uploads/*')
})

step('what is too large is refused with words before a byte of it leaves', async () => {
  let asked = 0
  mei.on('request', (r) => { if (r.url().endsWith('/files/uploads')) asked += 1 })
  await mei.route('**/api/v1/file-space*', async (route) => {
    const answer = await (await route.fetch()).json()
    await route.fulfill({ json: { ...answer, file_limit: 50_000 } })
  })
  await choose(mei, '文件', sheet)
  await mei.getByTestId('tray').getByRole('alert').getByText(/单个文件最大 48\.8 KB/).waitFor()
  await look(mei, 'desktop-refused')
  assert.equal(asked, 0)
  await mei.unroute('**/api/v1/file-space*')
  await mei.getByTestId('tray').getByRole('button', { name: '关闭' }).click()
})

step('what the server refuses says why and can be tried again', async () => {
  await mei.route('**/api/v1/files/uploads', (route) => route.fulfill({
    status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'quota_full', context: {} }),
  }))
  await choose(mei, '文件', { ...sheet, name: '配额.txt' })
  const tray = mei.getByTestId('tray')
  await tray.getByText('空间不够').waitFor()
  await mei.unroute('**/api/v1/files/uploads')
  await tray.getByRole('button', { name: /重试上传/ }).click()
  await tray.getByText('68.4 KB', { exact: true }).waitFor()
  await tray.getByRole('button', { name: /移除/ }).click()
  await tray.waitFor({ state: 'detached' })
})

step('a picture is pasted and a file is dropped', async () => {
  const give = (kind, selector, file) => mei.evaluate(async ([kind, selector, name, type, bytes]) => {
    const data = new DataTransfer()
    data.items.add(new File([new Uint8Array(bytes)], name, { type }))
    const at = document.querySelector(selector)
    const event = kind === 'paste'
      ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
      : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true })
    return !at.dispatchEvent(event)
  }, [kind, selector, file.name, file.mimeType, [...file.buffer]])
  const small = { name: 'image.png', mimeType: 'image/png', buffer: png(40, 30, [200, 90, 60]) }
  assert.equal(await give('paste', '[data-testid=composer]', small), true)
  const tray = mei.getByTestId('tray')
  await tray.getByRole('listitem').nth(0).waitFor()
  assert.equal(await give('dragover', 'main', { ...small, name: '拖来的.txt', mimeType: 'text/plain' }), true)
  await mei.getByText('松开就放进这条消息').waitFor()
  await look(mei, 'desktop-drop')
  assert.equal(await give('drop', 'main', { ...small, name: '拖来的.txt', mimeType: 'text/plain' }), true)
  await tray.getByRole('listitem').nth(1).waitFor()
  await send(mei)
  await tray.waitFor({ state: 'detached' })
  await mei.getByTestId('conversation').filter({ hasText: '[图片]' }).waitFor()
})

step('recall takes a picture away, for everybody, and gives it back to be written anew', async () => {
  await choose(liang, '图片或拍照', { ...photo, name: '发错了.png' })
  await composer(liang).fill('发错的')
  await send(liang)
  await sees(mei, '发错的')
  const wrong = mei.getByRole('button', { name: /查看图片 发错了/ })
  await wrong.waitFor()
  await liang.getByTestId('bubble').filter({ hasText: '发错的' }).last().evaluate((el) => el.closest('article').focus())
  await liang.keyboard.press('Enter')
  await liang.getByRole('button', { name: '撤回' }).or(liang.getByRole('menuitem', { name: '撤回' })).last().click()
  await wrong.waitFor({ state: 'detached' })
  await liang.getByRole('button', { name: '重新编辑' }).click()
  await liang.getByTestId('tray').getByText('发错').waitFor()
  assert.equal(await composer(liang).inputValue(), '发错的')
  await look(liang, 'phone-again')
  await send(liang)
  await wrong.waitFor()
})

step('an edit changes the words and keeps the picture', async () => {
  await liang.getByTestId('bubble').filter({ hasText: '发错的' }).last().evaluate((el) => el.closest('article').focus())
  await liang.keyboard.press('Enter')
  await liang.getByRole('button', { name: '编辑', exact: true }).or(liang.getByRole('menuitem', { name: '编辑', exact: true })).last().click()
  await liang.getByTestId('tray').getByText('发错').waitFor()
  await composer(liang).fill('改对的')
  await liang.getByRole('button', { name: '保存' }).click()
  const bubble = mei.getByTestId('bubble').filter({ hasText: '改对的' })
  await bubble.waitFor()
  assert.equal(await bubble.getByTestId('pictures').count(), 1)
})

step('in the dark, on both, nothing is left without contrast', async () => {
  for (const page of [mei, liang]) {
    await page.emulateMedia({ colorScheme: 'dark' })
    await choose(page, '文件', sheet)
    await page.getByTestId('tray').getByText('68.4 KB').waitFor()
    await axe(page, 'a dark tray')
    await look(page, page === mei ? 'desktop-dark' : 'phone-dark')
  }
})

step('a picture that can no longer be read says so', async () => {
  await mei.route('**/picture/*', (route) => route.fulfill({ status: 404, body: '' }))
  await mei.reload()
  await mei.getByText('图片已看不到').last().waitFor()
  await look(mei, 'desktop-gone')
})

step('nothing of what was sent runs when it is opened', async () => {
  const corpus = new URL('../../crates/modules/files/tests/corpus/cases.json', import.meta.url)
  const { bait, files } = JSON.parse(readFileSync(corpus, 'utf8'))
  const cases = files.map((c) => ({
    ...c,
    bytes: [...Buffer.concat([
      Buffer.from((c.text ?? '').replaceAll('BAIT', bait)), Buffer.from(c.hex ?? '', 'hex'), Buffer.from((c.then ?? '').replaceAll('BAIT', bait)),
    ])],
  }))
  const urls = await mei.evaluate(async (cases) => {
    const headers = { 'Tus-Resumable': '1.0.0', 'X-Magpie-CSRF': '1' }
    const ask = async (path, init = {}) => {
      const answer = await fetch(`/api/v1/files${path}`, { ...init, headers: { ...headers, ...init.headers } })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return answer
    }
    const found = []
    for (const { name, bytes } of cases) {
      const about = { 'Upload-Length': `${bytes.length}`, 'Upload-Metadata': `filename ${btoa(name)}`, 'Content-Type': 'application/offset+octet-stream' }
      const begun = await ask('/uploads', { method: 'POST', headers: about, ...(bytes.length ? { body: new Uint8Array(bytes) } : {}) })
      const id = begun.headers.get('Magpie-File')
      for (let n = 0; n < 100 && (await (await ask(`/${id}`)).json()).state !== 'ready'; n += 1) await new Promise((r) => setTimeout(r, 100))
      const link = await ask(`/${id}/link`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })
      found.push((await link.json()).url)
    }
    return found
  }, cases)
  const page = await mei.context().newPage()
  const ran = []
  page.on('request', (request) => { if (new URL(request.url()).pathname === '/ran') ran.push(request.frame().url()) })
  for (const [n, { what, kind }] of cases.entries()) {
    const saved = kind === null && page.waitForEvent('download')
    await page.goto(node.base + urls[n]).catch(() => {})
    if (saved) await (await saved).cancel()
    else assert.match(page.url(), /\/f\//, `${what} is shown in place`)
    assert.notEqual(await page.title(), 'RAN', what)
  }
  assert.deepEqual(ran, [])
  await page.close()
})

step('no page had a fault', () => {
  assert.deepEqual([...mei.faults, ...liang.faults], [])
})
