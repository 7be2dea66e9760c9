"""The look of the pages, where Streamlit's own is not enough: reading, contrast, narrow screens."""

from __future__ import annotations

STYLE = """<style>
/* Reading */
.answer p, .answer li { font-size: 1.05rem; line-height: 1.6; margin: 0 0 .7rem; }
.answer sup a, .answer .n { font-weight: 600; text-decoration: none; padding: 0 .12em; }
.answer sup a:hover, .answer sup a:focus { text-decoration: underline; }
.answer .understood { color: #44505c; font-size: .95rem; }
.answer .silence { font-weight: 600; }
.answer, .citation, .context, .question, .listing { overflow-wrap: anywhere; }
.answer a, .where a, .citation a, .listing a { color: #0b4f8a; }
.question { white-space: pre-wrap; margin: 0; }
.notice { border-left: .3rem solid #b35c00; background: #fff6e9; padding: .45rem .8rem;
  margin: 0 0 .6rem; font-size: .95rem; }
.badge { background: #fff0d6; border: 1px solid #b35c00; color: #6d3800; border-radius: .6rem;
  padding: .05rem .5rem; font-size: .82rem; white-space: nowrap; }
.where { color: #44505c; font-size: .92rem; margin: 0 0 .5rem; }
.context { white-space: pre-wrap; border: 1px solid #87919b; border-radius: .4rem;
  padding: .8rem 1rem; margin: 0 0 .8rem; background: #fcfcfa; line-height: 1.55;
  font-family: Georgia, 'Times New Roman', serif; max-height: 20rem; overflow-y: auto; }
.context.whole { max-height: 65vh; }
.context mark { background: #ffe58a; color: inherit; padding: .08em 0; }
.cut { color: #44505c; }
ul.listing, dl.facts { list-style: none; margin: 0 !important; padding: 0 !important; }
.listing li { border-bottom: 1px solid #d5dbe0; margin: 0 !important; padding: .65rem 0; }
.listing .where { margin: .1rem 0 0; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.2rem; }
.facts dt { font-weight: 600; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
/* Contrast and focus */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p,
[data-testid="stSidebarNavLink"] span {
  color: #44505c !important; opacity: 1 !important; }
a:focus-visible, .context:focus-visible, summary:focus-visible, button:focus-visible {
  outline: 3px solid #0b4f8a !important; outline-offset: 2px; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
/* Streamlit's page */
[data-testid="stMainBlockContainer"] { padding-top: 3.5rem; }
[data-testid="stBottomBlockContainer"] { padding-bottom: 1.2rem; }
[data-testid="stChatMessage"] p:last-child { margin-bottom: 0; }
[data-testid="stMainBlockContainer"] h1 { font-size: 1.9rem; padding-top: .5rem; }
[data-testid="stSidebar"] h2 { font-size: 1.15rem; }
[data-testid="InputInstructions"] { display: none; }
[data-testid="stStatusWidget"] img, [data-testid="stStatusWidget"] svg { display: none; }
[class*="st-key-open-"] button { justify-content: flex-start; text-align: left;
  padding-left: .6rem; padding-right: .6rem; min-height: 2.2rem; }
[class*="st-key-open-"] button > div { min-width: 0; justify-content: flex-start; }
[class*="st-key-open-"] button p { overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
@media (max-width: 640px) {
  [data-testid="stChatMessage"] { flex-direction: column; gap: .5rem; padding: .8rem .2rem; }
  [data-testid="stChatMessageAvatarCustom"] { display: none; }
  [data-testid="stMainBlockContainer"] h1 { font-size: 1.5rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .6rem; }
}
</style>"""
