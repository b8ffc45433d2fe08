// 扫一扫 without a camera: from a picture, and typed.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, owner, org, page

before(async () => {
  node = await Node.create()
  ;[owner] = await seed(node, { people: 12, conversations: 4, messages: 40 })
  await node.start()
  ;[org] = (await api(node, owner.token, 'GET', '/api/v1/orgs')).items
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

step('a picture of an invitation leads to it, after one saw what it is', async () => {
  const host = await newPerson(DESKTOP)
  await signInAs(host, node, owner)
  await host.goto(`${node.base}/invite/${org.id}`)
  const code = host.getByRole('img', { name: /二维码/ })
  await code.waitFor()
  const picture = await code.screenshot()
  page = await newPerson(PHONE)
  await page.goto(node.base)
  await page.getByRole('link', { name: /扫一扫/ }).click()
  await page.locator('input[type=file]').setInputFiles({ name: 'poster.png', mimeType: 'image/png', buffer: picture })
  await page.getByRole('heading', { name: '加入组织的邀请' }).waitFor()
  assert.match(page.url(), /\/scan$/)
  await page.getByRole('button', { name: '继续' }).click()
  await page.waitForURL(/\/join\/\S+/)
  await page.getByText(org.name).first().waitFor()
})

step('a typed short code is an invitation, another server stays a text, and nothing is opened', async () => {
  await page.goto(`${node.base}/scan`)
  const field = page.getByRole('textbox', { name: '输入码或链接' })
  await field.fill('https://elsewhere.example/link/abc')
  await page.getByRole('button', { name: '看看是什么' }).click()
  assert.equal(await page.getByText('https://elsewhere.example/link/abc').count(), 1)
  assert.equal(await page.getByRole('textbox').count(), 0, 'what was scanned is shown once')
  assert.equal(await page.getByRole('button', { name: '继续' }).count(), 0)
  await page.getByRole('button', { name: '再扫一次' }).click()
  await field.fill('7f3k-9q2m')
  await page.getByRole('button', { name: '看看是什么' }).click()
  await page.getByTestId('scanned').filter({ hasText: '7F3K-9Q2M' }).waitFor()
})

step('a guest link of this server says what it is, and opens', async () => {
  await page.goto(`${node.base}/scan`)
  const { code } = await api(node, owner.token, 'POST', `/api/v1/orgs/${org.id}/guest-links`, {})
  await page.getByRole('textbox', { name: '输入码或链接' }).fill(`${node.base}/g/${code}`)
  await page.getByRole('button', { name: '看看是什么' }).click()
  await page.getByRole('heading', { name: '访客链接' }).waitFor()
  await page.getByRole('button', { name: '继续' }).click()
  await page.waitForURL(`${node.base}/g/${code}`)
  await page.getByRole('heading', { name: org.name }).waitFor()
})

step('a code of a device that waits no more says so, and leads to the next scan', async () => {
  const signed = await newPerson(PHONE)
  await signInAs(signed, node, owner)
  await signed.goto(`${node.base}/link/0000000000000000`)
  await signed.getByRole('heading', { name: '这个登录码已经无效' }).waitFor()
  await signed.getByRole('button', { name: '再扫一次' }).click()
  await signed.waitForURL(/\/scan$/)
  assert.deepEqual(signed.faults, [])
  await signed.context().close()
})

step('a picture without a code says so, and another can be chosen', async () => {
  await page.goto(`${node.base}/scan`)
  const empty = await page.getByRole('heading').first().screenshot()
  await page.locator('input[type=file]').setInputFiles({ name: 'empty.png', mimeType: 'image/png', buffer: empty })
  await page.getByText('图片里没有找到二维码').waitFor()
  assert.deepEqual(page.faults, [])
})
