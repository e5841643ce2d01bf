// The part of the page that shows what the server counts, where its operator allows that.

const tile = (id: string, label: string): string =>
  `<div class="tile"><dt>${label}</dt><dd id="tile-${id}"><span>–</span><span class="quiet"></span></dd></div>`

const chart = (id: string, title: string, about: string): string =>
  `<figure><figcaption><b>${title}</b> <span class="quiet">${about}</span></figcaption><div id="chart-${id}" class="chart" role="img" aria-label="${title}, ${about}"></div></figure>`

export const dashboardMarkup = `
<section aria-labelledby="dashboard-title" class="wide">
  <div class="row spread">
    <h2 id="dashboard-title" class="flush">What the server does</h2>
    <p id="live" class="quiet" role="status" data-live="connecting">Connecting…</p>
  </div>
  <dl class="tiles">
    ${tile('connections', 'Connections')}
    ${tile('received', 'Received')}
    ${tile('sent', 'Sent')}
    ${tile('loop', 'Event loop')}
    ${tile('delay', 'Loop delay, p99')}
    ${tile('cpu', 'CPU')}
    ${tile('memory', 'Memory')}
    ${tile('topics', 'Topics')}
  </dl>
  <div class="charts">
    ${chart('messages', 'Messages', 'per second, by form of length')}
    ${chart('bytes', 'Bytes', 'per second, by form of length')}
    ${chart('connections', 'Connections', 'open, and opened per second')}
    ${chart('loop', 'Event loop', 'busy, and how late')}
    ${chart('cpu', 'CPU', 'percent of a core, by process')}
    ${chart('memory', 'Memory', 'by process')}
    ${chart('topics', 'Topics', 'publications and deliveries per second')}
    ${chart('latency', 'Latency', 'round trips of this page in the last minute, in ms')}
  </div>
  <div class="lists">
    <div><h3>Close codes</h3><ol id="codes" class="counts"></ol></div>
    <div><h3>Answers to handshakes</h3><ol id="statuses" class="counts"></ol></div>
    <div><h3>Violations</h3><ol id="violations" class="counts"></ol></div>
  </div>
</section>
`
