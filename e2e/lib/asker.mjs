// Sends one request and prints the answer as JSON: for a host of its own (lan.mjs).
// node asker.mjs '{ "url", "address", "from", "method", "headers", "body", "ca" }'
import { createHash } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

const { url, address, from, method = 'GET', headers = {}, body, ca } = JSON.parse(process.argv[2])
const { protocol, hostname, port, pathname, search, host } = new URL(url)
const options = {
  method, port, path: pathname + search, localAddress: from, headers: { host, ...headers },
  // The name is known to nobody: the address is asked, the certificate must be the name's.
  host: address ?? hostname, ...(protocol === 'https:' && !/^[\d.]+$/.test(hostname) ? { servername: hostname } : {}), ca,
}
const request = (protocol === 'https:' ? https : http).request(options, (response) => {
  const der = response.socket.getPeerX509Certificate?.()
  const spki = der && createHash('sha256').update(der.publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
  const parts = []
  response.on('data', (part) => parts.push(part))
  response.on('end', () => {
    console.log(JSON.stringify({ status: response.statusCode, headers: response.headers, body: `${Buffer.concat(parts)}`, spki }))
  })
})
request.on('error', (error) => console.log(JSON.stringify({ error: error.code ?? String(error) })))
request.end(body)
