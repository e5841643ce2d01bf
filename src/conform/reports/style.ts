// How reports and the page of `/conform` look, in light and dark, from a phone to a wide screen.

export const reportStyle = `
:root { color-scheme: light dark; --ground: #fbfbfa; --raised: #fff; --ink: #1c2024; --quiet: #5b636b; --line: #dfe2e5;
  --pass: #10703c; --non-strict: #8a5a00; --fail: #b3261e; --skipped: #5b636b; --accent: #0b6f6c }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --raised: #1c2024; --ink: #e9ecef; --quiet: #a3abb3;
  --line: #31373d; --pass: #66cc91; --non-strict: #e6b450; --fail: #ff8a80; --skipped: #a3abb3; --accent: #4dc3bf } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { margin: 0; font-size: 1.5rem } h2 { display: inline; margin: 0; font-size: 1rem }
.quiet { color: var(--quiet); margin: 0; font-size: .9rem }
.pass { color: var(--pass) } .non-strict { color: var(--non-strict) } .fail { color: var(--fail) } .skipped { color: var(--skipped) }
.tiles { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .75rem; padding: 0; margin: 1.25rem 0 }
.tiles li { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem }
.tiles b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }
details { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; overflow: hidden }
summary { cursor: pointer; padding: .5rem .75rem } summary span { font-size: .875rem; margin-left: .5rem; white-space: nowrap }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
th { text-align: left; font-weight: 600; color: var(--quiet) }
td, th { padding: .4rem .75rem; border-top: 1px solid var(--line); vertical-align: top }
.id, td.pass, td.fail, td.non-strict, td.skipped { white-space: nowrap }
.id { font-family: ui-monospace, monospace; font-size: .85rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .75rem; margin: .25rem 0 0; font-size: .85rem }
dt { color: var(--quiet) } dd { margin: 0; font-family: ui-monospace, monospace }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
button { font: inherit; padding: .4rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--raised); color: var(--ink); cursor: pointer }
progress { width: 100%; accent-color: var(--accent) }
@media (max-width: 32rem) { td.id { white-space: normal; min-width: 4.5rem } dl { grid-template-columns: 1fr } td, th { padding: .4rem .5rem } }
`
