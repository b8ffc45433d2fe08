// Taking back what was just sent, sending on, and the key that answers in place of a message.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer, open, say, sees } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, owner, other, mei, liang, group

const bubble = (page, text) => page.getByTestId('bubble').filter({ hasText: text })

/** The sheet of the newest message that says this. */
async function act(page, text, action) {
  const article = page.locator('article[data-seq]').filter({ hasText: text }).last()
  await article.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: '消息操作' }).getByRole('button', { name: action }).click()
}

before(async () => {
  node = await Node.create()
  ;[owner, other] = await seed(node, { people: 8, conversations: 2, messages: 50 })
  await node.start()
  const { items: orgs } = await api(node, owner.token, 'GET', '/api/v1/orgs')
  group = await api(node, owner.token, 'POST', '/api/v1/conversations', { org_id: orgs[0].id, title: '桥梁组', members: [other.id] })
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('what was just sent is undone: the words are back, the other sees nothing of it', async () => {
  mei = await newPerson(DESKTOP)
  liang = await newPerson(PHONE)
  for (const [page, person] of [[mei, owner], [liang, other]]) {
    await signInAs(page, node, person)
    await page.goto(`${node.base}/chat/${group.id}`)
    await composer(page).waitFor()
  }
  await say(mei, '发错了地方')
  await mei.getByTestId('undo').click()
  await eventually('the words are back', async () => (await composer(mei).inputValue()) === '发错了地方')
  await composer(mei).fill('')
  await say(mei, '这句是对的')
  await sees(liang, '这句是对的')
  await eventually('nothing of it stands', async () =>
    (await bubble(liang, '发错了地方').count()) === 0 && (await liang.getByText('撤回了一条消息').count()) === 0)
})

step('a recalled message can be written anew', async () => {
  await act(mei, '这句是对的', '撤回')
  await mei.getByText('你撤回了一条消息').waitFor()
  await mei.getByRole('button', { name: '重新编辑' }).click()
  await eventually('the words are back', async () => (await composer(mei).inputValue()) === '这句是对的')
  await composer(mei).fill('')
})

step('messages are sent on together, as one record that opens', async () => {
  await say(mei, '会议改到周四')
  await say(mei, '地点不变')
  await act(mei, '地点不变', '多选')
  await mei.locator('article').filter({ hasText: '会议改到周四' }).getByRole('checkbox').click()
  await mei.getByRole('button', { name: '转发' }).click()
  await mei.getByText('合并成一条').click()
  await mei.getByRole('checkbox', { name: /文件传输助手/ }).check()
  await mei.getByRole('button', { name: /发送/ }).last().click()
  await open(mei, '文件传输助手')
  await mei.locator('article').getByRole('button', { name: /聊天记录/ }).click()
  await mei.getByRole('dialog').getByText('会议改到周四').waitFor()
  await mei.keyboard.press('Escape')
})

step('收到 typed below a message that asks for it presses the key', async () => {
  await open(mei, '桥梁组')
  await mei.getByRole('button', { name: '请大家按收到' }).click()
  await say(mei, '明早八点集合')
  await liang.getByRole('button', { name: '收到', exact: true }).waitFor()
  await composer(liang).fill('收到，谢谢')
  await liang.getByRole('button', { name: '发送' }).click()
  await liang.getByText('没有发消息').waitFor()
  await mei.getByRole('button', { name: '1 人已收到' }).click()
  await mei.getByRole('dialog').getByText('所有人都已收到').waitFor()
  assert.equal(await bubble(mei, '收到，谢谢').count(), 0)
})

step('what asks for it waits in one list, and is answered there', async () => {
  await mei.keyboard.press('Escape')
  await mei.getByRole('button', { name: '请大家按收到' }).click()
  await say(mei, '带上图纸')
  await liang.goto(`${node.base}/waiting`)
  const row = liang.getByTestId('waiting').filter({ hasText: '带上图纸' })
  await row.getByText('桥梁组').waitFor()
  await row.getByRole('button', { name: '收到', exact: true }).click()
  await eventually('the row is gone', async () => (await row.count()) === 0)
  const message = mei.locator('article[data-seq]').filter({ hasText: '带上图纸' }).last()
  await message.getByRole('button', { name: '1 人已收到' }).waitFor()
})

step('whoever rests is not called: who writes to them sees until when', async () => {
  await liang.goto(`${node.base}/me`)
  await liang.getByRole('button', { name: '添加休息时间' }).click()
  const dialog = liang.getByRole('dialog', { name: '添加休息时间' })
  for (const day of ['周六', '周日']) await dialog.getByText(day).click()
  await dialog.getByLabel('从').fill('00:00')
  await dialog.getByLabel('到', { exact: true }).fill('00:00')
  await dialog.getByRole('button', { name: '保存' }).click()
  await liang.getByText('00:00–00:00').waitFor()
  const direct = await api(node, owner.token, 'POST', '/api/v1/conversations/direct', { user: other.id })
  await mei.goto(`${node.base}/chat/${direct.id}`)
  await mei.getByText('休息').first().waitFor()
  await liang.getByRole('button', { name: '删除' }).click()
  await liang.getByRole('button', { name: '撤销' }).click()
  await liang.getByText('00:00–00:00').waitFor()
})

step('no page had a fault', () => {
  assert.deepEqual([...mei.faults, ...liang.faults], [])
})
