// The look of the page. Colours come in pairs, light and dark, each with a contrast of at least 4.5 to its ground.
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f2f5f4; --card: #fff; --ink: #16241f; --quiet: #566660; --line: #d5deda;
  --water: #0f6e6e; --on-water: #fff; --wash: #e4f1ef; --good: #157347; --bad: #b3261e; --wait: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1513; --card: #16201d; --ink: #e6efec; --quiet: #9bb0a9; --line: #2b3a35;
    --water: #5cc8c0; --on-water: #07211f; --wash: #1b2e2b; --good: #6fd59b; --bad: #ff9c92; --wait: #f0bf62;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; padding: clamp(1rem, 5vh, 3.5rem) 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
main { max-width: 42rem; margin: auto; }
header { display: flex; align-items: center; gap: .75rem; flex-wrap: wrap; margin-bottom: 1.25rem; }
header svg { width: 2.25rem; height: 2.25rem; color: var(--water); flex: none; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 0 0 .75rem; font-size: 1rem; }
p, h2.flush { margin: 0; }
.quiet { color: var(--quiet); font-size: .875rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .875rem; padding: 1.25rem; margin-bottom: 1rem; }
.row { display: flex; gap: .5rem; flex-wrap: wrap; align-items: center; }
.spread { justify-content: space-between; }
#log .back, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
#state { display: inline-flex; align-items: center; gap: .5rem; font-weight: 600; }
#state::before { content: ""; width: .625rem; height: .625rem; border-radius: 50%; background: currentColor; }
#state[data-state=open] { color: var(--good); }
#state[data-state=connecting], #state[data-state=closing] { color: var(--wait); }
#state[data-state=closed] { color: var(--quiet); }
#state[data-state=lost] { color: var(--bad); }
button, input[type=text] {
  font: inherit; color: inherit; min-height: 2.75rem; border: 1px solid var(--line); border-radius: .625rem;
  background: var(--card); padding: .375rem .875rem;
}
input[type=text] { border-color: var(--quiet); flex: 1 1 12rem; min-width: 0; }
button { cursor: pointer; font-weight: 600; }
button:hover:enabled { background: var(--wash); border-color: var(--water); }
button:disabled { cursor: default; opacity: .5; }
button.main { background: var(--water); border-color: var(--water); color: var(--on-water); }
button.main:hover:enabled { background: var(--water); filter: brightness(1.12); }
:focus-visible { outline: 3px solid var(--water); outline-offset: 2px; }
.tiers { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin: .75rem 0; }
.tiers button { padding: .75rem .5rem; line-height: 1.3; }
.tiers b { display: block; font-size: 1.125rem; }
.tiers span { font-weight: 400; }
::placeholder { color: var(--quiet); opacity: 1; }
fieldset { border: 1px solid var(--line); border-radius: .625rem; margin: 0; padding: 3px; display: inline-flex; gap: 2px; }
fieldset label { position: relative; cursor: pointer; }
fieldset input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
fieldset span { display: block; padding: .25rem .875rem; border-radius: .4375rem; font-size: .875rem; font-weight: 600; }
fieldset input:checked + span { background: var(--water); color: var(--on-water); }
fieldset input:focus-visible + span { outline: 3px solid var(--water); outline-offset: 3px; }
legend, .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#log { list-style: none; margin: 0; padding: 0; }
#log li { display: flex; flex-wrap: wrap; gap: 0 .75rem; padding: .625rem 0; border-top: 1px solid var(--line); }
#log li:first-child { border-top: 0; padding-top: 0; }
#log li:last-child { padding-bottom: 0; }
#log .what { flex: 1 0 70%; font-weight: 600; }
#log .time { font-variant-numeric: tabular-nums; font-weight: 600; margin-left: auto; }
#log .verdict::before { content: "✗ "; font-weight: 700; }
#log [data-verdict=right] .verdict::before { content: "✓ "; }
#log [data-verdict=waiting] .verdict::before { content: "… "; }
#log .verdict { flex: none; font-size: .875rem; color: var(--bad); }
#log [data-verdict=right] .verdict { color: var(--good); }
#log [data-verdict=waiting] .verdict { color: var(--wait); }
#log .back { flex: 1 1 8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--quiet); font-size: .8125rem; }
@media (max-width: 30rem) {
  .tiers button { padding-inline: 0; white-space: nowrap; }
  .tiers b { font-size: .9375rem; }
  .tiers span { font-size: .75rem; }
}
@media (max-width: 24rem) { .tiers { grid-template-columns: 1fr; } }
`
