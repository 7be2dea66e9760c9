"""How the page looks: on a screen of any width, and on paper."""

CSS = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;color:#1b1f24;background:#fff;font:16px/1.5 system-ui,sans-serif}
main,header,footer{max-width:75rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2;margin:1.2rem 0 .4rem}
h2{font-size:1.35rem;margin:2.5rem 0 .6rem;border-bottom:2px solid #1d4f91;padding-bottom:.2rem}
h3{font-size:1.1rem;margin:1.6rem 0 .4rem}
h4{font-size:1rem;margin:1.1rem 0 .3rem}
a{color:#1d4f91}
:focus-visible,:target:focus{outline:3px solid #b3500f;outline-offset:2px}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:.5rem;background:#fff;padding:.5rem;z-index:1}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0}
.wide{overflow-x:auto;position:relative;margin:.6rem 0}
table{border-collapse:collapse;font-size:.9rem;overflow-wrap:break-word}
caption{text-align:left;font-weight:600;padding:.3rem 0}
h3+.wide caption,h4+.wide caption{
position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th,td{border:1px solid #c9ced6;padding:.3rem .55rem;text-align:left;vertical-align:top}
thead th{background:#eef2f7}
tbody th{font-weight:500}
td{font-variant-numeric:tabular-nums}
.headline{font-size:1.05rem}
.tag{display:inline-block;border:1px solid;border-radius:.3rem;padding:0 .4rem;font-size:.85rem}
.plain{color:#1d4f91;background:#eef4fc}
.bad{color:#8a1c1c}
.tag.bad{background:#fdecec;font-weight:700}
details{margin:.35rem 0}
summary{cursor:pointer;padding:.2rem .3rem;overflow-wrap:anywhere}
.question{border:1px solid #c9ced6;border-radius:.3rem}
.question>.body{padding:.2rem .9rem .9rem;scroll-margin-top:4rem;overflow-wrap:anywhere}
.question[open]>summary{background:#eef2f7}
dl{margin:.4rem 0;display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.2rem 1rem}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere;min-width:0}
dd ul{margin:0;padding-left:1.1rem}
.legend dt{font-family:ui-monospace,monospace;font-size:.85rem}
.text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate;background:#f7f8fa;
border-left:4px solid #8593a6;padding:.6rem .8rem;font-size:.92rem;margin:.3rem 0 .8rem}
.place{margin:.7rem 0 .2rem;font-weight:600}
mark{background:#ffe48a;color:#111;border-bottom:2px solid #8a5a00}
q{quotes:"«" "»";unicode-bidi:isolate}
td>q{display:block;min-width:14rem}
.told li{margin:.3rem 0}
.ids{display:flex;flex-wrap:wrap;gap:.1rem 1rem;list-style:none;padding:0 .5rem}
figure{margin:.8rem 0 1.6rem}
figcaption{max-width:48rem}
figure{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:.4rem 1.5rem}
figcaption{grid-column:1/-1}
svg{width:100%;height:auto;max-width:46rem;font:12px system-ui,sans-serif;fill:#1b1f24}
@media(max-width:60rem){figure{grid-template-columns:minmax(0,1fr)}}
@media(max-width:40rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}
.plot{overflow-x:auto}svg{min-width:34rem}}
@page{margin:1.5cm}
@media print{
body{font-size:10pt}
table{font-size:8pt}
main,header,footer{max-width:none;padding:0}
.skip,nav{display:none}
details::details-content{content-visibility:visible;display:block;height:auto}
.wide,.plot{overflow:visible}
svg{min-width:0}
thead{display:table-header-group}
tr,svg,figure,.place{break-inside:avoid}
h2,h3,h4,summary,caption,.place{break-after:avoid}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
