// How people get in, come back, and are let in: over https with a fingerprint, on a phone with a name alone, with a
// printed card, by the phone in the pocket.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, anotherBrowser, closeBrowser, newPerson, withFingerprint } from '../lib/browser.mjs'
import { choosePassword, composer, join, open, PASSWORD, say, sees, signIn } from '../lib/client.mjs'
import { eventually } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'
import { tlsProxy } from '../lib/tls.mjs'

let node, proxy, browser, mei, finger, lan, org, lanLogin, pages

const person = (form) => newPerson({ ...form, browser })
/** Where the server's own links lead from here. */
const here = (url) => new URL(new URL(url).pathname, proxy.base).href

before(async () => {
  node = await Node.create()
  proxy = await tlsProxy(node.port)
  node.env.MAGPIE_PUBLIC_URL = proxy.base
  await node.start()
  browser = await anotherBrowser({ flags: proxy.flags })
  pages = []
})

after(async () => {
  await closeBrowser()
  await proxy.close()
  await node.stop()
})

step('the first person makes the account by fingerprint alone and founds an organisation', async () => {
  mei = await person(DESKTOP)
  pages.push(mei)
  const link = /http\S+\/setup\/\S+/.exec(node.child.log) ?? [await node.setupLink()]
  await mei.goto(here(link[0]))
  finger = await withFingerprint(mei)
  await mei.getByLabel('姓名').fill('梅兰')
  await mei.getByRole('button', { name: '用指纹或面容代替密码' }).click()
  await mei.getByRole('button', { name: '记住了，继续' }).click()
  await mei.getByLabel('组织名称').fill('鹊桥小队')
  await mei.getByRole('button', { name: '创建', exact: true }).click()
  await mei.getByRole('button', { name: '进入鹊桥' }).click()
  await composer(mei).waitFor()
  assert.equal((await finger.credentials()).length, 1)
})

step('she signs out, a finger that is not hers is refused, hers opens', async () => {
  await mei.goto(`${proxy.base}/me`)
  await mei.getByRole('button', { name: '退出登录' }).click()
  await mei.getByRole('button', { name: '用指纹、面容或设备密码登录' }).waitFor()
  await finger.refuse()
  await mei.getByRole('button', { name: '用指纹、面容或设备密码登录' }).click()
  await mei.getByText('没有完成。可以再试一次，或换一种方式').waitFor()
  await finger.accept()
  await mei.getByRole('button', { name: '用指纹、面容或设备密码登录' }).click()
  await open(mei, '鹊桥小队')
})

step('an invitation with approval: the newcomer waits, is let in, and talks', async () => {
  await mei.goto(`${proxy.base}/contacts`)
  await mei.getByRole('button', { name: '管理', exact: true }).click()
  await mei.getByRole('link', { name: '邀请' }).click()
  org = new URL(mei.url()).pathname.split('/')[2]
  await mei.getByRole('button', { name: '新建邀请' }).click()
  await mei.getByLabel('用途（可不填）').fill('前台海报')
  await mei.getByText('加入要经管理员同意').click()
  await mei.getByRole('button', { name: '生成' }).click()
  const link = await mei.getByRole('textbox', { name: '邀请链接' }).inputValue()
  const short = (await mei.getByText(/^短码/).textContent()).replace(/^短码\s*/, '').trim()
  assert.match(short, /^[0-9a-z]{4}-?[0-9a-z]{4}$/i)
  await mei.getByRole('button', { name: '关闭' }).last().click()

  lan = await person(PHONE)
  pages.push(lan)
  // By the short code, as it is said aloud.
  await lan.goto(`${proxy.base}/join`)
  await lan.getByLabel('邀请链接或短码').fill(short.toUpperCase())
  await lan.getByRole('button', { name: '下一步' }).click()
  assert.equal(await lan.getByText('创建组织').count(), 0)
  await lan.getByText('这个邀请要经管理员同意。').waitFor()
  await lan.getByLabel('姓名').fill('兰芳')
  await lan.getByRole('button', { name: '加入', exact: true }).click()
  await lan.getByText('已提交，等管理员同意').waitFor()
  await lan.getByRole('button', { name: '进入鹊桥' }).click()

  await mei.getByRole('link', { name: '加入申请' }).click()
  await mei.getByText('兰芳').waitFor()
  await mei.getByRole('button', { name: '同意' }).click()
  await mei.getByText('没有人在等').waitFor()
  await open(lan, '鹊桥小队')
  await say(lan, '大家好，我是兰芳')
  await mei.goto(`${proxy.base}/chat`)
  await open(mei, '鹊桥小队')
  await sees(mei, '大家好，我是兰芳')
  assert.ok(link.startsWith(proxy.base))
})

step('whoever joined with a name alone is told so, sets a password, and signs in elsewhere; the first device hears of it', async () => {
  await lan.goto(`${proxy.base}/me/security`)
  await lan.getByText('现在只有这台设备能打开你的账号').waitFor()
  lanLogin = (await lan.getByText(/^登录名：/).textContent()).replace('登录名：', '').trim()
  await choosePassword(lan)
  const other = await person(DESKTOP)
  pages.push(other)
  await signIn(other, proxy.base, { login: lanLogin })
  await open(other, '鹊桥小队')
  await lan.goto(`${proxy.base}/me`)
  await lan.getByText('新设备登录').waitFor()
  await lan.getByRole('button', { name: '不是我，退出其他设备' }).click()
  const began = Date.now()
  await other.getByText('登录已失效').waitFor()
  assert.ok(Date.now() - began < 5_000, 'the other device is out within five seconds')
  await other.context().close()
  pages.pop()
})

step('a second factor: the right password is not enough, a recovery code serves once', async () => {
  await lan.goto(`${proxy.base}/me/security`)
  await lan.getByRole('button', { name: '开启两步验证' }).click()
  const proof = lan.getByRole('dialog', { name: '先确认是你本人' })
  const setup = lan.getByRole('dialog', { name: '开启两步验证' })
  await proof.or(setup).first().waitFor()
  if (await proof.isVisible()) {
    await proof.getByRole('textbox', { name: '密码' }).fill(PASSWORD)
    await proof.getByRole('button', { name: '确认' }).click()
  }
  const secret = await setup.getByRole('textbox', { name: '密钥' }).inputValue()
  await setup.getByLabel('验证码').fill(await totp(secret))
  await setup.getByRole('button', { name: '开启', exact: true }).click()
  const kept = lan.getByRole('dialog', { name: '收好恢复码' })
  const codes = await kept.getByRole('listitem').allTextContents()
  assert.equal(codes.length, 10)
  await kept.getByRole('button', { name: '收好了' }).click()
  for (const [code, opens] of [[codes[0], true], [codes[0], false]]) {
    const device = await person(DESKTOP)
    await signIn(device, proxy.base, { login: lanLogin })
    await device.getByRole('button', { name: '手机不在身边？用恢复码' }).click()
    await device.getByLabel('恢复码').fill(code)
    await device.getByRole('button', { name: '继续' }).click()
    if (opens) await open(device, '鹊桥小队')
    else await device.getByRole('textbox', { name: '恢复码' }).and(device.locator('[aria-invalid=true]')).waitFor()
    await device.context().close()
  }
})

step('the phone lets the computer in: scan, compare the number, allow', async () => {
  const computer = await person(DESKTOP)
  pages.push(computer)
  await computer.goto(`${proxy.base}/sign-in`)
  const made = computer.waitForResponse((r) => r.url().endsWith('/sign-in-links') && r.request().method() === 'POST')
  await computer.getByRole('button', { name: '用已登录的手机扫码' }).click()
  const { url, number: digits } = await (await made).json()
  const number = String(digits).padStart(2, '0')
  await computer.getByText(number, { exact: true }).waitFor()
  await lan.goto(here(url))
  await lan.getByText(number, { exact: true }).waitFor()
  await computer.getByText('已扫码').waitFor()
  await lan.getByRole('button', { name: '允许登录' }).click()
  const proof = lan.getByRole('dialog', { name: '先确认是你本人' })
  await proof.or(lan.getByText('已允许')).first().waitFor()
  if (await proof.isVisible()) {
    await proof.getByRole('textbox', { name: '密码' }).fill(PASSWORD)
    await proof.getByRole('button', { name: '确认' }).click()
  }
  await open(computer, '鹊桥小队')
})

step('cards for people with neither e-mail nor phone: the PIN opens once, then it is a password', async () => {
  await mei.goto(`${proxy.base}/org/${org}/manage/accounts`)
  await mei.getByLabel('名单').fill('姓名\t工号\n张伟\t10023\n阿卜杜拉·买买提\t10024')
  const issued = mei.waitForResponse((r) => r.url().includes('/accounts') && r.request().method() === 'POST')
  await mei.getByRole('button', { name: '为 2 人生成卡片' }).click()
  const { cards } = await (await issued).json()
  await mei.getByText('已生成 2 / 2').waitFor()
  assert.equal(cards.length, 2)
  const [card] = cards
  const zhang = await person(PHONE)
  pages.push(zhang)
  await zhang.goto(here(card.url))
  await zhang.getByRole('textbox', { name: 'PIN 码' }).fill(card.pin)
  await zhang.getByRole('button', { name: '登录', exact: true }).click()
  await zhang.getByLabel('新密码').fill(PASSWORD)
  await zhang.getByRole('button', { name: '保存并登录' }).click()
  await open(zhang, '鹊桥小队')
  await say(zhang, '我用卡片进来了')
  const thief = await person(PHONE)
  await thief.goto(here(card.url))
  await thief.getByRole('textbox', { name: 'PIN 码' }).fill(card.pin)
  await thief.getByRole('button', { name: '登录', exact: true }).click()
  await thief.getByText('登录名或密码不对').waitFor()
  await thief.context().close()
})

step('on a shared computer nothing stays', async () => {
  const shared = await person(DESKTOP)
  await shared.goto(`${proxy.base}/sign-in`)
  await shared.getByText('这是公用电脑').click()
  await shared.getByLabel('登录名').fill('10024')
  await shared.getByLabel('登录名').fill(lanLogin)
  await shared.getByRole('textbox', { name: '密码' }).fill(PASSWORD)
  await shared.getByRole('button', { name: '登录', exact: true }).click()
  await shared.getByLabel('验证码').waitFor()
  // What is kept before anybody is in is the page's own look alone.
  const kept = await shared.evaluate(async () => (await indexedDB.databases()).map((d) => d.name))
  assert.deepEqual(kept, [])
  await shared.context().close()
})

step('removed: everything of the organisation is gone from the open page within five seconds', async () => {
  await open(lan.url().includes('/chat') ? lan : (await lan.goto(`${proxy.base}/chat`), lan), '鹊桥小队')
  await mei.goto(`${proxy.base}/org/${org}/manage/members`)
  await mei.getByRole('button', { name: '对 兰芳 的操作' }).click()
  await mei.getByRole('menuitem', { name: '移出组织' }).click()
  await mei.getByRole('alertdialog').getByRole('button', { name: '移出组织' }).click()
  await mei.getByText('兰芳 已移出').waitFor()
  const began = Date.now()
  await eventually('the talk is closed', async () => (await lan.getByText('我用卡片进来了').count()) === 0, { within: 5_000 })
  assert.ok(Date.now() - began < 5_000)
})

step('no page had a fault', () => {
  for (const page of pages) assert.deepEqual(page.faults, [])
})

/** RFC 6238 with the usual thirty seconds and six digits. */
async function totp(secret, at = Date.now()) {
  const { createHmac } = await import('node:crypto')
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  let bits = ''
  for (const c of secret.replaceAll(/[\s=]/g, '').toUpperCase()) bits += letters.indexOf(c).toString(2).padStart(5, '0')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => Number.parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}
