// Two people in two browsers, one organisation, one group conversation, and a
// server that is killed in the middle.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson } from '../lib/browser.mjs'
import { composer, found, join, messages, open, say, sees, waits } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, mei, liang, invitation

before(async () => {
  node = await (await Node.create()).start()
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('the first person sets the server up and founds an organisation', async () => {
  mei = await newPerson(DESKTOP)
  invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  assert.match(invitation, /\/join\/\S+/)
})

step('somebody with the invitation is in the talk of everybody, with only a name and a password', async () => {
  liang = await newPerson(PHONE)
  const began = Date.now()
  await join(liang, invitation.replace(/http:\/\/[^/]+/, node.base), { name: '阿卜杜拉·买买提' })
  await say(liang, '大家好')
  assert.ok(Date.now() - began < 60_000, 'from the link to the first message in under a minute')
  assert.equal(await liang.getByText('创建组织').count(), 0, 'who is invited is never asked to found anything')
})

step('what one writes appears to the other without a reload, and that it was read appears to the first', async () => {
  await open(mei, '鹊桥小队')
  await sees(mei, '大家好')
  await composer(mei).pressSequentially('你好，')
  await liang.getByText('正在输入').first().waitFor()
  await composer(mei).fill('')
  await say(mei, '你好，欢迎 👋')
  await sees(liang, '你好，欢迎 👋')
  await mei.getByTestId('read-state').last().and(mei.getByLabel('全部已读')).waitFor()
})

step('while a text is composed in an input method, Enter chooses and does not send', async () => {
  const session = await mei.context().newCDPSession(mei)
  await composer(mei).focus()
  await session.send('Input.imeSetComposition', { text: 'xi’qiao', selectionStart: 7, selectionEnd: 7 })
  await mei.keyboard.press('Enter')
  await session.send('Input.insertText', { text: '喜鹊' })
  // Without a real input method nobody takes the key, so a line feed may follow.
  assert.equal((await composer(mei).inputValue()).trim(), '喜鹊')
  assert.ok(!(await messages(mei)).some((m) => m.text.includes('xi')), 'nothing half-typed was sent')
  await composer(mei).fill('')
})

step('the server is killed in mid-conversation: what was typed offline is sent, in one order, once', async () => {
  await say(mei, '一')
  await sees(liang, '一')
  await node.kill()
  // Both go on writing while nobody listens.
  await composer(mei).fill('梅兰离线时写的')
  await composer(mei).press('Enter')
  await composer(liang).fill('亮离线时写的')
  await liang.getByRole('button', { name: '发送' }).click()
  await waits(mei, '梅兰离线时写的')
  await waits(liang, '亮离线时写的')
  await mei.getByText(/连接|重连|离线/).first().waitFor()

  await node.start()
  for (const page of [mei, liang]) {
    await sees(page, '梅兰离线时写的')
    await sees(page, '亮离线时写的')
  }
  await say(mei, '二')
  await sees(liang, '二')
  const [one, other] = await eventually('both hold the same', async () => {
    const both = [await messages(mei), await messages(liang)]
    return JSON.stringify(both[0]) === JSON.stringify(both[1]) && both
  })
  assert.deepEqual(one, other)
  for (const text of ['大家好', '一', '梅兰离线时写的', '亮离线时写的', '二']) {
    assert.equal(one.filter((m) => m.text === text).length, 1, `${text} stands once`)
  }
  const seqs = one.map((m) => m.seq)
  assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b))
})

step('what was typed but not sent outlives a reload while the server is away', async () => {
  await node.kill()
  await composer(mei).fill('重启前写下的')
  await composer(mei).press('Enter')
  await waits(mei, '重启前写下的')
  await composer(liang).fill('还没写完')
  await node.start()
  await mei.reload()
  await sees(liang, '重启前写下的')
  await liang.reload()
  await eventually('the draft is there again', async () => (await composer(liang).inputValue()) === '还没写完')
})

step('a text that is too long is kept, with the reason', async () => {
  const long = '长'.repeat(10_001)
  await composer(mei).evaluate((el) => el.removeAttribute('maxlength'))
  await composer(mei).fill(long)
  await composer(mei).press('Enter')
  await mei.getByText(/10,?000/).first().waitFor()
})

step('no page had a fault', () => {
  assert.deepEqual([...mei.faults, ...liang.faults], [])
})
