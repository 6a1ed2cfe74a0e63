/** Encrypts what must not be readable in the database. `open` errors when the text was changed or the key is another. */
export interface Sealer {
  seal(text: string): string;
  open(sealed: string): string;
}
