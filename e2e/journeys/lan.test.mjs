// A phone on the same network, by plain http at a private address: another host, in a network namespace of its own.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { PHONE, DESKTOP, anotherBrowser, closeBrowser, newPerson } from '../lib/browser.mjs'
import { composer, found, join, open, say, sees } from '../lib/client.mjs'
import { noSecondHost, secondHost } from '../lib/lan.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

if (noSecondHost) {
  test('a phone on the same network', { skip: noSecondHost }, () => {})
} else {
  let host, node, mei, phone

  before(async () => {
    host = await secondHost()
    node = await (await Node.create({ address: host.address })).start()
  })

  after(async () => {
    await closeBrowser()
    await node.stop()
    await host.remove()
  })

  step('the organiser founds on this machine; the link leads to an address the phone reaches', async () => {
    mei = await newPerson(DESKTOP)
    const invitation = await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
    assert.equal(new URL(invitation).hostname, host.address)
    const elsewhere = await anotherBrowser({ executablePath: host.wrap('/usr/bin/chromium') })
    phone = await newPerson({ ...PHONE, browser: elsewhere })
    const began = Date.now()
    await join(phone, invitation, { name: '兰芳' })
    await say(phone, '大家好')
    assert.ok(Date.now() - began < 60_000, 'from the scan to the first message in under a minute')
  })

  step('there it is no secure context, and nothing that needs one is offered or missed', async () => {
    assert.equal(await phone.evaluate(() => isSecureContext), false)
    await open(mei, '鹊桥小队')
    await sees(mei, '大家好')
    await say(mei, '欢迎')
    await sees(phone, '欢迎')
    await phone.goto(`${node.base}/me/security`)
    await phone.getByText('这里用不了：需要 https 地址和支持的浏览器。').waitFor()
  })

  step('it comes back by itself after the server was killed', async () => {
    await phone.goto(`${node.base}/chat`)
    await open(phone, '鹊桥小队')
    await node.kill()
    await composer(phone).fill('断开时写的')
    await phone.getByRole('button', { name: '发送' }).click()
    await node.start()
    await sees(mei, '断开时写的')
    await eventually('nothing was written twice', async () => (await mei.getByText('断开时写的').count()) >= 1)
  })

  step('no page had a fault', () => {
    assert.deepEqual([...mei.faults, ...phone.faults], [])
  })
}
