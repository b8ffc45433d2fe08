// What stands at the other end of what leaves the server: a topic of an ntfy-like server, and a mail server.
import { createServer } from 'node:http'
import net from 'node:net'

/** Takes whatever is posted; `answers(path)` may say with which status. */
export async function topics() {
  const posted = []
  let status = () => 200
  const server = createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      posted.push({ path: request.url, headers: request.headers, body, text: body.toString('utf8') })
      response.writeHead(status(request.url)).end('{}')
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    to: (path) => posted.filter((p) => p.path === path),
    answers: (of) => {
      status = of
    },
    stop: () => server.close(),
  }
}

/** Enough of RFC 5321 to take letters; their texts with the encoding taken off. */
export async function mailServer() {
  const letters = []
  const server = net.createServer((socket) => {
    let rest = ''
    let data
    socket.write('220 test ESMTP\r\n')
    socket.on('error', () => {})
    socket.on('data', (part) => {
      rest += part.toString('latin1')
      for (;;) {
        const end = rest.indexOf('\r\n')
        if (end < 0) return
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (data === undefined) {
          const verb = line.split(/[ :]/)[0].toUpperCase()
          if (verb === 'DATA') data = []
          socket.write({ EHLO: '250-test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n', DATA: '354 go on\r\n' }[verb] ?? (verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n'))
        } else if (line === '.') {
          letters.push(text(data))
          data = undefined
          socket.write('250 taken\r\n')
        } else data.push(line)
      }
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { url: `smtp://127.0.0.1:${server.address().port}`, letters, stop: () => server.close() }
}

function text(lines) {
  const cut = lines.indexOf('')
  const head = lines.slice(0, cut).join('\n').toLowerCase()
  const body = lines.slice(cut + 1)
  if (head.includes('base64')) return Buffer.from(body.join(''), 'base64').toString('utf8')
  const plain = body.join('\n')
  if (!head.includes('quoted-printable')) return Buffer.from(plain, 'latin1').toString('utf8')
  const bytes = plain.replaceAll(/=\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
