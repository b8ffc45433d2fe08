// Photographs from a phone: several in a row, upright, small unless the original is asked for, each tried again by itself.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson } from '../lib/browser.mjs'
import { composer, found, join, open, sees } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const MOST = 400_000

let node, mei, liang, shots

/** What a camera gives that was held upright: stored on its side, with a note on how to turn it. Its top is red. */
async function shot(page, name, { width = 2000, height = 1500 } = {}) {
  const plain = Buffer.from(await page.evaluate(async ([width, height]) => {
    const canvas = document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    const context = canvas.getContext('2d')
    const picture = context.createImageData(width, height)
    for (let i = 0, at = 0; i < width * height; i += 1, at += 4) {
      const grain = Math.random() * 60
      const red = i % width < width / 4
      picture.data.set([(red ? 190 : 20) + grain, (red ? 10 : 90) + grain, 30 + grain, 255], at)
    }
    context.putImageData(picture, 0, 0)
    return canvas.toDataURL('image/jpeg', 0.95).replace(/^.*,/, '')
  }, [width, height]), 'base64')
  const exif = Buffer.from('ffe1002245786966000049492a0008000000010012010300010000000600000000000000', 'hex')
  return { name, mimeType: 'image/jpeg', buffer: Buffer.concat([plain.subarray(0, 2), exif, plain.subarray(2)]) }
}

async function choose(page, what, files) {
  await page.getByRole('button', { name: '图片或文件' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('menuitem', { name: what, exact: true }).click()
  const chosen = await chooser
  await chosen.setFiles(files)
  return chosen
}

const send = (page) => page.getByRole('button', { name: '发送', exact: true }).click()
const tray = (page) => page.getByTestId('tray')
const chips = (page) => tray(page).getByRole('listitem').filter({ has: page.getByRole('button', { name: /移除/ }) })
const ready = (page, count) => eventually(`${count} are there`, async () =>
  (await chips(page).count()) === count && (await tray(page).locator('[data-state]').count()) === 0)

/** The pictures of the message that says so, as the server has them. */
async function pictures(page, words) {
  await sees(page, words)
  return page.evaluate(async (words) => {
    const talk = location.pathname.split('/').pop()
    const { items } = await (await fetch(`/api/v1/conversations/${talk}/messages?limit=50`)).json()
    const message = items.find((m) => m.body?.blocks?.some((b) => b.text === words))
    return Promise.all(message.body.blocks.filter((b) => b.file).map(async (block) => {
      const picture = await createImageBitmap(await (await fetch(`/api/v1/files/${block.file}/picture/320`)).blob())
      const canvas = document.createElement('canvas')
      canvas.width = picture.width
      canvas.height = picture.height
      const context = canvas.getContext('2d')
      context.drawImage(picture, 0, 0)
      const at = (x, y) => [...context.getImageData(Math.floor(x * picture.width), Math.floor(y * picture.height), 1, 1).data]
      const red = ([r, g]) => r > 120 && g < 100
      return { ...block, top: red(at(0.5, 0.1)), bottom: red(at(0.5, 0.9)), seen: [picture.width, picture.height] }
    }))
  }, words)
}

function upright(picture) {
  assert.ok(picture.width < picture.height, `${picture.name} stands: ${picture.width}×${picture.height}`)
  assert.ok(picture.seen[0] < picture.seen[1])
  assert.deepEqual([picture.top, picture.bottom], [true, false], `${picture.name}: its top is above`)
}

before(async () => {
  node = await (await Node.create()).start()
  mei = await newPerson(DESKTOP)
  liang = await newPerson(PHONE)
  const invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  await join(liang, invitation.replace(/http:\/\/[^/]+/, node.base), { name: '李亮' })
  await open(mei, '鹊桥小队')
  shots = []
  for (const name of ['IMG_1.jpg', 'IMG_2.jpg', 'IMG_3.jpg']) shots.push(await shot(mei, name))
  for (const one of shots) assert.ok(one.buffer.length > 3 * MOST, `${one.buffer.length} bytes are a photograph's`)
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('the camera opens at a tap, one picture after the other, and they go small and upright', async () => {
  const chosen = await choose(liang, '拍照', shots[0])
  const input = await chosen.element()
  assert.deepEqual(await input.evaluate((el) => [el.accept, el.getAttribute('capture'), el.multiple]), ['image/*', 'environment', false])
  await ready(liang, 1)
  for (const next of [shots[1], shots[2]]) {
    const chooser = liang.waitForEvent('filechooser')
    await tray(liang).getByRole('button', { name: '再拍一张' }).click()
    await (await chooser).setFiles(next)
  }
  await ready(liang, 3)
  const again = await tray(liang).getByRole('button', { name: '再拍一张' }).boundingBox()
  assert.ok(again.x + again.width <= 390, 'the next one is taken without a search for its key')
  if (process.env.LOOKS) await liang.screenshot({ path: `${process.env.LOOKS}/photos-tray.png` })
  await composer(liang).fill('三张现场照片')
  await send(liang)
  const sent = await pictures(mei, '三张现场照片')
  assert.deepEqual(sent.map((p) => p.name), shots.map((s) => s.name))
  for (const picture of sent) {
    assert.equal(picture.type, 'image')
    assert.ok(picture.size <= MOST, `${picture.size} bytes`)
    assert.ok(picture.width * picture.height > 500_000, 'it can still be looked at')
    upright(picture)
  }
  await tray(liang).waitFor({ state: 'detached' })
})

step('a message that is sent while they are being made smaller waits for all of them, in their order', async () => {
  await composer(liang).fill('连着选的')
  await choose(liang, '图片或拍照', shots)
  await eventually('it may be sent', () => liang.getByRole('button', { name: '发送', exact: true }).isEnabled())
  await send(liang)
  const sent = await pictures(mei, '连着选的')
  assert.deepEqual(sent.map((p) => p.name), shots.map((s) => s.name))
  for (const picture of sent) assert.ok(picture.size <= MOST)
})

step('the original goes when it is asked for, and stands upright too', async () => {
  await choose(liang, '拍照', shots[0])
  await ready(liang, 1)
  await tray(liang).getByText(/照片已压缩到 \d+ KB/).waitFor()
  await tray(liang).getByRole('button', { name: /换成原图（[\d.]+ MB）/ }).click()
  await eventually('the smaller one is gone', async () => (await tray(liang).getByRole('button', { name: /换成原图/ }).count()) === 0)
  await ready(liang, 1)
  await composer(liang).fill('要看清楚的')
  await send(liang)
  const [original, ...more] = await pictures(mei, '要看清楚的')
  assert.equal(more.length, 0)
  assert.ok(original.size > 2 * MOST, `${original.size} bytes`)
  upright(original)
})

step('as a file it goes as it is; a drawing keeps every line', async () => {
  const drawing = await mei.evaluate(async () => {
    const canvas = document.createElement('canvas')
    canvas.width = 2000
    canvas.height = 1600
    const context = canvas.getContext('2d')
    context.fillStyle = '#fff'
    context.fillRect(0, 0, 2000, 1600)
    context.fillStyle = '#123'
    context.font = '11px sans-serif'
    for (let y = 12; y < 1600; y += 12) context.fillText(Array.from({ length: 60 }, () => Math.random().toString(36).slice(2, 8)).join(' '), 0, y)
    return canvas.toDataURL('image/png').replace(/^.*,/, '')
  })
  const screenshot = { name: '截图.png', mimeType: 'image/png', buffer: Buffer.from(drawing, 'base64') }
  assert.ok(screenshot.buffer.length > MOST)
  await choose(liang, '图片或拍照', screenshot)
  await ready(liang, 1)
  await choose(liang, '文件', shots[1])
  await ready(liang, 2)
  assert.equal(await tray(liang).getByText('照片已压缩到').count(), 0)
  await composer(liang).fill('原样发送')
  await send(liang)
  const sent = await pictures(mei, '原样发送')
  assert.deepEqual(sent.map((p) => p.name), ['截图.png', 'IMG_2.jpg'])
  assert.ok(sent[0].size > MOST && sent[1].size > 2 * MOST, `${sent.map((p) => p.size)}`)
})

step('one picture that is refused is tried again by itself', async () => {
  let asked = 0
  await liang.route('**/api/v1/files/uploads', (route) => {
    asked += 1
    if (asked !== 2) return route.continue()
    return route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'quota_full', context: {} }) })
  })
  await choose(liang, '图片或拍照', shots)
  const failed = tray(liang).locator('[data-state=failed]')
  await failed.waitFor()
  await liang.unroute('**/api/v1/files/uploads')
  await failed.getByRole('button', { name: /重试上传/ }).click()
  await ready(liang, 3)
  await composer(liang).fill('补上了')
  await send(liang)
  const sent = await pictures(mei, '补上了')
  assert.deepEqual(sent.map((p) => p.name).sort(), shots.map((s) => s.name))
})

step('a face from the camera is taken, however large, and upright', async () => {
  const large = await shot(mei, 'selfie.jpg', { width: 3600, height: 2700 })
  assert.ok(large.buffer.length > 5 * 1024 * 1024, `${large.buffer.length} bytes are more than the server takes for a face`)
  await liang.goto(`${node.base}/me`)
  const chooser = liang.waitForEvent('filechooser')
  await liang.getByRole('button', { name: '换头像' }).click()
  await (await chooser).setFiles(large)
  await liang.getByText('头像已更新').waitFor()
})

step('no page had a fault', () => {
  assert.deepEqual([...mei.faults, ...liang.faults], [])
})
