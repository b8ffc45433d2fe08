// http and https of one server, as another host reaches them: by http at a private address, by https at a name with the
// authority that /trust gives, and by http at an address of the open internet.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { DESKTOP, anotherBrowser, closeBrowser, newPerson } from '../lib/browser.mjs'
import { signIn } from '../lib/client.mjs'
import { noSecondHost, secondHost } from '../lib/lan.mjs'
import { eventually, freePort, tempDir } from '../lib/process.mjs'
import { Node } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

const NAME = 'magpie.test'
const PERSON = { login: 'lan.fang', name: '兰芳', password: 'correct horse battery' }

if (noSecondHost) {
  console.log(`NOT TRIED from another host: ${noSecondHost}`)
  test('http and https from another host', { skip: noSecondHost }, () => {})
} else {
  const settings = path.join(tempDir('settings'), 'magpie.toml')
  let host, node, tlsPort, ca, spki

  before(async () => {
    host = await secondHost()
    tlsPort = await freePort()
    writeFileSync(settings, 'name = "桥"\n')
    const env = {
      MAGPIE_CONFIG: settings, MAGPIE_TLS_MODE: 'local-ca', MAGPIE_TLS_NAMES: NAME, MAGPIE_LISTEN_TLS: `0.0.0.0:${tlsPort}`, MAGPIE_PUBLIC_URL: '',
    }
    node = await (await Node.create({ address: '0.0.0.0', env })).start()
  })

  after(async () => {
    await closeBrowser()
    await node.stop()
    await host.remove()
  })

  const near = (path) => `http://${host.address}:${node.port}${path}`
  const named = (path) => `https://${NAME}:${tlsPort}${path}`
  const post = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const cookies = (answer) => (answer.headers['set-cookie'] ?? []).map((c) => [c.split('=')[0], c.includes('; Secure')])

  step('the server prints each private address with a code for cameras, and where devices learn to trust it', async () => {
    const log = await eventually('all of it is printed', () => /SHA-256 \S+/.test(node.child.log) && node.child.log)
    assert.ok(log.includes(`  ${near('')}\n`), log)
    assert.match(log, /\/setup\/\S+\nor with a phone in the same network:\n {2}http:\S+\/setup\/\S+\n(?: {4}[█▀▄ ]+\n){10,}/)
    assert.match(log, /http:\S+\/trust\n/)
    const about = await (await fetch(`${node.base}/api/v1/server`)).json()
    assert.match(about.public_url, /^http:\/\/(10|172|192|100|fd)\S+:\d+$/, 'links lead to an address of the network')
  })

  step('by http at a private address one signs in, with the cookie of the LAN', async () => {
    const setup = /\/setup\/(\S+)/.exec(node.child.log)[1]
    const made = await host.ask({ url: near('/api/v1/accounts'), ...post, body: JSON.stringify({ ...PERSON, setup_token: setup }) })
    assert.equal(made.status, 201, made.body)
    const { login, password } = PERSON
    const answer = await host.ask({ url: near('/api/v1/sessions'), ...post, body: JSON.stringify({ login, password }) })
    assert.equal(answer.status, 201, answer.body)
    assert.deepEqual(cookies(answer), [['magpie_lan', false], ['magpie_lan_device', false]])
    const cookie = answer.headers['set-cookie'][0].split(';')[0]
    assert.equal((await host.ask({ url: near('/api/v1/me'), headers: { cookie } })).status, 200)
  })

  step('by https at a name, and at the address, one signs in once the authority is trusted', async () => {
    assert.equal((await host.ask({ url: named('/api/v1/server'), address: host.address })).error, 'SELF_SIGNED_CERT_IN_CHAIN')
    const page = await host.ask({ url: near('/trust'), headers: { 'accept-language': 'zh-CN' } })
    assert.match(page.body, /信任本服务器的证书/)
    ca = (await host.ask({ url: near('/trust/magpie-ca.crt') })).body
    const { fingerprint256 } = new X509Certificate(ca)
    assert.ok(node.child.log.includes(fingerprint256) && page.body.includes(fingerprint256), 'the fingerprint can be compared')
    const { login, password } = PERSON
    const answer = await host.ask({ url: named('/api/v1/sessions'), address: host.address, ca, ...post, body: JSON.stringify({ login, password }) })
    assert.equal(answer.status, 201, answer.error ?? answer.body)
    assert.deepEqual(cookies(answer), [['__Host-magpie', true], ['__Host-magpie-device', true]])
    spki = answer.spki
    assert.equal((await host.ask({ url: `https://${host.address}:${tlsPort}/api/v1/server`, ca })).status, 200)
    const other = await host.ask({ url: `https://other.test:${tlsPort}/`, address: host.address, ca })
    assert.equal(other.error, 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  step('by http at an address of the open internet nobody signs in, and pages lead to https', async () => {
    const { login, password } = PERSON
    const open = `http://${host.publicAddress}:${node.port}`
    for (const from of [undefined, host.privateFrom]) {
      const answer = await host.ask({ url: `${open}/api/v1/sessions`, from, ...post, body: JSON.stringify({ login, password }) })
      assert.equal(answer.status, 403, answer.error ?? answer.body)
      assert.equal(JSON.parse(answer.body).code, 'plain_http_refused')
      const lied = { ...post.headers, 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https' }
      const again = await host.ask({ url: `${open}/api/v1/sessions`, from, ...post, headers: lied, body: JSON.stringify({ login, password }) })
      assert.equal(again.status, 403, 'nobody is trusted to say otherwise')
    }
    const page = await host.ask({ url: `${open}/sign-in` })
    assert.equal(page.status, 308)
    assert.equal(page.headers.location, `https://${host.publicAddress}:${tlsPort}/sign-in`)
  })

  step('a changed setting holds after SIGHUP, a fault changes nothing, and the server goes on', async () => {
    const name = async () => (await (await fetch(`${node.base}/api/v1/server`)).json()).name
    assert.equal(await name(), '桥')
    writeFileSync(settings, 'name = "鹊桥"\nlog = "info"\n')
    node.child.kill('SIGHUP')
    await eventually('the new name holds', async () => (await name()) === '鹊桥')
    writeFileSync(settings, 'nme = "x"\nlog = "info"\n')
    node.child.kill('SIGHUP')
    await eventually('the fault is told', () => node.child.log.includes('nme: there is no such setting; did you mean name?'))
    assert.equal(await name(), '鹊桥')
  })

  step('a browser there is in a secure context, and talks over the socket', async () => {
    const browser = await anotherBrowser({
      executablePath: host.wrap('/usr/bin/chromium'),
      flags: [`--host-resolver-rules=MAP ${NAME} ${host.address}`, `--ignore-certificate-errors-spki-list=${spki}`],
    })
    const page = await newPerson({ ...DESKTOP, browser })
    await signIn(page, named(''), PERSON)
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
    assert.equal(await page.evaluate(() => isSecureContext && Boolean(crypto.randomUUID && navigator.locks)), true)
    const names = (await page.context().cookies()).map((c) => c.name)
    assert.ok(names.includes('__Host-magpie') && !names.includes('magpie_lan'), names.join())
    const opened = await page.evaluate(() => new Promise((done) => {
      const socket = new WebSocket(`wss://${location.host}/api/v1/realtime`, 'magpie')
      socket.onopen = () => done('open')
      socket.onerror = () => done('refused')
    }))
    assert.equal(opened, 'open')
    assert.deepEqual(page.faults, [])
  })
}
