// The look of the dashboard. The colours of lines come in pairs, light and dark.
export const dashboardStyle = `
:root { --c1: #0f6e6e; --c2: #b4540a; --c3: #6a3fb5; --c4: #1f66c1; --c5: #a3195b; --c6: #5b6b00; }
@media (prefers-color-scheme: dark) {
  :root { --c1: #5cc8c0; --c2: #ff9d57; --c3: #b79bff; --c4: #7db7ff; --c5: #ff8ab8; --c6: #c3d35a; }
}
main.dashboard { max-width: 72rem; }
#live { display: inline-flex; align-items: center; gap: .5rem; }
#live::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: var(--wait); }
#live[data-live=open]::before { background: var(--good); }
#live[data-live=lost]::before { background: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .5rem; margin: .875rem 0 1.25rem; }
.tile { background: var(--wash); border-radius: .625rem; padding: .625rem .75rem; min-width: 0; }
.tile dt { font-size: .8125rem; color: var(--quiet); }
.tile dd { margin: 0; font-variant-numeric: tabular-nums; }
.tile dd span { display: block; overflow-wrap: anywhere; min-height: 1.25rem; }
.tile dd span:first-child { font-size: 1.125rem; font-weight: 650; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1.5rem 1.25rem; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .9375rem; margin-bottom: .25rem; }
.chart { min-height: 14rem; overflow: hidden; }
.uplot .u-legend .u-series:first-child { display: none; }
.uplot .u-legend { font-size: .75rem; text-align: left; margin: 0; }
.uplot .u-legend .u-series > * { padding: 1px 2px; }
.uplot .u-inline tr { margin-right: .5rem; }
.uplot .u-value { min-width: 3.5em; font-variant-numeric: tabular-nums; }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-color: var(--quiet); }
.lists { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); gap: 1.25rem; margin-top: 1.5rem; }
h3 { margin: 0 0 .375rem; font-size: .9375rem; }
.counts { list-style: none; margin: 0; padding: 0; font-size: .875rem; }
.counts li { display: grid; grid-template-columns: minmax(0, 1fr) 4rem auto; gap: .5rem; align-items: center; padding: .125rem 0; }
.counts li span { overflow-wrap: anywhere; }
meter { width: 100%; height: .5rem; border-radius: .25rem; overflow: hidden; appearance: none; background: var(--line); border: 0; }
meter::-webkit-meter-bar { background: var(--line); border: 0; height: .5rem; }
meter::-webkit-meter-optimum-value { background: var(--water); }
meter::-moz-meter-bar { background: var(--water); }
`
