/**
 * What a reader would not see as it is: line ends and other controls, marks that turn or hide text (bidirectional
 * controls, joiners, fillers, tags, variation selectors), spaces that are none, lone surrogates. A backtick could end the
 * block of code that it is shown in.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800`]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M}/gu;

/** JSON of a value in one line in which nothing is hidden: what is not plainly to be seen is written as an escape. */
export function visibleJson(json: string): string {
  return json.replace(HIDDEN, escaped);
}

/** A text without any of them, for names. */
export function visibleName(text: string): string {
  return text.replace(HIDDEN, '\ufffd');
}

/** As JSON writes it, so that the text stays JSON of the same value. */
function escaped(char: string): string {
  return [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
