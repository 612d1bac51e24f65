/** The value of each character code that is a lower-case hex digit, 255 for all others. */
export const HEX_VALUES: Uint8Array = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) HEX_VALUES[i.toString(16).charCodeAt(0)] = i;
