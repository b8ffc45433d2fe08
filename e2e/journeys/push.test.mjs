// Browser push, read by programs that know nothing of this server: the message by the reference implementation of
// RFC 8188 and 8291 (http_ece), the token of RFC 8292 by Node's own cryptography. Chromium's push service is on the
// internet; what it does with a subscription is done here.
import assert from 'node:assert/strict'
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto'
import { after, before } from 'node:test'

import ece from 'http_ece'

import { eventually } from '../lib/process.mjs'
import { topics } from '../lib/receivers.mjs'
import { Node, api, seed } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, service, people

before(async () => {
  service = await topics()
  node = await Node.create({ env: { MAGPIE_OUTGOING_ALLOW: '127.0.0.1' } })
  people = await seed(node, { people: 3, conversations: 2, messages: 10 })
  await node.start()
})

after(async () => {
  await node.stop()
  service.stop()
})

/** The claims of a `vapid` header, if its signature is right; the key is the header's own. */
function claims(header) {
  const [, token, key] = /^vapid t=([^,]+), ?k=(\S+)$/.exec(header)
  const point = Buffer.from(key, 'base64url')
  assert.equal(point.length, 65)
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }
  const [head, body, signature] = token.split('.')
  const fits = verify('sha256', Buffer.from(`${head}.${body}`), { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  assert.ok(fits, 'the signature is not of this key')
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url')), { typ: 'JWT', alg: 'ES256' })
  return { key, ...JSON.parse(Buffer.from(body, 'base64url')) }
}

step('the judge takes the examples of the standards, and not what differs by one sign', () => {
  // RFC 8291 §5.
  const receiver = createECDH('prime256v1')
  receiver.setPrivateKey('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url')
  const message = 'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN'
  const open = (text) => ece.decrypt(Buffer.from(text, 'base64url'), { version: 'aes128gcm', privateKey: receiver, authSecret: 'BTBZMqHH6r4Tts7J_aSIgg' }).toString()
  assert.equal(open(message), 'When I grow up, I want to be a watermelon')
  assert.throws(() => open(message.replace('yl95bQ', 'yl95bR')))
  // RFC 8292 §2.4.
  const header = 'vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs'
  assert.equal(claims(header).sub, 'mailto:push@example.com')
  assert.throws(() => claims(header.replace('i3CY', 'i3CZ')))
})

step('what is pushed to a browser is read by it alone, from a server it knows again', async () => {
  const [who] = people
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const auth = randomBytes(16).toString('base64url')
  const address = `${service.base}/push/of-${randomBytes(8).toString('hex')}`
  const rung = await api(node, who.token, 'POST', '/api/v1/me/notifications/rungs', {
    kind: 'web_push', address, p256dh: browser.getPublicKey('base64url'), auth,
  })
  await api(node, who.token, 'POST', `/api/v1/me/notifications/rungs/${rung.id}/test`)
  const [posted] = await eventually('it is pushed', () => {
    const all = service.to(new URL(address).pathname)
    return all.length > 0 && all
  }, { within: 60_000 })

  const { headers, body } = posted
  assert.equal(headers['content-encoding'], 'aes128gcm')
  assert.ok(Number(headers.ttl) > 0 && headers.topic.length <= 32)
  // The header of RFC 8188 §2.1: salt, record size, and the server's key for this message alone.
  assert.equal(body.readUInt32BE(16), 4096)
  assert.equal(body[20], 65)
  const text = ece.decrypt(body, { version: 'aes128gcm', privateKey: browser, authSecret: auth }).toString()
  const push = JSON.parse(text)
  assert.ok(push.v === 1 && push.test === true && push.items[0].title.length > 0, text)
  const stranger = createECDH('prime256v1')
  stranger.generateKeys()
  assert.throws(() => ece.decrypt(body, { version: 'aes128gcm', privateKey: stranger, authSecret: auth }))
  assert.throws(() => ece.decrypt(body, { version: 'aes128gcm', privateKey: browser, authSecret: randomBytes(16).toString('base64url') }))

  const told = claims(headers.authorization)
  const { web_push_key: known } = await api(node, who.token, 'GET', '/api/v1/me/notifications')
  assert.equal(told.key, known, 'the key that the browser subscribed to')
  assert.equal(told.aud, service.base)
  const left = told.exp - Date.now() / 1_000
  assert.ok(left > 0 && left <= 24 * 3_600, 'RFC 8292 §2: at most a day')
  assert.match(told.sub, /^(mailto|https):/)
})
