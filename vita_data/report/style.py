"""The page's style sheet: system fonts, light and dark, wide and narrow, nothing from elsewhere."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --sheet: #ffffff; --ink: #1b2128; --soft: #56616d; --line: #dde2e8; --tint: #eef2f7;
  --link: #1a5fa8; --alarm: #b3261e;
  --blue: #2a6fb5; --sky: #86b7e0; --violet: #7d5fb0; --grey: #a9b2bd; --red: #d1543a; --track: #bfc9d4;
  --green: #3a8a68; --gold: #c08a1e; --mark: #ffe39a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --sheet: #1a2027; --ink: #e6eaef; --soft: #a0abb7; --line: #2e3741; --tint: #232b34;
    --link: #82b8ee; --alarm: #ff8a7d;
    --blue: #5b9fe0; --sky: #3f6a94; --violet: #a88be0; --grey: #66717e; --red: #e8735a; --track: #4c5967;
    --green: #57b08b; --gold: #dcae4d; --mark: #6b5314;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif;
}
header, main { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
section { scroll-margin-top: 12px; }
main > section {
  background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; padding: 8px 28px 28px;
  margin: 0 0 24px;
}
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 12px; }
h1 span { color: var(--soft); font-weight: 400; font-size: 20px; letter-spacing: 0; white-space: nowrap; }
h2 { font-size: 22px; letter-spacing: -0.01em; margin: 20px 0 8px; }
h3 { font-size: 16px; margin: 28px 0 8px; overflow-wrap: anywhere; }
h3 small, td small { color: var(--soft); font-weight: 400; font-size: 13px; }
p { margin: 0 0 12px; max-width: 76ch; }
code {
  font: 12.5px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere;
}
h3 code { font-weight: 400; color: var(--soft); }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
bdi { unicode-bidi: isolate; }
ul, ol, dl, figure { margin: 0; padding: 0; list-style: none; }
.eyebrow {
  color: var(--soft); text-transform: uppercase; letter-spacing: 0.09em; font-size: 12px;
  font-weight: 600; margin: 0 0 6px;
}
.lede { font-size: 17px; max-width: 70ch; margin-bottom: 24px; }
.note, .muted, figcaption { color: var(--soft); font-size: 13.5px; }
.note { margin: 10px 0 0; }
.alarm { color: var(--alarm); font-weight: 600; }
nav ul { display: flex; flex-wrap: wrap; gap: 6px 20px; padding: 18px 0 20px; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.tiles > div {
  background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px;
}
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; }
.tiles b {
  display: block; font-size: 24px; line-height: 1.25; letter-spacing: -0.01em;
  font-variant-numeric: tabular-nums;
}
.tiles small { color: var(--soft); font-size: 12.5px; }

.drawn { --c: var(--blue); } .spare { --c: var(--sky); } .held { --c: var(--violet); }
.between { --c: var(--grey); }
.rejected { --c: var(--red); } .track { --c: var(--track); }
.first { --c: var(--blue); } .second { --c: var(--gold); } .third { --c: var(--green); }
.fourth { --c: var(--violet); }
.fifth { --c: var(--grey); }
.before { --c: var(--grey); } .after { --c: var(--gold); } .taken { --c: var(--blue); }
rect { fill: var(--c); }
svg { display: block; }
.bar { width: 100%; height: 18px; border-radius: 4px; background: var(--tint); }
.bar rect { stroke: var(--sheet); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.plain rect, .small rect { stroke: none; }
.plain { background: none; }
.small { height: 8px; border-radius: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13.5px; margin: 8px 0 12px; }
.legend li { display: flex; align-items: center; gap: 7px; }
.swatch { width: 12px; height: 12px; border-radius: 3px; background: var(--c); flex: none; }
.bars li {
  display: grid; grid-template-columns: 14rem 1fr 8.5rem; gap: 2px 14px; align-items: center;
  padding: 4px 0;
}
.name { font-weight: 600; overflow-wrap: anywhere; }
.value { text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; font-size: 13.5px; }
figure + .scroll { margin-top: 16px; }
.plots {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 28px 36px;
  margin-top: 12px;
}
.wide { grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); }
.plots figcaption { color: var(--ink); font-weight: 600; font-size: 14.5px; margin-bottom: 6px; }
.histogram { width: 100%; height: 170px; border-bottom: 1px solid var(--soft); }
.most {
  display: block; font-size: 12px; color: var(--soft); border-bottom: 1px dashed var(--line);
  margin-bottom: 2px;
}
.axis {
  display: flex; justify-content: space-between; font-size: 12px; color: var(--soft); padding-top: 3px;
  font-variant-numeric: tabular-nums;
}
.each span { flex: 1 1 0; text-align: center; min-width: 0; }

.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
caption {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
th, td { padding: 7px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:first-child { padding-left: 0; position: sticky; left: 0; background: var(--sheet); }
thead th.number { white-space: normal; }
thead th { color: var(--soft); font-weight: 600; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 600; min-width: 9.5rem; overflow-wrap: anywhere; }
.place { min-width: 13rem; }
tfoot th, tfoot td { font-weight: 700; border-bottom: 0; border-top: 2px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
span.number { display: block; }
.bad { color: var(--alarm); font-weight: 600; }
.share { display: grid; grid-template-columns: 4.2rem minmax(60px, 1fr); gap: 10px; align-items: center; }
.share > span { text-align: right; }
details { font-size: 14px; }
summary { cursor: pointer; color: var(--link); }
td details { text-align: left; font-weight: 400; }
td summary { text-align: right; }
td details ul { padding: 4px 0 2px; white-space: nowrap; }
figure details { margin-top: 6px; }

.rule {
  border-top: 1px solid var(--line); padding: 16px 0; display: grid;
  grid-template-columns: 15.5rem minmax(0, 1fr); gap: 4px 28px;
}
.rule:first-of-type { border-top: 0; }
.rule h3 { margin: 0 0 4px; }
.rule p { font-size: 14px; margin-bottom: 6px; }
.rule .cards { grid-template-columns: repeat(auto-fill, minmax(min(350px, 100%), 1fr)); }
.badge {
  display: inline-block; min-width: 30px; text-align: center; background: var(--tint);
  border: 1px solid var(--red); border-radius: 999px; padding: 0 9px; margin-right: 10px;
  font-size: 14px;
}
.cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); gap: 14px;
}
.card { border: 1px solid var(--line); border-radius: 10px; padding: 12px; height: 100%; }
.pictures { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-start; }
.pictures img {
  display: block; max-width: 100%; height: auto; border-radius: 4px; background: #fff;
  outline: 1px solid var(--line);
}
.reject { display: flex; flex-wrap: wrap; gap: 10px 12px; align-items: flex-start; }
.reject .clips { flex: 1 1 100%; }
.reject .pictures { flex: 0 0 96px; }
.reject .words { min-width: 0; flex: 1; font-size: 14px; overflow-wrap: anywhere; }
.reject .words p { margin-bottom: 8px; }
.nothing {
  display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 4px;
  width: 96px; min-height: 84px;
  padding: 6px; border: 1px dashed var(--soft); border-radius: 4px; color: var(--soft);
  font-size: 11.5px; line-height: 1.25; text-align: center;
}
.nothing svg {
  width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round;
}
.facts { font-size: 13px; }
.facts > div { display: grid; grid-template-columns: 4.6rem 1fr; gap: 8px; padding: 1px 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.columns {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(230px, 100%), 1fr)); gap: 4px 28px;
  margin-bottom: 16px;
}
.columns .facts > div { grid-template-columns: 5.6rem 1fr; }
.columns h3 { margin-top: 12px; }
.turns { display: grid; gap: 8px; margin: 0 0 10px; }
.sample .pictures { margin-bottom: 10px; }
.turns li { border-left: 3px solid var(--line); padding: 1px 0 1px 10px; font-size: 14px; }
.turns .human { border-color: var(--blue); }
.turns div { white-space: pre-line; overflow-wrap: anywhere; unicode-bidi: isolate; }
.speaker { display: block; color: var(--soft); font-size: 12px; }
.chip {
  display: inline-block; background: var(--tint); border: 1px solid var(--line); border-radius: 999px;
  padding: 0 8px; font-size: 12px; line-height: 1.5; color: var(--soft);
}
.clips { display: grid; gap: 8px; justify-items: start; }
.clip { display: grid; gap: 2px; width: 100%; }
.clip audio { display: block; width: 100%; max-width: 340px; height: 36px; }
.clip small { color: var(--soft); font-size: 12px; }
.quote { border-left: 3px solid var(--line); padding-left: 10px; color: var(--soft); white-space: pre-line; }

.clusters { display: grid; gap: 14px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 10px 24px; }
.side { min-width: 0; font-size: 14px; overflow-wrap: anywhere; }
.side > p { margin-bottom: 6px; }
.side small { color: var(--soft); font-size: 12px; }
.side .pictures, .side .clips { margin-bottom: 8px; }
.side ul { display: grid; gap: 2px; }
.said { white-space: pre-line; unicode-bidi: isolate; }
.pair + .near { border-top: 1px solid var(--line); margin-top: 14px; padding-top: 12px; }
mark { background: var(--mark); color: inherit; border-radius: 3px; padding: 0 1px; }
.gone { border-color: var(--red); color: var(--ink); }
.sizes { color: var(--soft); font-size: 13px; margin: 0; overflow-wrap: anywhere; }
.sizes.near { margin-bottom: 10px; max-width: none; }

@media (max-width: 640px) {
  header, main { padding: 0 12px; }
  header { padding-top: 24px; }
  main > section { padding: 4px 16px 20px; border-radius: 10px; }
  h1 { font-size: 28px; }
  h1 span { display: block; font-size: 17px; white-space: normal; }
  .lede { font-size: 16px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tiles b { font-size: 20px; }
  tbody th { min-width: 6.5rem; }
  .rule, .pair { grid-template-columns: minmax(0, 1fr); }
  .bars li { grid-template-columns: 1fr auto; }
  .bars svg { grid-column: 1 / -1; grid-row: 2; }
}
@media print {
  body { background: #fff; }
  nav { display: none; }
  main > section { border: 0; padding: 0; }
  .card, figure, tr { break-inside: avoid; }
}
"""
