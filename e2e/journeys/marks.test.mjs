// What stands beside a name before one believes it, and what the composer says where people from outside read along.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { composer } from '../lib/client.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const UNVERIFIED = '未认证'
let node, people, owner, checked, plain, org, group, page

const say = (who, conversation, text, number) =>
  api(node, who.token, 'POST', `/api/v1/conversations/${conversation}/messages`, {
    client_id: `018f0000-0000-7000-8000-0000000001${number}`, body: { kind: 'blocks', blocks: [{ type: 'text', text }] },
  })
const line = (name) => page.getByRole('log').getByRole('article', { name: new RegExp(`^${name}`) }).first()
const marksOf = (name) => line(name).getByText(UNVERIFIED, { exact: true })

/** Somebody of no organisation here, who has become a friend of the owner's. */
async function outsider(name) {
  const { code } = await api(node, owner.token, 'POST', `/api/v1/orgs/${org.id}/invitations`, { approval: true })
  const response = await fetch(`${node.base}/api/v1/accounts`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, invitation: code, bearer: true, device: 'journey' }),
  })
  const { user, token } = await response.json()
  const friend = await api(node, owner.token, 'GET', '/api/v1/me/friend-code')
  await api(node, token, 'POST', '/api/v1/me/friends', { code: friend.code })
  await api(node, owner.token, 'POST', `/api/v1/me/friends/${user.id}/accept`)
  return { id: user.id, name, token }
}

before(async () => {
  node = await Node.create()
  people = await seed(node, { people: 6, conversations: 2, messages: 10 })
  ;[owner, checked, plain] = people
  await node.start()
  ;[org] = (await api(node, owner.token, 'GET', '/api/v1/orgs')).items
  group = await api(node, owner.token, 'POST', '/api/v1/conversations', { org_id: org.id, title: '核实', members: [checked.id, plain.id] })
  await say(checked, group.id, '早', '01')
  await say(plain, group.id, '早上好', '02')
  page = await newPerson(DESKTOP)
  await signInAs(page, node, owner)
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('where nobody was checked, nobody is told apart; the card of a person says it', async () => {
  const asked = page.waitForResponse((r) => r.url().includes(`/orgs/${org.id}/members`))
  await page.goto(`${node.base}/chat/${group.id}`)
  await line(plain.name).waitFor()
  await asked
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  assert.equal(await page.getByText(UNVERIFIED, { exact: true }).count(), 0)
  await page.getByRole('button', { name: '详情' }).click()
  await page.getByRole('button', { name: new RegExp(plain.name) }).first().click()
  await page.getByRole('dialog').getByText(UNVERIFIED, { exact: true }).waitFor()
})

step('once one name was checked, those that were not are marked, and the checked one is not', async () => {
  await api(node, owner.token, 'PATCH', `/api/v1/orgs/${org.id}/members/${checked.id}`, { verified: true })
  await page.goto(`${node.base}/chat/${group.id}`)
  await marksOf(plain.name).waitFor()
  assert.equal(await marksOf(checked.name).count(), 0)
})

step('whoever joins while one looks is marked without a reload', async () => {
  const late = people[3]
  await api(node, owner.token, 'POST', `/api/v1/conversations/${group.id}/members`, { users: [late.id] })
  await say(late, group.id, '刚进来', '03')
  await line(late.name).waitFor()
  await marksOf(late.name).waitFor()
})

step('a conversation of two wears the marks in its header', async () => {
  const { id } = await api(node, owner.token, 'POST', '/api/v1/conversations/direct', { user: plain.id })
  await page.goto(`${node.base}/chat/${id}`)
  await page.getByRole('banner').or(page.locator('main > header')).getByText(UNVERIFIED, { exact: true }).waitFor()
  assert.equal(await page.getByText(/^发给外部/).count(), 0)
})

step('a friend outside is 外部 in the header, and the composer says to whom one writes', async () => {
  const friend = await outsider('柳如是')
  const { id } = await api(node, owner.token, 'POST', '/api/v1/conversations/direct', { user: friend.id })
  for (const form of [DESKTOP, PHONE]) {
    const other = await newPerson(form)
    await signInAs(other, node, owner)
    await other.goto(`${node.base}/chat/${id}`)
    await composer(other).waitFor()
    await other.locator('main > header').getByText('外部', { exact: true }).waitFor()
    await other.getByText('发给外部 · 柳如是', { exact: true }).waitFor()
    assert.deepEqual(other.faults, [])
    await other.context().close()
  }
})

step('no page had a fault', () => assert.deepEqual(page.faults, []))
