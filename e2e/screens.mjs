// Pictures of every screen: two themes, two sizes, two languages, in ./screens, and all of one kind side by side in
// ./screens/sheets. SCREENS chooses by a pattern on name-size-theme-language, such as `manage.*phone-dark-en`.
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from './lib/browser.mjs'
import { atRest } from './lib/looks.mjs'
import { run } from './lib/process.mjs'
import { BINARY, Node, api, seed } from './lib/server.mjs'

const out = path.join(path.dirname(fileURLToPath(import.meta.url)), '../screens')
mkdirSync(path.join(out, 'sheets'), { recursive: true })

const fresh = await (await Node.create()).start()
const node = await Node.create()
const people = await seed(node, { people: 60, conversations: 20, messages: 4_000 })
const [owner, mate] = people
const quiet = people[30]
// Whoever runs the server sees how it does; here it is the owner.
await run(BINARY, ['admin', 'grant', owner.name, '--data-dir', node.dataDir], { env: node.env })
await node.start()
const ask = (method, route, body, who = owner) => api(node, who.token, method, `/api/v1${route}`, body)

/** Somebody who came by an invitation and is not in yet. */
async function newcomer(name) {
  const response = await fetch(`${node.base}/api/v1/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, invitation: asking, bearer: true, device: 'screens' }),
  })
  const { user, token } = await response.json()
  return { id: user.id, name, token }
}

const { items: talks } = await ask('GET', '/conversations?limit=20')
const { items: [org] } = await ask('GET', '/orgs')
const { code } = await ask('POST', `/orgs/${org.id}/invitations`, {})
await ask('POST', `/orgs/${org.id}/invitations`, { label: '前台海报', approval: true })
const { code: asking } = await ask('POST', `/orgs/${org.id}/invitations`, { approval: true })
for (const name of ['欧阳·喜鹊', 'Alexandra Featherstonehaugh']) {
  await ask('POST', `/invitations/${asking}/accept`, undefined, await newcomer(name))
}
// Friends outside: one who is, one who asks, one who was asked.
const { code: mine } = await ask('GET', '/me/friend-code')
const outside = await newcomer('柳如是')
const alone = await newcomer('独行客')
await ask('POST', '/me/friends', { code: mine, hello: '上周在展会见过' }, await newcomer('钱谦益'))
await ask('POST', '/me/friends', { code: mine }, outside)
await ask('POST', `/me/friends/${outside.id}/accept`)
const asked = await newcomer('董小宛')
const { code: theirs } = await ask('GET', '/me/friend-code', undefined, asked)
await ask('POST', '/me/friends', { code: theirs })
const friend = (await ask('POST', '/conversations/direct', { user: outside.id })).id
// One name is checked, so that the others are told apart; a group with answers, reactions and a mention.
await ask('PATCH', `/orgs/${org.id}/members/${mate.id}`, { verified: true })
const lively = (await ask('POST', '/conversations', { org_id: org.id, title: '新品发布', members: [mate.id, quiet.id] })).id
let number = 0
const say = async (who, conversation, blocks, more = {}) => {
  number += 1
  const client_id = `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}`
  return ask('POST', `/conversations/${conversation}/messages`, { client_id, body: { kind: 'blocks', blocks }, ...more }, who)
}
const text = (value) => [{ type: 'text', text: value }]
const first = await say(mate, lively, text('海报第二版在 https://example.com/poster-v2 ，周四前定稿'))
await say(quiet, lively, text('收到'))
const reply = await say(quiet, lively, text('标题再大一点？现场从三米外看不清'), { reply_to: first.seq })
await say(owner, lively, text('同意，再大两号，其余不动'))
await ask('PUT', `/conversations/${lively}/messages/${reply.seq ?? 3}/reactions/${encodeURIComponent('👍')}`, undefined, mate).catch((e) => console.error(e.message))
await say(outside, friend, text('资料收到了，谢谢。下周二方便再约一次吗？'))
const guests = await ask('POST', `/orgs/${org.id}/guest-links`, { label: '展会', conversation: lively })
const manage = `/org/${org.id}/manage`
const group = talks.find((c) => c.kind === 'group').id
const direct = talks.find((c) => c.kind === 'direct').id

const search = (words) => async (page) => {
  await page.getByTestId('conversation').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(words)
}
const press = (name) => (page) => page.getByRole('button', { name }).first().click()
const inside = (...acts) => async (page) => {
  for (const act of acts) {
    await act(page)
    await page.waitForTimeout(250)
  }
}
/** The tools of the last message that somebody else wrote: on a phone by a long press, else under the pointer. */
const messageTools = async (page) => {
  const bubble = page.getByTestId('bubble').filter({ hasText: '标题再大' })
  if (page.viewportSize().width < 760) {
    await bubble.locator('xpath=ancestor::article').focus()
    await page.keyboard.press('Enter')
  } else {
    await bubble.hover()
    await page.getByRole('button', { name: /^(更多操作|More actions)$/ }).click()
  }
}
const choose = inside(messageTools, (page) => page.getByText(/^(多选|Select)$/).click())
const forward = inside(messageTools, (page) => page.getByText(/^(转发|Forward)$/).click())
const type = (words) => (page) => page.getByTestId('composer').fill(words)
const withoutServer = async (page) => {
  await page.routeWebSocket(/./, (socket) => socket.close())
  await page.reload()
  await page.getByText(/正在重新连接|重试|连接|Reconnecting|connection/).first().waitFor()
}
const scanned = (words) => async (page) => {
  await page.getByLabel(/输入|Type a code/).fill(words)
  await page.getByRole('button', { name: /看看|See what/ }).click()
}

const comeIn = async (page) => {
  await page.getByRole('textbox').fill('访客小周')
  await page.getByRole('button', { name: /开始|进入|加入|Start|Come in|Join/ }).click()
  await page.getByRole('log').waitFor()
}

/** Name, address, who looks (nobody, the owner, or a person), and what to do before the picture. */
const screens = [
  ['welcome', fresh, '/'],
  ['setup', fresh, new URL(await fresh.setupLink()).pathname],
  ['sign-in', node, '/sign-in'],
  ['sign-in-qr', node, '/sign-in', undefined, press(/扫码|Scan with/)],
  ['sign-up', node, `/sign-up`],
  ['reset', node, '/reset'],
  ['card', node, '/card/10023'],
  ['join-code', node, '/join'],
  ['join', node, `/join/${code}`],
  ['join-approval', node, `/join/${asking}`],
  ['join-signed-in', node, `/join/${code}`, alone],
  ['join-dead', node, '/join/0000000000000000'],
  ['gallery', node, '/gallery'],
  ['scan', node, '/scan'],
  ['scan-join', node, '/scan', undefined, scanned('7F3K-9Q2M')],
  ['scan-text', node, '/scan', undefined, scanned('WIFI:S:office;P:secret;;')],
  ['no-such-page', node, '/nothing/here', owner],
  ['create', node, '/create', owner],
  ['invite', node, `/invite/${org.id}`, owner],
  ['link', node, '/link/0000000000000000', owner],
  ['list', node, '/chat', owner],
  ['list-alone', node, '/chat', alone],
  ['list-menu', node, '/chat', owner, (page) => page.getByTestId('conversation').nth(1).click({ button: 'right' })],
  ['offline', node, `/chat/${lively}`, owner, withoutServer],
  ['group', node, `/chat/${group}`, owner],
  ['group-lively', node, `/chat/${lively}`, owner],
  ['group-tools', node, `/chat/${lively}`, owner, messageTools],
  ['group-select', node, `/chat/${lively}`, owner, choose],
  ['forward', node, `/chat/${lively}`, owner, forward],
  ['mention', node, `/chat/${lively}`, owner, (page) => page.getByTestId('composer').pressSequentially('@')],
  ['emoji', node, `/chat/${lively}`, owner, press(/^(表情|Emoji)$/)],
  ['find', node, `/chat/${group}`, owner, press(/^(查找聊天记录|Find messages)$/)],
  ['typed', node, `/chat/${lively}`, owner, type('第一行\n第二行，还没有发出去')],
  ['direct', node, `/chat/${direct}`, owner],
  ['direct-outside', node, `/chat/${friend}`, owner],
  ['details', node, `/chat/${lively}`, owner, press(/^(详情|Details)$/)],
  ['profile', node, `/chat/${lively}?pane=details`, owner, (page) => page.getByRole('button', { name: new RegExp(quiet.name) }).first().click()],
  ['new', node, '/chat', owner, press(/^(发起会话|New conversation)$/)],
  ['search', node, '/chat', owner, search('')],
  ['search-pinyin', node, '/chat', owner, search('l')],
  ['search-nothing', node, '/chat', owner, search('没有这样的东西')],
  ['keys', node, '/chat', owner, (page) => page.keyboard.press('Control+/')],
  ['waiting', node, '/waiting', owner],
  ['waiting-nothing', node, '/waiting', quiet],
  ['workbench', node, '/workbench', owner],
  ['workbench-alone', node, '/workbench', alone],
  ['contacts', node, '/contacts', owner],
  ['contacts-org', node, `/contacts/${org.id}`, mate],
  ['me', node, '/me', owner],
  ['care', node, '/me', owner, (page) => page.getByText(/^(关怀模式|Care view)$/).click()],
  ['security', node, '/me/security', owner],
  ['activity', node, '/me/activity', owner],
  ['merge', node, '/me/merge', owner],
  ['reach', node, '/me/reach', owner],
  ['admin', node, '/admin', owner],
  ['admin-not-mine', node, '/admin', quiet],
  ['visitor', node, `/g/${guests.code}`],
  ['visitor-talk', node, `/g/${guests.code}`, undefined, comeIn],
  ['friends', node, '/friends', owner],
  ['friends-add', node, '/friends', owner, press(/^(添加朋友|加好友|添加好友|Add a friend)$/)],
  ['my-code', node, '/friends', owner, press(/我的二维码|My QR/)],
  ['person', node, `/u/${mine}`, mate],
  ['person-nobody', node, '/u/0000000000000000', owner],
  ['manage-members', node, `${manage}/members`, owner],
  ['manage-member', node, `${manage}/members`, owner, inside(press(/^(对 .+ 的操作|Actions for)/), (page) => page.getByRole('menuitem').first().click())],
  ['manage-invitations', node, `${manage}/invitations`, owner],
  ['manage-invitation', node, `${manage}/invitations`, owner, press(/^(查看|Show)$/)],
  ['manage-new-invitation', node, `${manage}/invitations`, owner, press(/^(新建邀请|New invitation)$/)],
  ['manage-requests', node, `${manage}/requests`, owner],
  ['manage-accounts', node, `${manage}/accounts`, owner],
  ['manage-recoveries', node, `${manage}/recoveries`, owner],
  ['manage-settings', node, `${manage}/settings`, owner],
  ['manage-audit', node, `${manage}/audit`, owner],
  ['manage-not-mine', node, `${manage}/members`, quiet],
]

const wanted = new RegExp(process.env.SCREENS ?? '')
/** As many pictures are made at once. */
const HANDS = 3

/** Nothing loads and nothing moves any more. */
async function rest(page) {
  await page.waitForFunction(atRest).catch(() => {})
  await page.waitForTimeout(300)
}

async function picture({ name, server, route, who, act, options, locale, colorScheme, file }) {
  const page = await newPerson({ ...options, locale, colorScheme })
  if (who) await signInAs(page, server, who)
  await page.goto(server.base + route, { waitUntil: 'networkidle' }).catch(() => {})
  await rest(page)
  await act?.(page).catch((error) => console.error(`${name}: ${error.message.split('\n')[0]}`))
  if (act) await rest(page)
  await page.screenshot({ path: file })
  await page.context().close()
}

/** All of one size, theme and language on few large sheets, for whoever wants to look at them together. */
async function sheets(kind, list, { viewport }) {
  const across = viewport.width > viewport.height ? 3 : 7
  const page = await newPerson({ viewport: { width: 1600, height: 100 } })
  for (let from = 0, n = 1; from < list.length; from += across * (across > 3 ? 2 : 3), n += 1) {
    const cells = list.slice(from, from + across * (across > 3 ? 2 : 3)).map(({ name, file }) =>
      `<figure><figcaption>${name}</figcaption><img src="data:image/png;base64,${readFileSync(file, 'base64')}"></figure>`)
    await page.setContent(`<style>body{display:grid;grid-template-columns:repeat(${across},1fr);gap:8px;margin:8px;
      align-content:start;background:#888;font:12px sans-serif}figure{margin:0}img{width:100%;display:block}</style>${cells.join('')}`)
    await page.screenshot({ path: path.join(out, 'sheets', `${kind}-${n}.png`), fullPage: true })
  }
  await page.context().close()
}

for (const colorScheme of ['light', 'dark']) {
  for (const [size, options] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    for (const locale of ['zh-CN', 'en']) {
      const kind = `${size}-${colorScheme}-${locale}`
      const list = screens
        .map(([name, server, route, who, act]) => ({ name, server, route, who, act, options, locale, colorScheme, file: path.join(out, `${name}-${kind}.png`) }))
        .filter(({ name }) => wanted.test(`${name}-${kind}`))
      const todo = [...list]
      await Promise.all(Array.from({ length: HANDS }, async () => {
        for (let one = todo.shift(); one; one = todo.shift()) await picture(one)
      }))
      if (list.length > 0) await sheets(kind, list, options)
    }
  }
}
await closeBrowser()
await Promise.all([fresh.stop(), node.stop()])
