// Every address of the client, for everybody: in both themes by axe, at a type of 30 px on the smallest phone, by
// keyboard, with names from right to left and with texts that try to be markup.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'

import { closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { atRest, directionFaults, injectedFaults, keyboardFaults, layoutFaults, listen } from '../lib/looks.mjs'
import { Node, api, seed } from '../lib/server.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RTL = 'محمد العربي'
const IMAGE = '<img src=x onerror=pwned()>'
const FRAME = '"><svg onload=pwned()>'
const LINK = 'javascript:pwned()'

/** The addresses as the router has them, put together from its source. */
function routes() {
  const source = readFileSync(new URL('../../web/src/app/router.tsx', import.meta.url), 'utf8')
  const found = [...source.matchAll(/(?:const (\w+) = )?createRoute\(\{\s*getParentRoute: \(\) => (\w+),\s*(path|id): '([^']*)'/g)]
  assert.equal(found.length, source.match(/createRoute\(/g).length, 'every route is written in the form that is read here')
  const named = { root: '' }
  return [...new Set(found.map(([, name, parent, kind, path]) => {
    const full = kind === 'id' ? named[parent] : `${named[parent]}/${path}`.replaceAll(/\/+/g, '/')
    if (name) named[name] = full
    return kind === 'id' ? undefined : full.replace(/(.)\/$/, '$1')
  }).filter(Boolean))]
}

let node, owner, where

before(async () => {
  node = await Node.create()
  const people = await seed(node, { people: 10, conversations: 5, messages: 150 })
  owner = people[0]
  await node.start()
  const ask = (method, route, body) => api(node, owner.token, method, `/api/v1${route}`, body)
  const [org] = (await ask('GET', '/orgs')).items
  await ask('PATCH', `/orgs/${org.id}`, { name: FRAME })
  for (const [i, name] of [RTL, IMAGE, LINK].entries()) await api(node, people[i + 1].token, 'PATCH', '/api/v1/me', { name })
  const { code } = await ask('POST', `/orgs/${org.id}/invitations`, { label: IMAGE, approval: true })
  const members = people.slice(1, 5).map((p) => p.id)
  const group = await ask('POST', '/conversations', { org_id: org.id, title: IMAGE, members })
  for (const [i, text] of [IMAGE, LINK, FRAME, `${RTL} 你好`].entries()) {
    await api(node, people[i + 1].token, 'POST', `/api/v1/conversations/${group.id}/messages`, {
      client_id: `018f0000-0000-7000-8000-00000000000${i}`, body: { kind: 'blocks', blocks: [{ type: 'text', text }] },
    })
  }
  where = { org: org.id, code, conversation: group.id, login: '10023', token: 'of-nobody' }
})

after(async () => {
  await closeBrowser()
  await node.stop()
})

/** Those that look otherwise to whoever is not signed in, or send the others away. */
const OUTSIDE = ['/welcome', '/sign-in', '/sign-up', '/reset', '/card/$login', '/setup/$token', '/join', '/join/$code']

const open = async (signedIn) => {
  const page = await newPerson({ viewport: { width: 1280, height: 800 } })
  await page.addInitScript(listen)
  if (signedIn) await signInAs(page, node, owner)
  return page
}

async function axe(page, what, run) {
  const violations = await page.evaluate(async (options) => {
    const found = await window.axe.run(document, { resultTypes: ['violations'], ...options })
    return found.violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map((n) => `${n.target} ${n.failureSummary?.split('\n')[1] ?? ''}`).slice(0, 3) }))
  }, run)
  return violations.filter((v) => /serious|critical/.test(v.impact)).map((v) => `${what}: ${v.id} ${v.at.join(' | ')}`)
}

const still = (page) => page.waitForFunction(atRest, undefined, { timeout: 15_000 }).then(() => [], () => ['never comes to rest'])

/** All that is wrong with one page. */
async function look(page, route) {
  await page.setViewportSize({ width: 1280, height: 800 })
  const path = route.replaceAll(/\$(\w+)/g, (_, name) => where[name] ?? assert.fail(`nothing to put for $${name}`))
  await page.goto(node.base + path)
  const faults = await still(page)
  const language = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir || 'ltr'].join())
  if (language !== 'zh-CN,ltr') faults.push(`the page says it is ${language}`)
  await page.evaluate(AXE)
  faults.push(...await axe(page, 'light', {}))
  faults.push(...(await page.evaluate(keyboardFaults)).map((f) => `keyboard: ${f}`))
  faults.push(...(await page.evaluate(directionFaults, RTL)).map((f) => `direction: ${f}`))
  await page.evaluate(() => document.documentElement.setAttribute('data-theme', 'dark'))
  faults.push(...await still(page))
  faults.push(...await axe(page, 'dark', { runOnly: ['color-contrast'] }))
  await page.setViewportSize({ width: 360, height: 640 })
  await page.evaluate(() => {
    document.documentElement.style.setProperty('--scale', String(30 / 14))
    document.documentElement.toggleAttribute('data-large', true)
  })
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  faults.push(...await still(page))
  faults.push(...(await page.evaluate(layoutFaults)).map((f) => `30 px: ${f}`))
  faults.push(...(await page.evaluate(injectedFaults)).map((f) => `markup: ${f}`))
  if (process.env.TELL) console.log(route, Date.now(), JSON.stringify([...new Set(faults)], null, 1))
  return [...new Set(faults)].map((fault) => `${route} ${fault}`)
}

async function walk(signedIn, list) {
  const page = await open(signedIn)
  const faults = []
  for (const route of list) faults.push(...await look(page, route))
  faults.push(...page.faults.map((f) => `console: ${f}`))
  await page.context().close()
  return faults
}

test('every address is for everybody', { timeout: 180_000 }, async () => {
  const all = routes()
  for (const route of OUTSIDE) assert.ok(all.includes(route), `${route} is no address any more`)
  const inside = all.filter((route) => !OUTSIDE.includes(route))
  const half = Math.ceil(inside.length / 2)
  // Whoever knows fewer texts than the router has addresses fails above, at the part that is missing.
  const faults = (await Promise.all([
    walk(false, OUTSIDE), walk(true, inside.slice(0, half)), walk(true, inside.slice(half)),
  ])).flat()
  assert.deepEqual(faults, [])
})
