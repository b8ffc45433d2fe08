// Somebody without an account, in a web view that lacks nearly everything: from a link to a conversation, back to it the
// next day, and gone for good.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { eventually } from '../lib/process.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { composer, open, say, sees } from '../lib/client.mjs'
import { step } from '../lib/steps.mjs'
import { accessible, hostile, poorer, tell, write } from '../lib/visitor.mjs'

let node, owner, org, host, visitor, link

before(async () => {
  node = await Node.create()
  ;[owner] = await seed(node, { people: 6, conversations: 2, messages: 20 })
  await node.start()
  ;[org] = (await api(node, owner.token, 'GET', '/api/v1/orgs')).items
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a member makes a link for those without an account', async () => {
  host = await newPerson(DESKTOP)
  await signInAs(host, node, owner)
  await host.goto(node.base)
  await host.getByRole('button', { name: '发起会话' }).first().click()
  // The dialog grows when people come, and what is pressed meanwhile moves.
  await host.getByRole('dialog').getByRole('checkbox').first().waitFor()
  await host.getByRole('button', { name: '访客链接' }).click()
  await host.getByLabel('备注').fill('门口的海报')
  await host.getByRole('button', { name: '新建链接' }).click()
  await host.getByRole('img', { name: '访客链接的二维码' }).waitFor()
  link = await host.getByRole('textbox', { name: '链接', exact: true }).inputValue()
  assert.match(link, /\/g\/[0-9a-z]{16}$/)
  await host.goto(node.base)
})

step('a visitor sees who answers, says a name, and is in one conversation', async () => {
  visitor = await hostile(PHONE)
  await visitor.goto(link)
  await visitor.getByRole('heading', { name: org.name }).waitFor()
  await visitor.getByText(owner.name).first().waitFor()
  await visitor.getByText('未核实姓名').waitFor()
  assert.equal(await visitor.evaluate(() => 'serviceWorker' in navigator && navigator.serviceWorker !== undefined), false)
  await accessible(visitor, 'the door')
  await visitor.getByLabel('你的称呼').fill('李女士')
  await visitor.getByRole('button', { name: '开始对话' }).click()
  await write(visitor).waitFor()
  assert.equal(await visitor.getByRole('navigation').count(), 0)
  // Enough for the page: nothing of the app has come, and no cookie either.
  assert.deepEqual(await visitor.context().cookies(), [])
})

step('both talk, what was read is said, and one message quotes another', async () => {
  await tell(visitor, '你好，想问一下营业时间')
  await visitor.getByText('未读', { exact: true }).waitFor()
  await open(host, '李女士')
  await sees(host, '想问一下营业时间')
  await host.getByText('访客', { exact: true }).first().waitFor()
  await host.getByText('访客 李女士 通过链接进来了').waitFor()
  await visitor.getByText('已读', { exact: true }).waitFor()
  await say(host, '您好，九点到六点')
  await visitor.getByTestId('bubble').filter({ hasText: '九点到六点' }).waitFor()
  const answer = visitor.getByRole('article').filter({ hasText: '九点到六点' })
  await answer.getByRole('button', { name: '引用这条消息' }).click()
  await visitor.getByText(`引用 ${owner.name}`).waitFor()
  await tell(visitor, '谢谢')
  await visitor.getByRole('article').filter({ hasText: '谢谢' }).filter({ hasText: '九点到六点' }).waitFor()
  await visitor.getByText('收好这个链接').waitFor()
  await accessible(visitor, 'the talk')
  await visitor.getByRole('button', { name: '知道了' }).click()
})

step('a visitor takes a message back, and has its words to write anew', async () => {
  await tell(visitor, '打错字乐')
  await sees(host, '打错字乐')
  await visitor.getByRole('article').filter({ hasText: '打错字乐' }).getByRole('button', { name: '撤回' }).click()
  await visitor.getByRole('button', { name: '重新编辑' }).click()
  assert.equal(await write(visitor).inputValue(), '打错字乐')
  await host.getByText('李女士 撤回了一条消息').waitFor()
  assert.equal(await host.getByTestId('bubble').filter({ hasText: '打错字乐' }).count(), 0)
  await write(visitor).fill('')
})

step('the same link on the same device leads to the same conversation, without a name', async () => {
  await write(visitor).fill('还没写完')
  await visitor.reload()
  await visitor.getByTestId('bubble').filter({ hasText: '谢谢' }).waitFor()
  assert.equal(await write(visitor).inputValue(), '还没写完')
  assert.equal(await visitor.getByText('收好这个链接').count(), 0)
  await visitor.goto('about:blank')
  await visitor.goto(link)
  await visitor.getByRole('heading', { name: '继续之前的对话？' }).waitFor()
  assert.equal(await visitor.getByTestId('bubble').count(), 0, 'nothing is shown before somebody says who they are')
  await accessible(visitor, 'who again')
  await visitor.getByRole('button', { name: '以 李女士 继续' }).click()
  await visitor.getByTestId('bubble').filter({ hasText: '谢谢' }).waitFor()
  const list = (await api(node, owner.token, 'GET', '/api/v1/conversations')).items
  assert.equal(list.filter((c) => c.external).length, 1, 'one conversation for one visitor')
})

step('somebody else on the same device begins anew, and the first one is gone from it', async () => {
  const shared = await hostile(PHONE)
  await shared.goto(link)
  await shared.getByLabel('你的称呼').fill('王先生')
  await shared.getByRole('button', { name: '开始对话' }).click()
  await tell(shared, '我的车牌是 12345')
  await write(shared).fill('只有我知道')
  await shared.goto('about:blank')
  await shared.goto(link)
  await shared.getByRole('button', { name: '我是另一个人' }).click()
  // Nothing is lost by a wrong press.
  await shared.getByRole('button', { name: '回到 王先生 的对话' }).click()
  await shared.getByTestId('bubble').filter({ hasText: '12345' }).waitFor()
  await shared.goto('about:blank')
  await shared.goto(link)
  await shared.getByRole('button', { name: '我是另一个人' }).click()
  await shared.getByLabel('你的称呼').fill('赵女士')
  await shared.getByRole('button', { name: '开始对话' }).click()
  await write(shared).waitFor()
  assert.equal(await write(shared).inputValue(), '')
  assert.equal(await shared.getByTestId('bubble').count(), 0)
  const kept = await shared.evaluate(() => JSON.stringify({ ...localStorage }))
  assert.ok(!kept.includes('王先生') && !kept.includes('只有我知道'), kept)
  await shared.close()
})

step('what is written without a network is sent when there is one again', async () => {
  await visitor.context().setOffline(true)
  await write(visitor).fill('在电梯里写的')
  await visitor.getByRole('button', { name: '发送' }).click()
  await visitor.getByTestId('sending').filter({ hasText: '在电梯里写的' }).waitFor()
  await visitor.context().setOffline(false)
  await sees(host, '在电梯里写的')
  await visitor.getByTestId('sending').waitFor({ state: 'detached' })
})

step('where no socket gets through, answers still come', async () => {
  const page = await newPerson({ ...PHONE, locale: 'en-US' })
  await page.addInitScript(poorer)
  await page.addInitScript(() => {
    window.WebSocket = class {
      constructor() {
        setTimeout(() => this.onclose?.({ code: 1006, reason: '' }), 10)
      }
      close() {}
      send() {}
    }
  })
  await page.goto(link)
  await page.getByLabel('Your name').fill('Ms Miller')
  await page.getByRole('button', { name: 'Start talking' }).click()
  await tell(page, 'When do you open?')
  await host.goto(node.base)
  await open(host, 'Ms Miller')
  await say(host, 'At nine')
  await page.getByTestId('bubble').filter({ hasText: 'At nine' }).waitFor()
  await accessible(page, 'the talk in English')
  await page.close()
})

step('a page that can keep nothing says so, with an address to copy', async () => {
  const page = await hostile(PHONE)
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('refused', 'QuotaExceededError')
    }
    delete window.indexedDB
    Object.defineProperty(window, 'indexedDB', { value: undefined })
  })
  await page.goto(link)
  await page.getByLabel('你的称呼').fill('没有存储')
  await page.getByRole('button', { name: '开始对话' }).click()
  await page.getByText('在浏览器中打开', { exact: true }).waitFor()
  assert.equal(await page.getByRole('textbox', { name: '在浏览器中打开' }).inputValue(), link)
  await tell(page, '能说话就好')
  await page.close()
})

step('who leaves is forgotten here and there', async () => {
  await visitor.getByRole('button', { name: '离开' }).click()
  await visitor.getByRole('heading', { name: '离开并抹去我的称呼？' }).waitFor()
  await accessible(visitor, 'leaving')
  await visitor.getByRole('button', { name: '留下' }).click()
  await write(visitor).waitFor()
  await visitor.getByRole('button', { name: '离开' }).click()
  await visitor.getByRole('button', { name: '离开并抹去' }).click()
  await visitor.getByText('你已离开，你的称呼已被抹去').waitFor()
  const kept = await visitor.evaluate(() => Object.entries(localStorage).filter(([, value]) => value.includes('李女士')))
  assert.deepEqual(kept, [])
  await host.goto(node.base)
  await eventually('the name is gone', async () => (await host.getByText('李女士').count()) === 0)
  await visitor.getByRole('button', { name: '重新开始' }).click()
  await visitor.getByLabel('你的称呼').waitFor()
})

step('a link is withdrawn with those who came by it, and opens nothing any more', async () => {
  const guest = await newPerson(PHONE)
  await guest.goto(link)
  await guest.getByLabel('你的称呼').fill('最后一位')
  await guest.getByRole('button', { name: '开始对话' }).click()
  await tell(guest, '还在吗')
  await host.goto(node.base)
  await host.getByRole('button', { name: '发起会话' }).first().click()
  await host.getByRole('button', { name: '访客链接' }).click()
  await host.getByRole('button', { name: '收回' }).first().click()
  await host.getByText(/^同时请走用它进来的访客/).click()
  await host.getByRole('alertdialog').getByRole('button', { name: '收回' }).click()
  await host.getByText('用它进来的访客正在离开').waitFor()
  await guest.getByRole('heading', { name: '这个链接已失效' }).waitFor()
  await guest.close()
  await host.goto(node.base)
  await visitor.reload()
  await visitor.getByRole('heading', { name: '这个链接已失效' }).waitFor()
  await accessible(visitor, 'a dead link')
  await composer(host).count()
  assert.deepEqual([...visitor.faults, ...host.faults], [])
})
