// The server behind a TLS proxy, under a name, as an administrator would run it.
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'

import { freePort, run, tempDir } from './process.mjs'

const NAME = 'magpie.test'

/** A key and a certificate for `magpie.test`, made for this run. */
async function certificate() {
  const dir = tempDir('tls')
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-keyout', key, '-out', cert, '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`,
  ])
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

/** Ends TLS at a free port and hands all on to `port`, WebSockets too. */
export async function tlsProxy(port) {
  const { key, cert } = await certificate()
  const listen = await freePort()
  const server = https.createServer({ key, cert }, (request, response) => {
    const onward = http.request({ port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  server.on('upgrade', (request, socket, head) => {
    const onward = net.connect(port, '127.0.0.1', () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`]
      for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
      onward.write(`${lines.join('\r\n')}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    for (const end of [onward, socket]) end.on('error', () => { onward.destroy(); socket.destroy() })
  })
  await new Promise((resolve) => server.listen(listen, '127.0.0.1', resolve))
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return {
    base: `https://${NAME}:${listen}`,
    /** What makes a browser trust this certificate alone, and find the name. */
    flags: [
      `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(spki).digest('base64')}`,
    ],
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve) }),
  }
}
