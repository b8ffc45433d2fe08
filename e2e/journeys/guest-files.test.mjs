// Pictures and files between somebody without an account, in a web view that lacks nearly everything, and a member.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, pinch, signInAs } from '../lib/browser.mjs'
import { composer, open, sees } from '../lib/client.mjs'
import { layoutFaults } from '../lib/looks.mjs'
import { pdf } from '../lib/pdf.mjs'
import { png } from '../lib/png.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'
import { accessible, hostile, write } from '../lib/visitor.mjs'

let node, owner, org, host, visitor, link

const photo = { name: '故障照片.png', mimeType: 'image/png', buffer: png(1200, 800, [190, 90, 60]) }
const second = { name: '铭牌.png', mimeType: 'image/png', buffer: png(700, 1000, [70, 150, 110]) }
const answer = { name: '安装位置.png', mimeType: 'image/png', buffer: png(1000, 700, [60, 120, 200]) }
// Written from the right, with a rare character, and too long for its line.
const hebrew = { name: 'חשבונית 𠮷野家 二〇二六年度全部往来明细汇总表.xlsx', mimeType: 'application/octet-stream', buffer: Buffer.alloc(70_000, 7) }
const manual = { name: '使用说明.pdf', mimeType: 'application/pdf', buffer: pdf([['Manual', '使用说明'], ['Page 2']]) }

const send = (page) => page.getByRole('button', { name: '发送', exact: true }).click()
const tray = (page) => page.getByTestId('tray')
const card = (name) => visitor.getByTestId('file').filter({ hasText: name })
const last = (page) => page.getByTestId('bubble').last()

/** Through the key of the composer, by whoever has no account. */
async function attach(page, what, files) {
  await page.getByRole('button', { name: '图片或文件' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: what, exact: true }).click()
  await (await chooser).setFiles(files)
}

async function attachInApp(page, what, files) {
  await page.getByRole('button', { name: '图片或文件' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('menuitem', { name: what }).click()
  await (await chooser).setFiles(files)
}

const drawn = (page, count) => page.waitForFunction((count) => {
  const all = [...document.querySelectorAll('[data-testid=pictures] img')]
  return all.length >= count && all.every((img) => img.complete && img.naturalWidth > 0)
}, count)

/** A look, for whoever wants to see it. */
async function look(page, name) {
  if (!process.env.LOOKS) return
  await page.screenshot({ path: `${process.env.LOOKS}/${name}.png` })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: `${process.env.LOOKS}/${name}-dark.png` })
  await page.emulateMedia({ colorScheme: 'light' })
}

async function comeIn(page, name) {
  await page.goto(link)
  await page.getByLabel('你的称呼').fill(name)
  await page.getByRole('button', { name: '开始对话' }).click()
  await write(page).waitFor()
}

before(async () => {
  node = await Node.create()
  ;[owner] = await seed(node, { people: 6, conversations: 2, messages: 20 })
  await node.start()
  ;[org] = (await api(node, owner.token, 'GET', '/api/v1/orgs')).items
  const made = await api(node, owner.token, 'POST', `/api/v1/orgs/${org.id}/guest-links`, { label: '展会' })
  link = `${node.base}/g/${made.code}`
  host = await newPerson(DESKTOP)
  await signInAs(host, node, owner)
  await host.goto(node.base)
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a visitor sends two pictures with words; their room is there first, and the member sees them', async () => {
  visitor = await hostile(PHONE)
  await comeIn(visitor, '李女士')
  await visitor.getByRole('button', { name: '图片或文件' }).click()
  for (const name of ['拍照', '录像', '照片和视频', '文件']) await visitor.getByRole('button', { name, exact: true }).waitFor()
  await look(visitor, 'visitor-choices')
  await accessible(visitor, 'where files come from')
  await visitor.getByRole('button', { name: '图片或文件' }).click()
  await write(visitor).fill('机器不转了')
  await attach(visitor, '照片和视频', [photo, second])
  await tray(visitor).getByRole('listitem').nth(1).waitFor()
  await look(visitor, 'visitor-tray')
  await accessible(visitor, 'the tray')
  await send(visitor)
  await visitor.getByTestId('bubble').filter({ hasText: '机器不转了' }).getByTestId('pictures').waitFor()
  assert.equal(await write(visitor).inputValue(), '')
  await drawn(visitor, 2)
  await open(host, '李女士')
  await sees(host, '机器不转了')
  await drawn(host, 2)
  await look(visitor, 'visitor-pictures')
  assert.deepEqual(await visitor.context().cookies(), [], 'no cookie opens them')
})

step('a file by name, kind and size, written from the right and longer than its line', async () => {
  await attach(visitor, '文件', hebrew)
  await tray(visitor).getByText('68.4 KB', { exact: true }).waitFor()
  await send(visitor)
  const card = visitor.getByTestId('file').last()
  await card.getByText('XLSX · 68.4 KB').waitFor()
  await card.getByText('.xlsx').waitFor()
  await host.getByTestId('file').last().getByText('.xlsx').waitFor()
  const download = host.waitForEvent('download')
  await host.getByTestId('file').last().getByRole('button', { name: /下载/ }).click()
  assert.equal((await download).suggestedFilename(), hebrew.name)
  await look(visitor, 'visitor-file')
})

step('the member answers with a picture and a PDF; the visitor opens both, and back closes each', async () => {
  await attachInApp(host, '文件', [answer, manual])
  await composer(host).fill('装在这里，说明在附件')
  await send(host)
  await last(visitor).getByText('装在这里').waitFor()
  await drawn(visitor, 3)
  await visitor.getByRole('button', { name: '查看图片 安装位置.png' }).click()
  const viewer = visitor.getByTestId('viewer')
  await viewer.getByText('3 / 3').waitFor()
  await eventually('the large one is there', () => viewer.locator('img').last().evaluate((img) => img.complete && img.naturalWidth > 600))
  await look(visitor, 'visitor-viewer')
  await accessible(visitor, 'the viewer')
  const stage = await viewer.getByTestId('viewer-stage').boundingBox()
  const wide = () => viewer.locator('img').last().evaluate((img) => img.getBoundingClientRect().width)
  const whole = await wide()
  await pinch(visitor, stage, 40, 160)
  await eventually('two fingers enlarge', async () => (await wide()) > whole * 2)
  await visitor.keyboard.press('0')
  await eventually('a key makes it whole', async () => Math.abs((await wide()) - whole) < 2)
  await visitor.keyboard.press('ArrowLeft')
  await viewer.getByText('2 / 3').waitFor()
  const address = visitor.url()
  await visitor.goBack()
  await viewer.waitFor({ state: 'detached' })
  assert.equal(visitor.url(), address)
  await card(manual.name).click()
  const reader = visitor.getByTestId('reader')
  await reader.locator('[data-page="1"][data-drawn]').waitFor()
  await reader.locator('[data-page="1"]').getByText('使用说明').waitFor({ state: 'attached' })
  await look(visitor, 'visitor-pdf')
  await accessible(visitor, 'a PDF')
  await visitor.keyboard.press('Escape')
  await reader.waitFor({ state: 'detached' })
  await write(visitor).waitFor()
})

step('a text is read in place too, and nothing of it is markup', async () => {
  const text = '<img src=x onerror="document.title=1"> 第一行\n第二行\n'
  await attachInApp(host, '文件', { name: '日志.txt', mimeType: 'text/plain', buffer: Buffer.from(text) })
  await send(host)
  await card('日志.txt').click()
  const reader = visitor.getByTestId('reader')
  await reader.getByText('第二行').waitFor()
  assert.equal(await reader.locator('img').count(), 0)
  await accessible(visitor, 'a text')
  await visitor.goBack()
  await reader.waitFor({ state: 'detached' })
})

step('where a page saves nothing there is an address for a browser, which reads in parts', async () => {
  await card('חשבונית').click()
  const reader = visitor.getByTestId('reader')
  await reader.getByRole('link', { name: '下载' }).waitFor()
  const url = await reader.getByTestId('file-address').inputValue()
  const part = await fetch(url, { headers: { range: 'bytes=10-19' } })
  assert.equal(part.status, 206)
  assert.equal(part.headers.get('content-range'), `bytes 10-19/${hebrew.buffer.length}`)
  assert.match(part.headers.get('content-disposition'), /^attachment/)
  await look(visitor, 'visitor-sheet')
  await accessible(visitor, 'a file')
  await reader.getByRole('button', { name: '关闭' }).click()
  await reader.waitFor({ state: 'detached' })
})

step('a connection that is cut in mid-upload continues, and the words wait for their file', async () => {
  const big = { name: '录像.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9 * 1024 * 1024, 3) }
  let cuts = 0
  await visitor.route('**/api/v1/files/uploads/*', (route) => {
    if (route.request().method() !== 'PATCH' || route.request().headers()['upload-offset'] === '0' || cuts >= 2) return route.continue()
    cuts += 1
    return route.abort('connectionreset')
  })
  await write(visitor).fill('断线也能传')
  await attach(visitor, '文件', big)
  await tray(visitor).getByText('录像').waitFor()
  await send(visitor)
  await tray(visitor).getByText('传完就发送').waitFor()
  await sees(host, '断线也能传')
  await host.getByTestId('file').filter({ hasText: '录像' }).getByText('9 MB').waitFor()
  assert.equal(cuts, 2)
  await visitor.unroute('**/api/v1/files/uploads/*')
  await tray(visitor).waitFor({ state: 'detached' })
})

step('a page that was left goes on where it was, with what was typed and what was paused', async () => {
  const big = { name: '日志.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9 * 1024 * 1024, 5) }
  let began = 0
  const offsets = []
  visitor.on('request', (r) => {
    if (r.url().includes('/files/uploads') && r.method() === 'POST') began += 1
    if (r.url().includes('/files/uploads/') && r.method() === 'PATCH') offsets.push(r.headers()['upload-offset'])
  })
  let shut = true
  await visitor.route('**/api/v1/files/uploads/*', async (route) => {
    if (route.request().method() === 'PATCH' && route.request().headers()['upload-offset'] !== '0' && shut) return
    await route.continue()
  })
  await write(visitor).fill('还没写完')
  await attach(visitor, '文件', [big, { ...hebrew, name: '停下的.csv' }])
  await tray(visitor).getByRole('listitem').filter({ hasText: '停下的' }).getByText('68.4 KB').waitFor()
  await eventually('a part of it is there', async () => offsets.includes('4194304'))
  await visitor.getByRole('button', { name: '暂停上传 日志.bin' }).click()
  await tray(visitor).getByText(/已暂停/).waitFor()
  await look(visitor, 'visitor-paused')
  visitor.on('dialog', (dialog) => void dialog.accept())
  shut = false
  await visitor.reload()
  await tray(visitor).getByText(/已暂停/).waitFor()
  await tray(visitor).getByText('停下的').waitFor()
  assert.equal(await write(visitor).inputValue(), '还没写完')
  offsets.length = 0
  await visitor.getByRole('button', { name: '继续上传 日志.bin' }).click()
  await send(visitor)
  await sees(host, '还没写完')
  await host.getByTestId('file').filter({ hasText: '日志' }).getByText('9 MB').waitFor()
  assert.equal(began, 2, 'nothing began anew')
  assert.equal(offsets[0], '4194304')
  await visitor.unroute('**/api/v1/files/uploads/*')
  await visitor.reload()
  await last(visitor).getByText('还没写完').waitFor()
  assert.equal(await tray(visitor).count(), 0, 'what was sent is not kept')
})

step('what is refused says why beside the file, and nothing typed is lost', async () => {
  const refusals = [
    [413, 'file_too_large', { limit: 60_000 }, '这个文件太大，最大 58.6 KB'],
    [409, 'guest_day_full', { of: 'guest', limit: 536_870_912, used: 536_000_000, retry_after_ms: 7_200_000 }, '今天发的文件已满 512 MB，2小时后可以再发'],
    [409, 'quota_full', { of: 'org', limit: 10, used: 10 }, '对方暂时放不下更多文件，请先用文字说明'],
  ]
  await write(visitor).fill('字还在')
  let turn = 0
  await visitor.route('**/api/v1/files/uploads', (route) => {
    const [status, code, context] = refusals[turn]
    return route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, code, context }) })
  })
  for (const [i, [, , , words]] of refusals.entries()) {
    turn = i
    // What the organisation allows is learned from its first refusal; smaller ones go on to ask.
    await attach(visitor, '文件', { ...hebrew, buffer: Buffer.alloc(50_000 + (i === 0 ? 20_000 : 0), 7) })
    await tray(visitor).getByText(words).waitFor()
    if (i < refusals.length - 1) await tray(visitor).getByRole('button', { name: /移除/ }).click()
  }
  await look(visitor, 'visitor-refused')
  await accessible(visitor, 'what was refused')
  await send(visitor)
  await tray(visitor).getByText('重试或移除它，再发送').waitFor()
  await tray(visitor).getByRole('button', { name: /移除/ }).click()
  let asked = 0
  visitor.on('request', (r) => { if (r.url().endsWith('/files/uploads')) asked += 1 })
  await attach(visitor, '文件', hebrew)
  await tray(visitor).getByText(/单个文件最大 58\.6 KB/).waitFor()
  assert.equal(asked, 0, 'before a byte of it leaves')
  await visitor.unroute('**/api/v1/files/uploads')
  assert.equal(await write(visitor).inputValue(), '字还在')
})

step('a picture that is taken back is gone for both, and comes back to be written anew', async () => {
  await visitor.reload()
  await write(visitor).waitFor()
  await write(visitor).fill('发错的')
  await attach(visitor, '照片和视频', { ...photo, name: '发错了.png' })
  await tray(visitor).locator('[data-state=ready]').waitFor()
  await send(visitor)
  await sees(host, '发错的')
  const wrong = host.getByRole('button', { name: /查看图片 发错了/ })
  await wrong.waitFor()
  await visitor.getByRole('article').filter({ hasText: '发错的' }).getByRole('button', { name: '撤回' }).click()
  await wrong.waitFor({ state: 'detached' })
  await visitor.getByRole('button', { name: '重新编辑' }).click()
  await tray(visitor).getByText('发错').waitFor()
  assert.equal(await write(visitor).inputValue(), '发错的')
  await tray(visitor).getByRole('button', { name: /移除 发错了/ }).click()
  await write(visitor).fill('')
})

step('a picture that cannot be read says so, and one that failed comes when it is asked for', async () => {
  await visitor.route('**/picture/320', (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify({ status: 404, code: 'not_found' }) }))
  await visitor.reload()
  await visitor.getByText('图片已看不到').first().waitFor()
  await visitor.unroute('**/picture/320')
  // Once the connection is there: with it, a picture that failed before comes by itself.
  const live = new Promise((done) => visitor.once('websocket', (socket) => socket.once('framereceived', done)))
  await visitor.route('**/picture/320', async (route) => {
    await live
    await route.abort('connectionreset')
  })
  await visitor.reload()
  const again = visitor.getByRole('button', { name: /图片没有加载出来，按一下重试：安装位置/ })
  await again.waitFor()
  await look(visitor, 'visitor-failed')
  await visitor.unroute('**/picture/320')
  await again.click()
  await visitor.getByRole('button', { name: /查看图片 安装位置/ }).locator('img').waitFor()
})

step('large type on a small screen cuts nothing', async () => {
  await visitor.setViewportSize({ width: 360, height: 640 })
  await visitor.evaluate(() => document.documentElement.style.setProperty('--scale', String(30 / 14)))
  assert.deepEqual(await visitor.evaluate(layoutFaults), [], 'the talk')
  await look(visitor, 'large-talk')
  await visitor.getByRole('button', { name: '图片或文件' }).click()
  await look(visitor, 'large-choices')
  assert.deepEqual(await visitor.evaluate(layoutFaults), [], 'where files come from')
  await visitor.getByRole('button', { name: '图片或文件' }).click()
  await attach(visitor, '文件', hebrew)
  await tray(visitor).locator('[data-state=ready]').waitFor()
  await look(visitor, 'large-tray')
  assert.deepEqual(await visitor.evaluate(layoutFaults), [], 'the tray')
  await tray(visitor).getByRole('button', { name: /移除/ }).click()
  await card('חשבונית').first().click()
  await visitor.getByTestId('file-address').waitFor()
  await look(visitor, 'large-sheet')
  assert.deepEqual(await visitor.evaluate(layoutFaults), [], 'a file')
  await visitor.keyboard.press('Escape')
  await visitor.getByTestId('reader').waitFor({ state: 'detached' })
  await visitor.getByRole('button', { name: /查看图片 安装位置/ }).click()
  await look(visitor, 'large-viewer')
  // Fingers swipe and pinch: these keys show themselves to a keyboard alone.
  const unseen = /缩小|放大|上一张|下一张/
  assert.deepEqual((await visitor.evaluate(layoutFaults)).filter((fault) => !unseen.test(fault)), [], 'the viewer')
  await visitor.keyboard.press('Escape')
  await visitor.getByTestId('viewer').waitFor({ state: 'detached' })
  await visitor.setViewportSize(PHONE.viewport)
})

step('on a desktop files are pasted and dropped', async () => {
  const page = await newPerson(DESKTOP)
  await comeIn(page, '周先生')
  await page.getByRole('button', { name: '图片或文件' }).click()
  await page.getByRole('button', { name: '照片和视频' }).waitFor()
  assert.equal(await page.getByRole('button', { name: '拍照' }).count(), 0)
  await page.keyboard.press('Escape')
  const give = (kind, file) => page.evaluate(async ([kind, name, type, bytes]) => {
    const data = new DataTransfer()
    data.items.add(new File([new Uint8Array(bytes)], name, { type }))
    const event = kind === 'paste'
      ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
      : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true })
    return !document.querySelector('textarea').dispatchEvent(event)
  }, [kind, file.name, file.mimeType, [...file.buffer]])
  const small = { name: 'image.png', mimeType: 'image/png', buffer: png(40, 30, [200, 90, 60]) }
  assert.equal(await give('paste', small), true)
  await tray(page).getByRole('listitem').nth(0).waitFor()
  assert.equal(await give('dragover', small), true)
  await page.getByText('松开就放进这条消息').waitFor()
  await look(page, 'desktop-drop')
  assert.equal(await give('drop', { name: '拖来的.txt', mimeType: 'text/plain', buffer: Buffer.from('一行字') }), true)
  await tray(page).getByRole('listitem').nth(1).waitFor()
  await send(page)
  await last(page).getByText('拖来的').waitFor()
  await look(page, 'desktop-talk')
  assert.deepEqual(page.faults, [])
  await page.close()
})

step('an organisation that wants no files of guests has no key for them, and what was sent stays', async () => {
  await api(node, owner.token, 'PATCH', `/api/v1/orgs/${org.id}/settings`, { guest_files: false })
  await attach(visitor, '文件', hebrew)
  await tray(visitor).locator('[data-state=failed]').waitFor()
  await look(visitor, 'visitor-off')
  await visitor.getByRole('button', { name: '图片或文件' }).waitFor({ state: 'detached' })
  await visitor.reload()
  await drawn(visitor, 1)
  assert.equal(await visitor.getByRole('button', { name: '图片或文件' }).count(), 0)
  await api(node, owner.token, 'PATCH', `/api/v1/orgs/${org.id}/settings`, { guest_files: true })
})

step('who leaves can read nothing any more, here or there', async () => {
  await visitor.reload()
  await attach(visitor, '文件', { ...hebrew, name: '没发出去.xlsx' })
  await tray(visitor).locator('[data-state=ready]').waitFor()
  await card('חשבונית').first().click()
  const url = await visitor.getByTestId('file-address').inputValue()
  await visitor.keyboard.press('Escape')
  await drawn(visitor, 1)
  const { token } = await visitor.evaluate(() => JSON.parse(Object.entries(localStorage).find(([key]) => key.startsWith('magpie:guest:'))[1]))
  const [file] = await visitor.evaluate(async (token) => {
    const own = performance.getEntriesByType('resource').map((e) => /files\/([0-9a-f-]{36})\/picture/.exec(e.name)?.[1]).filter(Boolean)
    const seen = await fetch(`/api/v1/files/${own[0]}/picture/320`, { headers: { authorization: `Bearer ${token}` } })
    return [seen.ok ? own[0] : undefined]
  }, token)
  assert.ok(file, 'the token opens pictures until then')
  await visitor.getByRole('button', { name: '离开' }).click()
  await visitor.getByRole('button', { name: '离开并抹去' }).click()
  await visitor.getByText('你已离开，你的称呼已被抹去').waitFor()
  const bearer = { authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${node.base}/api/v1/files/${file}/picture/320`, { headers: bearer })).status, 401)
  await eventually('the address of the original ends', async () => (await fetch(url)).status === 404)
  const kept = await visitor.evaluate(async () => ({
    databases: (await indexedDB.databases()).map((d) => d.name).filter((name) => name.includes('shelf') || name.includes('outbox')),
    storage: JSON.stringify({ ...localStorage }),
    caches: 'caches' in window ? await caches.keys() : [],
  }))
  assert.deepEqual(kept.databases, [])
  assert.deepEqual(kept.caches, [])
  assert.ok(!kept.storage.includes(token))
  // What was said and sent stays with whoever it was said to.
  await host.getByTestId('bubble').filter({ hasText: '机器不转了' }).waitFor()
  assert.deepEqual([...visitor.faults, ...host.faults], [])
})
