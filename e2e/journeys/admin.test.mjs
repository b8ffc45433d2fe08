// Who runs the server sees how it does, tries its parts, and is told what to do; nobody else is shown the way.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before } from 'node:test'

import { DESKTOP, PHONE, closeBrowser, newPerson, signInAs } from '../lib/browser.mjs'
import { PASSWORD, found } from '../lib/client.mjs'
import { layoutFaults } from '../lib/looks.mjs'
import { eventually, tempDir } from '../lib/process.mjs'
import { Node, api } from '../lib/server.mjs'
import { step } from '../lib/steps.mjs'

let node, mail, taken, mei, backups

/** Enough of SMTP to take a message. */
function mailServer() {
  taken = []
  return createServer((socket) => {
    let data = false
    socket.write('220 test ESMTP\r\n')
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (text) => {
      for (const line of text.split('\r\n').filter(Boolean)) {
        if (data) {
          taken.push(line)
          if (line === '.') socket.write(((data = false), '250 ok\r\n'))
        } else if (/^EHLO/i.test(line)) socket.write('250-test\r\n250 SMTPUTF8\r\n')
        else if (/^DATA/i.test(line)) socket.write(((data = true), '354 go on\r\n'))
        else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
        else socket.write('250 ok\r\n')
      }
    })
  })
}

const row = (page, name) => page.getByRole('listitem', { name, exact: true })

before(async () => {
  mail = mailServer()
  await new Promise((done) => mail.listen(0, '127.0.0.1', done))
  backups = tempDir('backups')
  node = await Node.create({
    env: {
      MAGPIE_MAIL_URL: `smtp://127.0.0.1:${mail.address().port}`,
      MAGPIE_MAIL_FROM: 'Magpie <m@example.org>',
      MAGPIE_BACKUP_TO: backups,
    },
  })
  await node.start()
})

after(async () => {
  await closeBrowser()
  await node.stop()
  mail.close()
})

step('whoever used the set-up link finds the way to the server among their settings', async () => {
  mei = await newPerson(DESKTOP)
  await found(mei, await node.setupLink(), { name: '梅兰', org: '鹊桥小队' })
  await mei.goto(`${node.base}/me`)
  await mei.getByRole('link', { name: '服务器运行状况' }).click()
  await mei.getByRole('heading', { name: '运行状况' }).waitFor()
  await row(mei, '数据库').getByText('正常').waitFor()
  await row(mei, '邮件').getByText('邮件服务器允许这台服务器登录。').waitFor()
  await row(mei, '公开地址').getByText(`${node.base} 通到这台服务器。`).waitFor()
  await row(mei, '短信').getByText('怎么办：').waitFor()
  // The first one is made by itself as soon as the server runs.
  await eventually('there is a backup', () => readdirSync(backups).some((name) => name.startsWith('magpie-')))
  await eventually('it is told', async () => {
    await row(mei, '备份').getByRole('button', { name: '立即检查：备份' }).click()
    await row(mei, '备份').getByText(/最近一次可用的备份是 0 小时前做的（magpie-/).waitFor({ timeout: 5_000 })
    return true
  })
})

step('a test message leaves, and what broke since is seen by a test', async () => {
  await row(mei, '邮件').getByRole('button', { name: '发送测试邮件' }).click()
  await mei.getByLabel('收件地址').fill('ops@example.org')
  await mei.getByRole('button', { name: '发送', exact: true }).click()
  await row(mei, '邮件').getByText('邮件服务器已收下发给 ops@example.org 的邮件').waitFor()
  await eventually('the message is whole', () => taken.includes('.'))
  assert.ok(taken.some((line) => line.startsWith('To: ops@example.org')), taken.join('\n'))
  await new Promise((done) => mail.close(done))
  await row(mei, '邮件').getByRole('button', { name: '立即检查：邮件' }).click()
  await row(mei, '邮件').getByText('邮件服务器不能用').waitFor()
  await row(mei, '邮件').getByText('故障').waitFor()
  await mei.getByText('有 1 项不能工作，请先处理。').waitFor()
})

step('on a phone, in light and in the dark, everything is in reach', async () => {
  const account = await api(node, '', 'POST', '/api/v1/sessions', {
    login: '梅兰', password: PASSWORD, bearer: true,
  })
  for (const colorScheme of ['light', 'dark']) {
    const page = await newPerson({ ...PHONE, colorScheme })
    await signInAs(page, node, account)
    await page.goto(`${node.base}/admin`)
    await row(page, '磁盘').waitFor()
    assert.deepEqual(await page.evaluate(layoutFaults), [])
    await page.context().close()
  }
})

step('for anybody else there is no way there, and no answer', async () => {
  const invited = await api(node, '', 'POST', '/api/v1/accounts', { name: '兰芳', password: PASSWORD })
  const other = await api(node, '', 'POST', '/api/v1/sessions', {
    login: invited.user.login, password: PASSWORD, bearer: true,
  })
  const lan = await newPerson(DESKTOP)
  await signInAs(lan, node, other)
  await lan.goto(`${node.base}/me`)
  await lan.getByRole('link', { name: '登录与安全' }).or(lan.getByRole('link', { name: /安全/ })).first().waitFor()
  assert.equal(await lan.getByRole('link', { name: '服务器运行状况' }).count(), 0)
  await lan.goto(`${node.base}/admin`)
  await lan.getByText('只有服务器的维护者能打开这里').waitFor()
})
