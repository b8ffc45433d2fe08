// What stands over the page owns the keyboard: nothing happens behind it, and Escape closes one thing after the other.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, closeBrowser, newPerson } from '../lib/browser.mjs'
import { composer, found, open, say } from '../lib/client.mjs'
import { pdf } from '../lib/pdf.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

/** Every key by which the app goes somewhere or opens something. */
const KEYS = ['Alt+ArrowUp', 'Alt+ArrowDown', 'Alt+Shift+ArrowDown', 'Control+1', 'Control+2', 'Control+3', 'Control+/', 'Control+k']

let node, mei

const picture = { name: '桥.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') }
const paper = { name: '计划.pdf', mimeType: 'application/pdf', buffer: pdf([['One'], ['Two']]) }
const note = { name: '备注.txt', mimeType: 'text/plain', buffer: Buffer.from('喜鹊\n') }

const dialogs = () => mei.locator('[role=dialog],[role=alertdialog]').count()
const pane = () => mei.getByRole('button', { name: '详情', exact: true })
const paneOpen = () => new URL(mei.url()).searchParams.get('pane') === 'details'

/** Presses them all: the address stays, and what is open is alone. */
async function nothingBehind(about, keys = KEYS) {
  const address = mei.url()
  for (const key of keys) {
    await mei.keyboard.press(key)
    assert.equal(mei.url(), address, `${about}: ${key} went elsewhere behind it`)
    assert.equal(await dialogs(), 1, `${about}: ${key} opened or closed something`)
  }
}

before(async () => {
  node = await (await Node.create()).start()
  mei = await newPerson(DESKTOP)
  await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  await open(mei, '鹊桥小队')
  await mei.getByRole('button', { name: '图片或文件' }).click()
  const chooser = mei.waitForEvent('filechooser')
  await mei.getByRole('menuitem', { name: '文件', exact: true }).click()
  await (await chooser).setFiles([picture, paper, note])
  await mei.getByRole('button', { name: '发送', exact: true }).click()
  await mei.getByTestId('tray').waitFor({ state: 'detached' })
  await say(mei, '周四定稿')
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('with nothing open the keys lead on, and back', async () => {
  const address = mei.url()
  const at = await mei.getByTestId('conversation').evaluateAll((all) => all.findIndex((el) => el.getAttribute('aria-current')))
  const [there, back] = at === 0 ? ['Alt+ArrowDown', 'Alt+ArrowUp'] : ['Alt+ArrowUp', 'Alt+ArrowDown']
  await mei.keyboard.press(there)
  await eventually('another conversation', () => mei.url() !== address)
  await mei.keyboard.press(back)
  await eventually('this one again', () => mei.url() === address)
  await composer(mei).waitFor()
})

for (const [about, name, testId] of [
  ['a picture', /查看图片 桥/, 'viewer'], ['a PDF', '打开 计划.pdf', 'reader'], ['a text', '打开 备注.txt', 'reader'],
]) {
  step(`${about} owns the keyboard, and Escape closes it alone`, async () => {
    if (!paneOpen()) await pane().click()
    await eventually('the pane is open', paneOpen)
    await mei.getByRole('main').getByRole('button', { name }).last().click()
    const shown = mei.getByTestId(testId)
    await shown.waitFor()
    await eventually('it is alone', async () => (await dialogs()) === 1)
    await nothingBehind(about)
    // Where nothing in it has the focus, too.
    await mei.evaluate(() => document.activeElement?.blur())
    await nothingBehind(`${about}, without focus`)
    await shown.getByRole('button', { name: '关闭', exact: true }).focus()
    await mei.keyboard.press('Escape')
    await shown.waitFor({ state: 'detached' })
    assert.ok(paneOpen(), 'the pane behind it stays')
  })
}

step('Escape then closes the pane', async () => {
  await composer(mei).focus()
  await mei.keyboard.press('Escape')
  await eventually('the pane is closed', () => !paneOpen())
})

step('a dialog keeps what was typed in it', async () => {
  await mei.getByRole('button', { name: '发起会话' }).click()
  const field = mei.getByRole('dialog').getByRole('searchbox').or(mei.getByRole('dialog').getByRole('textbox')).or(mei.getByRole('dialog').getByRole('combobox')).first()
  await field.fill('找人')
  await nothingBehind('a dialog')
  assert.equal(await field.inputValue(), '找人')
  await mei.getByRole('dialog').getByRole('button', { name: '关闭' }).click()
  await eventually('it is closed', async () => (await dialogs()) === 0)
})

step('the search is opened and put away by the same key', async () => {
  await mei.keyboard.press('Control+k')
  const search = mei.getByRole('combobox', { name: '搜索' })
  await search.waitFor()
  await nothingBehind('the search', KEYS.filter((key) => key !== 'Control+k'))
  await mei.keyboard.press('Control+k')
  await search.waitFor({ state: 'detached' })
})

step('a menu is closed by Escape, and what is behind it stays', async () => {
  const address = mei.url()
  await composer(mei).fill('写到一半')
  await mei.getByRole('button', { name: '图片或文件' }).click()
  await mei.getByRole('menu').waitFor()
  await mei.keyboard.press('Alt+ArrowUp')
  await mei.keyboard.press('Control+2')
  assert.equal(mei.url(), address)
  await mei.keyboard.press('Escape')
  await mei.getByRole('menu').waitFor({ state: 'detached' })
  assert.equal(await composer(mei).inputValue(), '写到一半')
  await composer(mei).fill('')
})

step('choosing messages outlives the dialog over it', async () => {
  const bubble = mei.getByTestId('bubble').filter({ hasText: '周四定稿' }).last()
  await bubble.hover()
  await mei.getByRole('button', { name: '更多操作' }).click()
  await mei.getByText('多选', { exact: true }).click()
  const bar = mei.getByRole('toolbar')
  await bar.getByRole('button', { name: '转发' }).click()
  await mei.getByRole('dialog').waitFor()
  await mei.keyboard.press('Escape')
  await mei.getByRole('dialog').waitFor({ state: 'detached' })
  await bar.waitFor()
  await mei.keyboard.press('Escape')
  await bar.waitFor({ state: 'detached' })
})

step('no page had a fault', () => {
  assert.deepEqual(mei.faults, [])
})
