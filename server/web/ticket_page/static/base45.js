/** Base45 (RFC 9285), the alphabet of a QR code's alphanumeric mode; and Base64url, in which the server sends bytes. */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** Return three characters for every two bytes, two for a last single byte. */
export function encodeBase45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const paired = at + 1 < bytes.length;
    const number = paired ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    text += ALPHABET[number % 45] + ALPHABET[Math.floor(number / 45) % 45];
    if (paired) text += ALPHABET[Math.floor(number / 2025)];
  }
  return text;
}

/** Return the bytes of a Base64url text without padding; throws for any other text. */
export function decodeBase64url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
