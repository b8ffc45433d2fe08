// Pictures of every screen: two themes, two sizes, two languages, in ./screens.
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from './lib/browser.mjs'
import { Node, api, seed } from './lib/server.mjs'

const out = path.join(path.dirname(fileURLToPath(import.meta.url)), '../screens')
mkdirSync(out, { recursive: true })

const fresh = await (await Node.create()).start()
const node = await Node.create()
const [owner] = await seed(node, { people: 60, conversations: 20, messages: 4_000 })
await node.start()
const { items: talks } = await api(node, owner.token, 'GET', '/api/v1/conversations?limit=20')
const { items: orgs } = await api(node, owner.token, 'GET', '/api/v1/orgs')
const { code } = await api(node, owner.token, 'POST', `/api/v1/orgs/${orgs[0].id}/invitations`, {})
await api(node, owner.token, 'POST', `/api/v1/orgs/${orgs[0].id}/invitations`, { label: '前台海报', approval: true })
const manage = `/org/${orgs[0].id}/manage`
const group = talks.find((c) => c.kind === 'group').id
const direct = talks.find((c) => c.kind === 'direct').id

/** Two people who wait to be let in. */
const { code: asking } = await api(node, owner.token, 'POST', `/api/v1/orgs/${orgs[0].id}/invitations`, { approval: true })
for (const name of ['欧阳·喜鹊', 'Alexandra Featherstonehaugh']) {
  const response = await fetch(`${node.base}/api/v1/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, invitation: asking, bearer: true, device: 'screens' }),
  })
  await api(node, (await response.json()).token, 'POST', `/api/v1/invitations/${asking}/accept`)
}

const search = (words) => async (page) => {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill(words)
}

/** Name, address, whether somebody is signed in, and what to do before the picture. */
const screens = [
  ['welcome', fresh, '/', false],
  ['setup', fresh, new URL(await fresh.setupLink()).pathname, false],
  ['sign-in', node, '/sign-in', false],
  ['join', node, `/join/${code}`, false],
  ['gallery', node, '/gallery', false],
  ['scan', node, '/scan', false],
  ['list', node, '/chat', true],
  ['group', node, `/chat/${group}`, true],
  ['direct', node, `/chat/${direct}`, true],
  ['details', node, `/chat/${group}`, true, (page) => page.getByRole('button', { name: /^(详情|Details)$/ }).click()],
  ['new', node, '/chat', true, (page) => page.getByRole('button', { name: /^(发起会话|New conversation)$/ }).click()],
  ['contacts', node, '/contacts', true],
  ['me', node, '/me', true],
  ['waiting', node, '/waiting', true],
  ['workbench', node, '/workbench', true],
  ['search', node, '/chat', true, search('')],
  ['search-pinyin', node, '/chat', true, search('l')],
  ['care', node, '/me', true, (page) => page.getByText(/^(关怀模式|Care view)$/).click()],
  ['keys', node, '/chat', true, (page) => page.keyboard.press('Control+/')],
  ['sign-in-qr', node, '/sign-in', false, (page) => page.getByRole('button', { name: /扫码|Scan with/ }).click()],
  ['reset', node, '/reset', false],
  ['card', node, '/card/10023', false],
  ['security', node, '/me/security', true],
  ['activity', node, '/me/activity', true],
  ['merge', node, '/me/merge', true],
  ['friends', node, '/friends', true],
  ['my-code', node, '/friends', true, (page) => page.getByRole('button', { name: /我的二维码|My QR/ }).click()],
  ['manage-members', node, `${manage}/members`, true],
  ['manage-invitations', node, `${manage}/invitations`, true],
  ['manage-invitation', node, `${manage}/invitations`, true, (page) => page.getByRole('button', { name: /^(查看|Show)$/ }).first().click()],
  ['manage-requests', node, `${manage}/requests`, true],
  ['manage-accounts', node, `${manage}/accounts`, true],
  ['manage-recoveries', node, `${manage}/recoveries`, true],
  ['manage-settings', node, `${manage}/settings`, true],
  ['manage-audit', node, `${manage}/audit`, true],
]

// SCREENS chooses by a pattern on name-size-theme-language, such as `manage.*phone-dark-en`.
const wanted = new RegExp(process.env.SCREENS ?? '')

for (const colorScheme of ['light', 'dark']) {
  for (const [size, options] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    for (const locale of ['zh-CN', 'en']) {
      for (const [name, server, route, signedIn, act] of screens) {
        if (!wanted.test(`${name}-${size}-${colorScheme}-${locale}`)) continue
        const page = await newPerson({ ...options, locale, colorScheme })
        if (signedIn) await signInAs(page, server, owner)
        await page.goto(server.base + route, { waitUntil: 'networkidle' }).catch(() => {})
        await page.waitForTimeout(700)
        await act?.(page).catch((error) => console.error(`${name}: ${error.message.split('\n')[0]}`))
        if (act) await page.waitForTimeout(400)
        await page.screenshot({ path: path.join(out, `${name}-${size}-${colorScheme}-${locale}.png`) })
        await page.context().close()
      }
    }
  }
}
await closeBrowser()
await Promise.all([fresh.stop(), node.stop()])
